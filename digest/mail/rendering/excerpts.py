"""Texts for the mail: an abstract's best sentences, with the matched words marked. Pure."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence

from django.utils.translation import gettext

EXCERPT = 360  # characters, about five lines on a phone
SENTENCES = 2
WIDTH = 76  # of a line of text
_BEFORE = 60  # characters kept before a matched word that stands late in an endless sentence
_SENTENCE_END = re.compile(
    r"[.!?](?<![A-Z]\.)(?<!\be\.g\.)(?<!\bi\.e\.)(?<!\bet al\.)(?<!\b(?:vs|cf|Eq)\.)(?<!\bFig\.)(?<!\bresp\.)"
    r"[\"')\]]?\s+(?=[A-Z0-9\"'(\[])|[。！？]\s*"
)
# What no letter may hold: controls (they would break lines and headers), overrides of the reading direction (they
# would reach into the words around them), and the noncharacters of Unicode, which are "for internal use" and mark
# places for us. Each becomes one blank, so that no matched word changes its place.
_BLANKED = dict.fromkeys(
    [*range(32), *range(127, 160), *range(0x2028, 0x202F), *range(0x2066, 0x206A), *range(0xFDD0, 0xFDF0)], " "
)

Segment = tuple[str, bool]
Spans = Iterable[Sequence[int]]
Piece = str | tuple[int, int]


def plain(text: str) -> str:
    """The text without what could break a line; as long as before."""
    return text.translate(_BLANKED)


def cut(text: str, limit: int = EXCERPT) -> str:
    """The first sentences that fit in `limit` characters, or the first words and an ellipsis."""
    return joined(text, _beginning(text, limit, Sentences(text)))


class Sentences:
    """Where the sentences of a text begin and end, without the blanks between them."""

    __slots__ = ("ends", "starts")

    def __init__(self, text: str) -> None:
        self.starts: list[int] = []
        self.ends: list[int] = []
        start = 0
        for end in [*(found.end() for found in _SENTENCE_END.finditer(text)), len(text)]:
            stop = start + len(text[start:end].rstrip())
            if stop > start:
                self.starts.append(start)
                self.ends.append(stop)
            start = end


def in_order(spans: Spans) -> list[tuple[int, int]]:
    """Each once, from first to last, without those that hold nothing."""
    return sorted({(span[0], span[1]) for span in spans if span[0] < span[1]})


def excerpt(
    text: str, spans: Sequence[tuple[int, int]], sentences: Sentences | None = None, limit: int = EXCERPT
) -> tuple[Piece, ...]:
    """The best two sentences, in their order: those with the most of the spans, an early one first; with them the
    first sentence where only one has any. Without a span the abstract's beginning.

    As (start, end) in the text and the words between. The spans are `in_order`; the sentences those of the text.
    """
    sentences = sentences or Sentences(text)
    starts = sentences.starts
    first: dict[int, tuple[int, int]] = {}  # of the spans in a sentence
    count: dict[int, int] = {}
    for span in spans:
        if span[0] >= 0 and span[1] <= len(text):
            number = bisect_right(starts, span[0]) - 1
            first.setdefault(number, span)
            count[number] = count.get(number, 0) + 1
    if not count:
        return _beginning(text, limit, sentences)
    if len(count) > 1:
        chosen = sorted(sorted(count, key=lambda number: (-count[number], number))[:SENTENCES])
    else:
        chosen = [0, *count] if 0 not in count else [0]
    room = limit // len(chosen) * 5 // 4
    pieces: list[Piece] = []
    for number in chosen:
        if pieces:
            follows = isinstance(pieces[-1], str) or number - 1 in chosen
            pieces.append(" " if follows else " … ")
        pieces += _within(text, starts[number], sentences.ends[number], room, first.get(number, (0, 0)))
    return tuple(pieces)


def joined(text: str, pieces: Iterable[Piece]) -> str:
    """An excerpt as one text."""
    return "".join([piece if isinstance(piece, str) else text[piece[0] : piece[1]] for piece in pieces])


def mark_excerpt(text: str, pieces: Iterable[Piece], spans: Sequence[tuple[int, int]]) -> list[Segment]:
    """An excerpt in pieces, (piece, is it marked). The spans are `in_order`."""
    segments: list[Segment] = []
    for piece in pieces:
        if isinstance(piece, str):
            segments.append((piece, False))
        else:
            segments += [(text[start:end], is_hit) for start, end, is_hit in ranges(*piece, spans)]
    return segments


def _beginning(text: str, limit: int, sentences: Sentences) -> tuple[Piece, ...]:
    if len(text) <= limit:
        return ((0, len(text)),) if text else ()
    fit = bisect_right(sentences.ends, limit)
    if fit and sentences.ends[fit - 1] > limit // 3:
        return ((0, sentences.ends[fit - 1]),)
    return ((0, _word_end(text, 0, limit)), " …")


def _within(text: str, start: int, end: int, room: int, found: tuple[int, int]) -> list[Piece]:
    """A sentence, or as much of it as there is room for around its first matched word."""
    if end - start <= room:
        return [(start, end)]
    begin = start
    if found[1] > start + room:
        blank = text.find(" ", max(found[0] - _BEFORE, start), found[0])
        begin = blank + 1 if blank >= 0 else found[0]
    stop = end if end - begin <= room else max(_word_end(text, begin, begin + room), min(found[1], end))
    return [*(["… "] if begin > start else []), (begin, stop), *([" …"] if stop < end else [])]


def _word_end(text: str, start: int, end: int) -> int:
    """The end of the last whole word before `end`, without the comma after it."""
    words = text[start:end]
    head = words.rsplit(None, 1)[0] if " " in words.strip() else words
    return start + len(head.rstrip(" ,;:"))


def shorten(text: str, limit: int) -> str:
    """The text, cut at a word with an ellipsis when it is longer than `limit` characters."""
    if len(text) <= limit:
        return text
    return f"{text[: limit - 1].rsplit(None, 1)[0].rstrip(',;:')}…"


def wrap(text: str) -> str:
    """The text in lines of at most 76 characters, broken at blanks; a longer word stands alone."""
    lines: list[str] = []
    start, size = 0, len(text)
    while size - start > WIDTH:
        end = text.rfind(" ", start, start + WIDTH + 1)
        if end <= start:
            end = text.find(" ", start + 1)
        if end < 0:
            break
        lines.append(text[start:end])
        start = end + 1
    lines.append(text[start:])
    return "\n".join(lines)


def mark(text: str, spans: Spans) -> list[Segment]:
    """The text in pieces, (piece, is it marked), that join to the text again; overlapping spans merge."""
    return [(text[start:end], is_hit) for start, end, is_hit in ranges(0, len(text), in_order(spans))]


def ranges(first: int, last: int, spans: Sequence[tuple[int, int]]) -> list[tuple[int, int, bool]]:
    """What is marked and what is not between two places: (start, end, is it marked), without gaps.

    The spans are `in_order`.
    """
    found: list[tuple[int, int, bool]] = []
    place = first
    for start, end in spans:
        if end <= place:
            continue
        if start >= last:
            break
        if start > place:
            found.append((place, start, False))
        else:
            start = place
        place = min(end, last)
        found.append((start, place, True))
    if place < last:
        found.append((place, last, False))
    return found


def byline(authors: Sequence[str], most: int = 3) -> str:
    """Return the first authors and how many more: "Ada Lovelace, Alan Turing and 5 more"."""
    if len(authors) <= most + 1:
        return ", ".join(authors)
    said = gettext("%(names)s and %(count)s more")
    return said % {"names": ", ".join(authors[:most]), "count": len(authors) - most}
