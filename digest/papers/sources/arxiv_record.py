"""arXiv's own metadata inside OAI-PMH: the formats `arXiv` (people taken apart) and `arXivRaw` (every version).

What each holds: https://info.arxiv.org/help/oa/index.html
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from digest.papers.sources.collect import PassedOver
from digest.papers.sources.dates import day_in
from digest.papers.sources.fragments import title_line
from digest.papers.sources.identifiers import MAX_URL, arxiv_id_of, doi_of, paper_url
from digest.papers.sources.names import full_name, names_in_line
from digest.papers.sources.parsed import ParsedListing
from digest.papers.sources.plain_text import (
    MAX_AUTHORS,
    MAX_CATEGORIES,
    abstract_line,
    one_line,
    short_lines,
)
from digest.papers.sources.withdrawal import MAX_COMMENT, is_taken_back
from digest.papers.sources.xml_tree import first_text, text_of

VERSION = re.compile(r"v([1-9][0-9]{0,3})")
# "10.1103/A, 10.1103/B;10.1103/C" are three; a DOI may itself hold commas and semicolons.
BETWEEN_DOIS = re.compile(r"(?<![\s,;])[\s,;]+(?=10\.)")
# arXiv's records change whenever anybody touches their data. A paper is announced within days of its
# submission, or some weeks where moderators hold it; one that is older is not new, only its data are.
HELD = dt.timedelta(days=30)


def listing_of(record: Element, rank: int, datestamp: dt.date | None) -> ParsedListing:
    """The `arXiv` or `arXivRaw` element as a listing; PassedOver where it has no title."""
    arxiv_id, _ = arxiv_id_of(first_text(record, "id"))
    title = title_line(first_text(record, "title"), is_literal=True)
    if not title:
        raise PassedOver(f"it has no title ({arxiv_id or 'nor an id'})")
    abstract = abstract_line(first_text(record, "abstract"))
    version, created = _history(record)
    is_new = version in (None, 1) and not first_text(record, "updated") and not is_late(created, datestamp)
    return ParsedListing(
        title=title,
        abstract=abstract,
        authors=short_lines(_authors(record), MAX_AUTHORS),
        arxiv_id=arxiv_id,
        arxiv_version=version,
        doi=doi_of(BETWEEN_DOIS.split(one_line(first_text(record, "doi"), MAX_URL))[0]),
        url=paper_url(arxiv_id, ""),
        rank=rank,
        categories=short_lines(first_text(record, "categories").split(), MAX_CATEGORIES),
        published_on=created,
        announce_type="new" if is_new else "replace",
        is_withdrawn=is_taken_back(title, abstract, one_line(first_text(record, "comments"), MAX_COMMENT)),
        listed_on=datestamp,
    )


def _history(record: Element) -> tuple[int | None, dt.date | None]:
    """The latest version, where the format says it, and the day of the first."""
    versions = [
        (int(found[1]), day_in(first_text(element, "date")))
        for element in record.iterfind("version")
        if (found := VERSION.fullmatch(element.get("version", "")))
    ]
    if not versions:
        return None, day_in(first_text(record, "created"))
    return max(number for number, _ in versions), next((day for number, day in versions if number == 1), None)


def is_late(created: dt.date | None, datestamp: dt.date | None) -> bool:
    """Whether the record changed so long after the paper's first day that the paper is not what is new."""
    return created is not None and datestamp is not None and datestamp - created > HELD


def _authors(record: Element) -> Iterator[str]:
    people = record.findall("authors/author")
    if not people:
        yield from names_in_line(one_line(first_text(record, "authors"), MAX_AUTHORS * 100))
    for person in people:
        families = " ".join(text_of(family).strip() for family in person.iterfind("keyname"))
        yield full_name(first_text(person, "forenames"), families, first_text(person, "suffix"))
