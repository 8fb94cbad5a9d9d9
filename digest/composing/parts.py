"""The parts of the mail, rendered once from the templates and encoded once for the wire.

A template is rendered with noncharacters of Unicode in place of what differs from reader to reader, and taken apart
there. `excerpts.plain` keeps them out of every text.
"""

from __future__ import annotations

import marshal
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, TypeVar

import css_inline
from django.utils.safestring import SafeString
from django.utils.translation import override

from digest.composing import words
from digest.composing.excerpts import Piece, Sentences, Spans, excerpt, in_order, joined, plain, ranges, wrap
from digest.composing.listed import Listed
from digest.composing.plain import inliner, render
from digest.composing.quoted import Quoted, quote, quote_html
from digest.models import Digest, Paper

WHY, FEEDBACK, WEB_COPY, PREFERENCES, UNSUBSCRIBE, PREHEADER = "\ufdd0\ufdd1\ufdd2\ufdd3\ufdd4\ufdd5"
TITLE, EXCERPT, LINES = "\ufdd6\ufdd7\ufdd8"  # LINES: the excerpt in the text part
_PROBE = ("\ufdd9", "\ufdda", "\ufddb")  # before a mark, in it, after it
_MORE = 0xFDE0  # and up: the papers under the first heading, the second ...; what a reason says first, second ...
_SLOT = re.compile("([\ufdd0-\ufdef])")
_MARKED = re.compile("(.)" + "(.*?)".join(_PROBE), re.DOTALL)
_STYLE = re.compile(r"<!--.*?-->|<style>(.*?)</style>", re.DOTALL)  # not the one for Outlook, in a comment
KEPT = 128  # excerpts of one paper, of some 1.5 kB

Value = TypeVar("Value")
Marks = tuple[bytes, bytes]  # what stands before and after a marked word


def slot(number: int) -> str:
    """A slot for the first, the second ... of several things alike."""
    return chr(_MORE + number)


class Layout:
    """A text taken apart at its slots, its other pieces quoted."""

    __slots__ = ("_pieces", "_slots")

    def __init__(self, text: str) -> None:
        taken_apart = _SLOT.split(text)
        self._pieces = [quote(piece) for piece in taken_apart]
        self._slots = [(place, taken_apart[place]) for place in range(1, len(taken_apart), 2)]

    def filled(self, values: dict[str, bytes]) -> list[bytes]:
        """The pieces with the values in their slots."""
        pieces = self._pieces.copy()
        for place, name in self._slots:
            pieces[place] = values[name]
        return pieces


def frames(digest: Digest, lanes: Sequence[words.Lane], left_out: int) -> tuple[Layout, Layout]:
    """What stands around the papers in the HTML and in the text part of a mail of this shape."""
    count = sum(len(lane.picks) for lane in lanes if lane.name != words.OVERFLOW)
    values = words.frame(digest, digest.subscriber, count) | {
        "preheader": PREHEADER,
        "left_out": left_out,
        "web_copy": WEB_COPY,
        "feedback": FEEDBACK,
        "preferences": PREFERENCES,
        "unsubscribe": UNSUBSCRIBE,
        "lanes": [{"heading": lane.heading, "papers": [SafeString(slot(n))]} for n, lane in enumerate(lanes)],
    }
    html = inliner().inline(render("html", "digest", values))
    return Layout(html), Layout(render("text", "digest", values))


class Styles:
    """Writes the style sheet of the mail into the elements of a fragment."""

    def __init__(self) -> None:
        self._css = "".join(found.group(1) or "" for found in _STYLE.finditer(render("html", "base", {})))
        self._inliner = css_inline.CSSInliner(load_remote_stylesheets=False)

    def inline(self, html: str) -> str:
        return self._inliner.inline_fragment(html, self._css)


@dataclass(frozen=True, slots=True)
class Both:
    """Something quoted for both parts."""

    html: bytes
    text: bytes


class Say(Protocol):
    """Makes the parts of a reason, of this kind, found in the title, in the abstract."""

    def __call__(self, reason: dict[str, Any], kind: str | None, in_title: bool, in_abstract: bool, /) -> Both: ...


class Reasons:
    """Reasons in words: the templates rendered once for each shape, with slots for the line and the words found."""

    def __init__(self, styles: Styles) -> None:
        self._styles = styles
        self._layouts: dict[tuple[str | None, str, int], tuple[Layout, Layout]] = {}

    def of(self, reason: dict[str, Any]) -> Both:
        """From what `words.reason_words` says."""
        said = [reason["close_to"] or reason["line"], *reason["as"]]
        shape = ("close" if reason["close_to"] else reason.get("kind"), reason["where"], len(said))
        html, text = self._layouts.get(shape) or self._layouts.setdefault(shape, self._render(reason, len(said)))
        return Both(
            b"".join(html.filled({slot(number): quote_html(one) for number, one in enumerate(said)})),
            b"".join(text.filled({slot(number): quote(one) for number, one in enumerate(said)})),
        )

    def _render(self, reason: dict[str, Any], count: int) -> tuple[Layout, Layout]:
        line, *found = map(slot, range(count))
        values = {"reason": reason | {"line": line, "close_to": reason["close_to"] and line, "as": found}}
        html = self._styles.inline(render("html", "_reason", values))
        return Layout(html), Layout(render("text", "_reason", values))


class PaperParts:
    """All that mails in one language need of one paper."""

    def __init__(self, paper: Paper, listed: Listed, styles: Styles, language: str) -> None:
        self._language = language
        self.title, self.abstract = plain(paper.title), plain(paper.abstract)
        self.teaser = quote_html(words.teaser(self.title))
        self._fixed = words.fixed(paper) | {"listed": listed}
        self._styles = styles
        self._layouts: dict[str, tuple[Layout, Layout]] = {}
        self._marks: dict[str, Marks] = {}
        self._titles: dict[bytes, bytes] = {}
        self._excerpts: dict[bytes, Both] = {}
        self._sentences = Sentences(self.abstract)

    @cached_property
    def _quoted(self) -> tuple[Quoted, Quoted]:
        return Quoted(self.title), Quoted(self.abstract)

    def excerpt(self, reasons: Iterable[dict[str, Any]]) -> str:
        """The excerpt as a text."""
        return joined(self.abstract, self._chosen(in_order(words.spans(reasons, "abstract"))))

    def _chosen(self, spans: Sequence[tuple[int, int]]) -> tuple[Piece, ...]:
        return excerpt(self.abstract, spans, self._sentences)

    def add_to(
        self, html: list[bytes], text: list[bytes], kind: str, reasons: Sequence[dict[str, Any]], say: Say,
        feedback: bytes,
    ) -> None:  # fmt: skip
        """Add the pieces of the paper, as a reader with these reasons sees it, to both parts."""
        if not self._layouts:
            self._layouts[words.FULL] = self._render(words.FULL)  # which shows how a word is marked
        layouts = self._layouts.get(kind) or self._layouts.setdefault(kind, self._render(kind))
        in_title: list[Sequence[int]] = []
        in_abstract: list[Sequence[int]] = []
        why: list[Both] = []
        for reason in reasons:  # once over all: this is the inmost loop of all mails
            title, abstract, what = reason.get("title"), reason.get("abstract"), reason.get("kind")
            if title:
                in_title += title
            if abstract:
                in_abstract += abstract
            if what != words.FAINT and len(why) < words.REASONS:
                why.append(say(reason, what, bool(title), bool(abstract)))
        if not why:
            why = [say(words.TRENDING_REASON, "trending", False, False)]
        # Version 2 of marshal writes equal numbers as equal bytes.
        key = marshal.dumps(in_title, 2)
        heading = self._titles.get(key) or _keep(self._titles, key, self._title(in_title))
        key = marshal.dumps(in_abstract, 2)
        excerpt = self._excerpts.get(key) or _keep(self._excerpts, key, self._excerpt(in_abstract))
        values = {TITLE: heading, EXCERPT: excerpt.html, LINES: excerpt.text, FEEDBACK: feedback}
        values[WHY] = b"".join([reason.html for reason in why])
        html += layouts[0].filled(values)
        values[WHY] = b"".join([reason.text for reason in why])
        text += layouts[1].filled(values)

    def _title(self, spans: Spans) -> bytes:
        marks = self._marks.get(TITLE)
        return _marked(self._quoted[0], ((0, len(self.title)),), in_order(spans), marks) if marks else b""

    def _excerpt(self, spans: Spans) -> Both:
        in_abstract, marks = in_order(spans), self._marks.get(EXCERPT)
        chosen = self._chosen(in_abstract)
        html = _marked(self._quoted[1], chosen, in_abstract, marks) if marks else b""
        return Both(html, quote(wrap(joined(self.abstract, chosen))))

    def _render(self, kind: str) -> tuple[Layout, Layout]:
        given: dict[str, Any] = {"title": _probe(TITLE)}
        if self.abstract:
            given |= {"excerpt": _probe(EXCERPT), "excerpt_lines": LINES}
        values = {"item": self._fixed | given, "feedback": FEEDBACK}
        with override(self._language):
            html = self._styles.inline(render("html", f"_{kind}", values | {"why": SafeString(WHY)}))
            text = render("text", f"_{kind}", values | {"why": WHY})
        for found in _MARKED.finditer(html):
            self._marks[found.group(1)] = quote(found.group(2)), quote(found.group(3))
        html = _MARKED.sub(r"\1", html)
        return Layout(html), Layout(text)


def _probe(name: str) -> list[tuple[str, bool]]:
    """A text with a marked word, to see what the template writes around it."""
    before, inside, after = _PROBE
    return [(name + before, False), (inside, True), (after, False)]


def _keep(store: dict[bytes, Value], key: bytes, value: Value) -> Value:
    """The value, kept; what was made longest ago goes when there are too many."""
    if len(store) >= KEPT:
        del store[next(iter(store))]
    store[key] = value
    return value


def _marked(quoted: Quoted, pieces: Iterable[Piece], spans: Sequence[tuple[int, int]], marks: Marks) -> bytes:
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
