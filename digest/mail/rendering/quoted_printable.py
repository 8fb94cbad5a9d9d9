"""Quoted-printable in pieces (RFC 2045, 6.7) and folded headers (RFC 5322, RFC 2047). Pure.

Each piece begins on a fresh line and ends with a line break, a soft one (`=` CRLF) where the text has none. So
pieces that were encoded once can be joined in any order, and no line is longer than 76 characters. No line begins
with a dot, which RFC 2049 (3) advises: SMTP would have to double it, and to look for it in each mail.
"""

from __future__ import annotations

import re
from array import array
from binascii import b2a_qp
from collections.abc import Iterable, Iterator, Sequence
from email.header import Header
from functools import cache

from digest.mail.rendering.excerpts import ranges

SOFT = b"=\r\n"
WIDTH = 75  # and the "=" of a soft break
HEADER_WIDTH = 76
DOT = b"=2E" + SOFT
_DOTS = re.compile(rb"^\.+", re.MULTILINE)

# As the HTML serialiser writes them between tags.
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\xa0": "&nbsp;"}


def quote(text: str) -> bytes:
    """One piece; its newlines become CRLF."""
    data = b2a_qp(text.replace("\n", "\r\n").encode(), istext=True).replace(b"=\n", SOFT)
    if data and not data.endswith(b"\r\n"):
        begin = data.rfind(b"\n") + 1
        if len(data) - begin > WIDTH:  # no room for one more "="
            cut = begin + WIDTH
            escape = data.rfind(b"=", cut - 2, cut)  # of an "=C3" that would be cut in two
            cut = escape if escape >= 0 else cut
            data = data[:cut] + SOFT + data[cut:]
        data += SOFT
    return _DOTS.sub(lambda dots: DOT * len(dots[0]), data)


def quote_address(address: str) -> bytes:
    """A piece that is a web address, which needs no quoting where it is ASCII without a "=": only soft breaks."""
    if "=" in address or not address.isascii():
        return quote(address)
    size = len(address)
    if size <= WIDTH:
        lines = f"{address}=\r\n"
    elif size <= 2 * WIDTH:  # most are
        lines = f"{address[:WIDTH]}=\r\n{address[WIDTH:]}=\r\n"
    else:
        return quote(address)
    return quote(address) if "\n." in lines or lines[0] == "." else lines.encode("ascii")


def quote_html(text: str) -> bytes:
    """A piece of text between the tags of HTML."""
    for ch, entity in _ENTITIES.items():  # "&" first
        if ch in text:
            text = text.replace(ch, entity)
    return quote(text)


class Quoted:
    """A text of one line between the tags of HTML, quoted once, of which any part is a piece."""

    __slots__ = ("_data", "_places")

    def __init__(self, text: str) -> None:
        pieces: list[bytes] = []
        self._places = array("I")
        size = column = 0
        for ch in text:
            code = _code(ch)
            if column + len(code) > WIDTH:
                pieces.append(SOFT)
                size, column = size + len(SOFT), 0
            if not column and ch == ".":
                code = b"=2E"
            self._places.append(size)
            pieces.append(code)
            size, column = size + len(code), column + len(code)
        self._places.append(size)
        self._data = b"".join(pieces)

    def piece(self, start: int, end: int) -> bytes:
        """The characters from `start` to before `end`."""
        data = self._data[self._places[start] : self._places[end]]
        if data[:1] == b".":  # each dot is a line of its own, and the rest begins one
            rest = data.lstrip(b".")
            data = DOT * (len(data) - len(rest)) + rest
        return data if data[-1:] == b"\n" else data + SOFT

    def marked(
        self,
        pieces: Iterable[str | tuple[int, int]],
        spans: Sequence[tuple[int, int]],
        before: bytes,
        after: bytes,
    ) -> bytes:
        """An excerpt with its marks: as `excerpts.mark_excerpt`, encoded.
        `before` and `after` are what stands around a marked word.
        """
        done: list[bytes] = []
        for part in pieces:
            if isinstance(part, str):
                done.append(_joint(part))
                continue
            for start, end, is_hit in ranges(*part, spans):
                piece = self.piece(start, end)
                done += (before, piece, after) if is_hit else (piece,)
        return b"".join(done)


_joint = cache(quote)  # between the pieces of excerpts: there are four


@cache
def _code(ch: str) -> bytes:
    return b"".join(_octets(_ENTITIES.get(ch, ch)))


def _octets(text: str) -> Iterator[bytes]:
    for octet in text.encode("utf-8", "replace"):
        yield bytes([octet]) if 32 <= octet < 127 and octet != 61 else b"=%02X" % octet


def header(name: str, value: str) -> bytes:
    """A header line, folded where it has blanks, in encoded words where it is not ASCII."""
    charset = "us-ascii" if value.isascii() else "utf-8"
    folded = Header(value, charset, HEADER_WIDTH, name).encode(linesep="\r\n")
    return f"{name}: {folded}\r\n".encode("ascii")
