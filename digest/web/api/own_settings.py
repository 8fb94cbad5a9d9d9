"""A reader's lines, settings and pause as JSON: shown, and changed through the very forms of the preferences page."""

from __future__ import annotations

import datetime as dt
from http import HTTPStatus
from typing import Any

from django import forms
from django.db import models, transaction

from digest.web.api.answers import JSON, Problem
from subscriptions.forms import PauseForm, PreferencesForm
from subscriptions.models import Subscriber
from subscriptions.preferences import COLUMNS, SETTINGS, save
from subscriptions.preferences import settings_of as values_of
from subscriptions.schedule import is_time_zone
from subscriptions.views import initial_preferences

NAMES = ("lines", *SETTINGS)
KINDS = {list: "an array of lines", int: "a whole number", bool: "true or false", str: "a string"}


def settings_of(subscriber: Subscriber, now: dt.datetime) -> JSON:
    """Return what can be changed, and when the next mail is due: never the address."""
    return {
        "lines": subscriber.lines(),
        **values_of(subscriber),
        "paused_until": _moment(subscriber.paused_until) if subscriber.is_paused(now) else None,
        "next_digest_at": _moment(subscriber.next_digest_at),
    }


def kind_of(name: str) -> type:
    """Return the Python type of a value in JSON."""
    if name == "lines":
        return list
    if isinstance(COLUMNS[name], models.BooleanField):
        return bool
    return int if isinstance(COLUMNS[name], models.IntegerField) else str


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
        form = _preferences_form(reader, wanted) if wanted.keys() & set(NAMES) else None
        pause = _pause_form(reader, wanted, now) if wanted.get("pause") is not None else None
        refuse([*_faults_of_preferences(form), *_faults_of_pause(pause)])
        if form:
            save(reader, form.preferences(), now)
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
    there = ", ".join([*NAMES, "pause"])
    faults = [
        fault(escaped(name), f"There is nothing of this name to change; there is: {there}.")
        for name in wanted
        if name not in NAMES and name != "pause"
    ]
    for name in filter(wanted.__contains__, NAMES):
        if type(wanted[name]) is not kind_of(name):  # True is no whole number
            faults.append(fault(name, f"“{name}” is not {KINDS[kind_of(name)]}."))
        elif name == "lines":
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


def _preferences_form(reader: Subscriber, wanted: JSON) -> PreferencesForm:
    stored = initial_preferences(reader)
    values = {name: wanted[name] for name in SETTINGS if name in wanted}
    if "lines" in wanted:
        values["interests"] = "\n".join(wanted["lines"])
    return PreferencesForm(stored | values, initial=stored)


def _pause_form(reader: Subscriber, wanted: JSON, now: dt.datetime) -> PauseForm:
    zone = wanted.get("time_zone", reader.time_zone)  # a change of both: the day is one of the new place
    return PauseForm(wanted["pause"], zone=zone if is_time_zone(zone) else reader.time_zone, now=now)


def _faults_of_preferences(form: PreferencesForm | None) -> list[JSON]:
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
