"""What cells say, however a spreadsheet or a service writes it: hours, days, time zones, states, addresses. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from email.utils import parseaddr
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from django.conf import settings
from django.utils.translation import override

from subscriptions.imports.columns import NAMES, compared
from subscriptions.models import Subscriber

Status = Subscriber.Status
NEVER = "never subscribed"  # an address that a service knows from a purchase, say: it asked for nothing

# What the services call what we call otherwise.
STATES: dict[str, str] = {
    Status.ACTIVE: "active enabled subscribed confirmed yes true 1",
    Status.PENDING: "pending unconfirmed unactivated notconfirmed optinpending",
    Status.UNSUBSCRIBED: "unsubscribed disabled blocklisted blacklisted removed optedout optout left deleted archived"
    " cancelled canceled no false 0",
    Status.BOUNCED: "bounced cleaned unreachable undeliverable invalid hardbounced",
    Status.COMPLAINED: "complained complaint spam spammy abuse markedasspam reported",
    NEVER: "nonsubscribed transactional neversubscribed",
}
# Buttondown's types say who pays: all of these get mail.
BUTTONDOWN = "regular premium unpaid trialed gifted churning churned paused pastdue"
COMPLAINTS = ("spam", "abuse", "complain")  # in the reason that Mailchimp records when somebody leaves

TRUE, FALSE = ("true", "yes", "1", "x", "on", "ja", "wahr"), ("false", "no", "0", "off", "nein", "falsch")
_UNSEEN = "\u200b\u200c\u200d\u2060\ufeff\xa0"
_CLOCK = re.compile(r"(\d{1,2})(?:[:.h]00(?:[:.]00)?|\.0)?\s*(?:(am|pm|a\.m\.|p\.m\.)|uhr|h|o'clock)?", re.IGNORECASE)
_WHOLE = re.compile(r"(\d+)[.,]0+")
NOON = 12
LONGEST = 100  # characters of a setting: what is longer is none
MAX_ADDRESS = 1_000  # characters looked at, a name included


def address_in(cell: str) -> str:
    """Return the address of a cell: without a name, "mailto:", blanks nobody sees, and what stands behind it."""
    text = cell[:MAX_ADDRESS].strip(f" \t\r\n;,{_UNSEEN}")
    if text.endswith(">"):
        text = parseaddr(text)[1] or text.partition("<")[2].rstrip(">")
    if text[:7].lower() == "mailto:":
        text = text[7:].partition("?")[0]
    return text.strip(f" \t\r\n;,{_UNSEEN}")


def setting_in(name: str, cell: str) -> str:
    """Return a cell of a setting as the form wants it; unchanged where it is none of the ways we know."""
    text = cell.strip(f" {_UNSEEN}")
    if len(text) > LONGEST:
        return text
    if name == "time_zone":
        return _zone(text)
    if name == "language":
        return _language(text)
    if name == "hour":
        return _hour(text)
    if name == "empty_mail":
        return "True" if text.lower() in TRUE else "False" if text.lower() in FALSE else text
    if whole := _WHOLE.fullmatch(text):  # a spreadsheet's number
        return whole[1]
    return _choices(name).get(compared(text), text)


def _hour(text: str) -> str:
    found = _CLOCK.fullmatch(text) if text.isascii() else None
    if not found:
        return text
    hour = int(found[1])
    if half := (found[2] or "").lower():
        if not 1 <= hour <= NOON:
            return text
        hour = hour % NOON + (NOON if half.startswith("p") else 0)
    return str(hour)


def _zone(text: str) -> str:
    name = "/".join(part.strip() for part in text.split("/"))
    return _zones().get(name.replace(" ", "_").casefold(), text)


@lru_cache(maxsize=1)
def _zones() -> Mapping[str, str]:
    return {name.casefold(): name for name in available_timezones()}


def _language(text: str) -> str:
    offered = dict(settings.LANGUAGES)
    names = {str(name).casefold(): code for code, name in settings.LANGUAGES} | {"deutsch": "de", "englisch": "en"}
    start = re.split(r"[-_]", text.lower())[0]
    return start if start in offered else names.get(text.casefold(), text)


@lru_cache(maxsize=8)
def _choices(name: str) -> Mapping[str, str]:
    """Return the values of a setting with choices, by their values and labels in each language, and short days."""
    found: dict[str, str] = {}
    choices: Any = {"frequency": Subscriber.Frequency.choices, "weekday": Subscriber.Weekday.choices}.get(name, ())
    for code, _ in settings.LANGUAGES:
        with override(code):
            for value, label in choices:
                found[compared(str(value))] = found[compared(str(label))] = str(value)
                if name == "weekday":
                    found |= {compared(str(label))[:length]: str(value) for length in (2, 3)}
    return found


def state_in(cells: Mapping[str, str], service: str = "") -> str:
    """Return whether somebody is subscribed there: a status, NEVER, or "" where nothing says so.

    Raises ValueError, with the word, for a status that is none we know. What ended a subscription outranks all else.
    """
    word = cells.get("status", "").strip()
    status = _states(service).get(compared(word), "") if word else ""
    if word and not status:
        raise ValueError(word)
    if any(mark in cells.get("left_why", "").lower() for mark in COMPLAINTS):
        return Status.COMPLAINED
    if status in (Status.COMPLAINED, Status.BOUNCED):
        return status
    if cells.get("bounced_at"):
        return Status.BOUNCED
    has_left = (
        cells.get("left_at")
        or cells.get("is_off", "").strip().lower() in TRUE
        or cells.get("is_on", "").strip().lower() in FALSE
    )
    return Status.UNSUBSCRIBED if has_left else status


@lru_cache(maxsize=8)
def _states(service: str) -> Mapping[str, str]:
    own = {compared(value): value for value in Status.values}
    paying = dict.fromkeys(BUTTONDOWN.split(), str(Status.ACTIVE)) if service == "Buttondown" else {}
    return {word: status for status, words in STATES.items() for word in words.split()} | own | paying


def details_in(cell: str) -> Iterator[tuple[str, str]]:
    """Yield what a cell of JSON (attributes, data, metadata) says, as meaning and cell."""
    try:
        found = json.loads(cell)
    except (ValueError, RecursionError):
        return
    known = {name: meaning for meaning, names in NAMES.items() for name in names.split()}
    for name, value in found.items() if isinstance(found, dict) else ():
        meaning = known.get(compared(str(name)), "")
        if meaning in ("", "email", "details", "status"):
            continue
        if isinstance(value, list):
            yield meaning, "\n".join(str(one) for one in value if isinstance(one, str | int))
        elif isinstance(value, str | int):
            yield meaning, str(value)
