"""What a source usually brings on a weekday, and whether it is late: quiet, shrunken, or not to be read.

Only days that are over count: today's list may still grow. Hugging Face lists on working days; arXiv announces
on working days that are no holidays there, and says so itself with an empty feed.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

import redis
from django.conf import settings
from django.core.cache import cache
from django.db.models import F, Q
from django.utils.formats import date_format
from django.utils.functional import lazy
from django.utils.translation import gettext

from digest.models import Edition, Source
from digest.models.sources import LONGEST_CHECK

logger = logging.getLogger(__name__)

WEEKS = 8
ENOUGH = 3  # days of one weekday before a habit is known
SHRUNKEN = 0.3  # of the usual number, and fewer than ever in these weeks
HOLIDAYS = 3  # empty feeds in a row that arXiv may answer with
UNREAD = dt.timedelta(days=1)
SILENCE = 3  # times the longest pause of a source without a habit
LEAST_SILENCE = 14  # days

HOLD = dt.timedelta(hours=3)  # how long LATE_SOURCES=hold lets readers wait for a source
OVERDUE = dt.timedelta(hours=1)  # a check that did not happen: the service was down
CATCHING_UP = 600  # seconds that mail waits for sources then

Sizes = Mapping[dt.date, int]
DAILY = (Source.Kind.HUGGINGFACE, Source.Kind.ARXIV)


@dataclass(frozen=True, slots=True)
class Gap:
    """A source that is late, in words that follow its name; readers miss the daily ones."""

    source: Source
    what: str
    is_daily: bool

    def __str__(self) -> str:
        return f"{self.source.name} {self.what}"


def notice(late: list[Gap]) -> str:
    """What a mail says of the sources that are late, in the language spoken now; "" when all is well."""
    said = [] if settings.LATE_SOURCES == "ignore" else [str(gap) for gap in late if gap.is_daily]
    return " ".join([*said, gettext("Some papers may be missing.")]) if said else ""


def patience(late: list[Gap]) -> dt.timedelta:
    """How long past their hour readers wait for the sources that are late."""
    holds = settings.LATE_SOURCES == "hold" and any(gap.is_daily for gap in late)
    return HOLD if holds else dt.timedelta(0)


def are_catching_up(now: dt.datetime) -> bool:
    """Whether the service was down and its sources are being asked just now: mail waits for them, a while."""
    if not settings.FETCH_SOURCES or not (_are_overdue(now) or _are_read_overdue(now)):
        return False
    key = "sources-are-catching-up"
    try:
        began: float = cache.get_or_set(key, now.timestamp(), CATCHING_UP * 6) or 0.0
    except redis.RedisError as error:  # without a beginning there is no end to wait for
        logger.warning("Mail does not wait for sources that are late, Redis cannot be reached: %s", error)
        return False
    return now.timestamp() - began < CATCHING_UP


def _are_overdue(now: dt.datetime) -> bool:
    return Source.objects.due(now).filter(next_check_at__lt=now - OVERDUE).exists()


def _are_read_overdue(now: dt.datetime) -> bool:
    """Whether a check is going on that should have been made long ago; one that failed before is not waited for."""
    began_late = Q(check_began_at__gt=F("last_checked_at") + F("check_every") + OVERDUE)
    going_on = Source.objects.filter(is_enabled=True, error_count=0, check_began_at__gt=now - LONGEST_CHECK)
    return going_on.filter(began_late).exists()


def gaps(now: dt.datetime) -> list[Gap]:
    """The sources that are late at this moment, by slug. Two queries."""
    today = now.date()
    sizes: dict[int, dict[dt.date, int]] = defaultdict(dict)
    recent = Edition.objects.filter(date__gt=today - dt.timedelta(weeks=WEEKS + 2), date__lt=today)
    for source_id, date, size in recent.values_list("source_id", "date", "size"):
        sizes[source_id][date] = size
    fetched = Source.objects.filter(is_enabled=True).exclude(url="").order_by("slug")
    found = ((source, _gap(source, sizes[source.pk], now)) for source in fetched)
    return [Gap(source, what, is_daily(source.kind, sizes[source.pk], today)) for source, what in found if what]


def sizes_of(source: Source, today: dt.date) -> dict[dt.date, int]:
    """How many papers each of the source's lists of the last weeks holds, by date; today's is not over."""
    recent = source.editions.filter(date__gt=today - dt.timedelta(weeks=WEEKS + 2), date__lt=today)
    return dict(recent.values_list("date", "size"))


def _gap(source: Source, sizes: Sizes, now: dt.datetime) -> str:
    last = source.last_success_at
    if source.error_count and last and now - last > UNREAD:
        return _unread(last.date())
    return late(source.kind, sizes, now.date())


def usual(sizes: Sizes, today: dt.date) -> list[float | None]:
    """The median of papers on each weekday, Monday first; None where too few days are known."""
    return [_median(values) for values in _by_weekday(sizes, today)]


def is_daily(kind: str, sizes: Sizes, today: dt.date) -> bool:
    """Whether readers would miss a day of it."""
    return kind in DAILY or sum((number or 0) >= 1 for number in usual(sizes, today)) >= 4


def late(kind: str, sizes: Sizes, today: dt.date) -> str:
    """In what way a source with these lists is late, "" if it is not. `sizes` holds the days before today."""
    if not any(sizes.values()):
        return ""
    expected = _expected_days(kind, sizes, today)
    if not expected:
        return _silent(sizes, today)
    missing = []
    for day in expected:
        if sizes.get(day, 0):
            break
        missing.append(day)
    if missing and not _are_holidays(kind, missing, sizes):
        return _quiet(max(day for day, size in sizes.items() if size))
    return "" if missing else _shrunken(sizes, expected[0])


def _expected_days(kind: str, sizes: Sizes, today: dt.date) -> list[dt.date]:
    """The days before today on which it lists something, latest first."""
    numbers = usual(sizes, today)
    working = [weekday < 5 if kind in DAILY else False for weekday in range(7)]
    expects = [(number >= 1) if number is not None else working[weekday] for weekday, number in enumerate(numbers)]
    days = (today - dt.timedelta(days=ago) for ago in range(1, 7 * WEEKS))
    return [day for day in days if expects[day.weekday()] and day >= min(sizes)]


def _are_holidays(kind: str, days: list[dt.date], sizes: Sizes) -> bool:
    """Whether arXiv itself said of each of these days that it announces nothing."""
    return kind == Source.Kind.ARXIV and len(days) <= HOLIDAYS and all(day in sizes for day in days)


def _shrunken(sizes: Sizes, day: dt.date) -> str:
    values = _by_weekday(sizes, day)[day.weekday()]
    number, size = _median(values), sizes.get(day, 0)
    if number is None or size >= SHRUNKEN * number or size >= min(values):
        return ""
    return _few(size, day, round(number))


def _silent(sizes: Sizes, today: dt.date) -> str:
    """For a source that lists now and then: silent for far longer than ever."""
    days = sorted(day for day, size in sizes.items() if size)
    if len(days) <= ENOUGH:
        return ""
    pauses = [(later - day).days for day, later in pairwise(days)]
    if (today - days[-1]).days <= max(LEAST_SILENCE, SILENCE * max(pauses)):
        return ""
    return _quiet(days[-1])


def _by_weekday(sizes: Sizes, today: dt.date) -> list[list[int]]:
    """The sizes of the last weeks by weekday; a day without a list is 0, once the source is known at all."""
    found: list[list[int]] = [[] for _ in range(7)]
    if sizes:
        day = max(min(sizes), today - dt.timedelta(weeks=WEEKS))
        while day < today:
            found[day.weekday()].append(sizes.get(day, 0))
            day += dt.timedelta(days=1)
    return found


def _median(values: list[int]) -> float | None:
    return median(values) if len(values) >= ENOUGH else None


# What is said of a source behind its name: put into words when it is read, for mails speak several languages.
def _say_unread(day: dt.date) -> str:
    return gettext("could not be read since %(day)s.") % {"day": _day(day)}


def _say_quiet(day: dt.date) -> str:
    return gettext("has listed nothing since %(day)s.") % {"day": _day(day)}


def _say_few(size: int, day: dt.date, number: int) -> str:
    said = gettext("listed only %(size)s on %(day)s, where %(number)s are usual.")
    return said % {"size": size, "day": _day(day), "number": number}


_unread, _quiet, _few = lazy(_say_unread, str), lazy(_say_quiet, str), lazy(_say_few, str)


def _day(day: dt.date) -> str:
    return date_format(day, gettext("l j F"))
