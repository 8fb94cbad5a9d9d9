"""A reader's lines, settings and pause as JSON: shown, and changed through the very forms of the preferences page."""

from __future__ import annotations

import datetime as dt
from http import HTTPStatus
from typing import Any

from django import forms
from django.db import transaction

from digest.web.api.answers import JSON, Problem
from subscriptions.forms import PauseForm, WishesForm
from subscriptions.models import Subscriber
from subscriptions.schedule import is_time_zone
from subscriptions.views import save_wishes, stored_wishes

FIELDS: dict[str, tuple[type, str]] = {
    "lines": (list, "an array of lines"),
    "frequency": (str, "a string"),
    "weekday": (int, "a whole number"),
    "hour": (int, "a whole number"),
    "time_zone": (str, "a string"),
    "max_papers": (int, "a whole number"),
    "trending_share": (int, "a whole number"),
    "empty_mail": (bool, "true or false"),
    "language": (str, "a string"),
}


def settings_of(reader: Subscriber, now: dt.datetime) -> JSON:
    """What can be changed, and when the next mail is due. The address is told to nobody, not even by a token."""
    values = stored_wishes(reader)
    return {
        "lines": reader.lines(),
        **{name: values[name] for name in FIELDS if name != "lines"},
        "paused_until": _moment(reader.paused_until) if reader.is_paused(now) else None,
        "next_digest_at": _moment(reader.next_digest_at),
    }


def _moment(at: dt.datetime | None) -> str | None:
    return at.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if at else None


def change(reader: Subscriber, wanted: JSON, now: dt.datetime) -> Subscriber:
    """Change what is named and leave the rest; all of it or nothing. Returns the reader as stored.

    Raises Problem with every fault, each pointing at its place in the document (RFC 6901) and, in a line, at the
    column; Subscriber.DoesNotExist when the reader was erased meanwhile.
    """
    refuse(_faults_of_shape(wanted))
    with transaction.atomic():
        reader = Subscriber.objects.select_for_update().get(pk=reader.pk)
        wishes = _wishes_form(reader, wanted) if FIELDS.keys() & wanted.keys() else None
        pause = _pause_form(reader, wanted, now) if wanted.get("pause") is not None else None
        refuse([*_faults_of_wishes(wishes), *_faults_of_pause(pause)])
        if wishes:
            save_wishes(reader, wishes, now)
        if "pause" in wanted:
            reader.pause(pause.ends_at() if pause else None, now)
    return reader


def fault(pointer: str, detail: str, **more: object) -> JSON:
    """One thing that is wrong, and where: a JSON pointer as a URI fragment, as in RFC 9457's own example."""
    return {"pointer": f"#/{pointer}", "detail": detail, **more}


def refuse(faults: list[JSON]) -> None:
    """Raises Problem when there is a fault."""
    if faults:
        said = faults[0]["detail"] if len(faults) == 1 else f"{len(faults)} things are wrong; “errors” has each."
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, said, errors=faults)


def escaped(name: str) -> str:
    """A name as a part of a pointer (RFC 6901, 3)."""
    return name[:100].replace("~", "~0").replace("/", "~1")


def _faults_of_shape(wanted: JSON) -> list[JSON]:
    """Names that are not there, and values of another kind than the form's."""
    there = ", ".join([*FIELDS, "pause"])
    faults = [
        fault(escaped(name), f"There is nothing of this name to change; there is: {there}.")
        for name in wanted
        if name not in FIELDS and name != "pause"
    ]
    for name, (kind, words) in FIELDS.items():
        if name in wanted and type(wanted[name]) is not kind:  # True is no whole number
            faults.append(fault(name, f"“{name}” is not {words}."))
        elif name == "lines" and name in wanted:
            faults += _faults_of_lines(wanted[name])
    return faults + _faults_of_pauses_shape(wanted.get("pause"))


def _faults_of_lines(lines: list[Any]) -> list[JSON]:
    return [
        fault(f"lines/{place}", "A line is a string without line breaks.")
        for place, line in enumerate(lines)
        if type(line) is not str or line.splitlines() not in ([], [line])
    ]


def _faults_of_pauses_shape(pause: Any) -> list[JSON]:
    there = ", ".join(PauseForm.base_fields)
    if pause is None:
        return []
    if type(pause) is not dict or not pause:
        return [fault("pause", f"“pause” is neither null, which ends it, nor an object that says how long: {there}.")]
    names = [fault(f"pause/{escaped(name)}", f"A pause has: {there}.") for name in pause if name not in there]
    kinds = [
        fault(f"pause/{name}", f"“{name}” is not {'a whole number' if name == 'days' else 'a string'}.")
        for name in PauseForm.base_fields
        if name in pause and type(pause[name]) is not (int if name == "days" else str)
    ]
    return names + kinds


def _wishes_form(reader: Subscriber, wanted: JSON) -> WishesForm:
    stored = stored_wishes(reader)
    values = {name: wanted[name] for name in FIELDS if name in wanted and name != "lines"}
    if "lines" in wanted:
        values["interests"] = "\n".join(wanted["lines"])
    return WishesForm(stored | values, initial=stored)


def _pause_form(reader: Subscriber, wanted: JSON, now: dt.datetime) -> PauseForm:
    zone = wanted.get("time_zone", reader.time_zone)  # a change of both: the day is one of the new place
    return PauseForm(wanted["pause"], zone=zone if is_time_zone(zone) else reader.time_zone, now=now)


def _faults_of_wishes(form: WishesForm | None) -> list[JSON]:
    """The lines that cannot be read, each with its place and a mend; then what is wrong with the other fields."""
    if form is None or form.is_valid():
        return []
    lines = [
        fault(
            f"lines/{bad.number - 1}",
            f"Line {bad.number}, character {bad.column}: {bad.error.message}.",
            line=bad.number,
            column=bad.column,
            suggestion=bad.error.suggestion,
        )
        for bad in form.line_errors
    ]
    return lines + [one for one in _faults_of(form, "") if not (lines and one["pointer"] == "#/lines")]


def _faults_of_pause(form: PauseForm | None) -> list[JSON]:
    if form is None or (form.is_valid() and form.ends_at()):
        return []
    return _faults_of(form, "pause/") or [fault("pause/until", "A pause ends on a day, such as 2026-03-16.")]


def _faults_of(form: forms.Form, under: str) -> list[JSON]:
    names = {"interests": "lines"}
    return [
        fault(f"{under}{names.get(name, name)}", " ".join(map(str, errors))) for name, errors in form.errors.items()
    ]
