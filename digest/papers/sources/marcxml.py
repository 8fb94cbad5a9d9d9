"""MARC 21 in XML (http://www.loc.gov/MARC21/slim): libraries', CERN's and publishers' records.

Fields: https://www.loc.gov/marc/bibliographic/. 024 DOI, 037 report numbers (arXiv's too), 100/700 people,
110/710 collaborations, 245 title, 260/269 dates, 520 abstract, 650/653 subjects, 856 links.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from digest.papers.sources.collect import PassedOver, collected
from digest.papers.sources.dates import day_in
from digest.papers.sources.fragments import title_line
from digest.papers.sources.identifiers import first_arxiv_id, first_doi, paper_url, safe_url
from digest.papers.sources.names import plain_name
from digest.papers.sources.parsed import ParsedEdition, ParsedListing
from digest.papers.sources.plain_text import MAX_AUTHORS, MAX_CATEGORIES, abstract_line, short_lines
from digest.papers.sources.withdrawal import is_taken_back
from digest.papers.sources.xml_tree import text_of, tree_of, wrong_root

DELETED_STATUS = "d"  # the sixth sign of the leader


def parse(page: bytes | str) -> ParsedEdition:
    """A `collection` of records or a single one, in its order, without a date: MARC has no list."""
    root, notes = tree_of(page)
    if root.tag not in ("collection", "record"):
        raise wrong_root(root, "MARC 21")
    records = [root] if root.tag == "record" else root.findall("record")
    listings, warnings = collected(records, listing_of, "record")
    return ParsedEdition(listings=listings, warnings=(*notes, *warnings))


def listing_of(record: Element, rank: int, datestamp: dt.date | None = None) -> ParsedListing:
    """The record as a listing; PassedOver where it has no title."""
    fields = Fields(record)
    title = title_line(": ".join(part.strip(" /:;") for part in fields.all("245", "ab")))
    if not title:
        raise PassedOver(f"it has no title ({fields.control('001')[:40] or 'nor a number'})")
    abstract = abstract_line(fields.first("520", "a"))
    arxiv_id, version = first_arxiv_id(fields.all("037", "a"))
    doi = first_doi(fields.all("024", "a"))
    people = [*fields.all("100", "a"), *fields.all("700", "a")] or fields.all("110", "a") + fields.all("710", "ag")
    return ParsedListing(
        title=title,
        abstract=abstract,
        authors=short_lines(map(plain_name, people), MAX_AUTHORS),
        arxiv_id=arxiv_id,
        arxiv_version=version,
        doi=doi,
        url=_url(fields, arxiv_id, doi),
        rank=rank,
        categories=short_lines(dict.fromkeys(_categories(fields)), MAX_CATEGORIES),
        published_on=next(
            (day for tag in ("260", "264", "269") for text in fields.all(tag, "c") if (day := day_in(text))), None
        ),
        is_withdrawn=fields.is_deleted or is_taken_back(title, abstract),
        listed_on=datestamp,
    )


class Fields:
    """The fields of one record, by tag; subfields in the record's order."""

    def __init__(self, record: Element) -> None:
        self.leader = text_of(record.find("leader"))
        self.controls = {field.get("tag", ""): text_of(field).strip() for field in record.iterfind("controlfield")}
        self.by_tag: dict[str, list[Element]] = {}
        for field in record.iterfind("datafield"):
            self.by_tag.setdefault(field.get("tag", ""), []).append(field)

    def control(self, tag: str) -> str:
        return self.controls.get(tag, "")

    def tagged(self, tag: str) -> list[Element]:
        return self.by_tag.get(tag, [])

    def all(self, tag: str, codes: str) -> list[str]:
        return [text for field in self.tagged(tag) for text in subfields(field, codes)]

    def first(self, tag: str, codes: str) -> str:
        return next(iter(self.all(tag, codes)), "")

    @property
    def is_deleted(self) -> bool:
        # The leader is the standard's way, "DELETED" in 980 that of Invenio, CERN's software.
        return self.leader[5:6] == DELETED_STATUS or "DELETED" in self.all("980", "ac")


def subfields(field: Element, codes: str) -> Iterator[str]:
    """The texts of the field's subfields with one of these codes, empty ones left out."""
    for subfield in field.iterfind("subfield"):
        text = text_of(subfield).strip()
        if text and subfield.get("code", " ") in codes:
            yield text


def _categories(fields: Fields) -> Iterator[str]:
    # arXiv's category stands beside its number; subjects and keywords follow.
    for field in fields.tagged("037"):
        if "arXiv" in subfields(field, "9"):
            yield from subfields(field, "c")
    yield from fields.all("650", "a")
    yield from fields.all("653", "a")


def _url(fields: Fields, arxiv_id: str, doi: str) -> str:
    links = [field for field in fields.tagged("856") if not _is_restricted(field)]
    # The second indicator 0 marks the thing itself, other links lead to its parts, versions and relations.
    own = [field for field in links if field.get("ind2") == "0"]
    return _first_link(own) or paper_url(arxiv_id, doi) or _first_link(links)


def _first_link(links: list[Element]) -> str:
    return next((url for field in links for text in subfields(field, "u") if (url := safe_url(text))), "")


def _is_restricted(field: Element) -> bool:
    return any("restricted" in text.lower() for text in subfields(field, "yz3"))
