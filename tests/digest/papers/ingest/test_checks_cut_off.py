"""A check that never ends: its source waits for the next time, and is paused when it goes on like that."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings

from digest import tasks
from digest.models import KeptPage, Source
from digest.models.sources import LONGEST_CHECK
from digest.papers.ingest import ingest, source_schedule
from digest.papers.sources.parsed import SourceError
from tests import sandboxed
from tests.web import Answer, Web

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 3, 17, 9, 0, tzinfo=dt.UTC)
LATER = NOW + LONGEST_CHECK + dt.timedelta(minutes=1)
FEED = b'<rss version="2.0"><channel><title>A</title><item><title>A paper of things</title></item></channel></rss>'


class Killed(BaseException):
    """SIGKILL, as far as the killed process can tell: nothing that follows is run."""


@pytest.fixture
def source(web: Web) -> Source:
    web.pages["/feed"] = Answer(FEED)
    Source.objects.all().delete()  # the one that every installation begins with
    return Source.objects.create(
        slug="feed", name="A feed", url=f"{web.url}/feed", next_check_at=NOW, last_success_at=NOW, last_checked_at=NOW
    )


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sources that a look hands to workers."""
    asked: list[int] = []
    monkeypatch.setattr(settings, "FETCH_SOURCES", True)
    monkeypatch.setattr(tasks.ingest_one, "apply_async", lambda args, **options: asked.append(args[0]))
    monkeypatch.setattr(tasks.match_new, "delay", lambda: None)
    return asked


def look(broker: list[int], now: dt.datetime) -> list[int]:
    broker.clear()
    with time_machine.travel(now, tick=False):
        tasks.ingest_due()
    return list(broker)


def kill_at(monkeypatch: pytest.MonkeyPatch, source: Source, now: dt.datetime) -> None:
    def die(*args: Any, **options: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched, time_machine.travel(now, tick=False):
        patched.setattr("digest.papers.sandbox.parse", die)
        with pytest.raises(Killed):
            tasks.ingest_one(source.pk)


def test_a_killed_check_does_not_come_again_at_once(
    source: Source, broker: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert look(broker, NOW) == [source.pk]
    kill_at(monkeypatch, source, NOW)
    assert look(broker, NOW + dt.timedelta(minutes=1)) == []
    source.refresh_from_db()
    assert (source.next_check_at, source.check_began_at) == (NOW + source.check_every, NOW)
    assert source.error_count == 0  # it may still be going on


def test_a_killed_check_is_told_and_the_third_pauses_the_source(
    source: Source, broker: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    now, deaths = NOW, 0
    while deaths < 3:
        if look(broker, now):
            kill_at(monkeypatch, source, now)
            deaths += 1
        now += dt.timedelta(minutes=7)
        assert now < NOW + dt.timedelta(days=3)
    assert look(broker, now + LONGEST_CHECK) == []
    source.refresh_from_db()
    assert source.is_paused
    assert "never ended: the worker that read the page was killed" in source.last_error
    assert look(broker, now + dt.timedelta(days=30)) == []


def test_a_check_after_a_killed_one_ends_the_streak(
    source: Source, broker: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    kill_at(monkeypatch, source, NOW)
    look(broker, LATER)
    source.refresh_from_db()
    assert (source.error_count, source.check_began_at) == (4, None)
    with time_machine.travel(NOW + dt.timedelta(hours=3), tick=False):
        tasks.ingest_one(source.pk)
    source.refresh_from_db()
    assert (source.error_count, source.last_error, source.check_began_at) == (0, "", None)


def test_a_page_that_hangs_is_kept_and_tried_again_on_its_schedule(
    source: Source, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandboxed.run_first(monkeypatch, sandboxed.HANG_ON_FEEDS)
    monkeypatch.setattr("digest.papers.sandbox.calls.SECONDS", 1)
    with pytest.raises(SourceError, match="took longer than 1 seconds to read"):
        ingest.ingest_source(source, NOW)
    source.refresh_from_db()
    assert "took longer than 1 second" in source.last_error
    assert (source.error_count, source.next_check_at) == (1, NOW + dt.timedelta(minutes=5))
    assert bytes(KeptPage.objects.get().content)


@pytest.mark.parametrize(
    ("fault", "words"), [(SoftTimeLimitExceeded(), "took too long and was stopped"), (KeyError("x"), "(KeyError)")]
)
def test_whatever_breaks_a_check_off_is_a_failure(
    source: Source, monkeypatch: pytest.MonkeyPatch, fault: Exception, words: str
) -> None:
    def fail(*args: Any, **options: Any) -> None:
        raise fault

    monkeypatch.setattr("digest.papers.ingest.ingest.store", fail)
    with pytest.raises(type(fault)):
        ingest.ingest_source(source, NOW)
    source.refresh_from_db()
    assert words in source.last_error
    assert (source.error_count, source.check_began_at) == (1, None)


def test_two_workers_read_a_source_once(source: Source, web: Web) -> None:
    again = Source.objects.get()
    ingest.ingest_source(source, NOW)
    with pytest.raises(ingest.AlreadyBegun):
        ingest.ingest_source(again, NOW)
    assert web.paths.count("/feed") == 1
    source.refresh_from_db()
    assert source.error_count == 0


def test_mail_waits_for_a_late_check_that_goes_on_but_not_for_one_that_failed(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "FETCH_SOURCES", True)
    morning = NOW + dt.timedelta(hours=8)
    assert source_schedule.are_catching_up(morning)
    kill_at(monkeypatch, source, morning)
    assert source_schedule.are_catching_up(morning + dt.timedelta(minutes=1))
    Source.objects.update(error_count=4)
    assert not source_schedule.are_catching_up(morning + dt.timedelta(minutes=1))
