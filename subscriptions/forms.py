"""What a visitor types: an address, interests one a line, and when the mail should come."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django import forms
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from subscriptions import addresses, language
from subscriptions.edit_interests import MAX_LINES
from subscriptions.interest_form import (
    MAX_NUMBERS,
    MAX_TYPED,
    LineError,
    LineNotes,
    mended,
    paper_numbers,
    typed_lines,
    with_added,
)
from subscriptions.interests.hints import notes
from subscriptions.interests.parser import InterestError, parse
from subscriptions.interests.topics import Topic, topics
from subscriptions.preferences import SETTINGS, Preferences, SettingsForm

MAX_PAUSE = dt.timedelta(days=366)


class InterestsForm(forms.Form):
    """Interests, one a line, with what is wrong with each and hints beside it."""

    interests = forms.CharField(
        label=_("Your interests, one a line"),
        max_length=MAX_TYPED,
        strip=False,
        widget=forms.Textarea(
            attrs={
                "rows": 5,
                "placeholder": 'diffusion models\n"chain of thought"\nagents -robotics',
                "spellcheck": "false",
                "autocapitalize": "off",
                "aria-describedby": "id_interests_error interests-help",
            }
        ),
        error_messages={"required": _("Type at least one interest, a topic such as diffusion models.")},
    )

    def __init__(self, data: Any = None, *args: Any, **kwargs: Any) -> None:
        # A button beside a line takes over what was proposed for it, one of a topic adds its lines. That asks for
        # nothing else: see `is_mended`.
        self.is_mended = bool(data and any(data.get(name) for name in ("mend", "write", "topic")))
        super().__init__(mended(with_added(data)) if self.is_mended else with_added(data), *args, **kwargs)
        self.line_errors: list[LineError] = []

    def clean_interests(self) -> tuple[str, ...]:
        """The lines as typed, without blank ones. Every line is checked; `line_errors` has each fault."""
        kept: list[str] = []
        for number, line in enumerate(typed_lines(self.cleaned_data["interests"]), start=1):
            if not line:
                continue
            try:
                parse(line)
                kept.append(line)
            except InterestError as error:
                self.line_errors.append(LineError(number, line, error))
        if self.line_errors:
            count = len(self.line_errors)
            raise forms.ValidationError(
                gettext("Line %(number)s cannot be read.") % {"number": self.line_errors[0].number}
                if count == 1
                else gettext("%(count)s lines cannot be read.") % {"count": count}
            )
        if len(kept) > MAX_LINES:
            said = gettext("%(count)s lines are too many: %(most)s are the most.")
            raise forms.ValidationError(said % {"count": len(kept), "most": MAX_LINES})
        if not kept:
            raise forms.ValidationError(self.fields["interests"].error_messages["required"])
        return tuple(kept)

    def line_notes(self) -> list[LineNotes]:
        """Hints beside the lines that can be read."""
        found = []
        typed = str(self["interests"].value() or "")[:MAX_TYPED]
        for number, line in enumerate(typed_lines(typed)[:MAX_LINES], start=1):
            with suppress(InterestError):
                hints = notes(line, parse(line))
                if hints:
                    picks = tuple((f"{number}.{hint}", note) for hint, note in enumerate(hints))
                    found.append(LineNotes(number, line, picks))
        return found


class PreferencesForm(InterestsForm, SettingsForm):
    """Interests and settings: the part that sign-up and preferences share."""

    field_order = ["interests"]

    def schedule(self) -> Iterator[forms.BoundField]:
        """When the mail comes and what it holds: all but the lines."""
        return (self[name] for name in SETTINGS)

    def preferences(self) -> Preferences:
        """Return the checked answers. Call after is_valid()."""
        return Preferences(self.cleaned_data["interests"], **self.setting_values())


class SignupForm(PreferencesForm):
    """The public form. A field no person sees catches machines that fill in everything."""

    email = forms.CharField(
        label=_("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "placeholder": "you@example.org"}),
        error_messages={"required": _("Type the address the mail should go to.")},
    )
    papers = forms.CharField(required=False, max_length=MAX_NUMBERS, widget=forms.HiddenInput)
    website = forms.CharField(required=False, widget=forms.TextInput(attrs={"tabindex": "-1", "autocomplete": "off"}))

    field_order = ["email", "interests"]

    def clean_email(self) -> str:
        if not self.cleaned_data["email"]:
            return ""  # the preview does not ask for one
        try:
            return addresses.read(self.cleaned_data["email"])
        except addresses.LongLocalPart as error:
            raise forms.ValidationError(str(error)) from error
        except addresses.AddressError as error:
            # The library that reads addresses speaks English only.
            own = _("This is no e-mail address such as you@example.org.")
            raise forms.ValidationError(str(error) if language.current() == "en" else own) from error

    def clean_papers(self) -> list[int]:
        return paper_numbers(self.cleaned_data["papers"])

    def hide(self) -> None:
        """Every answer goes along out of sight, on a page that asks nothing."""
        for field in self.fields.values():
            field.widget = field.hidden_widget()

    def topics(self) -> tuple[Topic, ...]:
        """To start from; each is a button."""
        return topics()

    @property
    def is_from_machine(self) -> bool:
        return bool(self.cleaned_data.get("website"))


class LinkForm(forms.Form):
    """An address whose reader lost the way to their preferences. Whatever is typed is answered alike."""

    email = forms.CharField(
        label=_("E-mail address"),
        max_length=254,
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "placeholder": "you@example.org", "required": ""}),
    )

    def address(self) -> str:
        """The address; "" for what is none. Call after is_valid()."""
        try:
            return addresses.read(self.cleaned_data.get("email", ""))
        except addresses.AddressError:
            return ""


class PauseForm(forms.Form):
    """How long a reader wants no mail: some days, or until a day, which is the first with mail again."""

    lengths: ClassVar = [(7, _("a week")), (14, _("two weeks")), (30, _("a month")), (90, _("three months"))]

    days = forms.TypedChoiceField(choices=lengths, coerce=int, required=False, empty_value=None)
    until = forms.DateField(
        label=_("First mail again on"),
        required=False,
        widget=forms.DateInput(
            attrs={"type": "date", "required": "", "aria-describedby": "pause-help"}, format="%Y-%m-%d"
        ),
    )

    def __init__(self, data: Any = None, *, zone: str, now: dt.datetime) -> None:
        super().__init__(data)
        self._zone, self._now = ZoneInfo(zone), now
        today = now.astimezone(self._zone).date()
        self._first, self._last = today + dt.timedelta(days=1), today + MAX_PAUSE
        self.fields["until"].widget.attrs |= {"min": self._first.isoformat(), "max": self._last.isoformat()}

    def clean_until(self) -> dt.date | None:
        until: dt.date | None = self.cleaned_data["until"]
        if until and not self._first <= until <= self._last:
            said = gettext("A pause ends between tomorrow and %(date)s.")
            raise forms.ValidationError(said % {"date": date_format(self._last, gettext("d F Y"))})
        return until

    def ends_at(self) -> dt.datetime | None:
        """When mail may go out again; None when nothing was said. Call after is_valid()."""
        if days := self.cleaned_data["days"]:
            return self._now + dt.timedelta(days=days)
        until = self.cleaned_data["until"]
        return dt.datetime.combine(until, dt.time(), tzinfo=self._zone).astimezone(dt.UTC) if until else None
