"""What somebody would get, before anything is stored: for the sign-up page, the search and the admin."""

from __future__ import annotations

import copy
import datetime as dt
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from anymail.message import AnymailMessage
from django.db import DatabaseError, connection
from django.db.models import Count, Max, Sum
from django.utils import timezone

from digest.composing import compose, show
from digest.matching import TEXT_FIELDS, TITLE, Document, Found, describe
from digest.matching.documents import with_sources
from digest.matching.postings import Postings
from digest.matching.queries import Query, QueryIndex
from digest.models import Digest, Paper
from digest.models.papers import PaperQuerySet
from digest.percolation import RECENT_DAYS
from digest.ranking import INTERESTS, Candidate, Day, Hit, Line, Wishes, corpus, rank
from digest.ranking.closeness import is_prose
from digest.selecting import candidates, choose
from digest.selecting.plans import plans
from subscriptions import schedule
from subscriptions.interests import language
from subscriptions.interests.language import Node
from subscriptions.interests.parser import parse
from subscriptions.models import Subscriber
from subscriptions.signup import Wishes as Wishlist

logger = logging.getLogger(__name__)

PREVIEW_DAYS = 7
SEARCH_RESULTS = 50
BATCH = 500  # papers in one IN (...); the first of them are shown before the others are read
PATIENCE = 1.0  # seconds for which a preview waits for what another thread is making ready
LOOK_EVERY = 60.0  # seconds
MOST_LINES, MOST_FOUND = 1_000, 50_000  # whose findings a process keeps, and findings of all of them


@dataclass(frozen=True, slots=True)
class LineCount:
    """How many of the recent papers one line found."""

    typed: str
    papers: int
    of: int
    is_mute: bool

    @property
    def is_wide(self) -> bool:
        return not self.is_mute and self.of >= 20 and self.papers > self.of // 3


@dataclass(frozen=True, slots=True)
class Preview:
    """What the lines would have brought from the papers of the last days, best first."""

    items: list[dict[str, Any]]
    lines: list[LineCount]
    papers: int
    days: int
    picks: list[dict[str, Any]]  # as a digest holds them


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

    def papers(self, now: dt.datetime) -> Postings:
        fresh = Paper.objects.fresh(now, days=RECENT_DAYS)
        stamp = tuple(fresh.aggregate(count=Count("pk"), last=Max("pk"), sum=Sum("pk"), at=Max("changed_at")).values())
        if stamp != self._stamp and self._lock.acquire(blocking=False):
            try:
                self._read(fresh)
                self._stamp = stamp
            finally:
                self._any.set()
                self._lock.release()
        self._any.wait()  # for the first papers: without them the answer would be wrong
        return self._postings

    def _read(self, fresh: PaperQuerySet) -> None:
        changed_at = dict(fresh.order_by("pk").values_list("pk", "changed_at"))
        have = {paper.paper_id: paper for paper in self._postings.papers}
        lacking = [pk for pk, at in changed_at.items() if self._changed_at.get(pk) != at]
        for end in range(len(lacking), 0, -BATCH):
            for paper in with_sources(Paper.objects.filter(pk__in=lacking[max(end - BATCH, 0) : end])):
                have[paper.paper_id] = paper
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


class _Lines:
    """What lines found in the recent papers, kept while these are the same: of a form being typed one line changes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._papers: Postings | None = None
        self._found: OrderedDict[str, list[Finding]] = OrderedDict()
        self._held = 0

    def found(self, node: Node, papers: Postings) -> list[Finding]:
        """The papers of the line, best first."""
        line = str(node)
        with self._lock:
            if papers is not self._papers:
                self._papers, self._held = papers, 0
                self._found.clear()
            if line in self._found:
                self._found.move_to_end(line)
                return self._found[line]
        query = Query.of(0, node)
        matches = (paper for _, paper in QueryIndex([query]).matches(papers))
        found = [(one, paper) for paper in matches if (one := query.find(paper))]
        found.sort(key=lambda one: (-round(one[0].weight, 4), one[1].paper_id))
        with self._lock:
            if papers is self._papers and line not in self._found:
                self._found[line] = found
                self._held += len(found)
                while len(self._found) > MOST_LINES or (self._held > MOST_FOUND and len(self._found) > 1):
                    self._held -= len(self._found.popitem(last=False)[1])
        return found


class _Voices:
    """Closeness and likeness, the other voices of the ranking. They take seconds to make ready when papers came, so
    the thread that keeps this process warm does it, and a preview that would wait long goes without."""

    def __init__(self) -> None:
        self._idle = threading.Event()
        self._idle.set()

    def at(self, fresh: Mapping[int, Candidate], lines: Mapping[str, str], now: dt.datetime) -> dict[str, Any]:
        """Of these lines, typed and printed, and of papers that say nearly the same; empty when not ready."""
        if not self._idle.wait(timeout=PATIENCE):
            return {}
        known = corpus.at(fresh, now)
        return {"close": known.close(lines), "twins": known.twins}

    @contextmanager
    def being_made(self) -> Iterator[None]:
        self._idle.clear()
        try:
            yield
        finally:
            self._idle.set()


_recent = _Recent()
_lines = _Lines()
_voices = _Voices()


def warm_up(now: dt.datetime) -> None:
    """Make ready what the first preview would wait for: seconds of work when a process begins or papers came."""
    with _voices.being_made():
        papers = _recent.papers(now)
        papers.terms((TITLE,))
        papers.label_keys("author")
        known = corpus.at(candidates(Paper.objects.fresh(now, days=PREVIEW_DAYS)), now)
        known.close({"diffusion -rain": "diffusion -rain"})  # any that excludes: what the first needs is kept for all
        _ = known.twins


def keep_warm() -> None:
    """For a web process, from its start on: a thread that looks every minute whether papers came."""

    def run() -> None:
        while True:
            try:
                warm_up(timezone.now())
            except DatabaseError as error:  # not there yet, or away for a while
                logger.warning("The previews are not made ready, and are tried again in a minute: %s", error)
            finally:
                connection.close()
            time.sleep(LOOK_EVERY)

    threading.Thread(target=run, name="keep previews warm", daemon=True).start()


def preview(lines: Sequence[str], now: dt.datetime, *, max_papers: int = 10, trending_share: int = 0) -> Preview:
    """Rank the last days' papers for these lines. Raises InterestError for a line that cannot be read."""
    papers = Paper.objects.fresh(now, days=PREVIEW_DAYS)
    fresh = candidates(papers)
    nodes = [parse(line) for line in lines]
    recent = _recent.papers(now)
    hits = {number: _hits(_lines.found(node, recent), fresh) for number, node in enumerate(nodes)}
    wished = [
        Line(n, line, language.is_mute(node), is_prose(line), language.is_pin(node))
        for n, (line, node) in enumerate(zip(lines, nodes, strict=True))
    ]
    # The voices of the mail, less the taste of somebody who has said nothing yet.
    printed = {line: str(node) for line, node in zip(lines, nodes, strict=True) if not language.is_mute(node)}
    day = Day(fresh, hits, **_voices.at(fresh, printed, now))
    picks = rank(Wishes(tuple(wished), max_papers, trending_share), day)
    counts = [LineCount(line.typed, len(hits[line.interest_id]), len(fresh), line.is_mute) for line in wished]
    return Preview(show(with_papers(picks)), counts, len(fresh), PREVIEW_DAYS, picks)


def found_by(line: str, now: dt.datetime) -> list[Finding]:
    """The papers of the last RECENT_DAYS that the line finds, best first. Raises InterestError."""
    return _lines.found(parse(line), _recent.papers(now))


def recent_papers(now: dt.datetime) -> Postings:
    """The papers of the last RECENT_DAYS, taken apart; the same object while they are the same."""
    return _recent.papers(now)


def search(line: str, now: dt.datetime) -> list[dict[str, Any]]:
    """The recent papers an interest line finds, best first. Raises InterestError."""
    return show(with_papers([pick_of(line, *one) for one in found_by(line, now)[:SEARCH_RESULTS]]))


def pick_of(line: str, found: Found, paper: Document) -> dict[str, Any]:
    """A pick for what one line found, and no other."""
    points = round(found.weight, 2)
    reason = {"line": line, "points": points, **describe(found, paper)}
    return {"paper": paper.paper_id, "lane": INTERESTS, "points": points, "trend": 0, "reasons": [reason]}


def related(paper: Paper, now: dt.datetime, most: int) -> list[Paper]:
    """The recent papers most like this one, nearest first; none for a paper of long ago."""
    fresh = candidates(Paper.objects.fresh(now, days=PREVIEW_DAYS))
    ids = corpus.at(fresh, now).like(paper.pk, most)
    found = Paper.objects.known().in_bulk(ids)
    return [found[pk] for pk in ids if pk in found]


def _hits(found: Iterable[Finding], only: Container[int]) -> list[Hit]:
    """How well, and where, the papers of these ids were found."""
    return [
        Hit(paper.paper_id, round(one.weight, 4), describe(one, paper))
        for one, paper in found
        if paper.paper_id in only
    ]


def with_papers(picks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    papers = Paper.objects.in_bulk([pick["paper"] for pick in picks])
    return [pick | {"paper": papers[pick["paper"]]} for pick in picks if pick["paper"] in papers]


def mail(wishes: Wishlist, now: dt.datetime) -> AnymailMessage | None:
    """The mail these wishes would have brought from the last days; None when nothing matched. Raises InterestError."""
    found = preview(wishes.lines, now, max_papers=wishes.max_papers, trending_share=wishes.trending_share)
    if not found.picks:
        return None
    reader = Subscriber(email="you@example.org", code="preview", frequency=wishes.frequency, language=wishes.language)
    date = schedule.issue_date(now, wishes.time_zone)
    return compose(Digest(subscriber=reader, issue_date=date, created_at=now, picks=found.picks), now)


def next_mail(reader: Subscriber, now: dt.datetime) -> AnymailMessage | None:
    """The reader's next mail as it would be sent at `now`, stored nowhere; None when nothing matches."""
    digest = next_digest(reader, now)
    return compose(digest, now) if digest else None


def next_digest(reader: Subscriber, now: dt.datetime) -> Digest | None:
    """What that mail would hold.

    Its signed links carry no working token: staff may read over a reader's shoulder, not act for them.
    """
    picks = choose([reader], now)[reader.pk]
    if not picks:
        return None
    stand_in = copy.copy(reader)
    stand_in.code = "preview"
    date = schedule.issue_date(now, reader.time_zone)
    notice = plans([reader], now)[0].notice
    return Digest(subscriber=stand_in, issue_date=date, created_at=now, picks=picks, notice=notice)
