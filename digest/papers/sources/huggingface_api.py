"""The JSON of https://huggingface.co/api/daily_papers, in every shape it has been served or stored in.

A row is `{"paper": {...}, "title": ..., "numComments": ...}`; keys come and go, and some stand now inside
`paper`, now outside. Crawlers have stored the list inside `{"status", "date", "count", "data"}` and each row
as the text of a Python dict. The list's date is `submittedOnDailyAt`; `publishedAt` is the day the paper
went to arXiv, days or weeks before.
"""

from __future__ import annotations

import ast
import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice
from urllib.parse import urlencode

from digest.papers.sources.collect import PassedOver, collected
from digest.papers.sources.dates import utc_date
from digest.papers.sources.fragments import MAX_MARKUP, seen_text, title_line
from digest.papers.sources.identifiers import arxiv_id_of, safe_url
from digest.papers.sources.json_text import loaded_json
from digest.papers.sources.parsed import EmptyEdition, ParsedEdition, ParsedListing, SourceError
from digest.papers.sources.plain_text import (
    MAX_AUTHORS,
    abstract_line,
    count,
    decoded,
    one_line,
    quoted,
    short_lines,
)

PAGE = 50  # papers; the most the API gives at a time
PAPERS_URL = "https://huggingface.co/papers/"
LIST_KEYS = ("data", "dailyPapers", "papers")

MAX_REPR = 200_000  # characters of a row kept as the text of a Python dict; the longest seen has 22,564


def day_url(url: str, day: dt.date, start: int = 0) -> str:
    """The API's address for the list of that day, from paper `start` on."""
    return f"{url}?{urlencode({'date': day.isoformat(), 'limit': PAGE, 'p': start // PAGE})}"


def page_url(url: str, day: dt.date) -> str:
    """The address of the page that shows the same list."""
    return url.replace("/api/daily_papers", f"/papers/date/{day}")


def parse(page: bytes | str) -> ParsedEdition:
    """The daily list out of the API's answer."""
    text = decoded(page)
    if text.lstrip().startswith("<"):
        raise SourceError("an HTML page came instead of the API's JSON: open the address in a browser")
    answer = loaded_json(text)
    return edition_of_rows(_rows(answer), _stated_date(answer))


def _rows(answer: object) -> list[object]:
    if isinstance(answer, list):
        return answer
    if not isinstance(answer, dict):
        found = type(answer).__name__
        raise SourceError(f"the JSON is a {found}, not a list of papers: fetch /api/daily_papers")
    for key in LIST_KEYS:
        if isinstance(answer.get(key), list):
            rows: list[object] = answer[key]
            return rows
    if "error" in answer:
        raise SourceError(f"the API answered with an error, {quoted(answer['error'])}: fetch it again later")
    keys = ", ".join(quoted(key, 20) for key in islice(answer, 5)) or "none"
    raise SourceError(f"the JSON object holds no list of papers (its keys: {keys}): fetch /api/daily_papers")


def _stated_date(answer: object) -> dt.date | None:
    # The wrapper's own word for the day it holds; only asked where the rows do not say it.
    return utc_date(answer.get("date")) if isinstance(answer, dict) else None


def edition_of_rows(rows: Sequence[object], stated: dt.date | None = None) -> ParsedEdition:
    """The edition of the API's rows, dated by the rows themselves or, where they are silent, as stated."""
    if not rows:
        raise EmptyEdition("the list holds no papers: nothing is listed for this day (a weekend, or not yet)")
    papers = [_row_of_repr(row) if isinstance(row, str) else row for row in rows]
    listings, warnings = collected(papers, listing_of_row, "row")
    return ParsedEdition(listings=listings, date=_common_date(papers) or stated, warnings=warnings)


def _row_of_repr(text: str) -> object:
    """The row behind the text of a Python dict; the text itself where it is not one."""
    if len(text) > MAX_REPR:
        return text
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError):
        return text
    except (MemoryError, RecursionError):  # what CPython's parser raises when a text nests too deeply
        return text


def listing_of_row(row: object, rank: int) -> ParsedListing:
    """One row of the API, which the papers page carries too; PassedOver where it is no paper."""
    if not isinstance(row, dict):
        raise PassedOver(f"it is no object ({quoted(row) if isinstance(row, str) else type(row).__name__})")
    both = _both_levels(row)
    title = title_line(seen_text(one_line(both.get("title"), MAX_MARKUP)))
    identifier = one_line(both.get("id"), 100)
    if not title:
        raise PassedOver(f"it has no title (id {quoted(identifier)})" if identifier else "it has no title")
    arxiv_id, version = arxiv_id_of(identifier)
    if not arxiv_id and "paper" not in row:  # somebody else's JSON, which has titles too
        raise PassedOver(f"it has no paper and no arXiv id ({quoted(title)})")
    return ParsedListing(
        title=title,
        abstract=abstract_line(seen_text(one_line(both.get("summary"), MAX_MARKUP))),
        authors=_authors(both.get("authors")),
        arxiv_id=arxiv_id,
        arxiv_version=version,
        url=safe_url(PAPERS_URL + identifier) if identifier else "",
        rank=rank,
        upvotes=count(both.get("upvotes")),
        comments=count(both.get("numComments")),
        published_on=utc_date(both.get("publishedAt")),
    )


def _both_levels(row: Mapping[str, object]) -> dict[str, object]:
    # The inner level wins where both say something.
    inner = row.get("paper")
    if not isinstance(inner, dict):
        return dict(row)
    return {**row, **{key: value for key, value in inner.items() if value is not None}}


def _authors(value: object) -> tuple[str, ...]:
    # "hidden": true stays in. In 415 days of lists it stands on 26 of 61,240 authors, nearly all with an
    # account of their own: they took the paper off their profile page, not their name off the paper.
    if not isinstance(value, list):
        return ()
    names = (author.get("name") if isinstance(author, dict) else author for author in value)
    return short_lines(names, MAX_AUTHORS)


def _common_date(rows: Sequence[object]) -> dt.date | None:
    # The most common one: a paper that was submitted late keeps the list's place but not its day.
    days = Counter(day for row in rows if isinstance(row, dict) and (day := _submitted_on(row)))
    return days.most_common(1)[0][0] if days else None


def _submitted_on(row: Mapping[str, object]) -> dt.date | None:
    return utc_date(_both_levels(row).get("submittedOnDailyAt"))
