"""The lines in the field of interests: their faults and hints, and what the buttons beside them write. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from subscriptions.interests.hints import Note, notes
from subscriptions.interests.parser import InterestError, parse
from subscriptions.interests.topics import lines_of

MAX_TYPED = 10_000  # characters of interests
MAX_NUMBERS, MAX_PASTED = 4_000, 200  # characters of the numbers of papers pasted; papers


@dataclass(frozen=True, slots=True)
class LineError:
    """A line that cannot be read: where it goes wrong and how it might be mended."""

    number: int
    line: str
    error: InterestError

    @property
    def column(self) -> int:
        return self.error.position + 1

    @property
    def before(self) -> str:
        return self.line[: self.error.position]

    @property
    def at(self) -> str:
        """What is marked; a blank where something is missing."""
        return self.line[self.error.position : self.error.end] or " "

    @property
    def after(self) -> str:
        return self.line[self.error.end :]


@dataclass(frozen=True, slots=True)
class LineNotes:
    """Hints about a line that can be read; each of a `pick` as the form sends it back, and the hint."""

    number: int
    line: str
    notes: tuple[tuple[str, Note], ...]


def typed_lines(text: str) -> list[str]:
    """The lines of the field, blank ones too, in the form the parser counts characters in."""
    return [line.strip() for line in unicodedata.normalize("NFC", text).splitlines()]


def suggestion_for(line: str, hint: int) -> str:
    """What to write instead of a line: its mend, or what its hint of this number proposes. "" for nothing."""
    try:
        found = notes(line, parse(line))
    except InterestError as error:
        return error.suggestion
    return found[hint].suggestion if hint < len(found) else ""


def mended(data: Any) -> Any:
    """The answers with one line replaced, or a topic's lines added, by the button that was pressed.

    `mend` is the number of a line, or "number.hint": what is proposed for it is written; `write` is "number line".
    """
    typed = str(data.get("interests", ""))
    if len(typed) > MAX_TYPED:
        return data  # it is refused as it stands
    lines = typed_lines(typed)
    number, _, hint = str(data.get("mend", "")).partition(".")
    if (place := _place(number, lines)) is not None and hint.isdecimal():
        lines[place] = suggestion_for(lines[place], int(hint[:4])) or lines[place]
    number, _, line = str(data.get("write", "")).partition(" ")
    if (place := _place(number, lines)) is not None and line.strip():
        lines[place] = line.strip()
    if topic := lines_of(str(data.get("topic", ""))):
        lines = _joined(lines, topic)
    answers = data.copy()
    answers["interests"] = "\n".join(lines)
    return answers


def _place(number: str, lines: list[str]) -> int | None:
    """Where the line of that number, counted from 1, stands; None where there is none."""
    if number.isascii() and number.isdecimal() and 0 < int(number[:4]) <= len(lines):
        return int(number[:4]) - 1
    return None


def with_added(data: Any) -> Any:
    """The answers with the ticked proposals among the interests."""
    ticked = data.getlist("add") if hasattr(data, "getlist") else ()
    if not ticked:
        return data
    answers = data.copy()
    answers["interests"] = "\n".join(_joined(typed_lines(str(data.get("interests", ""))), ticked))
    return answers


def _joined(lines: Iterable[str], more: Iterable[str]) -> list[str]:
    """Both, each line once, without blank ones."""
    return [line for line in dict.fromkeys([*lines, *more]) if line]


def paper_numbers(text: str) -> list[int]:
    """The numbers of papers in a hidden field, "12,34"; anything else in it is passed over."""
    words = text[:MAX_NUMBERS].split(",")
    return [int(word) for word in words if word.isascii() and word.isdecimal() and len(word) < 16][:MAX_PASTED]
