"""A feed's bytes as well-formed UTF-8 XML, before feedparser sees them.

feedparser answers broken XML by reading it again with a forgiving parser, which takes minutes on a hostile
page and gives half a list; and it looks for mail addresses in names with a pattern that is quadratic on
names that never end. So the page is walked once with expat first: it is cheap, and it knows the place.
"""

from __future__ import annotations

from typing import Any
from xml.parsers import expat

import feedparser
from feedparser.encodings import convert_to_utf8

from digest.sources import SourceError
from digest.sources.plain import one_line, strictly_decoded, wide_encoding, without_never_text

ADDED_LINE = b"<?xml version='1.0' encoding='utf-8'?>\n"  # what feedparser puts before a page without it
MAX_DEPTH = 200
MAX_WORD_IN_NAME = 1_000
NAMES = ("author", "creator", "name", "owner", "publisher", "managingeditor", "webmaster", "contributor")


def utf8_xml(page: bytes | str) -> tuple[bytes, tuple[str, ...]]:
    """The page in UTF-8, and a warning where its encoding is not the one it declares."""
    notes: tuple[str, ...] = ()
    if isinstance(page, bytes):
        data, notes = _converted(page.lstrip())  # a blank line before the declaration is a common slip
    else:
        # Text is decoded already: what its XML declaration says of the encoding is history.
        data = without_never_text(page).lstrip().encode()
    _Walk().over(data)
    return data, notes


def _converted(page: bytes) -> tuple[bytes, tuple[str, ...]]:
    if encoding := wide_encoding(page):  # feedparser takes UTF-16 that declares nothing for UTF-8 with zeros
        return without_never_text(strictly_decoded(page, encoding)).encode(), ()
    said: dict[str, Any] = {}
    try:
        data: bytes = convert_to_utf8({}, page, said)
    except ValueError:  # a declared encoding that is for other things than text ("idna")
        raise SourceError("line 1: the feed declares an encoding that cannot be read: save it as UTF-8") from None
    fault = said.get("bozo_exception")
    if isinstance(fault, feedparser.CharacterEncodingUnknown):
        raise SourceError("the feed's encoding cannot be told: declare it in the first line, or use UTF-8")
    if b"<?xml" not in page[:40].replace(b"\x00", b""):
        data = data.removeprefix(ADDED_LINE)  # so that errors name the page's own lines
    return data, (f"the encoding is not the declared one: {one_line(str(fault), 200)}",) if fault else ()


class _Walk:
    """One pass of expat over a page; SourceError at the first thing that must not reach feedparser."""

    def __init__(self) -> None:
        self.parser = expat.ParserCreate("utf-8", namespace_separator=" ")
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.open: list[str] = []
        self.name: list[str] = []

    def over(self, data: bytes) -> None:
        try:
            self.parser.Parse(data, True)
        except expat.ExpatError as error:
            raise SourceError(
                f"line {error.lineno}, column {error.offset + 1}: the feed is not well-formed XML "
                f"({expat.ErrorString(error.code)}): was it cut off? Fetch it again"
            ) from None

    def _start(self, tag: str, _attributes: dict[str, str]) -> None:
        self.open.append(tag.rpartition(" ")[2].lower())
        self.name.clear()
        if len(self.open) > MAX_DEPTH:
            raise SourceError(f"{self._place()}: elements are nested more than {MAX_DEPTH} deep: is it a feed?")

    def _text(self, text: str) -> None:
        if self.open[-1] in NAMES:
            self.name.append(text)

    def _end(self, _tag: str) -> None:
        if self.open.pop() in NAMES and any(len(word) > MAX_WORD_IN_NAME for word in "".join(self.name).split()):
            raise SourceError(f"{self._place()}: a name has over {MAX_WORD_IN_NAME:,} letters: is it a feed?")
        self.name.clear()

    def _place(self) -> str:
        return f"line {self.parser.CurrentLineNumber}, column {self.parser.CurrentColumnNumber + 1}"
