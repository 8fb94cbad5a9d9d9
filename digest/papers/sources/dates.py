"""Days as sources write them. A year alone, or a month, is no day: None, never a guess of the first."""

from __future__ import annotations

import datetime as dt
import re
from email.utils import parsedate_to_datetime

MAX_DATE = 100  # characters; the longest form of RFC 5322 has 44

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MONTH = r"(?P<month>(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6})\.?"
# "2025/3/14", "2025-3-14", and RIS's "2025/03/14/" with anything behind its last slash. "14.3.2025" has
# its day first wherever it is written; "3/14/2025" is left alone: half the world reads it the other way round.
WRITTEN = tuple(
    re.compile(pattern, re.IGNORECASE | re.ASCII)
    for pattern in (
        r"(?P<year>\d{4})[/.-](?P<number>\d{1,2})[/.-](?P<day>\d{1,2})(?:/.*|[T ].*)?",
        rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th|\.)?[ -]{MONTH},?[ -](?P<year>\d{{4}})",
        r"(?P<day>\d{1,2})\. ?(?P<number>\d{1,2})\. ?(?P<year>\d{4})",
        rf"{MONTH} (?P<day>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<year>\d{{4}})",
        rf"(?P<year>\d{{4}}) {MONTH} (?P<day>\d{{1,2}})",
    )
)


def utc_date(value: object) -> dt.date | None:
    """The UTC day of an ISO 8601 date or timestamp; None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        moment = dt.datetime.fromisoformat(value.strip())
        return _utc_day(moment)
    except (ValueError, OverflowError):
        return None


def _utc_day(moment: dt.datetime) -> dt.date | None:
    # Zero is zero in any zone: in UTC it may be the day before.
    here = stated_day(moment.date())
    return stated_day(moment.astimezone(dt.UTC).date()) if here and moment.tzinfo else here


def date_of(value: object) -> dt.date | None:
    """The day in a text of any usual form, in Crossref's `date-parts`, or in a list or object that holds one."""
    if isinstance(value, dict):
        texts = (value.get(key) for key in ("value", "date-time", "date", "created"))
        return _of_parts(value.get("date-parts")) or next((day for text in texts if (day := date_of_text(text))), None)
    if isinstance(value, list):
        return date_of(value[0]) if value and not isinstance(value[0], list) else None
    return date_of_text(value)


def _of_parts(parts: object) -> dt.date | None:
    # [[2016, 1, 11]]; [[2018, 4]] is a month and [[None]] nothing.
    first = parts[0] if isinstance(parts, list) and parts else None
    if not isinstance(first, list) or len(first) != 3 or not all(type(part) is int for part in first):
        return None
    return day_of(*first)


def date_of_text(value: object) -> dt.date | None:
    """The day of a text that is nothing but a date: ISO, RFC 5322, `14 March 2025`, `March 14, 2025`, RIS's."""
    if not isinstance(value, str) or not 8 <= len(value.strip()) <= MAX_DATE:
        return None
    text = " ".join(value.split())
    # Python also reads "2025-W11-5" and "20250314"; the first is rare, the second may be any number.
    if "-" in text and (day := utc_date(text)):
        return day
    for pattern in WRITTEN:
        if found := pattern.fullmatch(text):
            return _day_of_match(found)
    return _of_mail(text)


def _day_of_match(found: re.Match[str]) -> dt.date | None:
    parts = found.groupdict()
    month = int(parts["number"]) if "number" in parts else MONTHS.index(parts["month"][:3].lower()) + 1
    return day_of(int(parts["year"]), month, int(parts["day"]))


# ISO 8601 with or without a time, whose zone is UTC wherever a protocol says so; and RFC 5322's order.
STAMPS = (
    re.compile(r"(?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})(?![0-9])"),
    re.compile(r"(?:[A-Za-z]{3},\s+)?(?P<day>[0-9]{1,2})\s+(?P<month>[A-Za-z]{3,9})\.?\s+(?P<year>[0-9]{4})(?![0-9])"),
)


def day_in(text: str) -> dt.date | None:
    """The day the text begins with, None where it names none."""
    found = next((found for stamp in STAMPS if (found := stamp.match(text.strip()))), None)
    return day_of_parts(found["year"], found["month"], found["day"]) if found else None


def day_of_parts(year: str, month: str, day: str) -> dt.date | None:
    """The day of these texts, the month as a number or a name; None where one is missing or impossible."""
    try:
        return day_of(int(year), month_number(month) or 0, int(day))
    except ValueError:
        return None


def _of_mail(text: str) -> dt.date | None:
    if not re.match(r"(?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} \d", text):
        return None
    try:
        moment = parsedate_to_datetime(text)
        return _utc_day(moment)
    except (ValueError, OverflowError, TypeError, IndexError):  # what it raises on odd zones and numbers
        return None


def day_of(year: int, month: int, day: int) -> dt.date | None:
    """The day, None where the calendar has none such, or where it stands for none."""
    try:
        return stated_day(dt.date(year, month, day))
    except (ValueError, OverflowError):
        return None


# What programs write that have no date: Go and .NET, Excel, Unix (also seen from west of Greenwich), the Macintosh.
ZERO_DAYS = frozenset(
    map(dt.date.fromisoformat, "1899-12-30 1899-12-31 1900-01-01 1904-01-01 1969-12-31 1970-01-01 1980-01-01".split())
)
FIRST_YEAR, LAST_YEAR = 1665, 2060  # the oldest journal's first; no issue is dated this far ahead


def stated_day(day: dt.date | None) -> dt.date | None:
    """The day, None for one that says that there is none."""
    if day is None or day in ZERO_DAYS or not FIRST_YEAR <= day.year <= LAST_YEAR:
        return None
    return day


def month_number(text: str) -> int | None:
    """1 to 12 out of "3", "mar", "March"; else None."""
    text = text.strip().lower()
    if text.isascii() and text.isdigit() and len(text) <= 2:
        return int(text) if 1 <= int(text) <= 12 else None
    return MONTHS.index(text[:3]) + 1 if text[:3] in MONTHS else None
