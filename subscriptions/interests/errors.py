"""What is wrong with a line, where, and what to write instead."""

from __future__ import annotations

from django.utils.translation import gettext as _


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
        said = _("%(message)s (at character %(place)s).") % {"message": self.message, "place": self.position + 1}
        if not self.suggestion:
            return said
        return _("%(fault)s Try: %(line)s") % {"fault": said, "line": " / ".join(self.suggestion.split("\n"))}


class TooMuch(InterestError):
    """A line over one of the limits."""
