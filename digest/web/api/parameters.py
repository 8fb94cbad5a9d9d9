"""The parameters of the API's addresses: how each is read, and what the description says of it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus

from django.http import HttpRequest

from digest.models import Feedback
from digest.web.api.answers import DEFAULT_LIMIT, JSON, MAX_LIMIT, MAX_OFFSET, Problem, bad

MAX_NUMBER = 2**63 - 1

_NUMBER = re.compile(r"[0-9]{1,18}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Number:
    """A whole number within limits; one without a default must be given."""

    name: str
    minimum: int
    maximum: int
    default: int | None = None
    description: str = ""

    def read(self, request: HttpRequest) -> int:
        """Return the number asked for. Raises Problem."""
        text = request.GET.get(self.name, "" if self.default is None else str(self.default))
        if not _NUMBER.fullmatch(text) or not self.minimum <= int(text) <= self.maximum:
            raise bad(self.name, f"“{self.name}” is not a whole number from {self.minimum} to {self.maximum}.")
        return int(text)

    @property
    def schema(self) -> JSON:
        default = {} if self.default is None else {"default": self.default}
        return {"type": "integer", "minimum": self.minimum, "maximum": self.maximum} | default

    def describe(self) -> JSON:
        is_required = {"required": True} if self.default is None else {}
        return _described(self.name, self.description) | is_required | {"schema": self.schema}


@dataclass(frozen=True, slots=True)
class Text:
    """A text; the view reads it."""

    name: str
    schema: JSON
    description: str = ""
    example: str = ""
    is_required: bool = False

    def describe(self) -> JSON:
        example = {"example": self.example} if self.example else {}
        is_required = {"required": True} if self.is_required else {}
        return _described(self.name, self.description) | is_required | {"schema": self.schema} | example


Parameter = Number | Text

LIMIT = Number("limit", 1, MAX_LIMIT, DEFAULT_LIMIT, "At most so many.")
DIGEST_LIMIT = Number("limit", 1, 30, 10, "At most so many.")
OFFSET = Number(
    "offset", 0, MAX_OFFSET, 0, "After so many. For papers further back than its greatest value ask by `date`."
)
DATE = Text(
    "date", {"type": "string", "format": "date", "pattern": f"^{_DATE.pattern}$"}, "The date of a list.", "2026-03-16"
)
LINE = Text(
    "q",
    {"type": "string", "minLength": 1, "maxLength": 500},
    "A line of the interest language, as in the sign-up, asked of the papers of the last 30 days: at most 50, best "
    "first. Of very many, those are the newest.",
    '"chain of thought" -survey',
)
PAPER = Number("paper", 1, 10**18 - 1)
SAY = Text("say", {"type": "string", "enum": Feedback.Kind.values}, is_required=True)


def date(request: HttpRequest) -> dt.date | None:
    text = request.GET.get(DATE.name)
    if text is None:
        return None
    try:
        # Python would also read 20260316 and 2026-W12-1.
        return dt.date.fromisoformat(text if _DATE.fullmatch(text) else "")
    except ValueError:
        raise bad("date", "“date” is not a day written as YYYY-MM-DD, such as 2026-03-16.") from None


def refuse_other_parameters(request: HttpRequest, parameters: Iterable[Parameter]) -> None:
    """Raises Problem for a parameter that would be passed over in silence: the answer would look right."""
    known = [parameter.name for parameter in parameters]
    for name, values in request.GET.lists():
        if name not in known:
            there = f"there is: {', '.join(known)}" if known else "this address takes none"
            raise Problem(HTTPStatus.BAD_REQUEST, f"There is no parameter “{name}”; {there}.", parameter=name)
        if len(values) > 1:
            raise Problem(HTTPStatus.BAD_REQUEST, f"“{name}” is given {len(values)} times: once only.", parameter=name)


def _described(name: str, description: str) -> JSON:
    return {"name": name, "in": "query"} | ({"description": description} if description else {})
