"""JSON schemas of a subscriber's settings, from the form that declares them and the columns that hold them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from digest.web.api.answers import JSON
from digest.web.api.own_settings import kind_of
from subscriptions.forms import MAX_PAUSE, PauseForm
from subscriptions.preferences import COLUMNS, SETTINGS, limits, offered

KINDS = {bool: "boolean", int: "integer", str: "string"}
LINES = {"type": "array", "description": "Your interests, a line of the interest language each, mutes too."}
MOMENT = {"type": ["string", "null"], "format": "date-time"}
DAYS = {"type": "integer", "enum": [days for days, _ in PauseForm.lengths]}
PAUSE = {
    "type": ["object", "null"],
    "description": "How many days without mail, or the first day with mail again, at most "
    f"{MAX_PAUSE.days} days ahead; null ends a pause.",
    "additionalProperties": False,
    "minProperties": 1,
    "maxProperties": 1,
    "properties": {"days": DAYS, "until": {"type": "string", "format": "date"}},
}


def _stored(name: str) -> JSON:
    """What a setting may be: more than the form offers, for staff may choose freely."""
    lowest_highest = limits(name) or ()
    return _described(name) | _one_of(value for value, _ in COLUMNS[name].choices or ()) | _between(*lowest_highest)


def _offered(name: str) -> JSON:
    """What a setting may become."""
    choices = offered(name)
    return _described(name) | _one_of(choices) if choices else _stored(name)


def _described(name: str) -> JSON:
    described = {"description": COLUMNS[name].help_text} if COLUMNS[name].help_text else {}
    return {"type": KINDS[kind_of(name)], **described}


def _one_of(values: Iterable[Any]) -> JSON:
    values = list(values)
    kinds = set(map(type, values))
    if kinds == {int} and values == list(range(values[0], values[-1] + 1)):
        return _between(values[0], values[-1])
    return {} if kinds <= {bool} else {"enum": values}


def _between(*limits: int) -> JSON:
    return dict(zip(("minimum", "maximum"), limits, strict=False))


_ME = {
    "lines": LINES | {"items": {"type": "string"}},
    **{name: _stored(name) for name in SETTINGS},
    "paused_until": MOMENT | {"description": "UTC; null when mail comes."},
    "next_digest_at": MOMENT | {"description": "UTC; when the next mail is due."},
}
ME: JSON = {
    "title": "Me",
    "type": "object",
    "description": "Your subscription; your address is not in it.",
    "required": list(_ME),
    "properties": _ME,
}
CHANGE: JSON = {
    "title": "Change",
    "type": "object",
    "description": "What to change.",
    "additionalProperties": False,
    "properties": {
        "lines": LINES | {"items": {"type": "string", "maxLength": 500}, "minItems": 1},
        **{name: _offered(name) for name in SETTINGS},
        "pause": PAUSE,
    },
}
