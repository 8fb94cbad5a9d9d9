"""Plain text out of foreign bytes: strict decoding, one clean line at a time, the bounds every kind keeps.

Nothing here guesses. A byte that does not fit its encoding is an error that names the place, because a
page decoded by luck reaches readers as garbled names.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
import zlib
from collections.abc import Iterable

from digest.papers.sources.parsed import SourceError
from subscriptions.delimited import TableError, marked_encoding

MAX_TITLE = 1_000
MAX_ABSTRACT = 20_000
MAX_NAME = 200
MAX_AUTHORS = 6_000  # the longest list so far has 5,154 names (doi 10.1103/PhysRevLett.114.191803)
MAX_CATEGORIES = 50
MAX_COUNT = 10**9  # more upvotes or comments than this are a mistake of the source

# Controls (white space excepted), explicit bidi embeddings, overrides and isolates (they can reverse the
# rest of a mail), lone surrogates (no UTF-8 for them), BOMs and the two code points XML forbids. Joiners
# and the plain direction marks stay: Persian, Indic scripts and emoji are spelled with them.
NEVER_TEXT = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)

WORD = re.compile(r"\s*\S{1,500}|\s+")

# How marks, or a "<" without one, look in the wide encodings that XML may come in.
WIDE_STARTS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"\x00\x00\x00<", "utf-32-be"),
    (b"<\x00\x00\x00", "utf-32-le"),
    (b"\x00<", "utf-16-be"),
    (b"<\x00", "utf-16-le"),
)
GZIP_MARK = b"\x1f\x8b"
GZIP_PIECE = 65_536  # bytes fed at a time: what is left of a piece is copied at the end of each member
MAX_GZIP_MEMBERS = 10_000  # bgzip makes one for every 64 KB


def unpacked(content: bytes, limit: int) -> bytes:
    """The content of a gzip file (RFC 1952), anything else as it is; never more than `limit` bytes.

    Raises SourceError where there is more in it (a bomb, or a file too large), and where it is broken.
    """
    if not content.startswith(GZIP_MARK):
        return content
    found = bytearray()
    position = 0
    for _ in range(MAX_GZIP_MEMBERS):
        position = _unpacked_member(content, position, found, limit)
        if not content.startswith(GZIP_MARK, position):  # the end, or padding
            return bytes(found)
    raise SourceError(f"the gzip file has over {MAX_GZIP_MEMBERS:,} parts: unpack it, and look at what it is")


def _unpacked_member(content: bytes, position: int, found: bytearray, limit: int) -> int:
    """Unpacks the member that begins at `position` behind what is `found`; returns where it ends."""
    member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    while not member.eof:
        piece = member.unconsumed_tail or content[position : position + GZIP_PIECE]
        if not member.unconsumed_tail:
            position += len(piece)
        try:
            part = member.decompress(piece, limit + 1 - len(found))
        except zlib.error as error:
            raise SourceError(f"the gzip data is broken ({error}): fetch the file again") from None
        found += part
        if len(found) > limit:
            raise SourceError(f"the gzip file holds more than {limit:,} bytes: is it a list of papers? Split it")
        if not piece and not part and not member.eof:
            raise SourceError("the gzip data is cut off: fetch the file again")
    return position - len(member.unused_data)


def decoded(page: bytes | str, charset: str = "utf-8") -> str:
    """The page as text without a byte order mark; the mark wins over `charset`, which is what it declares."""
    if isinstance(page, str):
        return page.removeprefix("\ufeff")
    return strictly_decoded(page, _marked_encoding(page) or charset)


def strictly_decoded(page: bytes, encoding: str) -> str:
    """The page as text in that encoding; SourceError names the first byte that does not fit."""
    try:
        return page.decode(encoding)
    except UnicodeDecodeError as error:
        raise SourceError(_undecodable(page, encoding, error.start)) from None
    except (LookupError, UnicodeError):  # an unknown name, or a codec that is not for pages ("idna")
        raise SourceError(
            f"the page says it is encoded as {quoted(encoding)}, which cannot be read: save it as UTF-8"
        ) from None


def _marked_encoding(page: bytes) -> str:
    try:
        return marked_encoding(page)
    except TableError as error:
        raise SourceError(f"byte 0: the page is {error}, which is not read: save it as UTF-8") from None


def wide_encoding(page: bytes) -> str:
    """UTF-16 or UTF-32, if the first bytes of a page of markup show it with a mark or with zeros; else ""."""
    return next((encoding for start, encoding in WIDE_STARTS if page.startswith(start)), "")


def _undecodable(page: bytes, encoding: str, offset: int) -> str:
    line = page.count(b"\n", 0, offset) + 1
    name = encoding.removesuffix("-sig").upper()
    return f"byte {offset} (line {line}) is not {name}: save the page in the encoding it declares, best UTF-8"


def without_never_text(text: str) -> str:
    """The text without what no page means to show; white space stays as it is."""
    return NEVER_TEXT.sub("", text)


def one_line(value: object, limit: int) -> str:
    """Any foreign value as one line of NFC text, at most `limit` characters; "" for what is not a string."""
    if not isinstance(value, str):
        return ""
    roughly = " ".join(value.split())[: limit * 4]  # enough for the limit once accents are composed
    text = composed(without_never_text(roughly))
    return " ".join(text.split())[:limit].rstrip()


def composed(text: str) -> str:
    """The text in NFC, a word at a time: NFC is quadratic on accents piled up by the thousand."""
    if text.isascii():
        return text
    return "".join(unicodedata.normalize("NFC", word) for word in WORD.findall(text))


def abstract_line(value: object) -> str:
    """An abstract, as long or as cut off as the source gave it."""
    return one_line(value, MAX_ABSTRACT)


def short_lines(values: Iterable[object], at_most: int) -> tuple[str, ...]:
    """Names or categories: those that are text, bounded in length and number, in the source's order."""
    found: list[str] = []
    for value in values:
        if len(found) == at_most:
            break
        if line := one_line(value, MAX_NAME):
            found.append(line)
    return tuple(found)


def count(value: object) -> int | None:
    """Upvotes or comments; None for whatever is not a sane count (True is not 1 here)."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= MAX_COUNT else None


def quoted(value: object, limit: int = 60) -> str:
    """Foreign text, short enough and clean enough to stand inside an error message."""
    text = one_line(value, limit + 1)
    return f"'{text[:limit].rstrip()}…'" if len(text) > limit else f"'{text}'"
