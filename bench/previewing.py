"""How long a new interest's preview takes inside the server, wall clock, over the real papers of a month."""

from __future__ import annotations

import statistics
import time

from django.utils import timezone

from bench import corpus
from bench.measure import Figure
from digest import previewing
from digest.models import Paper
from subscriptions.interests.language import is_mute

PAPERS, LINES = 2500, 60


def figures() -> list[Figure]:
    now = timezone.now()
    Paper.objects.bulk_create(
        Paper(
            title=" ".join(str(row["title"]).split())[:1000],
            title_key=f"bench{number}",
            abstract=row["abstract"],
            authors=row["authors"],
            categories=row["categories"],
            first_seen_at=now,
            first_listed_on=now.date(),
        )
        for number, row in enumerate(corpus.papers(PAPERS))
    )
    lines = [str(node) for node in corpus.interests(corpus.papers(PAPERS), LINES) if not is_mute(node)]
    cold = _seconds(lambda: previewing.search("diffusion", now))
    warm = sorted(_seconds(lambda line=line: previewing.search(line, now)) for line in lines * 2)  # type: ignore[misc]
    return [
        Figure(f"search {PAPERS:,} papers for a new interest, wall: median", statistics.median(warm) * 1e3, "ms", 30),
        Figure("the same, 95th percentile", warm[int(len(warm) * 0.95)] * 1e3, "ms", 30),
        Figure("the same, the first time in a process", cold * 1e3, "ms", 10_000),
    ]


def _seconds(run) -> float:  # type: ignore[no-untyped-def]
    start = time.perf_counter()
    run()
    return time.perf_counter() - start
