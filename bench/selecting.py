"""Due readers -> digests, waiting mails and next dates, chunk after chunk, with real subscriber rows."""

from __future__ import annotations

import datetime as dt
import os
import statistics
import time
from collections.abc import Callable

import numpy as np
from django.db import connection

from bench import corpus
from bench.measure import Figure, peak, server_seconds
from digest.models import Match, Paper
from digest.papers.ingest import ingest, storage
from digest.papers.ingest.editions import Circumstances
from digest.papers.sources.parsed import ParsedEdition, ParsedListing
from digest.picks.selection import select
from digest.relevance import match_papers
from subscriptions.interests import canonical, language
from subscriptions.models import Interest, InterestLine, Subscriber

PAPERS, A_MORNING, BEFORE = 482, 69, 2000  # candidates, as many more each day, and papers of the weeks before
READERS = int(os.environ.get("BENCH_READERS", 10_000))
INTERESTS = min(READERS, 10_000)
MORNING = dt.datetime(2026, 3, 16, 8, 0, tzinfo=dt.UTC)
DAYS = 3


def figures() -> list[Figure]:
    """On the first day the process begins, and all lines are new to it: learning what they say is spread over the
    readers who share them. Each day more papers come, which are matched before and not counted here.

    With reading what readers want and had, choosing, storing and the next date. All are due in the same hour; on the
    third day many have had most of what they might get. The peak holds what made the rows too.
    """
    rows = corpus.papers(BEFORE + PAPERS + A_MORNING * (DAYS - 1))
    before, rows = rows[:BEFORE], rows[BEFORE:]
    matching = prepare(before, rows[:PAPERS], READERS, INTERESTS)
    pairs = Match.objects.count()
    found = [
        Figure(f"match {PAPERS} papers with {INTERESTS:,} interests, from rows to rows, own CPU a match",
               matching[0] / pairs * 1e6, "us"),
        Figure("the same, PostgreSQL's own", matching[1] / pairs * 1e6, "us"),
    ]  # fmt: skip
    for day in range(DAYS):
        now = MORNING + dt.timedelta(days=day)
        if day:
            store(rows[PAPERS + A_MORNING * (day - 1) :][:A_MORNING], now)
            match_papers.match_new(now)
        chunks = []
        while (one := chunk(now))[0]:
            chunks.append(one)
        found += of_day(f"select for {READERS:,} readers, day {day + 1}", chunks)
    return [*found, Figure("peak memory of the process that selects", peak() / 2**20, "MB")]


def of_day(name: str, chunks: list[tuple[int, float, float]]) -> list[Figure]:
    """`chunks`: readers, own seconds, the server's."""
    readers = sum(count for count, _, _ in chunks)
    each = [own / count * 1e6 for count, own, _ in chunks]
    half = max(len(each) // 2, 1)
    growth = statistics.median(each[-half:]) / statistics.median(each[:half])
    return [
        Figure(f"{name}, own CPU a reader", sum(own for _, own, _ in chunks) / readers * 1e6, "us", 60),
        Figure(f"{name}, PostgreSQL's own", sum(server for *_, server in chunks) / readers * 1e6, "us"),
        Figure(f"{name}, second half of the chunks against the first", growth, "times", 1.2),
    ]


def chunk(now: dt.datetime) -> tuple[int, float, float]:
    done: list[int] = []
    spent = cost(lambda: done.append(select.select_chunk(now).readers))
    return done[0], *spent


def cost(run: Callable[[], object]) -> tuple[float, float]:
    """CPU seconds of this process and of PostgreSQL's beside it."""
    beside, own = server_seconds(), time.process_time()
    run()
    return time.process_time() - own, server_seconds() - beside


def store(rows: list[dict[str, object]], now: dt.datetime) -> None:
    listings = [
        ParsedListing(
            title=str(row["title"]), abstract=str(row["abstract"]), authors=tuple(row["authors"]),  # type: ignore[arg-type]
            rank=number, upvotes=number * 7919 % 90,
        )
        for number, row in enumerate(rows, 1)
    ]  # fmt: skip
    storage.store(ingest.huggingface(), ParsedEdition(listings=tuple(listings)), Circumstances(now=now))


def prepare(
    before: list[dict[str, object]], rows: list[dict[str, object]], readers: int, interests: int
) -> tuple[float, float]:
    """Papers of the weeks before and of a week, interests that are matched, and readers who are due, hour and zone
    alike.

    Returns what matching cost.
    """
    old = MORNING - dt.timedelta(days=30)
    Paper.objects.bulk_create(
        Paper(
            title=str(row["title"]), title_key=f"bench{number}", abstract=row["abstract"], authors=row["authors"],
            first_seen_at=old, changed_at=old, matched_at=old, first_listed_on=old.date(),
        )
        for number, row in enumerate(before)
    )  # fmt: skip
    store(rows, MORNING - dt.timedelta(days=2))
    nodes = corpus.interests(rows, interests)
    made = Interest.objects.bulk_create(
        [
            Interest(
                key=canonical.key(node),
                text=str(node),
                is_mute=language.is_mute(node),
                is_pin=language.is_pin(node),
                wanted_at=old,
            )
            for node in nodes
        ],
        batch_size=2000,
    )
    spent = cost(lambda: match_papers.match_new(MORNING))
    popular = np.argsort(np.random.default_rng(4).random(len(nodes)))
    wanted = corpus.readers(readers, popular)
    people = Subscriber.objects.bulk_create(
        [
            Subscriber(
                email=f"due{number}@example.org", email_key=f"due{number}@example.org", code=f"due{number}",
                status=Subscriber.Status.ACTIVE, next_digest_at=MORNING,
            )
            for number in range(readers)
        ],
        batch_size=2000,
    )  # fmt: skip
    pks, items = [one.pk for one in people], wanted.items.tolist()
    lines = zip(wanted.owners().tolist(), wanted.places().tolist(), items, strict=True)
    batch = []
    for owner, place, item in lines:
        typed = made[item].text
        batch.append(InterestLine(subscriber_id=pks[owner], interest=made[item], typed=typed, position=place))
        if len(batch) == 5000:
            InterestLine.objects.bulk_create(batch, batch_size=5000)
            batch = []
    InterestLine.objects.bulk_create(batch)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return spent
