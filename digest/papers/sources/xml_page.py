"""A page of XML in UTF-8, walked once with expat before anything else reads it.

expat fetches nothing: no DTD, no entity, no XInclude. What would make a reader of the page slow or large
(depth, elements by the million, entities made of entities) is an error that names the place.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from typing import Any
from xml.parsers import expat

import feedparser
from feedparser.encodings import convert_to_utf8

from digest.papers.sources.parsed import SourceError
from digest.papers.sources.plain_text import one_line, quoted, strictly_decoded, wide_encoding
from digest.papers.sources.xml_mend import mended, without_broken_records

ONE_BYTE = "paperround.windows-1252"  # an error handler of decoding
DECLARED = re.compile(rb"<\?xml[^>]{0,100}?encoding=[\"']([\w.-]{1,40})")
CUT_OFF = ("no element found", "unclosed token", "unclosed CDATA section")
ADDED_LINE = b"<?xml version='1.0' encoding='utf-8'?>\n"  # what feedparser puts before a page without it
MENDS = 2  # of pages that are no XML: prefixes nobody declared, broken records
MAX_DEPTH = 200
MAX_ATTRIBUTES = 1_000  # of one element
MAX_LETTERS = 2_000_000  # of one text, or of one element's attributes; an image inside an entry takes many
# Pages declare entities for single signs (&nbsp;); longer ones, or entities made of others, multiply.
MAX_ENTITY = 8
REFERS_TO_ANOTHER = re.compile("&(?!#)")


def utf8_xml(page: bytes | str) -> tuple[bytes, tuple[str, ...]]:
    """The page in UTF-8, mended, and a warning for each mend; it is not yet walked."""
    if isinstance(page, bytes):
        data, notes = _converted(page.lstrip())  # a blank line before the declaration is a common slip
    else:
        # Text is decoded already: what its XML declaration says of the encoding is history.
        data, notes = page.removeprefix("\ufeff").lstrip().encode(errors="replace"), ()
    data, mends = mended(data)
    return data, (*notes, *mends)


def walked(page: bytes | str, walk: Callable[[], Walk]) -> tuple[bytes, Walk, tuple[str, ...]]:
    """The page in UTF-8, gone over by a walk; again without its broken records, where it is no XML as it is."""
    data, notes = utf8_xml(page)
    for _ in range(MENDS):
        walking = walk()
        try:
            walking.over(data)
        except NotWellFormed as error:
            data, mends = without_broken_records(data, str(error))
            if not mends:
                raise
            notes = (*notes, *mends)
        else:
            return data, walking, notes
    walking = walk()
    walking.over(data)
    return data, walking, notes


def _converted(page: bytes) -> tuple[bytes, tuple[str, ...]]:
    if encoding := wide_encoding(page):  # feedparser takes UTF-16 that declares nothing for UTF-8 with zeros
        return strictly_decoded(page, encoding).removeprefix("\ufeff").encode(), ()
    if (almost := _almost_utf8(page)) is not None:
        return almost, ("some bytes are not UTF-8 as the rest is, and were read as Windows-1252",)
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


def _almost_utf8(page: bytes) -> bytes | None:
    """A page of UTF-8 with some bytes of Windows-1252 among it, all in UTF-8; None for any other."""
    declared = DECLARED.match(page)
    if declared and declared[1].lower() not in (b"utf-8", b"utf8"):
        return None
    try:
        page.decode()
    except UnicodeDecodeError:
        text = page.decode(errors=ONE_BYTE)
        fitting = page.decode(errors="ignore")
        wide = sum(not sign.isascii() for sign in fitting)
        # A page of Latin-1 has a pair of bytes now and then that might be UTF-8.
        return text.encode() if wide > len(text) - len(fitting) and "\ufffd" not in text else None
    return None


def _one_byte(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return error.object[error.start : error.start + 1].decode("cp1252", "replace"), error.start + 1


codecs.register_error(ONE_BYTE, _one_byte)


class NotWellFormed(SourceError):
    """A page that is no XML."""


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
            why = expat.ErrorString(error.code)
            advice = "was it cut off? Fetch it again" if why in CUT_OFF else "tell its publisher"
            raise NotWellFormed(
                f"line {error.lineno}, column {error.offset + 1}: the page is not well-formed XML ({why}): {advice}"
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
