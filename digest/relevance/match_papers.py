"""New papers against all interests, new interests against the recent papers. The only writer of Match.

Whichever of a paper and an interest is committed last finds the other, so no pair is missed; a pair found
from both sides is stored once.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import threading
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
MOST_KEPT = 200_000  # interests a process keeps ready: about 300 MB
_BATCH = 500
_NEW_AT_ONCE = 10_000  # interests: some 20 MB
_ROWS_AT_ONCE = 5_000


class _Ready:
    """All interests ready to be asked, kept by this process: only those that are new are read and parsed.

    An interest never changes, it comes or goes. What is kept only saves time. Where there are more than MOST_KEPT,
    they are made ready anew for each batch of papers, so many at once.
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
            row = Interest.objects.aggregate(count=Count("pk"), last=Max("pk"), sum=Sum("pk"))
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
        queries = _queries(Interest.objects.order_by("pk").iterator())
        while part := list(islice(queries, MOST_KEPT)):
            yield QueryIndex(part)

    def _read(self) -> None:
        there = set(Interest.objects.values_list("pk", flat=True))
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
    worker at the same batch finds it done, and nobody sees a paper between its old matches and its new."""
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
    """Match interests nobody had before against the papers of the last 30 days, so many at a time."""
    new = list(Interest.objects.filter(matched_at=None).order_by("pk").values_list("pk", flat=True))
    stored = 0
    for start in range(0, len(new), _NEW_AT_ONCE):
        some = Interest.objects.filter(pk__in=new[start : start + _NEW_AT_ONCE])
        index = QueryIndex(_queries(some.iterator()))
        papers = with_sources(Paper.objects.fresh(now, days=RECENT_DAYS))
        stored += sum(_store(_rows(index, batch)) for batch in _batches(papers))
        some.update(matched_at=now)
    if new:
        logger.info("Matched %d new interests: %d matches.", len(new), stored)
    return stored


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


def _rows(index: QueryIndex, papers: Postings) -> Iterator[Row]:
    """A row for each pair that matches: only there it is asked how well, and where."""
    for query, paper in index.matches(papers):
        found = query.find(paper)
        if found:
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


_TABLE = Match._meta.db_table
_COLUMNS = "interest_id, paper_id, weight, places"
_LEFT_ALONE = "ON CONFLICT (interest_id, paper_id) DO NOTHING"


def _copy(cursor: Any, rows: list[Row]) -> None:
    """By way of a table of its own: COPY knows no ON CONFLICT. JSON text holds no tab and no line break."""
    # fmt: off
    cursor.execute(f"CREATE TEMP TABLE new_match ON COMMIT DROP AS SELECT {_COLUMNS} FROM {_TABLE} LIMIT 0")  # noqa: S608
    with cursor.copy(f"COPY new_match ({_COLUMNS}) FROM STDIN") as copy:
        text = "".join([f"{interest}\t{paper}\t{weight!r}\t{places}\n" for interest, paper, weight, places in rows])
        copy.write(text.replace("\\", "\\\\"))
    cursor.execute(f"INSERT INTO {_TABLE} ({_COLUMNS}) SELECT {_COLUMNS} FROM new_match {_LEFT_ALONE}")  # noqa: S608
    cursor.execute("DROP TABLE new_match")
    # fmt: on


def _row_by_row(cursor: Any, rows: list[Row]) -> None:
    cursor.executemany(f"INSERT INTO {_TABLE} ({_COLUMNS}) VALUES (%s, %s, %s, %s) {_LEFT_ALONE}", rows)  # noqa: S608
