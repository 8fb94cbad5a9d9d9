"""arXiv's addresses: from a feed's address to the search interface that answers for past days.

https://info.arxiv.org/help/api/user-manual.html
"""

from __future__ import annotations

import datetime as dt
from urllib.parse import unquote, urlencode, urlsplit

API = "https://export.arxiv.org/api/query"
PAGE = 500  # entries of one answer; the interface gives at most 2,000


def day_url(url: str, day: dt.date, start: int = 0) -> str:
    """The address of the papers submitted on that day (UTC) to the categories of the feed at `url`."""
    names = unquote(urlsplit(url).path).rstrip("/").rpartition("/")[2].split("+")
    categories = " OR ".join(f"cat:{name}" if "." in name or "-" in name else f"cat:{name}.*" for name in names)
    query = f"({categories}) AND submittedDate:[{day:%Y%m%d}0000 TO {day:%Y%m%d}2359]"
    values = {"search_query": query, "start": start, "max_results": PAGE}
    return f"{API}?{urlencode(values | {'sortBy': 'submittedDate', 'sortOrder': 'ascending'})}"
