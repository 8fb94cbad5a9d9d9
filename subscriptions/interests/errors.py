"""What is wrong with a line, where, and what to write instead."""

from __future__ import annotations


class InterestError(ValueError):
    """A line that cannot be read.

    `position` and `end` count characters of the line, composed (NFC), from 0; they are equal where something is
    missing. `suggestion` is "" or what to write instead, several lines where one line should be several; when it
    comes from `parse`, each of its lines can be read.
    """

    def __init__(self, message: str, position: int = 0, suggestion: str = "", end: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.position = position
        self.end = position if end is None else end
        self.suggestion = suggestion

    def __str__(self) -> str:
        try_this = f" Try: {' / '.join(self.suggestion.split(chr(10)))}" if self.suggestion else ""
        return f"{self.message} (at character {self.position + 1}).{try_this}"


class TooMuch(InterestError):
    """A line over one of the limits."""
