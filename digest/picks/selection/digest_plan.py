"""What a reader's next mail is to hold: of how many days, how many papers, and what it says first. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Protocol

from django.conf import settings
from django.utils.translation import gettext, ngettext, override

from subscriptions import schedule

DAY = dt.timedelta(days=1)
WEEK = 7  # days a weekly mail covers, whatever a paper's days as news
OVERFLOW = 10  # papers, in the last mail of a daily reader's week
CATCH_UP_TIMES, CATCH_UP_MOST = 2, 50  # as many papers as usual after a pause; in all at most


class Reader(Protocol):
    """What planning and choosing need to know of a subscriber."""

    @property
    def pk(self) -> int: ...
    @property
    def frequency(self) -> str: ...
    @property
    def weekday(self) -> int: ...
    @property
    def hour(self) -> int: ...
    @property
    def time_zone(self) -> str: ...
    @property
    def max_papers(self) -> int: ...
    @property
    def trending_share(self) -> int: ...
    @property
    def language(self) -> str: ...
    @property
    def paused_at(self) -> dt.datetime | None: ...
    @property
    def paused_until(self) -> dt.datetime | None: ...


@dataclass(frozen=True, slots=True)
class Plan:
    """`overflow` papers that match may follow those there was room for."""

    days: int
    max_papers: int
    overflow: int = 0
    notice: str = ""
    is_catch_up: bool = False


def plans(readers: Sequence[Reader], now: dt.datetime, waiting: Mapping[int, dt.datetime] | None = None) -> list[Plan]:
    """The plan of each reader's mail at this moment; `waiting`: by reader, since when their mail could not leave."""
    last: dict[tuple[str, str, int, int], bool] = {}
    found = []
    for reader in readers:
        away = days_away(reader, now)
        if away:
            found.append(_catching_up(reader, away))
        elif reader.frequency == schedule.WEEKLY:
            found.append(Plan(max(WEEK, settings.CANDIDATE_DAYS), reader.max_papers))
        else:
            key = (reader.time_zone, reader.frequency, reader.weekday, reader.hour)
            if key not in last:
                last[key] = _is_last_of_week(reader, now)
            days = max(WEEK, settings.CANDIDATE_DAYS) if last[key] else settings.CANDIDATE_DAYS
            found.append(Plan(days, reader.max_papers, OVERFLOW if last[key] and reader.max_papers else 0))
        if waiting and (since := waiting.get(reader.pk)):
            found[-1] = _making_up(found[-1], reader, since, now)
    return found


def days_away(reader: Reader, now: dt.datetime) -> int:
    """Whole days of a pause that has ended and that no mail has caught up with; 0 for none."""
    if reader.paused_at is None or (reader.paused_until and reader.paused_until > now):
        return 0
    return max(((reader.paused_until or now) - reader.paused_at).days, 0)


def _catching_up(reader: Reader, away: int) -> Plan:
    days = min(away, settings.CATCH_UP_DAYS)
    days_back = max(days + 1, settings.CANDIDATE_DAYS)  # and the day of the mail itself
    return Plan(days_back, _more_papers(reader), notice=_welcome(reader.language, days, away), is_catch_up=True)


def _more_papers(reader: Reader) -> int:
    return max(min(CATCH_UP_TIMES * reader.max_papers, CATCH_UP_MOST), reader.max_papers)


def _making_up(plan: Plan, reader: Reader, since: dt.datetime, now: dt.datetime) -> Plan:
    """One mail for all that could not leave: it looks back as far as these, and has the list of a week that ended."""
    waited = now - since
    days = min(max(round(waited / DAY), 1), settings.CATCH_UP_DAYS)
    moments = [since + number * DAY for number in range(days)]
    if reader.frequency != schedule.WEEKLY and any(_is_last_of_week(reader, moment) for moment in moments):
        plan = replace(plan, days=max(WEEK, plan.days), overflow=OVERFLOW if reader.max_papers else 0)
    papers = plan.max_papers if days == 1 else max(plan.max_papers, _more_papers(reader))
    with override(reader.language):
        said = ngettext(
            "Our mail could not leave yesterday. This one holds the best of both days.",
            "Our mail could not leave for %(days)s days. This one holds the best of them.",
            days,
        ) % {"days": days}
    back = plan.days + min(ceil(waited / DAY), settings.CATCH_UP_DAYS)
    return replace(plan, days=back, max_papers=papers, notice=f"{plan.notice} {said}".strip())


def _welcome(language: str, days: int, away: int) -> str:
    """What the first mail after a pause says: it holds the best of so many days of those away."""
    with override(language):
        if days == away:
            said = ngettext("The best of the day you were away.", "The best of the %(days)s days you were away.", days)
            return said % {"days": days}
        if days == 1:
            return gettext("The best of the last day of the %(away)s you were away.") % {"away": away}
        said = gettext("The best of the last %(days)s days of the %(away)s you were away.")
        return said % {"days": days, "away": away}


def _is_last_of_week(reader: Reader, now: dt.datetime) -> bool:
    days = schedule.due_days(reader.frequency, reader.weekday)
    following = schedule.next_due(now, zone=reader.time_zone, days=days, hour=reader.hour)
    zone = reader.time_zone
    return schedule.is_last_of_week(schedule.issue_date(now, zone), schedule.issue_date(following, zone))
