"""Sources that are asked over HTTP: which addresses, what is stored, and how the source is doing after."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command

from digest import tasks
from digest.models import Edition, KeptPage, Listing, Paper, Source, UpvoteObservation
from digest.papers.ingest import ingest
from digest.papers.sources.parsed import EmptyEdition, SourceError
from tests import sandboxed
from tests.web import Answer, Web

pytestmark = pytest.mark.django_db

TUESDAY = dt.datetime(2026, 3, 17, 9, 0, tzinfo=dt.UTC)
TODAY = TUESDAY.date()


def row(number: int, date: dt.date = TODAY, upvotes: int = 4, **more: Any) -> dict[str, Any]:
    paper = {
        "id": f"2603.{number:05}",
        "title": f"Paper number {number}",
        "summary": f"On the {number}.",
        "authors": [],
        "upvotes": upvotes,
        "submittedOnDailyAt": f"{date}T02:00:00.000Z",
        **more,
    }
    return {"paper": paper}


def page(*rows: dict[str, Any], tag: str = "") -> Answer:
    return Answer(json.dumps(rows).encode(), headers=(("ETag", tag),) if tag else ())


def address(date: dt.date, number: int = 0) -> str:
    return f"/api/daily_papers?date={date}&limit=50&p={number}"


def html(*rows: dict[str, Any], date: dt.date) -> Answer:
    props = json.dumps({"dateString": str(date), "dailyPapers": rows}).replace('"', "&quot;")
    return Answer(f'<html><body><div data-target="DailyPapers" data-props="{props}"></div></body></html>'.encode())


@pytest.fixture
def source(web: Web) -> Source:
    """Hugging Face, as a server on this machine that lists nothing on the last days."""
    found = ingest.huggingface()
    found.url = f"{web.url}/api/daily_papers"
    found.save()
    for ago in range(4):
        web.pages[address(TODAY - dt.timedelta(days=ago))] = page()
    return found


# --- Hugging Face
def test_the_last_three_days_are_read_again(web: Web, source: Source) -> None:
    friday = TODAY - dt.timedelta(days=4)
    web.pages[address(TODAY)] = page(row(1))
    web.pages[address(TODAY - dt.timedelta(days=1))] = page(row(2, TODAY - dt.timedelta(days=1)))
    ingest.ingest_source(source, TUESDAY)
    assert address(friday) not in web.paths
    assert [address(TODAY - dt.timedelta(days=ago)) for ago in (3, 2, 1, 0)] == [
        path for path in web.paths if path.startswith("/api")
    ]
    assert dict(Edition.objects.values_list("date__day", "size")) == {14: 0, 15: 0, 16: 1, 17: 1}


def test_a_busy_day_has_more_than_one_page(web: Web, source: Source) -> None:
    web.pages[address(TODAY)] = page(*(row(number) for number in range(50)))
    web.pages[address(TODAY, 1)] = page(*(row(number) for number in range(50, 63)))
    ingest.ingest_source(source, TUESDAY)
    ranks = Listing.objects.filter(edition__date=TODAY).values_list("rank", flat=True)
    assert sorted(ranks) == list(range(1, 64))


def test_a_server_that_knows_no_pages_is_asked_for_a_second_one_only(web: Web, source: Source) -> None:
    full = page(*(row(number) for number in range(50)))
    web.pages |= {address(TODAY): full, address(TODAY, 1): full}
    ingest.ingest_source(source, TUESDAY)
    assert Listing.objects.count() == 50
    assert address(TODAY, 2) not in web.paths


def test_upvotes_are_kept_as_a_series(web: Web, source: Source) -> None:
    for hours, upvotes in enumerate((4, 9, 9, 12)):
        web.pages[address(TODAY)] = page(row(1, upvotes=upvotes))
        ingest.ingest_source(source, TUESDAY + dt.timedelta(hours=hours))
    series = UpvoteObservation.objects.values_list("at__hour", "upvotes")
    assert list(series) == [(9, 4), (10, 9), (12, 12)]
    assert (Listing.objects.get().upvotes, Paper.objects.get().upvotes) == (12, 12)


def test_an_unchanged_list_is_not_sent_again(web: Web, source: Source) -> None:
    web.pages[address(TODAY)] = [page(row(1), tag='"1"'), Answer(b"", 304)]
    first = ingest.ingest_source(source, TUESDAY)
    assert first.new_papers == 1
    again = ingest.ingest_source(source, TUESDAY + dt.timedelta(hours=1))
    assert "not changed" in again.summary
    asked = [request.headers.get("if-none-match") for request in web.asked if request.path == address(TODAY)]
    assert asked == [None, '"1"']
    source.refresh_from_db()
    assert source.next_check_at == TUESDAY + dt.timedelta(hours=1) + source.check_every


@pytest.mark.parametrize(
    "broken",
    [Answer(b"<html>moved</html>"), Answer(b"gone", 404), Answer(b'[{"paper": {"id": "26'), Answer(b'{"rows": []}')],
)
def test_the_page_stands_in_for_an_api_that_fails_or_changes(web: Web, source: Source, broken: Answer) -> None:
    web.pages[address(TODAY)] = broken
    web.pages[f"/papers/date/{TODAY}"] = html(row(1), date=TODAY)
    outcome = ingest.ingest_source(source, TUESDAY)
    assert Paper.objects.get().arxiv_id == "2603.00001"
    assert "because the API failed" in outcome.warnings[0]
    source.refresh_from_db()
    assert "because the API failed" in source.last_warning
    assert source.error_count == 0


def test_an_empty_list_of_a_past_working_day_is_checked_on_the_page(web: Web, source: Source) -> None:
    monday = TODAY - dt.timedelta(days=1)
    web.pages[f"/papers/date/{monday}"] = html(row(1, monday), date=monday)
    ingest.ingest_source(source, TUESDAY)
    assert Edition.objects.get(date=monday).size == 1
    assert f"/papers/date/{TODAY}" not in web.paths  # today's list may still come
    assert not any(f"/papers/date/{TODAY - dt.timedelta(days=ago)}" in web.paths for ago in (2, 3))  # a weekend


def test_the_list_of_another_day_is_not_taken_for_the_one_asked_for(web: Web, source: Source) -> None:
    web.pages[address(TODAY)] = page(row(1, TODAY - dt.timedelta(days=5)))
    with pytest.raises(SourceError, match="one of 2026-03-12 came"):
        ingest.ingest_source(source, TUESDAY)
    assert not Paper.objects.exists()


def test_a_list_that_held_papers_and_is_empty_now_is_an_error(web: Web, source: Source) -> None:
    web.pages[address(TODAY)] = [page(row(1)), page()]
    ingest.ingest_source(source, TUESDAY)
    with pytest.raises(SourceError, match="held 1 papers at the last look and none now"):
        ingest.ingest_source(source, TUESDAY)
    assert Listing.objects.count() == 1


def test_days_that_were_missed_are_read_but_are_not_news(web: Web, source: Source) -> None:
    source.last_success_at = TUESDAY - dt.timedelta(days=12)
    source.save()
    missed = TODAY - dt.timedelta(days=11)
    web.pages |= {address(TODAY - dt.timedelta(days=ago)): page() for ago in range(13)}
    web.pages |= {address(missed): page(row(1, missed)), address(TODAY): page(row(2))}
    ingest.ingest_source(source, TUESDAY)
    assert Paper.objects.count() == 2
    assert Paper.objects.fresh(TUESDAY).get().arxiv_id == "2603.00002"


# --- failures
@pytest.mark.parametrize(
    ("answer", "says"),
    [(Answer(b"down", 404), "answered 404"), (Answer(b"<html>nothing</html>"), "an HTML page came")],
)
def test_a_source_that_fails_knows_why_and_waits(web: Web, source: Source, answer: Answer, says: str) -> None:
    web.pages = {address(TODAY - dt.timedelta(days=ago)): answer for ago in range(4)}
    with time_machine.travel(TUESDAY, tick=False):
        tasks.ingest_one(source.pk)
    source.refresh_from_db()
    assert says in source.last_error
    assert source.error_count == 1
    assert source.next_check_at and source.next_check_at > TUESDAY


def test_ten_failures_pause_a_source(source: Source) -> None:
    for _ in range(12):
        source.failed("down", TUESDAY)
    assert source.is_paused
    assert not Source.objects.due(TUESDAY + dt.timedelta(days=99)).exists()


def test_one_list_that_cannot_be_read_holds_up_no_other(web: Web, source: Source) -> None:
    web.pages[address(TODAY - dt.timedelta(days=1))] = Answer(b'[{"paper": ')
    web.pages[address(TODAY)] = page(row(1))
    with pytest.raises(SourceError, match="cut off"):
        ingest.ingest_source(source, TUESDAY)
    assert Paper.objects.count() == 1


def test_a_page_that_cannot_be_read_is_kept_and_read_after_a_mend(
    web: Web, source: Source, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    web.pages[address(TODAY)] = Answer(json.dumps({"lists": [row(1)]}).encode())
    for _ in range(2):
        with pytest.raises(SourceError, match="holds no list"):
            ingest.ingest_source(source, TUESDAY)
    kept = KeptPage.objects.get()
    assert (kept.date, kept.fetched_at) == (TODAY, TUESDAY)
    with pytest.raises(CommandError, match="1 of 1 kept pages still cannot be read"):
        call_command("ingest", "--retry")
    sandboxed.run_first(monkeypatch, "kinds.huggingface_api.LIST_KEYS = ('lists',)")
    call_command("ingest", "huggingface", "--retry")
    assert "1 new papers" in capsys.readouterr().out
    assert Edition.objects.get(size=1).date == TODAY
    assert not KeptPage.objects.exists()


def test_only_the_latest_pages_are_kept(web: Web, source: Source) -> None:
    for number in range(25):
        web.pages[address(TODAY)] = Answer(b'[{"paper": %d' % number)
        with pytest.raises(SourceError):
            ingest.ingest_source(source, TUESDAY + dt.timedelta(hours=number))
    assert source.kept_pages.count() == 20
    assert source.kept_pages.earliest("fetched_at").fetched_at == TUESDAY + dt.timedelta(hours=5)


# --- past days
def test_a_back_fill_goes_on_where_it_stopped(web: Web, source: Source, capsys: pytest.CaptureFixture[str]) -> None:
    days = [dt.date(2026, 1, day) for day in (5, 6, 7)]
    web.pages |= {address(day): page(row(day.day, day)) for day in days}
    web.pages |= {address(days[0] - dt.timedelta(days=1)): page(), address(days[1]): Answer(b"down", 404)}
    with pytest.raises(CommandError, match="Stopped at 2026-01-06; the same command goes on"):
        call_command("ingest", "huggingface", "--since=2026-01-04", "--until=2026-01-07")
    web.pages[address(days[1])] = page(row(6, days[1]))
    web.asked.clear()
    capsys.readouterr()
    call_command("ingest", "huggingface", "--since=2026-01-04", "--until=2026-01-07")
    assert web.paths == [address(day) for day in days[1:]]
    assert capsys.readouterr().out.splitlines()[:2] == [
        "2026-01-04: complete already.",
        "2026-01-05: complete already.",
    ]
    assert sorted(Edition.objects.with_papers().values_list("date", flat=True)) == days


def test_back_filled_papers_are_not_news(web: Web, source: Source) -> None:
    day = dt.date(2026, 1, 5)
    web.pages[address(day)] = page(row(1, day))
    call_command("ingest", "huggingface", "--since", str(day), "--until", str(day))
    assert Paper.objects.count() == 1
    assert not Paper.objects.fresh(TUESDAY).exists()
    assert Paper.objects.fresh(dt.datetime(2026, 1, 6, tzinfo=dt.UTC)).exists()


def test_a_day_without_a_list_is_said(web: Web, source: Source, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("ingest", "huggingface", "--date", str(TODAY - dt.timedelta(days=3)))
    assert "no papers" in capsys.readouterr().out
    with pytest.raises(EmptyEdition):
        ingest.ingest_source(source, TUESDAY, TODAY - dt.timedelta(days=2))
