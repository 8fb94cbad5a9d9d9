"""When a source is late by its own habit, and what mail does about it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.core.cache import cache

from digest import tasks
from digest.mail import delivery
from digest.models import Digest, Edition, Paper, Source
from digest.papers.ingest import ingest, source_schedule
from digest.picks.selection.select import select_due
from subscriptions.models import Subscriber
from tests.conftest import MORNING
from tests.smtp import Server

MONDAY = MORNING.date()
HUGGINGFACE, ARXIV, OAI, FEED = Source.Kind.HUGGINGFACE, Source.Kind.ARXIV, Source.Kind.OAI, Source.Kind.FEED


def weeks(number: int = 8, working: int = 30, weekend: int = 0) -> dict[dt.date, int]:
    """The lists of the weeks before MONDAY."""
    days = [MONDAY - dt.timedelta(days=ago) for ago in range(1, 7 * number + 1)]
    return {day: working if day.weekday() < 5 else weekend for day in days}


def ago(days: int) -> dt.date:
    return MONDAY - dt.timedelta(days=days)


def test_a_usual_week_is_not_late() -> None:
    assert source_schedule.late(HUGGINGFACE, weeks(), MONDAY) == ""
    assert source_schedule.usual(weeks(), MONDAY) == [30] * 5 + [0, 0]


@pytest.mark.parametrize("kind", [HUGGINGFACE, OAI, FEED])
def test_a_source_that_goes_quiet_is_late(kind: str) -> None:
    assert source_schedule.late(kind, weeks() | {ago(3): 0}, MONDAY) == "has listed nothing since Thursday 12 March."
    quiet = {day: size for day, size in weeks().items() if day < ago(6)}
    assert source_schedule.late(kind, quiet, MONDAY) == "has listed nothing since Monday 9 March."


def test_a_list_that_shrinks_against_its_habit_is_late() -> None:
    assert source_schedule.late(HUGGINGFACE, weeks() | {ago(3): 5}, MONDAY) == (
        "listed only 5 on Friday 13 March, where 30 are usual."
    )
    assert source_schedule.late(HUGGINGFACE, weeks() | {ago(3): 12}, MONDAY) == ""
    assert source_schedule.late(HUGGINGFACE, weeks() | {ago(3): 5, ago(24): 4}, MONDAY) == ""  # it was so small before


def test_the_rhythm_of_the_well_known_is_known_from_the_first_day() -> None:
    first_days = {ago(4): 20, ago(3): 0, ago(2): 0, ago(1): 0}
    assert source_schedule.late(HUGGINGFACE, first_days, MONDAY) == "has listed nothing since Thursday 12 March."
    assert source_schedule.late(HUGGINGFACE, {ago(3): 20, ago(2): 0, ago(1): 0}, MONDAY) == ""  # a weekend
    assert source_schedule.late(FEED, first_days, MONDAY) == ""


def test_arxivs_holidays_are_those_it_names_itself() -> None:
    said = weeks() | {ago(3): 0, ago(4): 0}
    unsaid = {day: size for day, size in weeks().items() if day not in (ago(3), ago(4))}
    assert source_schedule.late(ARXIV, said, MONDAY) == ""
    assert source_schedule.late(ARXIV, unsaid, MONDAY) == "has listed nothing since Wednesday 11 March."
    assert "since" in source_schedule.late(ARXIV, said | {day: 0 for day in weeks() if day > ago(12)}, MONDAY)


def test_a_blog_may_be_silent_for_weeks_but_not_for_ever() -> None:
    now_and_then = {ago(days): 1 for days in (30, 37, 44, 55)}
    assert source_schedule.late(FEED, now_and_then, MONDAY) == ""
    assert source_schedule.late(FEED, now_and_then, MONDAY + dt.timedelta(days=10)) == (
        "has listed nothing since Saturday 14 February."
    )


def test_nothing_is_known_of_a_source_without_lists() -> None:
    assert source_schedule.late(HUGGINGFACE, {}, MONDAY) == ""
    assert source_schedule.late(HUGGINGFACE, {ago(1): 0}, MONDAY) == ""


# --- what mail does about it
@pytest.fixture
def quiet_friday(papers: list[Paper]) -> Source:
    """Hugging Face with eight usual weeks and an empty Friday, the last working day before MORNING."""
    source = ingest.huggingface()
    values: dict[str, Any] = {"first_seen_at": MORNING, "last_seen_at": MORNING}
    for date, size in (weeks() | {ago(3): 0}).items():
        Edition.objects.update_or_create(source=source, date=date, defaults={"size": size, **values})
    return source


SAYS = "Hugging Face Daily Papers has listed nothing since Thursday 12 March."


def test_the_mail_says_that_a_source_is_late(alice: Subscriber, quiet_friday: Source, smtp_server: Server) -> None:
    select_due(MORNING)
    delivery.deliver_all(MORNING)
    assert Digest.objects.get().notice == f"{SAYS} Some papers may be missing."
    message = smtp_server.messages[0]
    text, html = (part.get_content() for part in message.iter_parts())
    assert SAYS in " ".join(text.split())
    assert SAYS in html


def test_mail_may_wait_for_a_late_source_but_not_for_ever(
    alice: Subscriber, quiet_friday: Source, settings: Any
) -> None:
    settings.LATE_SOURCES = "hold"
    assert select_due(MORNING + dt.timedelta(hours=2)).readers == 0
    Edition.objects.filter(date=ago(3)).update(size=30)
    assert select_due(MORNING + dt.timedelta(hours=2)).mails == 1
    assert Digest.objects.get().notice == ""


def test_held_mail_goes_out_after_three_hours_and_says_why(
    alice: Subscriber, quiet_friday: Source, settings: Any
) -> None:
    settings.LATE_SOURCES = "hold"
    assert select_due(MORNING + dt.timedelta(hours=3)).mails == 1
    assert Digest.objects.get().notice == f"{SAYS} Some papers may be missing."


def test_the_operator_may_want_none_of_it(alice: Subscriber, quiet_friday: Source, settings: Any) -> None:
    settings.LATE_SOURCES = "ignore"
    assert select_due(MORNING).mails == 1
    assert Digest.objects.get().notice == ""


def test_a_source_that_could_not_be_read_for_a_day_is_late(papers: list[Paper]) -> None:
    source = ingest.huggingface()
    source.last_success_at, source.error_count = MORNING - dt.timedelta(days=2), 3
    source.save()
    assert [str(gap) for gap in source_schedule.gaps(MORNING)] == [
        "Hugging Face Daily Papers could not be read since Saturday 14 March."
    ]


def test_after_a_break_sources_are_asked_before_readers_are_mailed(
    alice: Subscriber, papers: list[Paper], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.FETCH_SOURCES = True
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    cache.clear()
    begun: list[Callable[..., Any]] = []
    monkeypatch.setattr(tasks.select_chunk, "apply_async", lambda **_: begun.append(tasks.select_chunk))
    Source.objects.update(next_check_at=MORNING - dt.timedelta(hours=5))
    with time_machine.travel(MORNING, tick=False):
        tasks.send_due()
        assert not begun
    Source.objects.update(next_check_at=MORNING + dt.timedelta(hours=1))
    with time_machine.travel(MORNING + dt.timedelta(minutes=1), tick=False):
        tasks.send_due()
    assert len(begun) == 1


def test_a_source_that_is_never_asked_holds_up_mail_for_ten_minutes_only(
    alice: Subscriber, papers: list[Paper], settings: Any
) -> None:
    settings.FETCH_SOURCES = True
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    cache.clear()
    Source.objects.update(next_check_at=MORNING - dt.timedelta(hours=5))
    assert source_schedule.are_catching_up(MORNING)
    assert source_schedule.are_catching_up(MORNING + dt.timedelta(minutes=9))
    assert not source_schedule.are_catching_up(MORNING + dt.timedelta(minutes=11))
