"""Why a paper was picked: each reason parsed once, and put into words once, from the templates."""

from __future__ import annotations

import marshal
from collections.abc import Hashable, Iterable
from functools import cached_property
from operator import attrgetter
from typing import Any, NamedTuple

from digest.mail.rendering import context
from digest.mail.rendering.quoted_printable import quote, quote_html
from digest.mail.rendering.renderer import render
from digest.mail.rendering.slots import Layout, Styles, keep, slot

SAYINGS = 20_000  # kept at most in one language


class Both(NamedTuple):
    """Something quoted for both parts."""

    html: bytes
    text: bytes


class Reason:
    """A described reason (`digest.picks.evidence`) of one paper. `title` and `abstract` are the places of its words
    there, packed, and empty where there are none: joined, they say which words all reasons of a pick mark.
    """

    __slots__ = ("_packed", "abstract", "language", "said", "title")

    def __init__(self, described: dict[str, Any]) -> None:
        self.title, self.abstract = _places(described, "title"), _places(described, "abstract")
        # Unpacked when it is asked for, once or twice: as a dict it would take more room than all else that is kept.
        self._packed = marshal.dumps((described["kind"], described["line"], list(described["words"])), 2)
        self.said: Both | None = None  # as it was said last, in this language
        self.language = ""

    def described(self) -> dict[str, Any]:
        """What the templates need of it."""
        kind, line, words = marshal.loads(self._packed)  # noqa: S302 - packed above
        # Labels only ask whether the words stand in the title and the abstract.
        return {"kind": kind, "line": line, "words": words, "title": bool(self.title), "abstract": bool(self.abstract)}


def _places(reason: dict[str, Any], field: str) -> bytes:
    return marshal.dumps(places, 2) if (places := reason.get(field)) else b""  # orjson's would hold a kB each


def spans(reasons: Iterable[Reason], field: str) -> list[list[int]]:
    """Where the words of all of them stand in the title or the abstract."""
    packed = filter(None, map(attrgetter(field), reasons))
    return [span for places in packed for span in marshal.loads(places)]  # noqa: S302 - packed above


class Sayings:
    """Reasons in words, in one language. Alike ones of many papers are said once, the templates rendered once for each
    shape, with slots for the line and the words found.
    """

    def __init__(self, language: str, styles: Styles) -> None:
        self.language, self._styles = language, styles
        self._layouts: dict[tuple[str | None, str, int], tuple[Layout, Layout]] = {}
        self._kept: dict[tuple[Hashable, ...], Both] = {}

    @cached_property
    def trending(self) -> Both:
        """Of a paper that no line of the reader's found."""
        return self._made(context.reason_words(context.TRENDING_REASON))

    def of(self, reason: Reason) -> Both:
        """As it is said, which the reason keeps until it is said in another language."""
        if reason.said is None or reason.language != self.language:
            said = reason.described()
            key = (said["line"], said["kind"], said["title"], said["abstract"], *said["words"])
            both = self._kept.get(key) or keep(self._kept, key, self._made(context.reason_words(said)), SAYINGS)
            reason.said, reason.language = both, self.language
        return reason.said

    def _made(self, reason: dict[str, Any]) -> Both:
        said = [reason["close_to"] or reason["line"], *reason["as"]]
        shape = ("close" if reason["close_to"] else reason.get("kind"), reason["where"], len(said))
        html, text = self._layouts.get(shape) or self._layouts.setdefault(shape, self._render(reason, len(said)))
        return Both(
            html.filled({slot(number): quote_html(one) for number, one in enumerate(said)}),
            text.filled({slot(number): quote(one) for number, one in enumerate(said)}),
        )

    def _render(self, reason: dict[str, Any], count: int) -> tuple[Layout, Layout]:
        line, *found = map(slot, range(count))
        values = {"reason": reason | {"line": line, "close_to": reason["close_to"] and line, "as": found}}
        html = self._styles.inline(render("html", "_reason", values))
        return Layout(html), Layout(render("text", "_reason", values))
