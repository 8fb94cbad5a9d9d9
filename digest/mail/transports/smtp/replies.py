"""What an SMTP server says, from bytes to replies (RFC 5321 4.2). Bounded; strict where a guess could lose mail."""

from __future__ import annotations

import re
from collections import deque
from functools import lru_cache
from typing import NamedTuple

MAX_LINE = 2_000  # bytes; RFC 5321 4.5.3.1.5 asks for 512
MAX_LINES = 100
MAX_TEXT = 1_000  # characters kept of a reply

_MARKS = (b" ", b"-", b"\r", b"")  # what may follow the code
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


class ReplyError(Exception):
    """The server said something that is no SMTP reply. The message says what."""


class Reply(NamedTuple):
    """`words` as they came, without codes and line ends."""

    code: int
    words: bytes

    @property
    def text(self) -> str:
        """For people: on one line, printable, of at most MAX_TEXT characters."""
        text = self.words.decode("utf-8", "replace")
        return (text if text.isprintable() else _UNPRINTABLE.sub(" ", text)).strip()[:MAX_TEXT]

    @property
    def is_done(self) -> bool:
        return 200 <= self.code < 300

    @property
    def is_refusal(self) -> bool:
        return self.code >= 400


class Replies:
    """Bytes in, replies out: `whole` holds those that are, in order, for the caller to take."""

    def __init__(self) -> None:
        self._rest = b""
        self._lines: list[Reply] = []  # of one that is not whole yet
        self.whole: deque[Reply] = deque()

    def feed(self, data: bytes) -> None:
        """Raises ReplyError; replies that were whole before that are there all the same."""
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            reply, is_whole = _read(line)
            if is_whole and not self._lines:
                self.whole.append(reply)
            else:
                self._add(reply, is_whole)
        if len(self._rest) > MAX_LINE:
            raise ReplyError(f"a line of its reply is longer than {MAX_LINE} bytes")

    @property
    def is_empty(self) -> bool:
        """Nothing was said that has not been taken, not even half a line."""
        return not (self.whole or self._rest or self._lines)

    def _add(self, line: Reply, is_last: bool) -> None:
        if self._lines and line.code != self._lines[0].code:
            raise ReplyError(f"one reply of it has two codes, {self._lines[0].code} and {line.code}")
        if len(self._lines) >= MAX_LINES:
            raise ReplyError(f"its reply has more than {MAX_LINES} lines")
        self._lines.append(line)
        if is_last:
            self.whole.append(Reply(line.code, b" ".join(one.words for one in self._lines)))
            self._lines = []


@lru_cache(maxsize=64)  # a server says the same few lines for every letter
def _read(line: bytes) -> tuple[Reply, bool]:
    """One line, and whether it is the last of its reply. Raises ReplyError."""
    digits, mark, words = line[:3], line[3:4], line[4:].removesuffix(b"\r")
    if not (digits.isdigit() and b"200" <= digits < b"600" and mark in _MARKS and len(line) <= MAX_LINE):
        raise ReplyError(f"its reply {Reply(0, line).text[:100]!r} is not SMTP")
    return Reply(int(digits), words), mark != b"-"
