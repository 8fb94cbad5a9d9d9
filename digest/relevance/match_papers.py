"""New papers against all wanted interests, new interests against the recent papers. The only writer of Match.

Wanted is what an active subscriber has: what waits for a confirmation costs nothing here.

Whichever of a paper and an interest is committed last finds the other, so no pair is missed; a pair found
from both sides is stored once.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Max, Sum

from digest.models import Match, Paper
from digest.models.papers import PaperQuerySet
from digest.papers.search import index as filed
from digest.relevance.matching.documents import with_sources
from digest.relevance.matching.match import Document, describe
from digest.relevance.matching.postings import Postings
from digest.relevance.matching.queries import Query, QueryIndex
from subscriptions.interests.parser import InterestError
from subscriptions.models import Interest

logger = logging.getLogger(__name__)

RECENT_DAYS = 30  # how far back a new interest looks
# Stored of an interest that is no mute: a week's papers, in a service of 700 papers a day. What a mute forgot would be
# mailed. The rest is trimmed by `digest.operations.retention`.
MOST_MATCHES = 5_000
MOST_KEPT = 200_000  # interests a process keeps ready: about 300 MB
_BATCH = 500
_NEW_AT_ONCE = 10_000  # interests: some 20 MB
_ROWS_AT_ONCE = 5_000


class _Ready:
    """All wanted interests ready to be asked, kept by this process: only those that are new are read and parsed.

    What an interest means never changes: it comes or goes. What is kept only saves time. Where there are more than
    MOST_KEPT, they are made ready anew for each batch of papers, so many at once.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._fits = True
        self._stamp: tuple[Any, ...] = ()
        self._known: set[int] = set()
        self._index = QueryIndex()

    @contextmanager
    def up_to_date(self) -> Iterator[_Ready]:
        """Itself with all interests there are; no other thread changes it meanwhile."""
        with self._lock:
            row = Interest.objects.wanted().aggregate(count=Count("pk"), last=Max("pk"), sum=Sum("pk"))
            self._fits = row["count"] <= MOST_KEPT
            if not self._fits:
                self._known, self._index = set(), QueryIndex()
            elif tuple(row.values()) != self._stamp:
                self._read()
            self._stamp = tuple(row.values())
            yield self

    def indexes(self) -> Iterator[QueryIndex]:
        """Together all interests."""
        if self._fits:
            yield self._index
            return
        queries = _queries(Interest.objects.wanted().order_by("pk").iterator())
        while part := list(islice(queries, MOST_KEPT)):
            yield QueryIndex(part)

    def _read(self) -> None:
        there = set(Interest.objects.wanted().values_list("pk", flat=True))
        if len(self._known - there) > len(there) // 2:
            self._known, self._index = set(), QueryIndex()
        self._index.discard(self._known - there)
        new = sorted(there - self._known)
        for start in range(0, len(new), _BATCH):
            for query in _queries(Interest.objects.filter(pk__in=new[start : start + _BATCH])):
                self._index.add(query)
        self._known = there


_ready = _Ready()


def match_new(now: dt.datetime) -> int:
    """Match what is not matched yet, papers and interests. Returns how many matches were stored."""
    stored = match_papers(now) + match_interests(now)
    filed.file_missing()
    return stored


def match_papers(now: dt.datetime, since: dt.date | None = None) -> int:
    """Match papers that are new or whose words changed; with `since`, all first listed from that day on."""
    known = Paper.objects.known()
    wanted = known.filter(first_listed_on__gte=since) if since else known.filter(matched_at=None)
    ids = list(wanted.values_list("pk", flat=True))
    if not ids:
        return 0
    with _ready.up_to_date() as interests:
        stored = sum(
            _match_batch(interests, wanted.filter(pk__in=ids[start : start + _BATCH]), now)
            for start in range(0, len(ids), _BATCH)
        )
    logger.info("Matched %d papers: %d matches.", len(ids), stored)
    return stored


def _match_batch(interests: _Ready, batch: PaperQuerySet, now: dt.datetime) -> int:
    """The rows are locked meanwhile: a paper whose words change just now is not taken for matched, another
    worker at the same batch finds it done, and nobody sees a paper between its old matches and its new.
    """
    with transaction.atomic():
        papers = list(batch.select_for_update().values_list("pk", flat=True))
        locked = Paper.objects.filter(pk__in=papers)
        Match.objects.filter(paper__in=papers).delete()
        documents = [paper.keeping() for paper in with_sources(locked)]
        postings = Postings(documents)
        stored = sum(_store(_rows(index, postings)) for index in interests.indexes())
        filed.file(documents)
        locked.update(matched_at=now)
    return stored


def match_interests(now: dt.datetime) -> int:
    """Match interests that no active subscriber had before against the papers of the last 30 days, so many at a time.

    Of one that finds very many, MOST_MATCHES are stored, of the newest papers.
    """
    new = list(Interest.objects.wanted().filter(matched_at=None).order_by("pk").values_list("pk", flat=True))
    stored = 0
    for start in range(0, len(new), _NEW_AT_ONCE):
        some = list(Interest.objects.wanted().filter(pk__in=new[start : start + _NEW_AT_ONCE]))
        index, stored_of = QueryIndex(_queries(some)), Counter[int]()
        papers = with_sources(Paper.objects.fresh(now, days=RECENT_DAYS).order_by("-first_listed_on", "-pk"))
        stored += sum(_store(_rows(index, batch, stored_of)) for batch in _batches(papers))
        _mark_matched(some, now)
    if new:
        logger.info("Matched %d new interests: %d matches.", len(new), stored)
    return stored


def _mark_matched(interests: list[Interest], now: dt.datetime) -> None:
    """Those that were given up and wanted again meanwhile may have lost matches: they stay unmatched. So do rows that
    somebody has locked, which must not be waited for in another order than theirs.
    """
    if not interests:
        return
    latest = max(interest.wanted_at for interest in interests if interest.wanted_at)
    with transaction.atomic():
        same = Interest.objects.filter(pk__in=[interest.pk for interest in interests], wanted_at__lte=latest)
        Interest.objects.filter(pk__in=same.lock(skip_locked=True)).update(matched_at=now)


def ask(interests: Iterable[Interest], papers: PaperQuerySet) -> Iterator[Row]:
    """Find what these interests match among these papers, as rows of Match. Stores nothing."""
    index = QueryIndex(_queries(interests))
    if len(index):
        for batch in _batches(with_sources(papers)):
            yield from _rows(index, batch)


def _queries(interests: Iterable[Interest]) -> Iterator[Query]:
    """One line that cannot be read any more, after a change of the language say, must not stop the others."""
    for row in interests:
        try:
            yield Query.of(row.pk, row.node())
        except InterestError as error:
            logger.error("Interest %d cannot be read and matches nothing: %s", row.pk, error)


def _batches(papers: Iterator[Document]) -> Iterator[Postings]:
    while batch := list(islice(papers, _BATCH)):
        yield Postings([paper.keeping() for paper in batch])


Row = tuple[int, int, float, str]  # of Match: interest, paper, weight, places as JSON text


def _rows(index: QueryIndex, papers: Postings, stored_of: Counter[int] | None = None) -> Iterator[Row]:
    """A row for each pair that matches: only there it is asked how well, and where.

    `stored_of` counts the rows of each interest; one that has MOST_MATCHES gets no more.
    """
    counts = Counter[int]() if stored_of is None else stored_of
    for query, paper in index.matches(papers):
        if counts[query.interest_id] >= MOST_MATCHES and not query.mutes:
            continue
        found = query.find(paper)
        if found:
            counts[query.interest_id] += 1
            places = json.dumps(describe(found, paper))
            yield query.interest_id, paper.paper_id, round(found.weight, 4), places


def _store(rows: Iterator[Row]) -> int:
    """Store what is not there yet. Returns how many rows there were.

    `bulk_create` makes an object of each row, which costs more than finding it.
    """
    store = _copy if connection.vendor == "postgresql" else _row_by_row
    stored = 0
    while batch := list(islice(rows, _ROWS_AT_ONCE)):
        with transaction.atomic(), connection.cursor() as cursor:
            store(cursor, batch)
        stored += len(batch)
    return stored


_TABLE, _INTERESTS = Match._meta.db_table, Interest._meta.db_table
_COLUMNS = "interest_id, paper_id, weight, places"
_LEFT_ALONE = "ON CONFLICT (interest_id, paper_id) DO NOTHING"


def _copy(cursor: Any, rows: list[Row]) -> None:
    """By way of a table of its own: COPY knows no ON CONFLICT. JSON text holds no tab and no line break.

    An interest that was given up meanwhile gets no rows; the others cannot be deleted before the commit.
    """
    # fmt: off
    cursor.execute(f"CREATE TEMP TABLE new_match ON COMMIT DROP AS SELECT {_COLUMNS} FROM {_TABLE} LIMIT 0")  # noqa: S608
    with cursor.copy(f"COPY new_match ({_COLUMNS}) FROM STDIN") as copy:
        text = "".join([f"{interest}\t{paper}\t{weight!r}\t{places}\n" for interest, paper, weight, places in rows])
        copy.write(text.replace("\\", "\\\\"))
    cursor.execute(
        f"""
        WITH wanted AS (
            SELECT id FROM {_INTERESTS} WHERE id IN (SELECT interest_id FROM new_match) AND wanted_at IS NOT NULL
            FOR KEY SHARE
        )
        INSERT INTO {_TABLE} ({_COLUMNS})
        SELECT {_COLUMNS} FROM new_match WHERE interest_id IN (SELECT id FROM wanted) {_LEFT_ALONE}"""  # noqa: S608
    )
    cursor.execute("DROP TABLE new_match")
    # fmt: on


def _row_by_row(cursor: Any, rows: list[Row]) -> None:
    """The same, in a transaction that nobody else can write beside."""
    is_wanted = f"SELECT 1 FROM {_INTERESTS} WHERE id = %s AND wanted_at IS NOT NULL"  # noqa: S608
    cursor.executemany(
        f"INSERT INTO {_TABLE} ({_COLUMNS}) SELECT %s, %s, %s, %s WHERE EXISTS ({is_wanted}) {_LEFT_ALONE}",
        [(*row, row[0]) for row in rows],
    )
