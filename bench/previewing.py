"""How long a new interest's preview takes inside the server, over the real papers of a month."""

from __future__ import annotations

import datetime as dt
import statistics
import time
from collections.abc import Callable

from django.utils import timezone

from bench import corpus
from bench.measure import Figure
from digest.models import Paper
from digest.picks.preview import digest_preview, preview_cache
from digest.web.pages import live_preview
from subscriptions.interests.language import is_mute

PAPERS, LINES = 2500, 100


def figures() -> list[Figure]:
    """A process begins, somebody comes at once, and others when it is warm. CPU is this thread's own.

    As in a web process, another thread looks whether papers came.
    """
    now = timezone.now()
    rows = corpus.papers(PAPERS)
    store(rows, now)
    new = (str(node) for node in corpus.interests(rows, 8 * LINES) if not is_mute(node))
    preview_cache.keep_warm()
    cpu = time.thread_time()
    first_search = took(lambda: digest_preview.search("diffusion", now), time.perf_counter)
    first_preview = took(lambda: digest_preview.preview(["diffusion"], now), time.perf_counter)
    cpu = (time.thread_time() - cpu) * 1e3
    begun = time.perf_counter()
    while not preview_cache._lookout.sight:
        time.sleep(0.05)
    warm = first_search + first_preview + (time.perf_counter() - begun) * 1e3
    fresh = set(preview_cache.fresh(now))
    ways: dict[str, Callable[[str], object]] = {
        f"a new line while it is typed, {PAPERS:,} papers of 30 days": lambda line: live_preview.rows(
            {1: line}, fresh, now
        ),
        f"search {PAPERS:,} papers of 30 days for a new interest": lambda line: digest_preview.search(
            line, timezone.now()
        ),
        "preview of the mail, 7 of those days": lambda line: digest_preview.preview([line], timezone.now()),
    }
    found = []
    for name, way in ways.items():
        for kind, clock in (("CPU", time.thread_time), ("wall", time.perf_counter)):
            some = [next(new) for _ in range(LINES)]
            times = sorted(took(lambda way=way, line=line: way(line), clock) for line in some)  # type: ignore[misc]
            found.append(Figure(f"{name}, {kind}: median", statistics.median(times), "ms", 30))
            found.append(Figure(f"{name}, {kind}: 95th percentile", times[int(len(times) * 0.95)], "ms", 30))
    return [
        *found,
        Figure("a process begins: the first search, wall", first_search, "ms", 1000),
        Figure("a process begins: the first preview, wall", first_preview, "ms", 1000),
        Figure("a process begins: both, CPU of the thread that serves them", cpu, "ms", 1000),
        Figure("a process begins: until all is ready, wall", warm, "ms", 0),
    ]


def store(rows: list[dict[str, object]], now: dt.datetime) -> None:
    """The papers, the last of them seen now and the first 29 days ago."""
    day = dt.timedelta(days=29) / len(rows)
    Paper.objects.bulk_create(
        Paper(
            title=" ".join(str(row["title"]).split())[:1000],
            title_key=f"bench{number}",
            abstract=row["abstract"],
            authors=row["authors"],
            categories=row["categories"],
            first_seen_at=now - (len(rows) - number) * day,
            first_listed_on=(now - (len(rows) - number) * day).date(),
        )
        for number, row in enumerate(rows)
    )


def took(run: Callable[[], object], clock: Callable[[], float]) -> float:
    """Milliseconds."""
    start = clock()
    run()
    return (clock() - start) * 1e3
