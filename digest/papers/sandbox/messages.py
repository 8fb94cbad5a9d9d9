"""What goes from the sandbox to its parent: JSON, every value checked, since a hostile page may speak in it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import logging
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_type_hints

from digest.papers.sources.feed_links import FeedLink
from digest.papers.sources.parsed import EmptyEdition, ParsedEdition, ParsedListing, SourceError, TryLater

logger = logging.getLogger(__name__)

MAX_NUMBER = 2**31 - 1
MAX_LOG = 10_000  # characters
MAX_ANSWER = 100_000_000  # bytes; the page itself has 50 MB at most


class Garbled(SourceError):
    """An answer that no parser of ours gives."""

    def __init__(self) -> None:
        super().__init__("the page could not be read safely: look whether it is a list of papers")


@dataclass(frozen=True, slots=True)
class Parsed:
    """A parsed page and the kind of page it was."""

    kind: str
    edition: ParsedEdition


# --- in the sandbox
def of_parsed(kind: str, edition: ParsedEdition) -> dict[str, object]:
    return {"kind": kind, "edition": _fields(edition) | {"listings": [_fields(one) for one in edition.listings]}}


def of_links(links: list[FeedLink]) -> dict[str, object]:
    return {"links": [_fields(link) for link in links]}


def of_error(error: SourceError) -> dict[str, object]:
    if isinstance(error, EmptyEdition):
        return {"empty": str(error), "next_token": error.next_token}
    if isinstance(error, TryLater):
        return {"later": str(error), "wait": int(error.wait.total_seconds())}
    return {"error": str(error)}


def packed(answer: dict[str, object]) -> bytes:
    """The answer as one line."""
    return json.dumps(answer, ensure_ascii=False, default=dt.date.isoformat).encode(errors="replace") + b"\n"


def _fields(record: Any) -> dict[str, object]:
    return {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}


# --- in the parent
def parsed_of(answer: object) -> Parsed:
    """The parsed page. Raises the SourceError that the parser raised, or Garbled."""
    found = _raised(answer)
    edition = found.get("edition")
    try:
        listings = tuple(_listing(one) for one in edition.pop("listings"))  # type: ignore[union-attr]
        rest = _values(edition, _EDITION)
        return Parsed(_text(found["kind"]), ParsedEdition(listings=listings, **rest))
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise Garbled from error


def links_of(answer: object) -> list[FeedLink]:
    """The links of a page. Raises as `parsed_of` does."""
    try:
        return [FeedLink(_address(link["url"]), _text(link["title"])) for link in _raised(answer)["links"]]
    except (LookupError, TypeError, ValueError) as error:
        raise Garbled from error


def _raised(answer: object) -> dict[str, Any]:
    """The answer, unless it is an error: that is raised."""
    match answer:
        case {"empty": str(text), "next_token": str(token)}:
            raise EmptyEdition(text, token)
        case {"later": str(text), "wait": int(seconds)} if 0 <= seconds <= MAX_NUMBER:
            raise TryLater(text, dt.timedelta(seconds=seconds))
        case {"error": str(text), "log": str(details)}:
            # Indented, so that no page writes lines of the log.
            logger.error("%s\n%s", text, textwrap.indent(details[:MAX_LOG], "    "))
            raise SourceError(text)
        case {"error": str(text)}:
            raise SourceError(text)
        case dict():
            return answer
    raise Garbled


def _listing(values: object) -> ParsedListing:
    listing = ParsedListing(**_values(values, _LISTING))
    _address(listing.url)
    return listing


def _values(values: object, readers: dict[str, Callable[[object], Any]]) -> dict[str, Any]:
    if not isinstance(values, dict) or values.keys() != readers.keys():
        raise ValueError("other fields than expected")
    return {name: reader(values[name]) for name, reader in readers.items()}


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def _address(value: object) -> str:
    text = _text(value)
    if text and not text.startswith(("http://", "https://")):
        raise ValueError("no web address")
    return text


def _texts(value: object) -> tuple[str, ...]:
    return tuple(_text(one) for one in _list(value))


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError("no list")
    return value


def _number(value: object) -> int:
    if type(value) is not int or not 0 <= value <= MAX_NUMBER:
        raise TypeError("no number")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("neither yes nor no")
    return value


def _date(value: object) -> dt.date:
    return dt.date.fromisoformat(_text(value))


def _month_day(value: object) -> tuple[int, int]:
    month, day = (_number(one) for one in _list(value))
    return month, day


def _or_none(reader: Callable[[object], Any]) -> Callable[[object], Any]:
    return lambda value: None if value is None else reader(value)


_READERS: dict[Any, Callable[[object], Any]] = {
    str: _text,
    int: _number,
    bool: _flag,
    int | None: _or_none(_number),
    dt.date | None: _or_none(_date),
    tuple[str, ...]: _texts,
    tuple[int, int] | None: _or_none(_month_day),
}
# A field of a type that is not in the table fails here, at import.
_LISTING = {name: _READERS[kind] for name, kind in get_type_hints(ParsedListing).items()}
_EDITION = {name: _READERS[kind] for name, kind in get_type_hints(ParsedEdition).items() if name != "listings"}
