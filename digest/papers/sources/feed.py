"""RSS 2.0, RSS 1.0 (RDF) and Atom, read with feedparser: arXiv, preprint servers, journals, anybody's feed.

feedparser reads what it can of a broken feed. Here a broken feed is an error: half a list looks to every
reader like a quiet day.
"""

from __future__ import annotations

import datetime as dt
import io
import re
from functools import partial
from typing import Any
from xml.sax import SAXException, SAXParseException

import feedparser

from digest.papers.sources.collect import collected
from digest.papers.sources.feed_entry import MAX_MARKUP, date_of, dicts_in, listing_of_entry
from digest.papers.sources.feed_xml import feed_xml
from digest.papers.sources.identifiers import is_host, linked
from digest.papers.sources.markup import text_of_html
from digest.papers.sources.parsed import EmptyEdition, ParsedEdition, SourceError
from digest.papers.sources.plain_text import MAX_TITLE, one_line, quoted

# What escapes from feedparser on odd but well-formed pages: numbers and dates it trusts (ValueError,
# ArithmeticError), elements in places it does not expect (LookupError, TypeError, AttributeError,
# AssertionError), SGML it cannot read and deep nesting (both RuntimeError), prefixes nobody declared.
FEEDPARSER_FAULTS = (
    *(ValueError, ArithmeticError, LookupError, TypeError, AttributeError, AssertionError, RuntimeError),
    *(SAXException, feedparser.exceptions.UndeclaredNamespace),
)
UTF8 = {"content-type": "application/xml; charset=utf-8"}

ARXIV = "arxiv.org"
SKIP_DAY = re.compile(rb"<day>\s*([A-Z][a-z]+)\s*</day>")
ARXIV_ERRORS = ("http://arxiv.org/api/errors", "https://arxiv.org/api/errors")


def parse(page: bytes | str, url: str = "") -> ParsedEdition:
    """The feed's entries in their order, dated by the feed itself; `url` is where the page was."""
    data, notes = feed_xml(page)
    read = _read(data)
    feed: dict[str, Any] = read["feed"]
    if not read["entries"]:
        raise _nothing_in(feed, data)
    _refuse_arxiv_error(read["entries"][0])
    home = linked(str(feed.get("link") or ""), url)
    read_entry = partial(listing_of_entry, is_atom=str(read["version"]).startswith("atom"), base=home or url)
    listings, warnings = collected(read["entries"], read_entry, "entry")
    return ParsedEdition(
        listings=listings,
        date=_date(feed),
        title=_title(feed),
        home=home or linked(url),
        total=_number(feed, "opensearch_totalresults"),
        warnings=(*notes, *warnings),
    )


def _read(data: bytes) -> dict[str, Any]:
    try:
        # A stream, never the text itself: feedparser would open a text that looks like an address or a path.
        # Its sanitiser is off because it would eat TeX ("a<b"); listings hold plain text, made in markup.py.
        read: dict[str, Any] = feedparser.parse(
            io.BytesIO(data), response_headers=UTF8, sanitize_html=False, resolve_relative_uris=False
        )
    except FEEDPARSER_FAULTS as error:
        fault = type(error).__name__
        raise SourceError(f"the feed cannot be read ({fault}): look at it in a feed validator") from None
    if read["bozo"]:
        raise SourceError(_broken(read["bozo_exception"]))
    if not read.get("version"):
        raise SourceError("the page is not a feed (neither RSS nor Atom): check the source's address")
    return read


def _broken(fault: Exception) -> str:
    # Only what expat alone lets pass comes this far, such as entities of a DTD that is never fetched.
    if isinstance(fault, SAXParseException):
        where = f"line {fault.getLineNumber()}, column {(fault.getColumnNumber() or 0) + 1}"
        return f"{where}: the page is not well-formed XML ({one_line(fault.getMessage(), 200)}): fetch it again"
    return f"the page is not well-formed XML ({one_line(str(fault), 200)}): fetch it again"


def _nothing_in(feed: dict[str, Any], data: bytes) -> SourceError:
    """The error for a feed without entries: some are rightly empty, arXiv's and those that name a day of rest."""
    name = f"feed {quoted(title)}" if (title := _title(feed)) else "feed"
    if (total := _number(feed, "opensearch_totalresults")) is not None:
        # arXiv's API now and then answers without the papers it counts.
        if (_number(feed, "opensearch_startindex") or 0) < total:
            return SourceError(f"the {name} counts {total:,} papers and holds none: fetch it again in some minutes")
        return EmptyEdition(f"the {name} has no papers; nothing to do")
    addresses = [feed.get("id"), feed.get("link"), *(link.get("href") for link in dicts_in(feed, "links"))]
    if any(is_host(address, ARXIV) for address in addresses if isinstance(address, str)):
        day = _date(feed)
        return EmptyEdition(
            f"the {name} is empty{f' on {day:%A} {day}' if day else ''}: "
            "arXiv announces nothing on Saturdays, Sundays and holidays; nothing to do"
        )
    if (day := _date(feed)) and f"{day:%A}".encode() in _days_of_rest(data):
        return EmptyEdition(f"the {name} is empty on {day:%A} {day}, a day on which it rests; nothing to do")
    return SourceError(f"the {name} has no entries: check the source's address in a browser")


def _days_of_rest(data: bytes) -> set[bytes]:
    """The days that RSS 2.0's `skipDays` names ("Saturday"); feedparser does not read it."""
    _, _, rest = data.partition(b"<skipDays>")
    return set(SKIP_DAY.findall(rest[:1000].partition(b"</skipDays>")[0]))


def _refuse_arxiv_error(entry: dict[str, Any]) -> None:
    # arXiv's API answers a bad query with a feed of one entry that says what is wrong.
    if str(entry.get("id", "")).startswith(ARXIV_ERRORS):
        message = quoted(entry.get("summary"))
        raise SourceError(f"arXiv's API answered with an error, {message}: correct the query")


def _number(feed: dict[str, Any], key: str) -> int | None:
    text = feed.get(key)
    is_number = isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= 9
    return int(text) if is_number and text else None


def _title(feed: dict[str, Any]) -> str:
    return one_line(text_of_html(one_line(feed.get("title"), MAX_MARKUP)), MAX_TITLE)


def _date(feed: dict[str, Any]) -> dt.date | None:
    return date_of(feed, "published_parsed") or date_of(feed, "updated_parsed")
