"""Pages in, through the command and the functions behind it."""

from __future__ import annotations

import datetime as dt
import importlib
import json
from pathlib import Path

import pytest
import time_machine
from django.apps import apps
from django.core.management import CommandError, call_command

from digest.models import Edition, Listing, Match, Paper, Source
from digest.papers.ingest import editions, ingest
from digest.papers.sample.sample import PATH
from digest.papers.sources.parsed import ParsedEdition
from subscriptions.models import Subscriber

pytestmark = pytest.mark.django_db

PAGE = json.dumps(
    [{"paper": {"id": "2603.00001", "title": "One\n  Paper", "summary": "On $\\alpha$.", "authors": [], "upvotes": 4}}]
).encode()


def run(*args: str, capsys: pytest.CaptureFixture[str]) -> str:
    call_command("ingest", *args)
    return capsys.readouterr().out


@pytest.mark.slow
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
    found = editions.edition_date(parsed, dt.date.fromisoformat(today), asked and dt.date.fromisoformat(asked))
    assert found.isoformat() == expected


def test_the_29th_of_february_is_sought_in_a_leap_year() -> None:
    parsed = ParsedEdition(listings=(), month_day=(2, 29))
    assert editions.edition_date(parsed, dt.date(2026, 11, 21)) == dt.date(2024, 2, 29)


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


def test_a_table_without_titles_is_told_so_by_its_columns(tmp_path: Path) -> None:
    page = tmp_path / "mine.csv"
    page.write_text("caption,foo\nA kettle,1\n")
    with pytest.raises(CommandError, match=r"no column for the title \(its columns: 'caption', 'foo'\)"):
        call_command("ingest", "--file", str(page))


def test_a_list_that_names_no_day_is_said_to_count_as_todays(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    page = tmp_path / "list.json"
    page.write_text(json.dumps([{"paper": {"id": "2603.00001", "title": "Kettles"}, "title": "Kettles"}]))
    call_command("ingest", "--file", str(page))
    assert "it names no day, so it counts as today's list; --date says another." in caplog.text
    caplog.clear()
    call_command("ingest", "--file", str(page), "--date", "2026-03-13")
    assert "names no day" not in caplog.text


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


def test_a_new_installation_knows_its_first_source_and_looks_at_once(now: dt.datetime) -> None:
    Source.objects.all().delete()  # it may be there or not: tests with transactions of their own empty every table
    importlib.import_module("digest.migrations.0002_first_source").add(apps, None)
    source = Source.objects.due(now).get()
    assert (source.slug, source.url) == ("huggingface", ingest.HUGGINGFACE_URL)


@pytest.mark.parametrize(
    "options",
    [
        ("--since", "2026-03-01"),
        ("huggingface", "--since", "2026-03-05", "--until", "2026-03-01"),
        ("huggingface", "--until", "2026-03-01"),
        ("huggingface", "--since", "2026-03-01", "--date", "2026-03-01"),
        ("--since", "2026-03-01", "--file", "x"),
        ("--retry", "--file", "x"),
    ],
)
def test_options_that_contradict_each_other_are_refused(options: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match="--"):
        call_command("ingest", *options)
