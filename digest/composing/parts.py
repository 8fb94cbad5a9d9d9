"""The parts of the mail, rendered once from the templates and encoded once for the wire.

A template is rendered with noncharacters of Unicode in place of what differs from reader to reader, and taken apart
there. `excerpts.plain` keeps them out of every text.
"""

from __future__ import annotations

import marshal
import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

import css_inline
from django.utils.safestring import SafeString

from digest.composing import words
from digest.composing.excerpts import Piece, Sentences, excerpt, in_order, joined, plain, wrap
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
REASONS = 20_000  # kept at most in one language
KEPT = 64  # of one paper, as readers of other lines see it; each of some 1 kB. Of twice as many a few more are met

PLACE_OF_FEEDBACK = b"\0"  # a slot in what is quoted already, where no controls are: one octet is found the fastest

NOTHING: Mapping[str, bytes] = MappingProxyType({})

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
Reason = dict[str, Any]
Marks = tuple[bytes, bytes]  # what stands before and after a marked word


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


class Reasons:
    """Reasons in words, in one language, kept: the templates rendered once for each shape, with slots for the line and
    the words found."""

    def __init__(self, styles: Styles) -> None:
        self._styles = styles
        self._layouts: dict[tuple[str | None, str, int], tuple[Layout, Layout]] = {}
        self._kept: dict[tuple[Hashable, ...], Both] = {}

    def of(self, reason: Reason, kind: str | None, in_title: bool, in_abstract: bool) -> Both:
        """A reason of this kind, found in the title, in the abstract."""
        key = (reason["line"], kind, in_title, in_abstract, *reason["words"])
        return self._kept.get(key) or keep(self._kept, key, self._made(words.reason_words(reason)), REASONS)

    def _made(self, reason: Reason) -> Both:
        said = [reason["close_to"] or reason["line"], *reason["as"]]
        shape = ("close" if reason["close_to"] else reason.get("kind"), reason["where"], len(said))
        html, text = self._layouts.get(shape) or self._layouts.setdefault(shape, self._render(reason, len(said)))
        return Both(
            html.filled({slot(number): quote_html(one) for number, one in enumerate(said)}),
            text.filled({slot(number): quote(one) for number, one in enumerate(said)}),
        )

    def _render(self, reason: Reason, count: int) -> tuple[Layout, Layout]:
        line, *found = map(slot, range(count))
        values = {"reason": reason | {"line": line, "close_to": reason["close_to"] and line, "as": found}}
        html = self._styles.inline(render("html", "_reason", values))
        return Layout(html), Layout(render("text", "_reason", values))


class Look(NamedTuple):
    """A paper with the reasons of a pick in both parts, in pieces. PLACE_OF_FEEDBACK is left in them."""

    html: list[bytes]
    text: list[bytes]


@dataclass(frozen=True, slots=True)
class _Layouts:
    """A paper by one template in one language, taken apart where the reasons go; what stands around a marked word in
    the title and in the excerpt; and these as readers of some lines see them, by where their words stand."""

    html: Layout
    text: Layout
    after: list[tuple[Layout, Layout]]  # one of both; none in a template without reasons
    marks: dict[str, Marks]
    titles: dict[bytes, tuple[bytes]]
    excerpts: dict[bytes, tuple[bytes, bytes]]  # in the HTML and in the text


class PaperParts:
    """All that mails need of one paper."""

    def __init__(self, paper: Paper, listed: Listed, styles: Styles) -> None:
        self.title, self.abstract = plain(paper.title), plain(paper.abstract)
        self.teaser = quote_html(words.teaser(self.title))
        self._paper, self._listed = paper, listed
        self._styles = styles
        self._layouts: dict[tuple[str, str], _Layouts] = {}
        self._lines: dict[tuple[Piece, ...], bytes] = {}
        self._sentences = Sentences(self.abstract)

    @cached_property
    def _quoted(self) -> tuple[Quoted, Quoted]:
        return Quoted(self.title), Quoted(self.abstract)

    def excerpt(self, reasons: Iterable[dict[str, Any]]) -> str:
        """The excerpt as a text."""
        return joined(self.abstract, self._chosen(in_order(words.spans(reasons, "abstract"))))

    def _chosen(self, spans: Sequence[tuple[int, int]]) -> tuple[Piece, ...]:
        return excerpt(self.abstract, spans, self._sentences)

    def look(self, language: str, kind: str, picked: Sequence[Reason], reasons: Reasons) -> Look:
        """The paper as a reader sees it for whom it was picked for these reasons."""
        in_title: list[Sequence[int]] = []
        in_abstract: list[Sequence[int]] = []
        html_why = text_why = b""
        said = 0
        for reason in picked:  # once over all: this is what each pick costs that was not met before
            title, abstract, what = reason.get("title"), reason.get("abstract"), reason.get("kind")
            if title:
                in_title += title
            if abstract:
                in_abstract += abstract
            if what != words.FAINT and said < words.REASONS:
                found = reasons.of(reason, what, bool(title), bool(abstract))
                html_why += found.html
                text_why += found.text
                said += 1
        if not said:
            found = reasons.of(words.TRENDING_REASON, "trending", False, False)
            html_why, text_why = found.html, found.text
        layouts = self._layouts.get((language, kind))
        if layouts is None:
            layouts = self._layouts[language, kind] = self._render(kind)
        # Version 2 of marshal writes equal numbers as equal bytes.
        key = marshal.dumps(in_title, 2)
        title = layouts.titles.get(key) or keep(layouts.titles, key, self._heading(in_title, layouts), KEPT)
        key = marshal.dumps(in_abstract, 2)
        shown = layouts.excerpts.get(key) or keep(layouts.excerpts, key, self._excerpt(in_abstract, layouts), KEPT)
        values: dict[str, Sequence[bytes]] = {TITLE: title, EXCERPT: shown[:1], LINES: shown[1:]}
        html, text = layouts.html.pieces(values), layouts.text.pieces(values)
        for after_html, after_text in layouts.after:
            html += (html_why, *after_html.pieces(values))
            text += (text_why, *after_text.pieces(values))
        return Look(html, text)

    def _heading(self, spans: Sequence[Sequence[int]], layouts: _Layouts) -> tuple[bytes]:
        """The title with these words marked."""
        if TITLE not in layouts.marks:
            return (b"",)
        whole = ((0, len(self.title)),)
        return (_marked(self._quoted[0], whole, in_order(spans), layouts.marks[TITLE]),)

    def _excerpt(self, found: Sequence[Sequence[int]], layouts: _Layouts) -> tuple[bytes, bytes]:
        """The excerpt with these words marked; in the text part it has no marks."""
        spans = in_order(found)
        chosen = self._chosen(spans)
        marks = layouts.marks.get(EXCERPT)
        return _marked(self._quoted[1], chosen, spans, marks) if marks else b"", self._wrapped(chosen)

    def _wrapped(self, chosen: tuple[Piece, ...]) -> bytes:
        return self._lines.get(chosen) or keep(self._lines, chosen, quote(wrap(joined(self.abstract, chosen))), KEPT)

    def _render(self, kind: str) -> _Layouts:
        given: dict[str, Any] = {"title": _probe(TITLE)}
        if self.abstract:
            given |= {"excerpt": _probe(EXCERPT), "excerpt_lines": LINES}
        item = words.fixed(self._paper) | {"listed": self._listed} | given
        values = {"item": item, "feedback": FEEDBACK}
        html = self._styles.inline(render("html", f"_{kind}", values | {"why": SafeString(WHY)}))
        marks = {found.group(1): (quote(found.group(2)), quote(found.group(3))) for found in _MARKED.finditer(html)}
        text = render("text", f"_{kind}", values | {"why": WHY})
        in_html, in_text = _around_why(_MARKED.sub(r"\1", html)), _around_why(text)
        return _Layouts(in_html[0], in_text[0], list(zip(in_html[1:], in_text[1:], strict=True)), marks, {}, {})


def _around_why(text: str) -> list[Layout]:
    return [Layout(piece, {FEEDBACK: PLACE_OF_FEEDBACK}) for piece in text.split(WHY)]


def keep(store: dict[Key, Value], key: Key, value: Value, most: int) -> Value:
    """The value, kept; what was made longest ago goes when there are too many."""
    if len(store) >= most:  # a quarter at once: a dict finds its first key by passing over all that were taken before
        for oldest in list(islice(store, most // 4 or 1)):
            del store[oldest]
    store[key] = value
    return value


def _probe(name: str) -> list[tuple[str, bool]]:
    """A text with a marked word, to see what the template writes around it."""
    before, inside, after = _PROBE
    return [(name + before, False), (inside, True), (after, False)]


def _marked(quoted: Quoted, pieces: Iterable[Piece], spans: Sequence[tuple[int, int]], marks: Marks) -> bytes:
    """The text with its marks: as `excerpts.mark_excerpt`, and in one go, for this is what each new reader costs."""
    done: list[bytes] = []
    piece, (before, after) = quoted.piece, marks
    for part in pieces:
        if isinstance(part, str):
            done.append(quote(part))
            continue
        place, last = part
        for start, end in spans:
            if end <= place:
                continue
            if start >= last:
                break
            if start > place:
                done.append(piece(place, start))
                place = start
            end = min(end, last)
            done += before, piece(place, end), after
            place = end
        if place < last:
            done.append(piece(place, last))
    return b"".join(done)
