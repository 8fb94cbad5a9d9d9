"""RSS 2.0, RSS 1.0 (RDF) and Atom, read with feedparser: arXiv, preprint servers, journals, anybody's feed.

feedparser reads what it can of a broken feed. Here a broken feed is an error: half a list looks to every
reader like a quiet day.
"""

from __future__ import annotations

import datetime as dt
import io
from functools import partial
from typing import Any
from xml.sax import SAXException, SAXParseException

import feedparser

from digest.sources import EmptyEdition, ParsedEdition, SourceError
from digest.sources.collecting import collected
from digest.sources.feed_entry import MAX_MARKUP, date_of, listing_of_entry
from digest.sources.identifiers import is_host
from digest.sources.markup import text_of_html
from digest.sources.plain import MAX_TITLE, one_line, quoted, without_never_text

# What escapes from feedparser on hostile pages: dates and encodings it trusts (ValueError, ArithmeticError),
# elements closed in odd places (LookupError, TypeError, AttributeError, AssertionError), SGML it cannot
# read, deep nesting (both RuntimeError) and prefixes nobody declared (UndeclaredNamespace).
FEEDPARSER_FAULTS = (
    *(ValueError, ArithmeticError, LookupError, TypeError, AttributeError, AssertionError, RuntimeError),
    *(SAXException, feedparser.exceptions.UndeclaredNamespace),
)
HARMLESS = (feedparser.CharacterEncodingOverride, feedparser.NonXMLContentType)

ARXIV_FEEDS = "rss.arxiv.org"
ARXIV_ERRORS = ("http://arxiv.org/api/errors", "https://arxiv.org/api/errors")


def parse(page: bytes | str) -> ParsedEdition:
    """The feed's entries in their order, dated by the feed itself."""
    read = _read(page)
    feed: dict[str, Any] = read["feed"]
    notes = _checked(read)
    if not read["entries"]:
        raise _nothing_in(feed)
    _refuse_arxiv_error(read["entries"][0])
    is_atom = str(read["version"]).startswith("atom")
    read_entry = partial(listing_of_entry, is_atom=is_atom)
    listings, warnings = collected(read["entries"], read_entry, "entry")
    return ParsedEdition(
        listings=listings,
        date=_date(feed),
        title=_title(feed),
        warnings=(*notes, *warnings),
    )


def _read(page: bytes | str) -> dict[str, Any]:
    headers = {}
    if isinstance(page, str):
        # The text is decoded already, so the encoding its XML declaration names is history.
        page = without_never_text(page).encode()
        headers = {"content-type": "application/xml; charset=utf-8"}
    try:
        # A stream, never the text itself: feedparser would open a text that looks like an address or a path.
        # Its sanitiser is off because it would eat TeX ("a<b"); listings hold plain text, made in markup.py.
        read: dict[str, Any] = feedparser.parse(
            io.BytesIO(page), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
        )
    except FEEDPARSER_FAULTS as error:
        fault = type(error).__name__
        raise SourceError(f"the feed cannot be read ({fault}): is it XML at all? Fetch it again") from None
    return read


def _checked(read: dict[str, Any]) -> tuple[str, ...]:
    """A warning for harmless faults, SourceError for the others."""
    fault = read.get("bozo_exception") if read["bozo"] else None
    if isinstance(fault, SAXParseException):
        where = f"line {fault.getLineNumber()}, column {fault.getColumnNumber()}"
        raise SourceError(f"{where}: the feed is not XML ({_message(fault)}): was it cut off? Fetch it again")
    if fault is not None and not isinstance(fault, HARMLESS):
        raise SourceError(f"the feed is not XML that can be read ({_message(fault)}): fetch it again")
    if not read.get("version"):
        raise SourceError("the page is not a feed (neither RSS nor Atom): check the source's address")
    return (_message(fault),) if isinstance(fault, feedparser.CharacterEncodingOverride) else ()


def _message(fault: Exception) -> str:
    message = fault.getMessage() if isinstance(fault, SAXException) else str(fault)
    return one_line(message, 200)


def _nothing_in(feed: dict[str, Any]) -> SourceError:
    """The error for a feed without entries: arXiv's are rightly empty when it announces nothing."""
    name = f"feed {quoted(title)}" if (title := _title(feed)) else "feed"
    addresses = [feed.get("id"), feed.get("link"), *(link.get("href") for link in feed.get("links", []))]
    if any(is_host(address, ARXIV_FEEDS) for address in addresses if isinstance(address, str)):
        day = _date(feed)
        return EmptyEdition(
            f"the {name} is empty{f' on {day:%A} {day}' if day else ''}: "
            "arXiv announces nothing on Saturdays, Sundays and holidays; nothing to do"
        )
    return SourceError(f"the {name} has no entries: check the source's address in a browser")


def _refuse_arxiv_error(entry: dict[str, Any]) -> None:
    # arXiv's API answers a bad query with a feed of one entry that says what is wrong.
    if str(entry.get("id", "")).startswith(ARXIV_ERRORS):
        message = quoted(entry.get("summary"))
        raise SourceError(f"arXiv's API answered with an error, {message}: correct the query")


def _title(feed: dict[str, Any]) -> str:
    return one_line(text_of_html(one_line(feed.get("title"), MAX_MARKUP)), MAX_TITLE)


def _date(feed: dict[str, Any]) -> dt.date | None:
    return date_of(feed, "published_parsed") or date_of(feed, "updated_parsed")
