"""Days as records write them: "2017-12-14", "14 Jan 2019", or year, month and day apart.

A year, or a year and a month, is no day: nothing is made up.
"""

from __future__ import annotations

import datetime as dt
import re

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# ISO 8601 with or without a time, whose zone is UTC wherever a protocol says so; and RFC 5322's order.
ISO = re.compile(r"(?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})(?![0-9])")
WRITTEN = re.compile(
    r"(?:[A-Za-z]{3},\s+)?(?P<day>[0-9]{1,2})\s+(?P<month>[A-Za-z]{3,9})\.?\s+(?P<year>[0-9]{4})(?![0-9])"
)


def day_in(text: str) -> dt.date | None:
    """The day the text begins with, None where it names none."""
    found = ISO.match(text.strip()) or WRITTEN.match(text.strip())
    return day_of(found["year"], found["month"], found["day"]) if found else None


def day_of(year: str, month: str, day: str) -> dt.date | None:
    """The day of these parts, the month as a number or a name; None where one is missing or impossible."""
    name = month.strip().lower()[:3]
    number = MONTHS.index(name) + 1 if name in MONTHS else month
    try:
        return dt.date(int(year), int(number), int(day))
    except (ValueError, OverflowError):
        return None
