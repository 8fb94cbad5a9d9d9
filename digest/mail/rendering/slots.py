"""Texts of the templates, taken apart where something is to stand that differs from mail to mail.

A template is rendered with noncharacters of Unicode in place of it. `excerpts.plain` keeps them out of every text.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from itertools import islice
from types import MappingProxyType
from typing import TypeVar

import css_inline

from digest.mail.rendering.quoted_printable import quote
from digest.mail.rendering.renderer import render

WHY, FEEDBACK, WEB_COPY, PREFERENCES, UNSUBSCRIBE, PREHEADER = "\ufdd0\ufdd1\ufdd2\ufdd3\ufdd4\ufdd5"
TITLE, EXCERPT, LINES = "\ufdd6\ufdd7\ufdd8"  # LINES: the excerpt in the text part
PROBE = ("\ufdd9", "\ufdda", "\ufddb")  # before a mark, in it, after it
_MORE = 0xFDE0  # and up: the papers under the first heading, the second ...; what a reason says first, second ...
_SLOT = re.compile("([\ufdd0-\ufdef])")
# Not the style for Outlook, in a comment.
_STYLE = re.compile(r"<!--.*?(?:-->|\Z)|<style>(.*?)(?:</style>|\Z)", re.DOTALL)

NOTHING: Mapping[str, bytes] = MappingProxyType({})

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


def slot(number: int) -> str:
    """A slot for the first, the second ... of several things alike."""
    return chr(_MORE + number)


class Layout:
    """A text taken apart at its slots, its other pieces quoted. What is `known` already stands in its slot for good."""

    __slots__ = ("_end", "_slots")

    def __init__(self, text: str, known: Mapping[str, bytes] = NOTHING) -> None:
        self._slots: list[tuple[bytes, str]] = []  # with what stands before each
        self._end = b""
        for number, piece in enumerate(_SLOT.split(text)):
            if number % 2 and piece not in known:
                self._slots.append((self._end, piece))
                self._end = b""
            else:
                self._end += known[piece] if number % 2 else quote(piece)

    def pieces(self, values: Mapping[str, Sequence[bytes]]) -> list[bytes]:
        """The text in pieces, those of the values in its slots."""
        pieces: list[bytes] = []
        for before, name in self._slots:
            pieces.append(before)
            pieces += values[name]
        pieces.append(self._end)
        return pieces

    def filled(self, values: Mapping[str, bytes]) -> bytes:
        """The text with the values in its slots."""
        if not self._slots:
            return self._end
        return b"".join([before + values[name] for before, name in self._slots]) + self._end


class Styles:
    """Writes the style sheet of the mail into the elements of a fragment."""

    def __init__(self) -> None:
        self._css = "".join(found.group(1) or "" for found in _STYLE.finditer(render("html", "base", {})))
        self._inliner = css_inline.CSSInliner(load_remote_stylesheets=False)

    def inline(self, html: str) -> str:
        return self._inliner.inline_fragment(html, self._css)


def keep(store: dict[Key, Value], key: Key, value: Value, most: int) -> Value:
    """The value, kept; what was made longest ago goes when there are too many."""
    if len(store) >= most:  # a quarter at once: a dict finds its first key by passing over all that were taken before
        for oldest in list(islice(store, most // 4 or 1)):
            del store[oldest]
    store[key] = value
    return value
