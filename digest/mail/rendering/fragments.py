"""The parts of the mail, rendered once from the templates and encoded once for the wire."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from digest.mail.rendering import context
from digest.mail.rendering.excerpts import Piece, Sentences, excerpt, in_order, joined, plain, wrap
from digest.mail.rendering.listing_labels import Listed
from digest.mail.rendering.quoted_printable import Quoted, quote, quote_html
from digest.mail.rendering.reason_fragments import Reason, Sayings, spans
from digest.mail.rendering.renderer import inliner, render
from digest.mail.rendering.slots import (
    EXCERPT,
    FEEDBACK,
    LINES,
    PREFERENCES,
    PREHEADER,
    PROBE,
    TITLE,
    UNSUBSCRIBE,
    WEB_COPY,
    WHY,
    Layout,
    Styles,
    keep,
    slot,
)
from digest.models import Digest, Paper
from digest.picks.evidence import OVERFLOW

_MARKED = re.compile("(.)" + f"([^{''.join(PROBE)}]*)".join(PROBE), re.DOTALL)
KEPT = 64  # of one paper, as readers of other lines see it; each of some 1 kB. Of twice as many a few more are met

PLACE_OF_FEEDBACK = b"\0"  # a slot in what is quoted already, where no controls are: one octet is found the fastest

Marks = tuple[bytes, bytes]  # what stands before and after a marked word


def frames(digest: Digest, lanes: Sequence[context.Lane], left_out: int) -> tuple[Layout, Layout]:
    """What stands around the papers in the HTML and in the text part of a mail of this shape."""
    count = sum(len(lane.picks) for lane in lanes if lane.name != OVERFLOW)
    values = context.frame(digest, digest.subscriber, count) | {
        "preheader": PREHEADER,
        "left_out": left_out,
        "web_copy": WEB_COPY,
        "feedback": FEEDBACK,
        "preferences": PREFERENCES,
        "unsubscribe": UNSUBSCRIBE,
        "lanes": [{"heading": lane.heading, "papers": [slot(n)]} for n, lane in enumerate(lanes)],
    }
    html = inliner().inline(render("html", "digest", values))
    return Layout(html), Layout(render("text", "digest", values))


class Look(NamedTuple):
    """A paper with the reasons of a pick in both parts, in pieces. PLACE_OF_FEEDBACK is left in them."""

    html: list[bytes]
    text: list[bytes]


@dataclass(frozen=True, slots=True)
class _Layouts:
    """A paper by one template in one language; what stands around a marked word in the title and in the excerpt; and
    these as readers of some lines see them, by where their words stand.
    """

    html: Layout
    text: Layout
    marks: dict[str, Marks]
    titles: dict[bytes, tuple[bytes]]
    excerpts: dict[bytes, tuple[bytes, bytes]]  # in the HTML and in the text


class PaperParts:
    """All that mails need of one paper."""

    def __init__(self, paper: Paper, listed: Listed, styles: Styles) -> None:
        self.title, self.abstract = plain(paper.title), plain(paper.abstract)
        self.teaser = quote_html(context.teaser(self.title))
        self._paper, self._listed = paper, listed
        self._styles = styles
        self._layouts: dict[tuple[str, str], _Layouts] = {}
        self._lines: dict[tuple[Piece, ...], bytes] = {}
        self._sentences = Sentences(self.abstract)

    @cached_property
    def _quoted(self) -> tuple[Quoted, Quoted]:
        return Quoted(self.title), Quoted(self.abstract)

    def excerpt(self, reasons: Iterable[Reason]) -> str:
        """The excerpt as a text."""
        return joined(self.abstract, self._chosen(in_order(spans(reasons, "abstract"))))

    def _chosen(self, spans: Sequence[tuple[int, int]]) -> tuple[Piece, ...]:
        return excerpt(self.abstract, spans, self._sentences)

    def look(self, language: str, kind: str, reasons: Sequence[Reason], sayings: Sayings) -> Look:
        """The paper as a reader sees it for whom it was picked for these reasons."""
        in_title = in_abstract = html_why = text_why = b""
        said = 0
        for reason in reasons:  # once over all: this is what each pick costs that was not met before
            in_title += reason.title
            in_abstract += reason.abstract
            if said < context.REASONS:
                html, text = sayings.of(reason)
                html_why += html
                text_why += text
                said += 1
        if not said:
            html_why, text_why = sayings.trending
        layouts = self._layouts.get((language, kind))
        if layouts is None:
            layouts = self._layouts[language, kind] = self._render(kind)
        title = layouts.titles.get(in_title) or keep(layouts.titles, in_title, self._heading(reasons, layouts), KEPT)
        shown = layouts.excerpts.get(in_abstract)
        if shown is None:
            shown = keep(layouts.excerpts, in_abstract, self._excerpt(reasons, layouts), KEPT)
        values: dict[str, Sequence[bytes]] = {TITLE: title, EXCERPT: shown[:1], LINES: shown[1:], WHY: (html_why,)}
        html_pieces = layouts.html.pieces(values)
        values[WHY] = (text_why,)
        return Look(html_pieces, layouts.text.pieces(values))

    def _heading(self, reasons: Sequence[Reason], layouts: _Layouts) -> tuple[bytes]:
        """The title with the words of these reasons marked."""
        if TITLE not in layouts.marks:
            return (b"",)
        whole = ((0, len(self.title)),)
        return (self._quoted[0].marked(whole, in_order(spans(reasons, "title")), *layouts.marks[TITLE]),)

    def _excerpt(self, reasons: Sequence[Reason], layouts: _Layouts) -> tuple[bytes, bytes]:
        """The excerpt with the words of these reasons marked; in the text part it has no marks."""
        found = in_order(spans(reasons, "abstract"))
        chosen = self._chosen(found)
        marks = layouts.marks.get(EXCERPT)
        return self._quoted[1].marked(chosen, found, *marks) if marks else b"", self._wrapped(chosen)

    def _wrapped(self, chosen: tuple[Piece, ...]) -> bytes:
        return self._lines.get(chosen) or keep(self._lines, chosen, quote(wrap(joined(self.abstract, chosen))), KEPT)

    def _render(self, kind: str) -> _Layouts:
        given: dict[str, Any] = {"title": _probe(TITLE)}
        if self.abstract:
            given |= {"excerpt": _probe(EXCERPT), "excerpt_lines": LINES}
        item = context.fixed(self._paper) | {"listed": self._listed} | given
        values = {"item": item, "feedback": FEEDBACK}
        html = self._styles.inline(render("html", f"_{kind}", values | {"why": WHY}))
        marks = {found.group(1): (quote(found.group(2)), quote(found.group(3))) for found in _MARKED.finditer(html)}
        text = render("text", f"_{kind}", values | {"why": WHY})
        known = {FEEDBACK: PLACE_OF_FEEDBACK}
        return _Layouts(Layout(_MARKED.sub(r"\1", html), known), Layout(text, known), marks, {}, {})


def _probe(name: str) -> list[tuple[str, bool]]:
    """A text with a marked word, to see what the template writes around it."""
    before, inside, after = PROBE
    return [(name + before, False), (inside, True), (after, False)]
