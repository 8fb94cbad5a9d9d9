"""What a visitor types: an address, interests one a line, and when the mail should come."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, cast
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.forms.utils import flatatt
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from subscriptions import addresses, language
from subscriptions.interests.notes import Note, notes
from subscriptions.interests.parser import InterestError, parse
from subscriptions.interests.topics import Topic, lines_of, topics
from subscriptions.lines import MAX_LINES
from subscriptions.models import Subscriber
from subscriptions.schedule import current_names
from subscriptions.signup import Wishes

SELECTED = mark_safe(" selected")
MAX_NUMBERS, MAX_PASTED = 4_000, 200  # characters of the numbers of papers pasted; papers
MAX_PAUSE = dt.timedelta(days=366)
REGIONS = {
    "Africa": _("Africa"), "America": _("America"), "Antarctica": _("Antarctica"), "Asia": _("Asia"),
    "Atlantic": _("Atlantic"), "Australia": _("Australia"), "Europe": _("Europe"), "Indian": _("Indian"),
    "Pacific": _("Pacific"),
}  # fmt: skip
HOURS = [(hour, f"{hour:02}:00") for hour in range(24)]
TRENDING = [(0, _("none")), (30, _("a few")), (50, _("up to half of the mail"))]
SIZES = [(5, "5"), (10, "10"), (20, "20"), (30, "30")]


@cache  # reading the names takes some 50 ms, and a form asks for them several times
def time_zones() -> list[tuple[Any, str | list[tuple[str, str]]]]:
    """Places people know, by name under their region, each once: no old alias, no fixed offset but UTC."""
    by_region: dict[str, list[tuple[str, str]]] = {region: [] for region in REGIONS}
    for name in sorted(current_names()):
        region, _, place = name.partition("/")
        if region in by_region:
            by_region[region].append((name, place.replace("_", " ").replace("/", ", ")))
    return [("UTC", "UTC"), *((REGIONS[region], places) for region, places in by_region.items() if places)]


def _flat(choices: Iterable[Any]) -> list[tuple[Any, str]]:
    """Choices without their groups."""
    return [one for value, label in choices for one in (label if isinstance(label, list) else [(value, label)])]


class LongSelect(forms.Select):
    """A select of hundreds of options, rendered in one go: Django renders a template for each of them."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        widget = self.get_context(name, value, attrs)["widget"]
        inside = format_html_join("\n", "{}", ((_group(name, some),) for name, some, _ in widget["optgroups"]))
        return format_html('<select name="{}"{}>{}</select>', widget["name"], flatatt(widget["attrs"]), inside)


def _group(name: str | None, options: Iterable[dict[str, Any]]) -> SafeString:
    rows = ((one["value"], SELECTED if one["selected"] else "", one["label"]) for one in options)
    inside = format_html_join("\n", '<option value="{}"{}>{}</option>', rows)
    return format_html('<optgroup label="{}">{}</optgroup>', name, inside) if name else inside


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


class WishesForm(forms.Form):
    """Interests and timing: the part that sign-up and preferences share."""

    interests = forms.CharField(
        label=_("Your interests, one a line"),
        max_length=10_000,
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
    frequency = forms.ChoiceField(label=_("How often"), choices=Subscriber.Frequency.choices, initial="daily")
    weekday = forms.TypedChoiceField(
        label=_("Day, if weekly"), choices=Subscriber.Weekday.choices, coerce=int, initial=0, required=False
    )
    hour = forms.TypedChoiceField(label=_("At"), choices=HOURS, coerce=int, initial=8)
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        choices=time_zones,
        initial="UTC",
        widget=LongSelect(attrs={"data-guess-zone": ""}),
    )
    max_papers = forms.TypedChoiceField(
        label=_("Papers, at most"), choices=SIZES, coerce=int, initial=10, required=False
    )
    trending_share = forms.TypedChoiceField(
        label=_("Trending papers besides"), choices=TRENDING, coerce=int, initial=0, required=False
    )
    # Asked on the preferences page only: who signs up reads a page that speaks one already.
    language = forms.ChoiceField(
        label=_("Language"), choices=settings.LANGUAGES, initial=settings.LANGUAGE_CODE, required=False
    )

    def __init__(self, data: Any = None, *args: Any, **kwargs: Any) -> None:
        # A button beside a line takes over what was proposed for it, one of a topic adds its lines. That asks for
        # nothing else: see `is_mended`.
        self.is_mended = bool(data and any(data.get(name) for name in ("mend", "write", "topic")))
        super().__init__(_mended(_with_added(data)) if self.is_mended else _with_added(data), *args, **kwargs)
        self.line_errors: list[LineError] = []
        self._offer_what_is_stored()

    def _offer_what_is_stored(self) -> None:
        """An imported value that is not among the choices must not change by itself when the form is saved."""
        for name, field in self.fields.items():
            stored = self.initial.get(name)
            if isinstance(field, forms.ChoiceField) and stored is not None:
                choices: list[tuple[Any, str]] = list(cast(Any, field.choices))
                if str(stored) not in [str(value) for value, _ in _flat(choices)]:
                    field.choices = [*choices, (stored, str(stored).replace("_", " "))]

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
        for number, line in enumerate(typed_lines(str(self["interests"].value() or ""))[:MAX_LINES], start=1):
            with suppress(InterestError):
                hints = notes(line, parse(line))
                if hints:
                    picks = tuple((f"{number}.{hint}", note) for hint, note in enumerate(hints))
                    found.append(LineNotes(number, line, picks))
        return found

    def schedule(self) -> Iterator[forms.BoundField]:
        """When the mail comes and what it holds: all but the lines."""
        return (self[name] for name in WishesForm.base_fields if name != "interests")

    def wishes(self) -> Wishes:
        """The checked answers. Call after is_valid()."""
        data = self.cleaned_data
        return Wishes(
            lines=data["interests"],
            frequency=data["frequency"],
            weekday=data["weekday"] or 0,
            hour=data["hour"],
            time_zone=data["time_zone"],
            max_papers=data["max_papers"] or 10,
            trending_share=data["trending_share"] or 0,
            language=data["language"] or self.initial.get("language") or language.current(),
        )


def _mended(data: Any) -> Any:
    """The answers with one line replaced, or a topic's lines added, by the button that was pressed.

    `mend` is the number of a line, or "number.hint": what is proposed for it is written; `write` is "number line".
    """
    lines = typed_lines(str(data.get("interests", "")))
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


def _with_added(data: Any) -> Any:
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


class SignupForm(WishesForm):
    """The public form. A field no person sees catches machines that fill in everything."""

    email = forms.CharField(
        label=_("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "placeholder": "you@example.org"}),
        error_messages={"required": _("Type the address the mail should go to.")},
    )
    papers = forms.CharField(required=False, max_length=MAX_NUMBERS, widget=forms.HiddenInput)
    website = forms.CharField(required=False, widget=forms.TextInput(attrs={"tabindex": "-1", "autocomplete": "off"}))

    field_order = ["email", "interests", "frequency", "weekday", "hour", "time_zone"]

    def clean_email(self) -> str:
        if not self.cleaned_data["email"]:
            return ""  # the preview does not ask for one
        try:
            return addresses.read(self.cleaned_data["email"])
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
