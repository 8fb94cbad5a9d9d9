"""What the columns of a subscribers' file mean, and which service wrote it. Pure.

Names are compared without case, spaces and signs: "Email Address", "email_address" and "E-Mail-Address" are one.
The vocabularies: our own export, Mailchimp, listmonk, Keila, Substack, Buttondown, Ghost, and spreadsheets.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

OWN = "Paper Round"
# Settings have the names of Subscriber's columns; the others are of this module.
NAMES: dict[str, str] = {
    "email": "email emailaddress mail mailaddress subscriberemail useremail contactemail emailadresse mailadresse",
    "interests": "interests interest topics topic keywords interessen interesse themen thema stichworte",
    "frequency": "frequency howoften haeufigkeit häufigkeit",
    "weekday": "weekday dayofweek wochentag",
    "hour": "hour time deliverytime sendtime stunde uhrzeit",
    "time_zone": "timezone tz zeitzone",
    "max_papers": "maxpapers papers",
    "trending_share": "trendingshare trending",
    "empty_mail": "emptymail",
    "language": "language lang locale preferredlanguage sprache",
    "status": "status subscriptionstatus memberstatus subscriberstatus",
    "since": "confirmtime confirmedat doubleoptinat optintime subscribedat createdat creationdate signupdate startdate",
    "left_at": "unsubtime unsubscribedat unsubscriptiondate optouttime deletedat",
    "left_why": "unsubreason",
    "bounced_at": "cleantime bouncedat",
    "is_off": "emaildisabled",
    "is_on": "subscribedtoemails",
    "details": "attributes data metadata",
}
MANY = ("since", "left_at", "left_why", "bounced_at", "details")  # more than one column may say it

# A file is of the first service of which it has all of these columns.
SERVICES: tuple[tuple[str, str], ...] = (
    (OWN, "email timezone maxpapers trendingshare"),
    ("Mailchimp", "emailaddress memberrating"),
    ("Mailchimp", "emailaddress leid"),
    ("listmonk", "uuid email attributes"),
    ("Substack", "email emaildisabled"),
    ("Substack", "email activesubscription"),
    ("Ghost", "email subscribedtoemails"),
    ("Buttondown", "email type creationdate"),
    ("Buttondown", "emailaddress type creationdate"),
    ("Keila", "email externalid data"),
    ("Keila", "email firstname lastname data status"),
)
# Columns that mean something in one service's files alone.
OF_SERVICE: dict[str, dict[str, str]] = {"Buttondown": {"type": "status"}}
IGNORED = "problem"  # what we write beside a row to mend

_SIGNS = re.compile(r"[\W_]+")


class ColumnError(ValueError):
    """Why a header cannot be used, in words for the operator."""


@dataclass(frozen=True, slots=True)
class Columns:
    """What each column of a file means, by its place; "" for what is not used."""

    meanings: tuple[str, ...]
    places: tuple[int, ...]  # of the columns that are used, what says most first
    unused: tuple[str, ...]
    service: str = ""

    @property
    def is_foreign(self) -> bool:
        """Whether another service wrote the file."""
        return self.service not in ("", OWN)

    def has(self, meaning: str) -> bool:
        return meaning in self.meanings

    def cells(self, row: Sequence[str]) -> dict[str, str]:
        """Return what a row says, by meaning. Of several columns, the first in the order of NAMES that is filled."""
        found: dict[str, str] = {}
        for place in self.places:
            if place < len(row) and row[place].strip():
                found.setdefault(self.meanings[place], row[place])
        return found


def compared(name: str) -> str:
    """Return the form in which names of columns are compared."""
    return _SIGNS.sub("", name[:100]).lower()


def columns_of(header: Sequence[str], interests_from: str = "") -> Columns:
    """Return what the columns mean. Raises ColumnError where one is missing, comes twice or is a near miss."""
    names = [compared(name) for name in header]
    service = _service_of(names)
    known = _by_name() | OF_SERVICE.get(service, {})
    meanings = [known.get(name, "") for name in names]
    if interests_from:
        meanings[_place(header, names, interests_from)] = "interests"
    _check(header, meanings)
    unused = [name for name, meaning in zip(header, meanings, strict=True) if not meaning and name.strip()]
    unused = [name for name in unused if compared(name) != IGNORED]
    if service in ("", OWN):
        _check_near_misses(unused, meanings)
    ranks = {name: rank for rank, name in enumerate(known)}
    used = [place for place, meaning in enumerate(meanings) if meaning]
    places = sorted(used, key=lambda place: ranks.get(names[place], 0))
    return Columns(tuple(meanings), tuple(places), tuple(name.strip() for name in unused), service)


def _by_name() -> dict[str, str]:
    return {name: meaning for meaning, names in NAMES.items() for name in names.split()}


def _service_of(names: Sequence[str]) -> str:
    return next((service for service, marks in SERVICES if set(marks.split()) <= set(names)), "")


def _place(header: Sequence[str], names: Sequence[str], wanted: str) -> int:
    if compared(wanted) in names:
        return names.index(compared(wanted))
    raise ColumnError(f"there is no column “{wanted[:60]}” to take interests from. There are {shown(header)}.")


def _check(header: Sequence[str], meanings: Sequence[str]) -> None:
    if "email" not in meanings:
        raise ColumnError(f"the column email is missing. There are {shown(header)}.")
    twice = [one for one in dict.fromkeys(meanings) if one and one not in MANY and meanings.count(one) > 1]
    if twice:
        columns = [name for name, meaning in zip(header, meanings, strict=True) if meaning == twice[0]]
        raise ColumnError(f"the column {twice[0]} comes twice ({shown(columns)}): take one out.")


def _check_near_misses(unused: Sequence[str], meanings: Sequence[str]) -> None:
    """Refuse a misspelled name: what it says would be lost."""
    missing: Mapping[str, str] = {name: one for name, one in _by_name().items() if one not in meanings}
    for name in unused:
        if near := difflib.get_close_matches(compared(name), missing, n=1, cutoff=0.8):
            raise ColumnError(f"there is no column “{name.strip()[:60]}”. Did you mean {missing[near[0]]}?")


def shown(names: Sequence[str]) -> str:
    """Return names of columns for a message, the first ten of them."""
    listed = ", ".join(f"“{name.strip()[:60]}”" for name in names[:10])
    return f"{listed} and {len(names) - 10} more" if len(names) > 10 else listed
