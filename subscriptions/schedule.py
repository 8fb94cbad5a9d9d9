"""When a reader's next mail is due. Pure: no database, no clock."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo, available_timezones

DAILY, WEEKDAYS, WEEKLY = "daily", "weekdays", "weekly"


def is_time_zone(name: str) -> bool:
    """Whether the name is one of IANA's, "Europe/Berlin" say."""
    return name in available_timezones()


def is_usable(name: str) -> bool:
    """Whether this system can compute with the zone. Unlike `is_time_zone`, it reads one file instead of all names."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, no relative path, a folder
        return False
    return True


def current_names() -> set[str]:
    """One name for each place: the time zone database's own table of places, which leaves out old names.

    Where the system keeps no such table (tzdata's zone.tab), every name there is.
    """
    table = next((file for folder in TZPATH if (file := Path(folder) / "zone.tab").is_file()), None)
    names = available_timezones()
    if table is None:
        return names
    rows = (row.split("\t") for row in table.read_text(encoding="utf-8").splitlines() if not row.startswith("#"))
    return names & {row[2] for row in rows if len(row) > 2}


def due_days(frequency: str, weekday: int) -> frozenset[int]:
    """The days of the week (0 Monday .. 6 Sunday) on which mail goes out."""
    if frequency == WEEKLY:
        return frozenset({weekday})
    return frozenset(range(5 if frequency == WEEKDAYS else 7))


def next_due(after: dt.datetime, *, zone: str, days: frozenset[int], hour: int) -> dt.datetime:
    """The first moment after `after` (aware) that is `hour` o'clock in `zone` on one of `days`, in UTC.

    An hour that does not exist on that day (clocks go forward) becomes the hour after the gap; one that
    comes twice (clocks go back) is its first; a gap at the end of a day is left an hour early: so every day
    has exactly one.
    """
    if not days:
        raise ValueError("No day of the week is chosen.")
    local = ZoneInfo(zone)
    today = after.astimezone(local).date()
    for ahead in range(-1, 9):
        day = today + dt.timedelta(days=ahead)
        moment = _moment(day, hour, local)
        if day.weekday() in days and moment > after:
            return moment
    raise AssertionError("a week has every day of the week")  # pragma: no cover


def _moment(day: dt.date, hour: int, local: ZoneInfo) -> dt.datetime:
    moment = dt.datetime.combine(day, dt.time(hour), tzinfo=local).astimezone(dt.UTC)
    if moment.astimezone(local).date() == day or not hour:
        return moment
    # Greenland's clocks skip the last hour of a day: an hour early is still that day's mail.
    early = dt.datetime.combine(day, dt.time(hour - 1), tzinfo=local).astimezone(dt.UTC)
    return early if early.astimezone(local).date() == day else moment


def is_last_of_week(issue: dt.date, following: dt.date) -> bool:
    """Whether the mail after the one of that date belongs to another week, Monday to Sunday."""
    return issue.isocalendar()[:2] != following.isocalendar()[:2]


def issue_date(due: dt.datetime, zone: str) -> dt.date:
    """The date a mail due at that moment carries: the reader's own calendar day."""
    return due.astimezone(ZoneInfo(zone)).date()
