"""Every day of Hugging Face's lists that we have, through the door, and then row by row against the normalised file."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from digest.models import Edition, Listing, Paper, UpvoteObservation
from digest.papers.ingest import ingest, storage
from digest.papers.ingest.editions import Circumstances
from digest.papers.sources import kinds

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def days(folder: Path) -> Iterator[tuple[dt.date, bytes]]:
    with tarfile.open(folder / "hf_daily_raw_dev.tar.xz") as archive:
        for member in archive:
            if member.name.endswith(".json"):
                found = archive.extractfile(member)
                assert found is not None
                yield dt.date.fromisoformat(Path(member.name).stem), found.read()


def normalised(folder: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(folder / "hf_daily_dev.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def test_all_415_days_are_in_the_database_as_the_normalised_file_has_them(shared_data: Path) -> None:
    folder = shared_data / "hf_daily"
    source = ingest.huggingface()
    for date, content in days(folder):
        how = Circumstances(now=NOW, date=date, backfill=True, page_hash=str(date))
        storage.store(source, kinds.parse(content), how)
    expected = {(row["date"], row["rank"] + 1): row for row in normalised(folder)}
    stored = {
        (str(listing.edition.date), listing.rank): listing
        for listing in Listing.objects.select_related("edition", "paper")
    }
    assert Edition.objects.count() == 415
    assert stored.keys() == expected.keys()
    differing = Counter(name for key, row in expected.items() for name in differences(stored[key], row))
    assert differing == {"abstract": 1}  # the one that holds HTML, a link, which becomes its text
    assert Paper.objects.count() == len({row["id"] for row in expected.values()})
    assert UpvoteObservation.objects.count() == len(expected)


def differences(listing: Listing, row: dict[str, Any]) -> Iterator[str]:
    paper = listing.paper
    told = {
        "id": (paper.arxiv_id, row["id"]),
        "title": (paper.title, tidy(row["title"])),
        "abstract": (paper.abstract, tidy(row["abstract"])),
        "authors": (paper.authors, [tidy(name) for name in row["authors"]]),
        "upvotes": (listing.upvotes, row["upvotes"]),
        "comments": (listing.comments, row["num_comments"]),
    }
    for name, (ours, theirs) in told.items():
        if ours != theirs:
            yield name


def tidy(text: str) -> str:
    return " ".join(text.split())
