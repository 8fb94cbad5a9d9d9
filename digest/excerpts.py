"""Texts for the mail: an abstract cut at a sentence, with the matched words marked. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

EXCERPT = 360  # characters, about five lines on a phone
_SENTENCE_END = re.compile(r"(?<![A-Z])[.!?][\"')\]]?\s+(?=[A-Z0-9\"'(\[])")

Segment = tuple[str, bool]


def cut(text: str, limit: int = EXCERPT) -> str:
    """The first sentences that fit in `limit` characters, or the first words and an ellipsis."""
    if len(text) <= limit:
        return text
    end = max((found.end() for found in _SENTENCE_END.finditer(text[: limit + 1])), default=0)
    if end > limit // 3:
        return text[:end].rstrip()
    return f"{text[:limit].rsplit(None, 1)[0].rstrip(',;:')} …"


def shorten(text: str, limit: int) -> str:
    """The text, cut at a word with an ellipsis when it is longer than `limit` characters."""
    if len(text) <= limit:
        return text
    return f"{text[: limit - 1].rsplit(None, 1)[0].rstrip(',;:')}…"


def mark(text: str, spans: Iterable[Sequence[int]]) -> list[Segment]:
    """The text in pieces, (piece, is it marked), that join to the text again; overlapping spans merge."""
    pieces: list[Segment] = []
    place = 0
    for start, end in sorted((max(span[0], 0), min(span[1], len(text))) for span in spans):
        start = max(start, place)
        if end <= start:
            continue
        if start > place:
            pieces.append((text[place:start], False))
        pieces.append((text[start:end], True))
        place = end
    if place < len(text):
        pieces.append((text[place:], False))
    return pieces


def byline(authors: Sequence[str], most: int = 3) -> str:
    """ "Ada Lovelace, Alan Turing and 5 more" """
    if len(authors) <= most + 1:
        return ", ".join(authors)
    return f"{', '.join(authors[:most])} and {len(authors) - most} more"
