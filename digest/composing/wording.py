"""Reasons, words and dates as the reader reads them. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from digest.composing.excerpts import Segment, mark


def voice(reason: dict[str, Any], lacks: str = "", title: str | None = None, said: str | None = None) -> str:
    """A reason: of a line that only comes close with what it `lacks`, of a likeness with the `title` of the paper it
    is to and what was `said` of that."""
    match reason.get("kind"):
        case "close":
            line = reason["line"].removeprefix("close to: ")
            return f"“{line}” comes close{f': {lacks}' if lacks else ', though it does not match'}"
        case "taste" if reason["points"] < 0:
            return "it is like papers you asked less of or passed over"
        case "taste":
            did = {"save": "saved", "more": "asked more of"}.get(said or "", "liked")
            return f"it is like “{title}”, which you {did}" if title else "it is like papers you liked"
        case "twin":
            return f"it says much the same as “{title}”, which stands above it" if title else "much like one above"
        case "faint":
            return "other lines of yours, a little"
    return f"“{reason['line']}” matches{found_as(reason)}"


def why(reasons: Sequence[dict[str, Any]]) -> str:
    """All that is said for a paper, as one sentence."""
    spoken = [voice(reason) for reason in reasons if reason.get("kind") != "faint"]
    if not reasons:
        return "Trending; it matches none of your interests."
    sentence = "; ".join(spoken) or "other lines of yours, a little"
    return f"{sentence[0].upper()}{sentence[1:]}."


def found_as(reason: dict[str, Any]) -> str:
    """Which words of the paper, and where, with a blank before it: " “Surveys” in the title"."""
    words = f" {quoted(reason['words'])}" if reason.get("words") else ""
    fields = [field for field in ("title", "abstract") if reason.get(field)]
    return f"{words} in the {' and '.join(fields)}" if fields else words


def marked(text: str, field: str, reasons: Iterable[dict[str, Any]]) -> tuple[Segment, ...]:
    return tuple(mark(text, [span for reason in reasons for span in reason.get(field, ())]))


def quoted(words: Iterable[str]) -> str:
    return listed([f"“{word}”" for word in words])


def listed(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)


def day(date: dt.date) -> str:
    return f"{date.day} {date:%B %Y}"
