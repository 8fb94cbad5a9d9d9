"""What a subscriber can set. The fields of SettingsForm are the only list of settings.

Sign-up, preferences, import, export, data download, the API and its description follow from them: see "Add a
subscriber setting" in CONTRIBUTING.md.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any, cast

from django import forms
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from subscriptions import language
from subscriptions.models import Subscriber
from subscriptions.time_zones import LongSelect, time_zones

HOURS = [(hour, f"{hour:02}:00") for hour in range(24)]
TRENDING = [(0, _("none")), (30, _("a few")), (50, _("up to half of the mail"))]
EMPTY = [(False, _("no mail")), (True, _("a short mail that says so"))]
SIZES = [(5, "5"), (10, "10"), (20, "20"), (30, "30")]
MANY = 50  # choices


class SettingsForm(forms.Form):
    """Settings: each is a column of Subscriber with the same name, and starts with that column's default."""

    frequency = forms.ChoiceField(label=_("How often"), choices=Subscriber.Frequency.choices)
    weekday = forms.TypedChoiceField(
        label=_("Day, if weekly"), choices=Subscriber.Weekday.choices, coerce=int, required=False
    )
    hour = forms.TypedChoiceField(label=_("At"), choices=HOURS, coerce=int)
    time_zone = forms.ChoiceField(
        label=_("Time zone"), choices=time_zones, widget=LongSelect(attrs={"data-guess-zone": ""})
    )
    max_papers = forms.TypedChoiceField(label=_("Papers, at most"), choices=SIZES, coerce=int, required=False)
    trending_share = forms.TypedChoiceField(
        label=_("Trending papers besides"), choices=TRENDING, coerce=int, required=False
    )
    empty_mail = forms.TypedChoiceField(
        label=_("When nothing matches"), choices=EMPTY, coerce="True".__eq__, required=False
    )
    # Shown on the preferences page only: the sign-up page has a language already.
    language = forms.ChoiceField(
        label=_("Language"), choices=settings.LANGUAGES, initial=language.current, required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._offer_stored_values()

    def _offer_stored_values(self) -> None:
        """Offer an imported value that is not among the choices, so that saving the form does not change it."""
        for name, field in self.fields.items():
            stored = self.initial.get(name)
            if isinstance(field, forms.ChoiceField) and stored is not None:
                choices: list[tuple[Any, str]] = list(cast(Any, field.choices))
                if str(stored) not in [str(value) for value, _ in flat(choices)]:
                    field.choices = [*choices, (stored, str(stored).replace("_", " "))]

    def get_initial_for_field(self, field: forms.Field, field_name: str) -> Any:
        value = super().get_initial_for_field(field, field_name)
        return DEFAULTS.get(field_name) if value is None else value

    def clean_language(self) -> str:
        return self.cleaned_data["language"] or self.initial.get("language") or language.current()

    def setting_values(self) -> dict[str, Any]:
        """Return a value for each setting, the default where nothing was chosen. Call after is_valid()."""
        chosen = {name: self.cleaned_data[name] for name in SETTINGS}
        return {name: DEFAULTS[name] if value in ("", None) else value for name, value in chosen.items()}


SETTINGS = tuple(SettingsForm.base_fields)
COLUMNS = {name: cast("models.Field[Any, Any]", Subscriber._meta.get_field(name)) for name in SETTINGS}
DEFAULTS = {name: column.get_default() for name, column in COLUMNS.items()}


class Preferences(SimpleNamespace):
    """Interests, one a line, and a value for each setting: the column's default where none is given."""

    lines: tuple[str, ...]

    def __init__(self, lines: Iterable[str], **values: Any) -> None:
        if unknown := values.keys() - set(SETTINGS):
            raise TypeError(f"There is no setting {', '.join(sorted(unknown))}.")
        super().__init__(lines=tuple(lines), **(DEFAULTS | values))

    def write_to(self, subscriber: Subscriber) -> list[str]:
        """Set the subscriber's columns and return their names. The caller saves, and then sets the lines."""
        for name in SETTINGS:
            setattr(subscriber, name, getattr(self, name))
        return list(SETTINGS)


def settings_of(subscriber: Subscriber) -> dict[str, Any]:
    """Return the subscriber's value of each setting."""
    return {name: getattr(subscriber, name) for name in SETTINGS}


def save(subscriber: Subscriber, preferences: Preferences, now: dt.datetime) -> None:
    """Store the preferences, and when the next mail is due."""
    names = preferences.write_to(subscriber)
    if subscriber.status == Subscriber.Status.ACTIVE:
        until = subscriber.paused_until if subscriber.is_paused(now) else None
        subscriber.next_digest_at = subscriber.choose_next_digest_at(until or now)
        names.append("next_digest_at")
    subscriber.save(update_fields=names)
    subscriber.set_lines(list(preferences.lines))


def limits(name: str) -> tuple[int, int] | None:
    """Return the least and the greatest value of a setting that is a number without choices of its own."""
    column = COLUMNS[name]
    if column.choices or not isinstance(column, models.IntegerField):
        return None
    lowest = [one.limit_value for one in column.validators if isinstance(one, MinValueValidator)]
    highest = [one.limit_value for one in column.validators if isinstance(one, MaxValueValidator)]
    return max(lowest), min(highest)


def offered(name: str) -> list[Any]:
    """Return the values that the form offers; none where they are free, or too many to list, as time zones are."""
    field = SettingsForm.base_fields[name]
    choices = flat(cast(Any, field.choices)) if isinstance(field, forms.ChoiceField) else []
    return [value for value, _ in choices] if len(choices) <= MANY else []


def flat(choices: Iterable[Any]) -> list[tuple[Any, str]]:
    """Return choices without their groups."""
    return [one for value, label in choices for one in (label if isinstance(label, list) else [(value, label)])]
