"""Days whose lists could not be read: recorded, passed over, and asked for again on their own schedule."""

from __future__ import annotations

import datetime as dt

from digest.models import Source, UnreadDay

FIRST_WAIT = dt.timedelta(hours=1)
LONGEST_WAIT = dt.timedelta(days=2)
MOST_TRIES = 25  # about six weeks
AT_ONCE = 3  # days asked for again in one check


def note(source: Source, date: dt.date, error: str, now: dt.datetime) -> None:
    """Record that the day could not be read; each time it comes later again."""
    row = UnreadDay.objects.filter(source=source, date=date).first() or UnreadDay(source=source, date=date, tries=0)
    row.tries, row.error = min(row.tries + 1, MOST_TRIES), error[:2000]
    row.next_try_at = now + min(FIRST_WAIT * 2 ** (row.tries - 1), LONGEST_WAIT)
    row.save()


def forget(source: Source, date: dt.date) -> None:
    """The day was read."""
    UnreadDay.objects.filter(source=source, date=date).delete()


def due(source: Source, now: dt.datetime) -> list[dt.date]:
    """The days to ask for again now, the longest waiting first."""
    rows = UnreadDay.objects.filter(source=source, next_try_at__lte=now, tries__lt=MOST_TRIES).order_by("next_try_at")
    return list(rows.values_list("date", flat=True)[:AT_ONCE])


def known(source: Source) -> set[dt.date]:
    """All the days of the source that are recorded."""
    return set(UnreadDay.objects.filter(source=source).values_list("date", flat=True))
