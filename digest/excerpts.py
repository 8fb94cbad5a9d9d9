"""Texts for the mail: an abstract's best sentences, with the matched words marked. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

EXCERPT = 360  # characters, about five lines on a phone
SENTENCES = 2
_BEFORE = 60  # characters kept before a matched word that stands late in an endless sentence
_ABBREVIATED = r"(?<![A-Z])(?<!\be\.g)(?<!\bi\.e)(?<!\bet al)(?<!\bvs)(?<!\bcf)(?<!\bFig)(?<!\bEq)(?<!\bresp)"
_SENTENCE_END = re.compile(_ABBREVIATED + r"[.!?][\"')\]]?\s+(?=[A-Z0-9\"'(\[])|[。！？]\s*")
# What no letter may hold: controls (they would break lines and headers), and the noncharacters of Unicode, which
# are "for internal use" and mark places for us. Each becomes one blank, so that no matched word changes its place.
_BLANKED = dict.fromkeys([*range(32), *range(127, 160), *range(0xFDD0, 0xFDF0), 0x2028, 0x2029], " ")

Segment = tuple[str, bool]
Spans = Iterable[Sequence[int]]
Piece = str | tuple[int, int]


def plain(text: str) -> str:
    """The text without what could break a line; as long as before."""
    return text.translate(_BLANKED)


def cut(text: str, limit: int = EXCERPT) -> str:
    """The first sentences that fit in `limit` characters, or the first words and an ellipsis."""
    return joined(text, _beginning(text, limit))


def sentences(text: str) -> list[tuple[int, int]]:
    """Where each sentence stands, without the blanks between them."""
    ends = [*(found.end() for found in _SENTENCE_END.finditer(text)), len(text)]
    places, start = [], 0
    for end in ends:
        stop = start + len(text[start:end].rstrip())
        if stop > start:
            places.append((start, stop))
        start = end
    return places


def excerpt(
    text: str, spans: Spans, places: Sequence[tuple[int, int]] | None = None, limit: int = EXCERPT
) -> tuple[Piece, ...]:
    """The best two sentences, in their order: those with the most of the spans, an early one first; with them the
    first sentence where only one has any. Without a span the abstract's beginning.

    As (start, end) in the text and the words between; `places` are the text's `sentences`, where they are known.
    """
    places = sentences(text) if places is None else places
    found = sorted({(span[0], span[1]) for span in spans if 0 <= span[0] < span[1] <= len(text)})
    held = [sum(start <= span[0] < end for span in found) for start, end in places]
    best = sorted((number for number, count in enumerate(held) if count), key=lambda number: (-held[number], number))
    if not best:
        return _beginning(text, limit)
    chosen = sorted({*best[:SENTENCES], 0} if len(best) == 1 else best[:SENTENCES])
    room = limit // len(chosen) * 5 // 4
    pieces: list[Piece] = []
    for number in chosen:
        start, end = places[number]
        before = pieces[-1] if pieces else None
        follows = isinstance(before, tuple) and number - 1 in chosen
        if pieces:
            pieces.append(" " if follows or isinstance(before, str) else " … ")
        pieces += _within(text, start, end, room, [span for span in found if start <= span[0] < end])
    return tuple(pieces)


def joined(text: str, pieces: Iterable[Piece]) -> str:
    """An excerpt as one text."""
    return "".join(piece if isinstance(piece, str) else text[piece[0] : piece[1]] for piece in pieces)


def mark_excerpt(text: str, pieces: Iterable[Piece], spans: Spans) -> list[Segment]:
    """An excerpt in pieces, (piece, is it marked)."""
    spans = list(spans)
    segments: list[Segment] = []
    for piece in pieces:
        if isinstance(piece, str):
            segments.append((piece, False))
        else:
            segments += [(text[start:end], is_hit) for start, end, is_hit in ranges(*piece, spans)]
    return segments


def _beginning(text: str, limit: int) -> tuple[Piece, ...]:
    if len(text) <= limit:
        return ((0, len(text)),) if text else ()
    end = max((found.end() for found in _SENTENCE_END.finditer(text[: limit + 1])), default=0)
    if end > limit // 3:
        return ((0, len(text[:end].rstrip())),)
    return ((0, _word_end(text, 0, limit)), " …")


def _within(text: str, start: int, end: int, room: int, found: Sequence[Sequence[int]]) -> list[Piece]:
    """A sentence, or as much of it as there is room for around its first matched word."""
    if end - start <= room:
        return [(start, end)]
    begin, pieces = start, []
    if found and found[0][1] > start + room:
        blank = text.find(" ", found[0][0] - _BEFORE, found[0][0])
        begin = blank + 1 if blank >= 0 else found[0][0]
        pieces.append("… ")
    matched = min(found[0][1], end) if found else 0
    stop = end if end - begin <= room else max(_word_end(text, begin, begin + room), matched)
    return [*pieces, (begin, stop), *([" …"] if stop < end else [])]


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


def mark(text: str, spans: Spans) -> list[Segment]:
    """The text in pieces, (piece, is it marked), that join to the text again; overlapping spans merge."""
    return [(text[start:end], is_hit) for start, end, is_hit in ranges(0, len(text), spans)]


def ranges(first: int, last: int, spans: Spans) -> list[tuple[int, int, bool]]:
    """What is marked and what is not between two places: (start, end, is it marked), without gaps."""
    found: list[tuple[int, int, bool]] = []
    place = first
    for start, end in sorted((max(span[0], first), min(span[1], last)) for span in spans):
        start = max(start, place)
        if end <= start:
            continue
        if start > place:
            found.append((place, start, False))
        found.append((start, end, True))
        place = end
    if place < last:
        found.append((place, last, False))
    return found


def byline(authors: Sequence[str], most: int = 3) -> str:
    """ "Ada Lovelace, Alan Turing and 5 more" """
    if len(authors) <= most + 1:
        return ", ".join(authors)
    return f"{', '.join(authors[:most])} and {len(authors) - most} more"
