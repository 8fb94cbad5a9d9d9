"""Whether far more sign-ups arrive than usual: list bombing uses many sites at once to flood mailboxes."""

from __future__ import annotations

import datetime as dt
import logging
from collections import defaultdict
from dataclasses import dataclass
from statistics import median

from django.conf import settings
from django.db.models import QuerySet

from subscriptions.limits import is_over
from subscriptions.models import SignupHour
from subscriptions.models.mail_requests import start_of_hour

logger = logging.getLogger(__name__)

DAYS = 14  # looked at for what is usual
TIMES = 3  # above the usual busiest hour of a day
MOST = 10  # times the threshold: the most confirmations an hour
HOUR = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Rate:
    """Sign-ups of this hour or the last, whichever had more, and how many are a burst."""

    requests: int
    threshold: int

    @property
    def is_burst(self) -> bool:
        """Whether this is far above the usual. A threshold of 0 never is exceeded."""
        return 0 < self.threshold < self.requests


def rate(now: dt.datetime) -> Rate:
    """Return how many sign-ups arrive, and the threshold: SIGNUP_BURST, or three times the usual busiest hour."""
    this_hour = start_of_hour(now)
    rows = SignupHour.objects.filter(hour__gt=this_hour - dt.timedelta(days=DAYS), hour__lte=this_hour)
    counts = dict(rows.values_list("hour", "requests"))
    recent = [counts.pop(hour, 0) for hour in (this_hour, this_hour - HOUR)]
    return Rate(max(recent), _threshold(counts))


def _threshold(counts: dict[dt.datetime, int]) -> int:
    """The busiest hour of a usual day counts, by the median of the days: one day under attack changes nothing."""
    if not settings.SIGNUP_BURST:
        return 0
    busiest: defaultdict[dt.date, int] = defaultdict(int)
    for hour, count in counts.items():
        busiest[hour.date()] = max(busiest[hour.date()], count)
    usual = median([*busiest.values(), *[0] * (DAYS - len(busiest))])
    return max(settings.SIGNUP_BURST, int(TIMES * usual))


def room_for_confirmations(now: dt.datetime) -> int:
    """Return how many confirmations may still be owed in this hour. Log a burst."""
    found = rate(now)
    if not found.threshold:
        return 1_000_000
    if found.is_burst and not is_over("burst-logged", "all", 1, 3600):
        logger.warning("%d sign-ups in an hour, more than %d: see `manage.py doctor`.", found.requests, found.threshold)
    hour = SignupHour.objects.filter(hour=start_of_hour(now)).first()
    return max(0, MOST * found.threshold - (hour.confirmations if hour else 0))


def old(now: dt.datetime) -> QuerySet[SignupHour]:
    """Return the counts that are too old to say what is usual."""
    return SignupHour.objects.filter(hour__lt=now - dt.timedelta(days=DAYS + 1))
