"""A page of XML in UTF-8, walked once with expat before anything else reads it.

expat fetches nothing: no DTD, no entity, no XInclude. What would make a reader of the page slow or large
(depth, elements by the million, entities made of entities) is an error that names the place.
"""

from __future__ import annotations

import re
from typing import Any
from xml.parsers import expat

import feedparser
from feedparser.encodings import convert_to_utf8

from digest.papers.sources.parsed import SourceError
from digest.papers.sources.plain_text import one_line, quoted, strictly_decoded, wide_encoding, without_never_text

ADDED_LINE = b"<?xml version='1.0' encoding='utf-8'?>\n"  # what feedparser puts before a page without it
MAX_DEPTH = 200
MAX_ATTRIBUTES = 1_000  # of one element
MAX_LETTERS = 2_000_000  # of one text, or of one element's attributes; an image inside an entry takes many
# Pages declare entities for single signs (&nbsp;); longer ones, or entities made of others, multiply.
MAX_ENTITY = 8
REFERS_TO_ANOTHER = re.compile("&(?!#)")


def utf8_xml(page: bytes | str) -> tuple[bytes, tuple[str, ...]]:
    """The page in UTF-8, and a warning where its encoding is not the one it declares; it is not yet walked."""
    if isinstance(page, bytes):
        return _converted(page.lstrip())  # a blank line before the declaration is a common slip
    # Text is decoded already: what its XML declaration says of the encoding is history.
    return without_never_text(page).lstrip().encode(), ()


def _converted(page: bytes) -> tuple[bytes, tuple[str, ...]]:
    if encoding := wide_encoding(page):  # feedparser takes UTF-16 that declares nothing for UTF-8 with zeros
        return without_never_text(strictly_decoded(page, encoding)).encode(), ()
    said: dict[str, Any] = {}
    try:
        data: bytes = convert_to_utf8({}, page, said)
    except ValueError:  # a declared encoding that is for other things than text ("idna")
        raise SourceError("line 1: the page declares an encoding that cannot be read: save it as UTF-8") from None
    fault = said.get("bozo_exception")
    if isinstance(fault, feedparser.CharacterEncodingUnknown):
        raise SourceError("the page's encoding cannot be told: declare it in the first line, or use UTF-8")
    if b"<?xml" not in page[:40].replace(b"\x00", b""):
        data = data.removeprefix(ADDED_LINE)  # so that errors name the page's own lines
    return data, (f"the encoding is not the declared one: {one_line(str(fault), 200)}",) if fault else ()


class Walk:
    """One pass of expat over a page in UTF-8; SourceError at the first thing that must go no further."""

    most_parts = 600_000  # elements and attributes; a MARC record of CERN's has about 450, one of arXiv's 50

    def __init__(self) -> None:
        self.parser = expat.ParserCreate("utf-8", namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.text
        self.parser.EntityDeclHandler = self._declare
        self.depth = self.parts = self.letters = 0

    def over(self, data: bytes) -> None:
        try:
            self.parser.Parse(data, True)
        except expat.ExpatError as error:
            raise SourceError(
                f"line {error.lineno}, column {error.offset + 1}: the page is not well-formed XML "
                f"({expat.ErrorString(error.code)}): was it cut off? Fetch it again"
            ) from None

    def start(self, _tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        self.parts += 1 + len(attributes)
        self.letters = 0
        if self.depth > MAX_DEPTH:
            raise self.fault(f"elements are nested more than {MAX_DEPTH} deep: is it a list of papers?")
        if self.parts > self.most_parts:
            raise self.fault(f"the page has over {self.most_parts:,} elements: is it one day's list? Split it")
        if attributes and (len(attributes) > MAX_ATTRIBUTES or _letters(attributes) > MAX_LETTERS):
            raise self.fault("an element has too many or too large attributes: is it a list of papers?")

    def text(self, text: str) -> None:
        self.letters += len(text)
        if self.letters > MAX_LETTERS:
            raise self.fault(f"a text has over {MAX_LETTERS:,} letters: is it a list of papers?")

    def end(self, _tag: str) -> None:
        self.depth -= 1
        self.letters = 0

    def _declare(self, name: str, _is_parameter: bool, value: str | None, *_outside: str | None) -> None:
        if value is None or len(value) > MAX_ENTITY or REFERS_TO_ANOTHER.search(value):
            raise self.fault(
                f"the page declares the entity {quoted(name)}, which is more than a sign: write out what it stands for"
            )

    def fault(self, words: str) -> SourceError:
        """The error for the place where the walk is."""
        return SourceError(
            f"line {self.parser.CurrentLineNumber}, column {self.parser.CurrentColumnNumber + 1}: {words}"
        )


def _letters(attributes: dict[str, str]) -> int:
    return sum(map(len, attributes.values()))
