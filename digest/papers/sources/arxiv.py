"""arXiv's feeds of one day that is past, asked of its API: https://info.arxiv.org/help/api/user-manual.html.

The feeds hold the newest announcement only. The API knows when a paper was submitted (first version, UTC),
not when it was announced: a day or two before, over weekends and holidays more.
"""

from __future__ import annotations

import datetime as dt
import re
from urllib.parse import unquote, urlencode, urlsplit

from digest.papers.sources.identifiers import is_host
from digest.papers.sources.parsed import SourceError
from digest.papers.sources.plain_text import quoted
from digest.papers.sources.web_query import query_of

API = "https://export.arxiv.org/api/query"
PAGE = 500  # entries in one answer; the API allows 2,000 and is slow to give them

FEED_PATH = re.compile(r"/(?:rss|atom)/(?P<names>[A-Za-z.+-]+)/?")
CATEGORY = re.compile(r"(?P<archive>[a-z]+(?:-[a-z]+)?)(?:\.(?P<subject>[A-Za-z]+(?:-[A-Za-z]+)?))?", re.IGNORECASE)
# Archives that are one category; the others are asked for with all their categories.
WHOLE_ARCHIVES = frozenset(
    {"gr-qc", "hep-ex", "hep-lat", "hep-ph", "hep-th", "math-ph", "nucl-ex", "nucl-th", "quant-ph"}
)  # fmt: skip


def is_feed(url: str) -> bool:
    """Whether the address is one of arXiv's feeds or of its API, so that `day_url` knows it."""
    return is_host(url, "arxiv.org") and bool(_feed_path(url) or _searched(url))


def day_url(url: str, day: dt.date, start: int = 0) -> str:
    """The API's address for the papers of the feed `url` submitted on that day (UTC), from entry `start` on."""
    query = f"({_searched(url) or _categories(url)}) AND submittedDate:[{day:%Y%m%d}0000 TO {day:%Y%m%d}2359]"
    return f"{API}?" + urlencode(
        {
            "search_query": query,
            "start": start,
            "max_results": PAGE,
            "sortBy": "submittedDate",
            "sortOrder": "ascending",
        }
    )


def _categories(url: str) -> str:
    found = _feed_path(url)
    if not found or not is_host(url, "arxiv.org"):
        raise SourceError(f"{quoted(url)} is not the address of a feed of arXiv: use https://rss.arxiv.org/rss/cs.CL")
    return " OR ".join(f"cat:{_category(name)}" for name in found["names"].split("+") if name)


def _feed_path(url: str) -> re.Match[str] | None:
    # A "+" in a path is a plus; browsers may have written it as %2B.
    return FEED_PATH.fullmatch(unquote(urlsplit(url).path))


def _searched(url: str) -> str:
    """The query of an address of the API, "" for others; one for given ids has none."""
    return query_of(url).get("search_query", "").strip() if urlsplit(url).path.startswith("/api/query") else ""


def _category(name: str) -> str:
    """The feeds take "cs.ai", the API wants "cs.AI": subjects of two letters are capitals, others small."""
    found = CATEGORY.fullmatch(name)
    if not found:
        raise SourceError(f"{quoted(name)} is not a category of arXiv: correct the source's address")
    archive, subject = found["archive"].lower(), found["subject"] or ""
    if not subject:
        return archive if archive in WHOLE_ARCHIVES else f"{archive}.*"
    return f"{archive}.{subject.upper() if len(subject) == 2 else subject.lower()}"
