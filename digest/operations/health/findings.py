"""What one look at the service found: how it is and, unless it is well, what to do."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from functools import partial


class Level(enum.StrEnum):
    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: how it is and, unless it is well, what to do."""

    level: Level
    what: str
    do: str = ""


ok, warning, problem = (partial(Finding, level) for level in Level)


def reason(error: BaseException) -> str:
    """The error's first line, short; a URL with a password is never in it."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
