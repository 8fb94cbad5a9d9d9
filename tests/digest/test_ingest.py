"""Pages in, through the command and the functions behind it."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import httpx
import pytest
import time_machine
from django.core.management import CommandError, call_command

from digest import fetch, ingest, tasks
from digest.models import Edition, Listing, Match, Paper, Source
from digest.sample import PATH
from digest.sources import ParsedEdition, SourceError
from subscriptions.models import Subscriber

pytestmark = pytest.mark.django_db

PAGE = json.dumps(
    [{"paper": {"id": "2603.00001", "title": "One\n  Paper", "summary": "On $\\alpha$.", "authors": [], "upvotes": 4}}]
).encode()


def run(*args: str, capsys: pytest.CaptureFixture[str]) -> str:
    call_command("ingest", *args)
    return capsys.readouterr().out


def test_the_two_seeds_hold_295_listings_of_286_papers(shared_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = str(shared_data / "seeds" / "000_09e0d2716063a917.txt")
    second = str(shared_data / "seeds" / "004_caf4c692b8e6159f.txt")
    with time_machine.travel("2026-11-21T09:00Z", tick=False):
        assert "52 listings read, 52 new; 52 new papers" in run("--file", first, capsys=capsys)
        assert "243 listings read, 243 new; 234 new papers" in run("--file", second, capsys=capsys)
        assert (Listing.objects.count(), Paper.objects.count()) == (295, 286)
        assert "nothing new" in run("--file", first, "--file", second, capsys=capsys)
    with time_machine.travel("2026-11-25T09:00Z", tick=False):
        assert "nothing new" in run("--file", second, capsys=capsys)
    assert (Listing.objects.count(), Paper.objects.count()) == (295, 286)
    assert set(Edition.objects.values_list("date", flat=True)) == {dt.date(2026, 3, 14), dt.date(2026, 11, 21)}


@pytest.mark.parametrize(
    ("today", "asked", "expected"),
    [
        ("2026-11-21", None, "2026-03-14"),
        ("2026-03-14", None, "2026-03-14"),
        ("2026-03-13", None, "2025-03-14"),
        ("2026-11-21", "2025-03-14", "2025-03-14"),
    ],
)
def test_a_day_without_a_year_is_the_latest_not_in_the_future(today: str, asked: str | None, expected: str) -> None:
    parsed = ParsedEdition(listings=(), month_day=(3, 14))
    found = ingest.edition_date(parsed, dt.date.fromisoformat(today), asked and dt.date.fromisoformat(asked))
    assert found.isoformat() == expected


def test_the_29th_of_february_is_sought_in_a_leap_year() -> None:
    parsed = ParsedEdition(listings=(), month_day=(2, 29))
    assert ingest.edition_date(parsed, dt.date(2026, 11, 21)) == dt.date(2024, 2, 29)


def test_the_sample_is_an_edition_of_at_least_40_real_papers(capsys: pytest.CaptureFixture[str]) -> None:
    run("--file", str(PATH), capsys=capsys)
    assert Paper.objects.exclude(arxiv_id=None).exclude(abstract="").count() >= 40


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"\xff\xfe\xfa\xfb not text \x81", ""),
        (b"Caf\xe9\n\nbroken", "UTF-8"),
        (b"<html><body><h1>Sign in</h1></body></html>", "no papers"),
        (b'[{"paper": {"id": "2603.0', "cut"),
        (b"[]", "no papers"),
        (b"\x89PNG\r\n\x1a\n....", ""),
    ],
)
def test_a_page_that_cannot_be_read_leaves_nothing(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "page.txt"
    path.write_bytes(content)
    with pytest.raises(CommandError) as caught:
        call_command("ingest", "--file", str(path))
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    assert says.lower() in message.lower()
    assert not Paper.objects.exists()
    assert not Edition.objects.exists()


def test_a_missing_file_and_a_folder_say_so(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no such file"):
        call_command("ingest", "--file", str(tmp_path / "nothing.txt"))
    with pytest.raises(CommandError, match="is a folder"):
        call_command("ingest", "--file", str(tmp_path))


def test_an_unknown_source_names_the_known_ones() -> None:
    with pytest.raises(CommandError, match="Known: huggingface"):
        call_command("ingest", "arxive")


def test_it_matches_new_papers_at_once(alice: Subscriber, tmp_path: Path) -> None:
    path = tmp_path / "page.json"
    path.write_bytes(PAGE.replace(b"One", b"Diffusion in one"))
    call_command("ingest", "--file", str(path))
    assert Match.objects.get().interest.text == "diffusion"


# --- over the network, which is the one thing patched
def serve(monkeypatch: pytest.MonkeyPatch, *answers: httpx.Response | Exception) -> list[httpx.Request]:
    """Answer each request in turn, the last for ever, through httpx's own transport; nobody waits."""
    asked: list[httpx.Request] = []
    queue = list(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        found = queue.pop(0) if len(queue) > 1 else queue[0]
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(fetch.client, "Transport", lambda allowance: httpx.MockTransport(answer))
    monkeypatch.setattr(fetch.patience, "sleep", lambda seconds: None)
    return asked


def test_a_source_is_asked_politely_and_not_twice_for_the_same(
    monkeypatch: pytest.MonkeyPatch, now: dt.datetime
) -> None:
    source = ingest.huggingface()
    asked = serve(monkeypatch, httpx.Response(200, content=PAGE, headers={"ETag": '"1"'}), httpx.Response(304))
    outcome = ingest.ingest_source(source, now)
    assert outcome and outcome.new_papers == 1
    assert ingest.ingest_source(source, now) is None
    assert asked[0].headers["user-agent"].startswith("PaperRound/")
    assert asked[1].headers["if-none-match"] == '"1"'
    source.refresh_from_db()
    assert (source.error_count, source.last_error) == (0, "")
    assert source.next_check_at == now + source.check_every


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (httpx.Response(503), "answered 503"),
        (httpx.ConnectTimeout("slow"), "did not answer in time"),
        (httpx.ConnectError("refused"), "could not be fetched"),
        (httpx.Response(200, content=b"<html>nothing</html>"), "no papers"),
    ],
)
def test_a_source_that_fails_knows_why_and_waits(
    monkeypatch: pytest.MonkeyPatch, now: dt.datetime, answer: httpx.Response | Exception, says: str
) -> None:
    serve(monkeypatch, answer)
    source = ingest.huggingface()
    tasks.ingest_one(source.pk)
    source.refresh_from_db()
    assert says in source.last_error
    assert source.error_count == 1
    assert source.next_check_at and source.next_check_at > now


def test_ten_failures_pause_a_source(now: dt.datetime) -> None:
    source = ingest.huggingface()
    for _ in range(12):
        source.failed("down", now)
    assert source.is_paused
    assert not Source.objects.due(now + dt.timedelta(days=99)).exists()


def test_an_endless_answer_is_cut_off(monkeypatch: pytest.MonkeyPatch, now: dt.datetime) -> None:
    monkeypatch.setattr(fetch.client, "LIMITS", fetch.Limits(size=1000))
    serve(monkeypatch, httpx.Response(200, content=b"x" * 100_000))
    with pytest.raises(SourceError, match="more than"):
        ingest.ingest_source(ingest.huggingface(), now)


def test_a_backfilled_paper_is_not_news(monkeypatch: pytest.MonkeyPatch, now: dt.datetime) -> None:
    serve(monkeypatch, httpx.Response(200, content=PAGE))
    ingest.ingest_source(ingest.huggingface(), now, now.date() - dt.timedelta(days=60), backfill=True)
    assert Paper.objects.count() == 1
    assert not Paper.objects.fresh(now).exists()


def test_a_new_installation_knows_its_first_source_and_looks_at_once(now: dt.datetime) -> None:
    source = Source.objects.due(now).get()
    assert (source.slug, source.url) == ("huggingface", ingest.HUGGINGFACE_URL)
