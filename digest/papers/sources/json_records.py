"""JSON of any vocabulary: a list of objects, an object that holds one, or one record by itself.

Crossref, Semantic Scholar, OpenAlex, APS, bioRxiv, DataCite, Zotero, our own interface. An answer that says
what is wrong is an error in its words, an empty page of results an empty edition.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from itertools import islice
from urllib.parse import quote

from digest.papers.sources.collect import PassedOver
from digest.papers.sources.dates import utc_date
from digest.papers.sources.json_text import loaded_json
from digest.papers.sources.parsed import EmptyEdition, ParsedEdition, SourceError
from digest.papers.sources.plain_text import decoded, quoted
from digest.papers.sources.record_names import known_names
from digest.papers.sources.records import Record, edition_of_records

# Where lists are kept; the first of these that holds one is it. Two levels: Crossref's message.items,
# Solr's response.docs, Elasticsearch's and Invenio's hits.hits.
LIST_KEYS = (
    *("data", "items", "results", "papers", "recommendedPapers", "works", "records", "articles", "entries"),
    *("collection", "hits", "docs", "value", "publications", "rows", "entry", "result", "notes"),
)
OUTER_KEYS = ("message", "response", "hits", "result", "resultList", "search-results", "data", "feed")
TOTAL_KEYS = ("total", "count", "total-results", "totalResults", "numFound", "total_count")
ERROR_KEYS = ("error", "errors", "message", "detail", "title", "reason", "description")


def parse(page: bytes | str) -> ParsedEdition:
    """The records of the page, in its order; dated where the page around them names its day."""
    answer = loaded_json(decoded(page))
    rows = _rows(answer)
    if not rows:
        raise EmptyEdition("the list holds no papers: nothing is listed (a quiet day, or a search that finds nothing)")
    return edition_of_records(enumerate(rows, start=1), record_of, "record", date=_stated_date(answer))


def record_of(row: object) -> Record:
    """The object, which is what a record is; PassedOver for anything else."""
    if not isinstance(row, Mapping):
        raise PassedOver(f"it is no object ({quoted(row) if isinstance(row, str) else type(row).__name__})")
    if isinstance(row.get("content"), Mapping) and isinstance(forum := row.get("forum"), str):  # OpenReview's note
        return {**row, "url": f"https://openreview.net/forum?id={quote(forum[:100])}"}
    return row


def _rows(answer: object) -> list[object]:
    if isinstance(answer, list):
        return answer
    if not isinstance(answer, dict):
        raise SourceError(f"the JSON is a {type(answer).__name__}, not a list of papers: check the source's address")
    _refuse_error(answer)
    outer: dict[str, object] = next((answer[key] for key in OUTER_KEYS if isinstance(answer.get(key), dict)), {})
    for holder in (answer, outer):
        for key in LIST_KEYS:
            if isinstance(rows := holder.get(key), list):
                return rows
    for record in (answer, outer):  # a record by itself, as it is or in a message
        if {"title", "authors"} & known_names(record):
            return [record]
    if any(holder.get(key) == 0 for holder in (answer, outer) for key in TOTAL_KEYS):
        return []
    keys = ", ".join(quoted(key, 20) for key in islice(answer, 5)) or "none"
    raise SourceError(f"the JSON object holds no list of papers (its keys: {keys}): check the source's address")


def _refuse_error(answer: Mapping[str, object]) -> None:
    """SourceError in the answer's own words, where it is an error: {"error": ...}, RFC 9457's problem, Crossref's."""
    status = answer.get("status")
    is_problem = type(status) is int and status >= 400
    said = next((answer[key] for key in ERROR_KEYS if isinstance(answer.get(key), str) and answer[key]), None)
    fault = answer.get("error") or answer.get("errors")
    if fault or is_problem or status in ("error", "failed", "fail"):
        words = said or str(fault or answer.get("message") or status)
        raise SourceError(f"the API answered with an error, {quoted(words, 200)}: correct the address, or ask it later")
    if isinstance(answer.get("message"), str) and not known_names(answer) & {"title", "authors"}:
        raise SourceError(f"the API answered with a message, {quoted(said, 200)}: correct the address, or ask it later")


def _stated_date(answer: object) -> dt.date | None:
    # Of an object that holds a list, its "date" is the list's; of a record by itself, the paper's.
    if not isinstance(answer, dict) or "title" in known_names(answer):
        return None
    return utc_date(answer.get("date"))
