"""What previews stand on, made ready once: the recent papers taken apart, and what the ranking knows of them.

A process keeps it until papers come or change. What is kept only saves time.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, connection
from django.db.models import Count, Max, Sum
from django.utils import timezone

from digest.models import Paper
from digest.models.papers import PaperQuerySet
from digest.relevance.match_papers import RECENT_DAYS
from digest.relevance.matching.documents import with_sources
from digest.relevance.matching.match import TEXT_FIELDS, TITLE, Document, Found
from digest.relevance.matching.postings import Postings
from digest.relevance.matching.queries import Query, QueryIndex
from digest.relevance.ranking import corpus
from digest.relevance.ranking.candidates import Candidates
from digest.relevance.ranking.candidates import read as read_candidates
from digest.relevance.vectors import Floats
from subscriptions.interests.language import Node

logger = logging.getLogger(__name__)

PREVIEW_DAYS = 7
FIRST, BATCH = 100, 500  # papers read at a time; the newest are shown before the others are read
PATIENCE = 1.0  # seconds for which a preview waits for what another thread is making ready
COLD = 5.0  # seconds for which a page waits for the thread that reads the first papers
LOOK_EVERY = dt.timedelta(seconds=10)
BELIEVED = 3 * LOOK_EVERY  # for so long previews take what a look saw for what is there, unless a paper came
ASKED_EVERY = 1.0  # seconds between two questions whether one did
MOST_LINES, MOST_FOUND = 1_000, 50_000  # whose findings a process keeps, and findings of all of them
MOST_ASKED = 50  # papers of one line that are asked how well they hold it, to find the best: the newest of very many
FILED = 500  # of the newest papers, whose words are filed before anybody asks: 15 MB


class _Recent:
    """The recent papers taken apart, kept by this process; only papers that are new or changed are read again.

    Nobody waits for all of them: while one thread reads, the others go on with what there is, at first the newest.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._any = threading.Event()
        self._stamp: tuple[Any, ...] = ()
        self._changed_at: dict[int, dt.datetime] = {}
        self._postings = Postings([])

    def papers(self, now: dt.datetime, patience: float = 0.0) -> Postings:
        """`patience`: seconds to wait for the first papers before reading them oneself."""
        self._any.wait(patience)
        fresh = Paper.objects.fresh(now, days=RECENT_DAYS)
        stamp = tuple(fresh.aggregate(count=Count("pk"), last=Max("pk"), sum=Sum("pk"), at=Max("changed_at")).values())
        if stamp != self._stamp:
            if not self._postings.papers:  # what was there before the first papers came is no answer
                self._any.clear()
            if self._lock.acquire(blocking=False):
                try:
                    self._read(fresh)
                    self._stamp = stamp
                finally:
                    self._lock.release()
                    self._any.set()  # last: who clears it before finds it set, who clears it after finds no lock
        self._any.wait()  # for the first papers: without them the answer would be wrong
        return self._postings

    def _read(self, fresh: PaperQuerySet) -> None:
        changed_at = dict(fresh.order_by("pk").values_list("pk", "changed_at"))
        have = {paper.paper_id: paper for paper in self._postings.papers}
        lacking = [pk for pk, at in changed_at.items() if self._changed_at.get(pk) != at]
        end = len(lacking)
        while end > 0:
            begin = max(end - (BATCH if self._any.is_set() else FIRST), 0)
            for paper in with_sources(Paper.objects.filter(pk__in=lacking[begin:end])):
                have[paper.paper_id] = paper
            end = begin
            if not self._any.is_set():
                self._publish(have[pk] for pk in changed_at if pk in have)
        self._publish(have[pk] for pk in changed_at if pk in have)
        self._changed_at = changed_at

    def _publish(self, papers: Iterable[Document]) -> None:
        """Show these to the others, made ready so far that none of them has to."""
        postings = Postings(list(papers))
        postings.terms(TEXT_FIELDS)
        self._postings = postings
        self._any.set()


Finding = tuple[Found, Document]


class Finds:
    """The recent papers that hold a line; how well and where is asked of those that are looked at, once each."""

    def __init__(self, query: Query, papers: Postings) -> None:
        self._query = query
        self._papers = [paper for _, paper in QueryIndex([query]).matches(papers)]
        self._found: dict[int, Found | None] = {}

    def __len__(self) -> int:
        return len(self._papers)

    def count(self, ids: Container[int]) -> int:
        """How many of the papers with these ids hold it."""
        return len(self.papers(ids))

    def best(self, most: int, ids: Container[int] | None = None) -> list[Finding]:
        """So many of the papers with these ids, or of all; best first. Of very many, of the newest."""
        return self._in_order(self.papers(ids)[-MOST_ASKED:])[:most]

    def papers(self, ids: Container[int] | None = None) -> list[Document]:
        return self._papers if ids is None else [paper for paper in self._papers if paper.paper_id in ids]

    def paper(self, paper_id: int) -> Document | None:
        """The paper with this id, where it holds the line."""
        return next((paper for paper in self._papers if paper.paper_id == paper_id), None)

    def _in_order(self, papers: Iterable[Document]) -> list[Finding]:
        found = [(one, paper) for paper in papers if (one := self.ask(paper))]
        return sorted(found, key=lambda one: (-round(one[0].weight, 4), one[1].paper_id))

    def ask(self, paper: Document) -> Found | None:
        """Where and how well a paper holds it; remembered."""
        if paper.paper_id not in self._found:
            self._found[paper.paper_id] = self._query.find(paper)
        return self._found[paper.paper_id]


class _Lines:
    """What lines found in the recent papers, kept while these are the same: of a form being typed one line changes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._papers: Postings | None = None
        self._found: OrderedDict[str, Finds] = OrderedDict()
        self._held = 0

    def found(self, node: Node, papers: Postings) -> Finds:
        line = str(node)
        with self._lock:
            if papers is not self._papers:
                self._papers, self._held = papers, 0
                self._found.clear()
            if line in self._found:
                self._found.move_to_end(line)
                return self._found[line]
        found = Finds(Query.of(0, node), papers)
        with self._lock:
            if papers is self._papers and line not in self._found:
                self._found[line] = found
                self._held += len(found)
                while len(self._found) > MOST_LINES or (self._held > MOST_FOUND and len(self._found) > 1):
                    self._held -= len(self._found.popitem(last=False)[1])
        return found


# How close papers are to lines, by line as typed; and by paper, those that say nearly the same.
Voices = tuple[Mapping[str, Floats], Mapping[int, frozenset[int]]]


class _Voices:
    """Closeness and likeness, the other voices of the ranking. They take seconds to make ready when papers came, so
    the thread that keeps this process warm does it, and a preview that would wait long goes without.
    """

    def __init__(self) -> None:
        self._idle = threading.Event()
        self._idle.set()

    def at(self, fresh: Candidates, lines: Mapping[str, str], now: dt.datetime) -> Voices:
        """Of these lines, typed and printed, and of papers that say nearly the same; empty when not ready."""
        if not self._idle.wait(timeout=PATIENCE):
            return {}, {}
        known = corpus.at(fresh.ids.tolist(), now)
        return known.close(lines), known.twins

    @contextmanager
    def being_made(self) -> Iterator[None]:
        self._idle.clear()
        try:
            yield
        finally:
            self._idle.set()


@dataclass(frozen=True, slots=True)
class Sight:
    """What there was at a moment: the recent papers, those a preview may show, and what the ranking knows of them."""

    at: dt.datetime
    newest: int | None  # the last paper that had come
    papers: Postings
    candidates: Candidates
    corpus: corpus.Corpus


class _Lookout:
    """The last sight of the thread that looks whether papers came; without that thread there is none."""

    def __init__(self) -> None:
        self.is_on = False
        self.sight: Sight | None = None
        self._asked = float("-inf")
        self._newest: int | None = None

    def seen(self, now: dt.datetime) -> Sight | None:
        """The sight, while it is young and no paper came since; upvotes and mended texts may be newer. Never an empty
        one: the first papers are seen as soon as they come.
        """
        sight = self.sight
        if not sight or not sight.newest or not dt.timedelta(0) <= now - sight.at < BELIEVED:
            return None
        if time.monotonic() - self._asked > ASKED_EVERY:
            self._newest, self._asked = newest_paper(), time.monotonic()
        return sight if sight.newest == self._newest else None


_recent = _Recent()
_lines = _Lines()
_voices = _Voices()
_lookout = _Lookout()


def newest_paper() -> int | None:
    """By its number: the database has it at the end of an index."""
    found: int | None = Paper.objects.aggregate(last=Max("pk"))["last"]
    return found


def papers(now: dt.datetime) -> Postings:
    """The papers of the last RECENT_DAYS; the same object while they are the same."""
    sight = _lookout.seen(now)
    return sight.papers if sight else _recent.papers(now, COLD if _lookout.is_on else 0.0)


def fresh(now: dt.datetime) -> Candidates:
    """The papers of the last PREVIEW_DAYS."""
    sight = _lookout.seen(now)
    return sight.candidates if sight else read_candidates(now, PREVIEW_DAYS)


def found(node: Node, now: dt.datetime) -> Finds:
    """The papers of the last RECENT_DAYS that a line finds."""
    return _lines.found(node, papers(now))


def voices(of: Candidates, lines: Mapping[str, str], now: dt.datetime) -> Voices:
    """How close these papers are to lines, typed and printed, and which say nearly the same; empty when not ready."""
    sight = _lookout.seen(now)
    if sight and sight.candidates is of:
        return sight.corpus.close(lines), sight.corpus.twins
    return _voices.at(of, lines, now)


def corpus_at(now: dt.datetime) -> corpus.Corpus:
    """What the ranking knows of the last PREVIEW_DAYS: the last there was, where a thread keeps this process warm."""
    if _lookout.sight:
        return _lookout.sight.corpus
    return corpus.at(read_candidates(now, PREVIEW_DAYS).ids.tolist(), now)


def warm_up(now: dt.datetime) -> Sight:
    """Make ready what the first preview would wait for: seconds of work when a process begins or papers came."""
    newest = newest_paper()
    with _voices.being_made():
        recent = _recent.papers(now)
        recent.terms((TITLE,))
        week = read_candidates(now, PREVIEW_DAYS)
        known = corpus.at(week.ids.tolist(), now)
        known.close({"diffusion -rain": "diffusion -rain"})  # any that excludes: what the first needs is kept for all
        _ = known.twins
        known.like(newest or 0, 1)
    recent.label_keys("author")
    for paper in recent.papers[-FILED:]:
        paper.keys()
    return Sight(now, newest, recent, week, known)


def look(now: dt.datetime) -> None:
    """Make all ready, and believe it for a while."""
    _lookout.sight = warm_up(now)


def keep_warm() -> None:
    """For a web process, from its start on: a thread that looks again and again whether papers came."""

    def run() -> None:
        while True:
            try:
                look(timezone.now())
            except DatabaseError as error:  # not there yet, or away for a while
                logger.warning("The previews are not made ready, and are tried again in a while: %s", error)
            finally:
                connection.close()
            time.sleep(LOOK_EVERY.total_seconds())

    _lookout.is_on = True
    threading.Thread(target=run, name="keep previews warm", daemon=True).start()
