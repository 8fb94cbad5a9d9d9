"""New papers from a file into the database: ours, the floor (ready rows), and the usual way (a row at a time)."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from django.db import transaction

from bench.measure import Case, Figure
from digest.models import Paper
from digest.papers.ingest import ingest

PAPERS, SLOW_PAPERS = 5000, 250
SIZES = (1_250, 5_000, 20_000)
NOW = dt.datetime(2026, 3, 16, tzinfo=dt.UTC)
WORDS = "a model of small steps that learns from long lists and reads what others wrote before it was seen".split()
# Each run brings papers nobody has seen.
_number = itertools.count(1)


def papers(count: int) -> Iterator[dict[str, object]]:
    """Records as a file holds them, with abstracts of usual length (about 1,200 characters)."""
    for number in itertools.islice(_number, count):
        yield {
            "doi": f"10.9999/{number}",
            "title": f"Paper number {number} on {WORDS[number % len(WORDS)]}",
            "abstract": " ".join(WORDS[(number * step) % len(WORDS)] for step in range(1, 250)),
            "authors": ["Ada Byron", f"Writer {number % 997}", "Li Wei"],
            "published": "2026-03-14",
            "upvotes": number % 50,
        }


def cases() -> list[Case]:
    folder = Path(tempfile.mkdtemp(prefix="paper-round-ingesting-"))

    def ours() -> None:
        path = folder / "papers.jsonl"
        path.write_text("\n".join(json.dumps(paper) for paper in papers(PAPERS)), encoding="utf-8")
        ingest.ingest_location(str(path), NOW)

    def ready_rows() -> None:
        rows = [_row(paper) for paper in papers(PAPERS)]
        with transaction.atomic():
            Paper.objects.bulk_create(rows, batch_size=500)

    def one_by_one() -> None:
        for paper in papers(SLOW_PAPERS):
            with transaction.atomic():
                Paper.objects.get_or_create(doi=paper["doi"], defaults={"title": paper["title"], **_columns(paper)})

    group = f"{PAPERS:,} new papers from a file"
    return [
        Case(group, "read, merge, store, list, observe", ours, PAPERS, "paper"),
        Case(group, "limit: bulk_create of ready rows", ready_rows, PAPERS, "paper"),
        Case(group, "peer: get_or_create, one at a time", one_by_one, SLOW_PAPERS, "paper"),
    ]


def _columns(paper: dict[str, object]) -> dict[str, object]:
    day = NOW.date()
    return {"abstract": paper["abstract"], "authors": paper["authors"], "first_listed_on": day, "changed_at": NOW}


def _row(paper: dict[str, object]) -> Paper:
    return Paper(title=paper["title"], doi=paper["doi"], **_columns(paper))


def figures() -> list[Figure]:
    """Seconds for a file of new papers, and the peak memory of a process that reads files of growing size."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "papers.jsonl"
        path.write_text("\n".join(json.dumps(paper) for paper in papers(PAPERS)), encoding="utf-8")
        start = time.perf_counter()
        ingest.ingest_location(str(path), NOW)
        took = time.perf_counter() - start
    return [
        Figure(f"{PAPERS:,} new papers from a file, wall", took, "s", most=10),
        Figure("papers a second", PAPERS / took, "", most=0),
        *(Figure(f"peak memory of `ingest --file`, {count:,} papers", _peak(count), "MB", most=250) for count in SIZES),
    ]


def _peak(count: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "papers.jsonl"
        path.write_text("\n".join(json.dumps(paper) for paper in papers(count)), encoding="utf-8")
        code = f"""
import django; django.setup()
from django.core.management import call_command
call_command("ingest", "--file", {str(path)!r}, verbosity=0)
from bench.measure import peak
print(peak() / 2**20)
"""
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
        return float(done.stdout.split()[-1])
