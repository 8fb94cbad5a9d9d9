"""The index: papers in, papers out. Its table is made by a migration, in each database's own way."""

from __future__ import annotations

import datetime as dt
import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from django.db import OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper
from psycopg.errors import QueryCanceled

from digest.models import Paper, SearchText
from digest.papers.search.terms import Stored, bound, fts5, tsquery
from digest.relevance.matching.documents import BATCH, document, with_sources
from digest.relevance.matching.match import Document, describe
from digest.relevance.matching.queries import Query

AT_ONCE = 5_000  # papers taken in by one look: seconds of work
MOST_READ = 480  # papers that are checked one by one; then the reader is given what there is, and the way on

_SQLITE = """
    SELECT rowid FROM digest_searchindex WHERE digest_searchindex MATCH %s AND rowid < %s ORDER BY rowid DESC LIMIT %s
"""
# PostgreSQL cannot know how many papers hold what is asked, and would walk from the newest on in search of one.
# So some of the newest are asked, where what very many papers hold is met at once. What is rarer is fetched by the
# index of terms, and what it has too much of is met soon by walking on.
_NEWEST = 400
_AMONG_NEWEST = """
    WITH newest AS (SELECT place, terms FROM digest_searchtext WHERE place < %s ORDER BY place DESC LIMIT %s)
    SELECT place FROM newest WHERE terms @@ %s::tsquery ORDER BY place DESC LIMIT %s
"""
_RARE = 1_500
_ALL = "SELECT place FROM digest_searchtext WHERE terms @@ %s::tsquery AND place < %s LIMIT %s"
_WALK = "SELECT place FROM digest_searchtext WHERE terms @@ %s::tsquery AND place < %s ORDER BY place DESC LIMIT %s"
# LOCAL lasts to the end of the outermost transaction, which may be a caller's.
_AS_BEFORE = "; ".join(
    f"SET LOCAL {name} TO DEFAULT"
    for name in ("statement_timeout", "enable_seqscan", "enable_indexscan", "enable_bitmapscan")
)
_TIME = 3_000  # milliseconds; a phrase of very common words may stand in none of the papers that hold them
_STEPS = 10_000  # of SQLite's virtual machine between two looks at the clock
_BEFORE_ALL = 2**63 - 1
_ID = 2**32 - 1  # the bits of a place that are the paper's id


class TooMuchWork(Exception):
    """The database did not find the papers in the time a search may take."""


@dataclass(frozen=True, slots=True)
class Page:
    """Papers with where they hold the line, newest first; `rest` is where the next page begins, None at the end."""

    found: list[tuple[Paper, dict[str, object], float]]
    rest: int | None


def file(documents: Iterable[Document]) -> None:
    """Take these papers in, or what became of them."""
    rows = iter(documents)
    while batch := list(islice(rows, BATCH)):
        ids = [paper.paper_id for paper in batch]
        dates = dict(Paper.objects.filter(pk__in=ids).values_list("pk", "first_listed_on"))
        with transaction.atomic():
            SearchText.objects.filter(paper__in=ids).delete()
            SearchText.objects.bulk_create(_texts(batch, dates))


def file_missing() -> None:
    """Take in papers stored before there was an index, the newest first; the rest at the next look."""
    missing = Paper.objects.known().filter(search_text=None).order_by("-first_listed_on", "-pk")
    ids = list(missing.values_list("pk", flat=True)[:AT_ONCE])
    for start in range(0, len(ids), BATCH):
        file(with_sources(Paper.objects.filter(pk__in=ids[start : start + BATCH])))


def _texts(papers: list[Document], dates: dict[int, dt.date]) -> Iterator[SearchText]:
    for paper in papers:
        of, pk = Stored.of(paper), paper.paper_id
        place = SearchText.place_of(pk, dates[pk])
        yield SearchText(place=place, paper_id=pk, title=of.title, abstract=of.abstract, labels=of.labels)


def find(query: Query, size: int, after: int | None = None, deadline: float = math.inf) -> Page:
    """At most `size` papers that the query finds, newest first, after a place in that order. Raises TooMuchWork.

    After `deadline` (time.monotonic) the page holds what was found so far, and the way on.
    """
    asked = fts5(bound(query)) if connection.vendor == "sqlite" else tsquery(bound(query))
    found: list[tuple[Paper, dict[str, object], float]] = []
    place = after or _BEFORE_ALL
    at_once = size + size // 2  # nearly all of them hold it
    for _ in range(0, MOST_READ, at_once):
        places = _look(asked, place, at_once, deadline)
        for place, paper in _papers(places):
            if time.monotonic() > deadline:
                return Page(found, place + 1)
            taken_apart = document(paper)
            if held := query.find(taken_apart):
                found.append((paper, describe(held, taken_apart), round(held.weight, 2)))
                if len(found) == size:
                    return Page(found, place)
        if len(places) < at_once:
            return Page(found, None)
    return Page(found, place)


def _look(asked: str, before: int, most: int, deadline: float) -> list[int]:
    """The next places in order. Raises TooMuchWork."""
    if connection.vendor == "sqlite":
        return _look_in_sqlite(asked, before, most, deadline)
    return _look_in_postgresql(asked, before, most, deadline)


def _look_in_sqlite(asked: str, before: int, most: int, deadline: float) -> list[int]:
    until = min(deadline, time.monotonic() + _TIME / 1000)
    with connection.cursor() as cursor:
        database = connection.connection
        database.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
        try:
            cursor.execute(_SQLITE, [asked, before, most])
            return [place for (place,) in cursor.fetchall()]
        except OperationalError as error:
            if "interrupted" in str(error):
                raise TooMuchWork from error
            raise
        finally:
            database.set_progress_handler(None, 0)


def _look_in_postgresql(asked: str, before: int, most: int, deadline: float) -> list[int]:
    patience = max(1, min(_TIME, math.ceil(1000 * min(deadline - time.monotonic(), _TIME))))
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = {patience}; SET LOCAL enable_seqscan = off")
            places = _ask(cursor, asked, before, most)
            cursor.execute(_AS_BEFORE)
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise TooMuchWork from error
        raise
    return places[:most]


def _ask(cursor: CursorWrapper, asked: str, before: int, most: int) -> list[int]:
    """The next places: among the newest papers first, then by the index, then, of very many, in order."""
    cursor.execute(_AMONG_NEWEST, [before, _NEWEST, asked, most])
    places = [place for (place,) in cursor.fetchall()]
    if len(places) == most:
        return places
    cursor.execute("SET LOCAL enable_indexscan = off")
    cursor.execute(_ALL, [asked, before, _RARE])
    places = sorted((place for (place,) in cursor.fetchall()), reverse=True)
    if len(places) == _RARE:
        cursor.execute("SET LOCAL enable_indexscan = on; SET LOCAL enable_bitmapscan = off")
        cursor.execute(_WALK, [asked, before, most])
        places = [place for (place,) in cursor.fetchall()]
    return places


def _papers(places: list[int]) -> Iterator[tuple[int, Paper]]:
    """The papers at these places, in order; without those that were merged into another since."""
    papers = Paper.objects.known().prefetch_related("editions__source").in_bulk([place & _ID for place in places])
    return ((place, papers[place & _ID]) for place in places if place & _ID in papers)
