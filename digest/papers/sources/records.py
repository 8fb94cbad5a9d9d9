"""A record of any vocabulary (a JSON object, a row of a table, an entry of a bibliography) as a listing.

What the names mean is in `record_names.py`. Values are read in every shape those vocabularies use; what
cannot be read is left out, and only a record without a title is no listing.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import TypeVar

from digest.papers.sources.boilerplate import without_boilerplate
from digest.papers.sources.collect import MAX_RECORDS, PassedOver, collected
from digest.papers.sources.dates import date_of
from digest.papers.sources.fragments import seen_text, title_line
from digest.papers.sources.identifiers import arxiv_id_of, first_doi, first_guess, linked
from digest.papers.sources.names import author_names
from digest.papers.sources.parsed import ParsedEdition, ParsedListing
from digest.papers.sources.plain_text import (
    MAX_ABSTRACT,
    MAX_CATEGORIES,
    abstract_line,
    count,
    quoted,
    short_lines,
)
from digest.papers.sources.record_names import fields_of, known_names

Row = TypeVar("Row")
Value = TypeVar("Value")
Record = Mapping[str, object]
Fields = dict[str, list[object]]

MAX_VALUES = 200  # of one list, looked through

TEXT_KEYS = ("value", "text", "title", "rendered", "description", "content", "name")  # rendered: WordPress
LINK_KEYS = ("url", "URL", "href", "value", "landing_page_url", "pdf_url")
DOI_KEYS = ("DOI", "doi", "value", "identifier")
ARXIV_KEYS = ("ArXiv", "arxiv", "arXiv", "value", "identifier")
LABEL_KEYS = ("display_name", "category", "label", "name", "tag", "term", "subject")
# Wrappers of a record: Zotero's API, Elasticsearch, Invenio, DataCite, Semantic Scholar's lists, Hugging Face,
# OpenReview.
WRAPPERS = ("data", "_source", "metadata", "attributes", "citedPaper", "citingPaper", "paper", "content")
EITHER_WAY = re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-](?:\d{4}|\d{2})", re.ASCII)
ARXIV_CATEGORIES = re.compile(r"(?:[a-z]+(?:-[a-z]+)?(?:\.[A-Za-z-]{2,20})?(?: |$)){1,50}")


def edition_of_records(
    rows: Iterable[tuple[int, Row]],
    record_of: Callable[[Row], Record],
    noun: str,
    *,
    date: dt.date | None = None,
    title: str = "",
    base: str = "",
) -> ParsedEdition:
    """The edition of a file's numbered rows ("line 7"); `record_of` makes a record of one or raises PassedOver.

    A row's rank is the one it states (from 0 or 1), else its place among the rows, of the same day where they
    name days.
    """
    places: Counter[dt.date] = Counter()
    ambiguous: list[str] = []

    def read(numbered: tuple[int, Row], place: int) -> ParsedListing:
        number, row = numbered
        try:
            fields, title = _fields(record_of(row))
        except PassedOver as reason:
            raise PassedOver(str(reason), f"{noun} {number}") from None
        listing, stated = _listing(fields, title, base), _first(fields, "rank", _count)
        ambiguous.extend(f"{noun} {number}: {quoted(day, 20)}" for day in _ambiguous_days(fields))
        if listing.listed_on:
            places[listing.listed_on] += 1
            place = places[listing.listed_on]
        return replace(listing, rank=place if stated is None else stated)

    listings, warnings = collected(rows, read, noun, MAX_RECORDS)
    if any(listing.rank == 0 for listing in listings):
        listings = tuple(replace(listing, rank=listing.rank + 1) for listing in listings)
    if ambiguous:
        more = f" and {len(ambiguous) - 1} more" if len(ambiguous) > 1 else ""
        why = "may be read day first or month first, so no date was taken"
        warnings += (f"{ambiguous[0]}{more} {why}: write 2026-11-20",)
    return ParsedEdition(listings=listings, date=date, title=title, warnings=warnings)


def _fields(record: Record) -> tuple[Fields, str]:
    """The record's values by what they mean, and its title; PassedOver where it has none."""
    fields = fields_of(_unwrapped(record))
    title = title_line(_title(fields))
    if not title:
        says_it = "title" in known_names(record)
        raise PassedOver("its title says nothing" if says_it else f"it has no title ({_named(record)})")
    return fields, title


def _listing(fields: Fields, title: str, base: str) -> ParsedListing:
    published, listed = _days(fields)
    arxiv_id, version = _arxiv_id(fields)
    doi = first_doi(_doi_texts(fields))
    return ParsedListing(
        title=title,
        abstract=without_boilerplate(abstract_line(_abstract(fields)))[0],
        authors=_first(fields, "authors", author_names) or (),
        arxiv_id=arxiv_id,
        arxiv_version=version,
        doi=doi,
        guessed_doi="" if doi else first_guess(_doi_texts(fields)),
        url=next((url for text in _texts(fields, "url", LINK_KEYS) if (url := linked(text, base))), ""),
        upvotes=_first(fields, "upvotes", _count),
        comments=_first(fields, "comments", _count),
        categories=_first(fields, "categories", _categories) or (),
        published_on=published,
        is_withdrawn=any(_is_true(value) for value in fields.get("is_withdrawn", ())),
        listed_on=listed,
    )


def _title(fields: Fields) -> str:
    named = ("title", "name") if "authors" in fields or "abstract" in fields else ("title",)
    return next((text for field in named for text in _texts(fields, field, TEXT_KEYS)), "")


def _first(fields: Fields, field: str, read: Callable[[object], Value | None]) -> Value | None:
    """What `read` makes of the first value that it can read."""
    for value in fields.get(field, ()):
        found = read(value)
        if found is not None and found != ():
            return found
    return None


def _texts(fields: Fields, field: str, keys: Sequence[str]) -> Iterator[str]:
    """The texts under a field: as they are, in lists, and under these keys of objects."""
    for value in fields.get(field, ()):
        yield from _texts_in(value, keys)


def _texts_in(value: object, keys: Sequence[str]) -> Iterator[str]:
    for item in islice(value, MAX_VALUES) if isinstance(value, list) else (value,):
        if isinstance(item, str):
            yield item
        elif isinstance(item, Mapping):
            yield from (text for key in keys if isinstance(text := item.get(key), str) and text)


def _abstract(fields: Fields) -> str:
    for value in fields.get("abstract", ()):
        for text in _texts_in(value, TEXT_KEYS):
            if plain := seen_text(text).strip():
                return plain
        if isinstance(value, Mapping) and (text := _of_inverted_index(value)):
            return text
    return ""


def _of_inverted_index(index: Mapping[str, object]) -> str:
    """The text whose words OpenAlex keeps as {word: [its places, from 0]}."""
    words: dict[int, str] = {}
    for word, places in index.items():
        for place in islice(places, MAX_ABSTRACT) if isinstance(places, list) else ():
            if type(place) is int and 0 <= place < MAX_ABSTRACT:
                words[place] = word
    return " ".join(words[place] for place in sorted(words))[:MAX_ABSTRACT]


def _days(fields: Fields) -> tuple[dt.date | None, dt.date | None]:
    """The paper's own day, and the day of the list that names it.

    A bare "date" is the list's where the record also says what only a list can (a rank, upvotes) or names
    the paper's day beside it; else it is the paper's.
    """
    published, listed = _first(fields, "published_on", date_of), _first(fields, "listed_on", date_of)
    day = _first(fields, "day", date_of)
    if listed is None and (published or "rank" in fields or "upvotes" in fields):
        return published, day
    return published or day, listed


def _ambiguous_days(fields: Fields) -> Iterator[str]:
    """Days written as half the world writes them the other way round: "20/11/2026", "3/4/2026"."""
    for field in ("published_on", "listed_on", "day"):
        if _first(fields, field, date_of) is None:
            yield from islice((text for text in _texts(fields, field, ()) if EITHER_WAY.fullmatch(text.strip())), 1)


def _arxiv_id(fields: Fields) -> tuple[str, int | None]:
    """The id, with its version if one of the places says it."""
    dois, links = _texts(fields, "doi", DOI_KEYS), _texts(fields, "places", LINK_KEYS)
    places = chain(_texts(fields, "arxiv", ARXIV_KEYS), dois, links)
    known = [(name, version) for text in places for name, version in (arxiv_id_of(text),) if name]
    if not known:
        return "", None
    name = known[0][0]
    return name, next((version for other, version in known if other == name and version), None)


def _doi_texts(fields: Fields) -> Iterator[str]:
    # APS's id is the DOI.
    for field, keys in (("doi", DOI_KEYS), ("arxiv", DOI_KEYS), ("places", LINK_KEYS)):
        yield from _texts(fields, field, keys)


def _count(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.strip().isdigit() and len(value) < 12:
        return count(int(value))
    return count(value)


def _categories(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return _labels(_split(value))
    if isinstance(value, Mapping):  # APS: {"subjectAreas": [{"label": ...}]}
        value = next((inner for inner in value.values() if isinstance(inner, list)), [value])
    if not isinstance(value, list):
        return ()
    if len(value) == 1 and isinstance(value[0], str):
        return _labels(value[0].split(";"))
    return _labels(text for item in islice(value, MAX_VALUES) for text in islice(_texts_in(item, LABEL_KEYS), 1))


def _split(text: str) -> list[str]:
    text = text[:MAX_ABSTRACT]
    for separator in (";", "|"):
        if separator in text:
            return text.split(separator)
    if "." in text and ARXIV_CATEGORIES.fullmatch(text.strip()):
        return text.split()
    return text.split(",")


def _labels(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(short_lines((seen_text(text) for text in texts), MAX_CATEGORIES)))


def _is_true(value: object) -> bool:
    return value is True or (isinstance(value, str) and value.strip().lower() in ("true", "yes", "1"))


def _unwrapped(record: Record) -> Record:
    # The inner level wins where both say something.
    for key in WRAPPERS:
        inner = record.get(key)
        if isinstance(inner, Mapping) and "title" in known_names(inner):
            return {**record, **{name: value for name, value in inner.items() if value is not None}}
    return record


def _named(record: Record) -> str:
    names = ", ".join(quoted(name, 20) for name in islice(record, 5))
    return f"it has {names}" if names else "it is empty"
