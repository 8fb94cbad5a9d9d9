"""When the next mail is due."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from subscriptions import schedule
from subscriptions.schedule import due_days, is_time_zone, issue_date, next_due

EVERY_DAY = frozenset(range(7))


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize("zone, after, hour, due", [
    ("UTC", "2026-03-16 07:59", 8, "2026-03-16 08:00"),
    ("UTC", "2026-03-16 08:00", 8, "2026-03-17 08:00"),
    ("Europe/Berlin", "2026-03-28 12:00", 2, "2026-03-29 01:00"),  # 02:00 does not exist: 03:00
    ("Europe/Berlin", "2026-03-29 01:00", 2, "2026-03-30 00:00"),
    ("Europe/Berlin", "2026-10-24 12:00", 2, "2026-10-25 00:00"),  # 02:00 comes twice: the first
    ("Europe/Berlin", "2026-10-25 00:00", 2, "2026-10-26 01:00"),
    ("Europe/Berlin", "2026-10-25 00:30", 2, "2026-10-26 01:00"),  # and not the second
    ("America/Sao_Paulo", "2018-11-03 12:00", 0, "2018-11-04 03:00"),  # midnight does not exist: 01:00
    ("America/Sao_Paulo", "2019-02-16 12:00", 23, "2019-02-17 01:00"),  # 23:00 comes twice: the first
    ("America/Sao_Paulo", "2019-02-17 01:00", 23, "2019-02-18 02:00"),
    ("Asia/Kathmandu", "2026-03-16 00:00", 8, "2026-03-16 02:15"),
    ("Pacific/Apia", "2026-03-16 12:00", 8, "2026-03-16 19:00"),
    ("Pacific/Apia", "2011-12-29 18:00", 8, "2011-12-30 18:00"),  # the 30th was left out
    ("Pacific/Apia", "2011-12-30 18:00", 8, "2011-12-31 18:00"),
    ("Antarctica/Troll", "2026-03-28 12:00", 1, "2026-03-29 01:00"),  # two hours are missing
    ("Antarctica/Troll", "2026-10-24 12:00", 2, "2026-10-25 00:00"),  # and come twice
    ("Africa/Casablanca", "2026-02-14 12:00", 2, "2026-02-15 01:00"),  # Ramadan begins
    ("Africa/Casablanca", "2026-03-21 12:00", 2, "2026-03-22 02:00"),  # and ends
    ("America/Nuuk", "2026-03-28 12:00", 23, "2026-03-29 00:00"),  # Saturday's 23:00 does not exist: 22:00
    ("America/Nuuk", "2026-03-29 00:00", 23, "2026-03-30 00:00"),
])  # fmt: skip
def test_it_knows_the_clocks_of_the_world(zone: str, after: str, hour: int, due: str) -> None:
    assert next_due(utc(after), zone=zone, days=EVERY_DAY, hour=hour) == utc(due)


@pytest.mark.parametrize("after, due", [
    ("2026-03-16 08:00", "2026-03-19 08:00"),  # Monday -> Thursday
    ("2026-03-19 07:59", "2026-03-19 08:00"),
    ("2026-03-19 08:00", "2026-03-26 08:00"),
])  # fmt: skip
def test_weekly_mail_comes_on_its_day(after: str, due: str) -> None:
    assert next_due(utc(after), zone="UTC", days=due_days("weekly", 3), hour=8) == utc(due)


def test_weekdays_leave_out_the_weekend() -> None:
    friday = utc("2026-03-20 08:00")
    assert next_due(friday, zone="UTC", days=due_days("weekdays", 0), hour=8) == utc("2026-03-23 08:00")


def test_the_weekday_is_the_readers_own() -> None:
    """Monday 08:00 in Auckland is still Sunday in Greenwich."""
    due = next_due(utc("2026-03-14 00:00"), zone="Pacific/Auckland", days=due_days("weekly", 0), hour=8)
    assert due == utc("2026-03-15 19:00")
    assert issue_date(due, "Pacific/Auckland") == dt.date(2026, 3, 16)


def test_days_follow_the_frequency() -> None:
    assert due_days("daily", 3) == EVERY_DAY
    assert due_days("weekdays", 3) == frozenset({0, 1, 2, 3, 4})
    assert due_days("weekly", 3) == frozenset({3})


def test_no_day_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="No day"):
        next_due(utc("2026-03-16 08:00"), zone="UTC", days=frozenset(), hour=8)


@pytest.mark.parametrize("name, known", [("Europe/Berlin", True), ("Europe/Atlantis", False), ("", False)])
def test_it_knows_the_names_of_zones(name: str, known: bool) -> None:
    assert is_time_zone(name) is known


ZONES = st.sampled_from(sorted(available_timezones() - {"localtime", "Factory"}))
MOMENTS = st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2037, 1, 1), timezones=st.just(dt.UTC))  # noqa: DTZ001
DAYS = st.frozensets(st.integers(0, 6), min_size=1)


@settings(deadline=None, max_examples=400)
@given(zone=ZONES, after=MOMENTS, days=DAYS, hour=st.integers(0, 23))
@example(zone="America/Nuuk", after=utc("2026-03-28 12:00"), days=EVERY_DAY, hour=23)
@example(zone="Antarctica/Troll", after=utc("2026-03-28 12:00"), days=EVERY_DAY, hour=2)
def test_the_next_moment_is_soon_on_the_day_and_at_the_hour(
    zone: str, after: dt.datetime, days: frozenset[int], hour: int
) -> None:
    due = next_due(after, zone=zone, days=days, hour=hour)
    local = due.astimezone(ZoneInfo(zone))
    assert after < due <= after + dt.timedelta(days=8)
    assert local.weekday() in days
    assert due.tzinfo is dt.UTC
    wanted = local.replace(hour=hour, minute=0, second=0, microsecond=0, fold=0)
    exists = wanted.astimezone(dt.UTC).astimezone(ZoneInfo(zone)).hour == hour
    assert local == wanted if exists else abs(local.hour - hour) <= 2


@settings(deadline=None, max_examples=100)
@given(zone=ZONES, start=MOMENTS, days=DAYS, hour=st.integers(0, 23))
@example(zone="America/Nuuk", start=utc("2026-03-20 12:00"), days=EVERY_DAY, hour=23)
@example(zone="Africa/Casablanca", start=utc("2026-02-01 12:00"), days=EVERY_DAY, hour=2)
@example(zone="Europe/Berlin", start=utc("2026-10-10 12:00"), days=EVERY_DAY, hour=2)
def test_every_allowed_day_of_a_month_has_exactly_one(
    zone: str, start: dt.datetime, days: frozenset[int], hour: int
) -> None:
    moment, dates = start, []
    while moment < start + dt.timedelta(days=31):
        moment = next_due(moment, zone=zone, days=days, hour=hour)
        dates.append(schedule.issue_date(moment, zone))
    first, last = dates[0], dates[-1]
    calendar = [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
    assert dates == [day for day in calendar if day.weekday() in days]
