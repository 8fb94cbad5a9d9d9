"""The parts of the mail, rendered once from the templates and encoded once for the wire.

A template is rendered with noncharacters of Unicode in place of what differs from reader to reader, and taken apart
there. `excerpts.plain` keeps them out of every text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import css_inline
from django.utils.safestring import SafeString

from digest.composing import words
from digest.composing.listed import Listed
from digest.composing.plain import inliner, render
from digest.composing.quoted import Quoted, quote, quote_html
from digest.excerpts import Piece, excerpt, joined, plain, ranges, sentences
from digest.models import Digest, Paper

WHY, FEEDBACK, WEB_COPY, PREFERENCES, UNSUBSCRIBE, PREHEADER = "\ufdd0\ufdd1\ufdd2\ufdd3\ufdd4\ufdd5"
_TITLE, _EXCERPT = "\ufdd6\ufdd7\ufdd8", "\ufdd9\ufdda\ufddb"  # before a mark, in it, after it
_LANE = 0xFDE0  # and up: the papers under the first heading, the second ...
_SLOT = re.compile("([\ufdd0-\ufdef])")
_MARKED = re.compile(f"{'(.*?)'.join(_TITLE)}|{'(.*?)'.join(_EXCERPT)}", re.DOTALL)
_STYLE = re.compile(r"<!--.*?-->|<style>(.*?)</style>", re.DOTALL)  # not the one for Outlook, in a comment


def lane_slot(number: int) -> str:
    return chr(_LANE + number)


@dataclass(frozen=True, slots=True)
class Frame:
    """A part of a mail around its papers: pieces with a slot between each two."""

    pieces: tuple[bytes, ...]
    slots: tuple[str, ...]

    def filled(self, values: dict[str, bytes]) -> bytes:
        """With the values in their slots."""
        whole = [b""] * (len(self.pieces) + len(self.slots))
        whole[::2] = self.pieces
        whole[1::2] = [values[slot] for slot in self.slots]
        return b"".join(whole)


def frame_of(text: str) -> Frame:
    taken_apart = _SLOT.split(text)
    return Frame(tuple(quote(piece) for piece in taken_apart[::2]), tuple(taken_apart[1::2]))


def frames(digest: Digest, lanes: Sequence[words.Lane], left_out: int) -> tuple[Frame, Frame]:
    """The HTML and the text part of a mail of this shape."""
    count = sum(len(lane.picks) for lane in lanes if lane.name != words.OVERFLOW)
    values = words.frame(digest, digest.subscriber, count) | {
        "preheader": PREHEADER,
        "left_out": left_out,
        "web_copy": WEB_COPY,
        "feedback": FEEDBACK,
        "preferences": PREFERENCES,
        "unsubscribe": UNSUBSCRIBE,
        "lanes": [
            {"heading": lane.heading, "papers": [SafeString(lane_slot(number))]} for number, lane in enumerate(lanes)
        ],
    }
    html = inliner().inline(render("html", "digest", values))
    return frame_of(html), frame_of(render("text", "digest", values))


class Styles:
    """Writes the style sheet of the mail into the elements of a fragment."""

    def __init__(self) -> None:
        self._css = "".join(found.group(1) or "" for found in _STYLE.finditer(render("html", "base", {})))
        self._inliner = css_inline.CSSInliner(load_remote_stylesheets=False)

    def inline(self, html: str) -> str:
        return self._inliner.inline_fragment(html, self._css)


@dataclass(frozen=True, slots=True)
class Block:
    """A paper in a mail, both parts: between two pieces stands the address of feedback."""

    html: tuple[bytes, ...]
    text: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason, both parts."""

    html: bytes
    text: bytes


def reason_parts(reason: dict[str, Any], styles: Styles) -> Reason:
    values = {"reason": reason}
    html = styles.inline(render("html", "_reason", values))
    return Reason(quote(html), quote(render("text", "_reason", values)))


class PaperParts:
    """All that mails need of one paper."""

    def __init__(self, paper: Paper, listed: Listed, styles: Styles) -> None:
        self.title, self.abstract = plain(paper.title), plain(paper.abstract)
        self.teaser = quote_html(words.teaser(self.title))
        self._fixed = words.fixed(paper) | {"listed": listed}
        self._styles = styles
        self._html: dict[str, _Html] = {}
        self._text: dict[tuple[str, tuple[Piece, ...]], Frame] = {}

    @cached_property
    def _sentences(self) -> list[tuple[int, int]]:
        return sentences(self.abstract)

    @cached_property
    def _quoted(self) -> tuple[Quoted, Quoted]:
        return Quoted(self.title), Quoted(self.abstract)

    def excerpt(self, reasons: Iterable[dict[str, Any]]) -> str:
        """The excerpt as a text."""
        return joined(self.abstract, excerpt(self.abstract, list(words.spans(reasons, "abstract")), self._sentences))

    def block(self, kind: str, reasons: Sequence[dict[str, Any]], why: Sequence[Reason]) -> Block:
        """The paper as a reader with these reasons sees it."""
        in_title, in_abstract = list(words.spans(reasons, "title")), list(words.spans(reasons, "abstract"))
        chosen = excerpt(self.abstract, in_abstract, self._sentences)
        html = self._html.get(kind) or self._html.setdefault(kind, self._render_html(kind))
        text = self._text.get((kind, chosen)) or self._text.setdefault((kind, chosen), self._render_text(kind, chosen))
        title, abstract = self._quoted
        spoken = b"".join([reason.html for reason in why])
        pieces = [
            spoken if slot == WHY else
            _marked(title, ((0, len(self.title)),), in_title, marks) if slot == _TITLE else
            _marked(abstract, chosen, in_abstract, marks)
            for slot, marks in html.slots
        ]  # fmt: skip
        return Block(html.filled(pieces), _between(text, {WHY: b"".join([reason.text for reason in why])}))

    def _render_html(self, kind: str) -> _Html:
        item = self._fixed | {"title": _probe(_TITLE), "excerpt": _probe(_EXCERPT) if self.abstract else []}
        values = {"item": item, "why": SafeString(WHY), "feedback": FEEDBACK}
        return _Html(self._styles.inline(render("html", f"_{kind}", values)))

    def _render_text(self, kind: str, chosen: tuple[Piece, ...]) -> Frame:
        item = self._fixed | {"excerpt_text": joined(self.abstract, chosen)}
        return frame_of(render("text", f"_{kind}", {"item": item, "why": WHY, "feedback": FEEDBACK}))


def _probe(slots: str) -> list[tuple[str, bool]]:
    """A text with one marked word, to see what the template writes around it."""
    return [(slot, slot == slots[1]) for slot in slots]


class _Html:
    """The HTML of one paper, with slots for the marked texts and the reasons; the address of feedback between."""

    def __init__(self, html: str) -> None:
        self.slots: list[tuple[str, tuple[bytes, bytes]]] = []
        self._pieces: list[list[bytes]] = [[]]
        place = 0
        for found in re.finditer(f"{_MARKED.pattern}|{WHY}|{FEEDBACK}", html, re.DOTALL):
            self._pieces[-1].append(quote(html[place : found.start()]))
            place = found.end()
            slot = found.group()[0]
            if slot == FEEDBACK:
                self._pieces.append([])
                continue
            marks = [group for group in found.groups() if group is not None] or ["", ""]
            name = WHY if slot == WHY else _TITLE if slot == _TITLE[0] else _EXCERPT
            self.slots.append((name, (quote(marks[0]), quote(marks[1]))))
        self._pieces[-1].append(quote(html[place:]))

    def filled(self, values: Sequence[bytes]) -> tuple[bytes, ...]:
        """With the values in the slots, in pieces between which the address of feedback stands."""
        rest = iter(values)
        done = []
        for pieces in self._pieces:
            whole = pieces[:1]
            for piece in pieces[1:]:
                whole += (next(rest), piece)
            done.append(b"".join(whole))
        return tuple(done)


def _marked(
    quoted: Quoted, pieces: Iterable[Piece], spans: Sequence[Sequence[int]], marks: tuple[bytes, bytes]
) -> bytes:
    """The text with its marks."""
    done: list[bytes] = []
    for piece in pieces:
        if isinstance(piece, str):
            done.append(quote(piece))
            continue
        for start, end, is_hit in ranges(*piece, spans):
            text = quoted.piece(start, end)
            done += (marks[0], text, marks[1]) if is_hit else (text,)
    return b"".join(done)


def _between(frame: Frame, values: dict[str, bytes]) -> tuple[bytes, ...]:
    """The frame with its values, in pieces between which the address of feedback stands."""
    done: list[list[bytes]] = [[frame.pieces[0]]]
    for slot, piece in zip(frame.slots, frame.pieces[1:], strict=True):
        if slot == FEEDBACK:
            done.append([piece])
        else:
            done[-1] += (values[slot], piece)
    return tuple(b"".join(pieces) for pieces in done)
