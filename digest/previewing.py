"""What somebody would get, before anything is stored: for the sign-up page, the search and the admin."""

from __future__ import annotations

import copy
import datetime as dt
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from anymail.message import AnymailMessage
from django.db.models import Count, Max

from digest.composing import compose, show
from digest.matching import Document, describe
from digest.models import Digest, Paper
from digest.percolation import RECENT_DAYS, with_sources
from digest.queries import Query
from digest.ranking import Candidate, Day, Hit, Line, Wishes, rank
from digest.selecting import choose
from subscriptions import schedule
from subscriptions.interests import language
from subscriptions.interests.parser import parse
from subscriptions.models import Subscriber

PREVIEW_DAYS = 7
SEARCH_RESULTS = 50


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


class _Documents:
    """The recent papers taken apart, kept by this process until a paper changes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stamp: tuple[Any, ...] = ()
        self._documents: list[Document] = []

    def recent(self, now: dt.datetime) -> list[Document]:
        fresh = Paper.objects.fresh(now, days=RECENT_DAYS)
        found = fresh.aggregate(count=Count("pk"), last=Max("pk"), changed=Max("changed_at"))
        stamp = tuple(found.values())
        with self._lock:
            if stamp != self._stamp:
                self._documents = list(with_sources(fresh))
                self._stamp = stamp
            return self._documents


_documents = _Documents()


def preview(lines: Sequence[str], now: dt.datetime, *, max_papers: int = 10, trending_share: int = 0) -> Preview:
    """Rank the last days' papers for these lines. Raises InterestError for a line that cannot be read."""
    fresh = {
        pk: Candidate(pk, upvotes)
        for pk, upvotes in Paper.objects.fresh(now, days=PREVIEW_DAYS).values_list("pk", "upvotes")
    }
    nodes = [parse(line) for line in lines]
    documents = [paper for paper in _documents.recent(now) if paper.paper_id in fresh]
    hits = {number: _hits(Query.of(number, node), documents) for number, node in enumerate(nodes)}
    wished = [Line(n, line, language.is_mute(node)) for n, (line, node) in enumerate(zip(lines, nodes, strict=True))]
    picks = rank(Wishes(tuple(wished), max_papers, trending_share), Day(fresh, hits))
    counts = [LineCount(line.typed, len(hits[line.interest_id]), len(fresh), line.is_mute) for line in wished]
    return Preview(show(_with_papers(picks)), counts, len(fresh), PREVIEW_DAYS)


def search(line: str, now: dt.datetime) -> list[dict[str, Any]]:
    """The recent papers an interest line finds, best first. Raises InterestError."""
    hits = _hits(Query.of(0, parse(line)), _documents.recent(now))
    hits.sort(key=lambda hit: (-hit.weight, hit.paper_id))
    picks = [
        {
            "paper": hit.paper_id,
            "lane": "interests",
            "points": round(hit.weight, 2),
            "trend": 0,
            "reasons": [{"line": line, "points": round(hit.weight, 2), **hit.places}],
        }
        for hit in hits[:SEARCH_RESULTS]
    ]
    return show(_with_papers(picks))


def _hits(query: Query, documents: Sequence[Document]) -> list[Hit]:
    hits = []
    for paper in documents:
        # Most papers lack the word a line cannot match without: ask that first.
        if query.gates is not None and not any(gate in paper.title or gate in paper.abstract for gate in query.gates):
            continue
        found = query.find(paper)
        if found:
            hits.append(Hit(paper.paper_id, round(found.weight, 4), describe(found, paper)))
    return hits


def _with_papers(picks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    papers = Paper.objects.in_bulk([pick["paper"] for pick in picks])
    return [pick | {"paper": papers[pick["paper"]]} for pick in picks if pick["paper"] in papers]


def next_mail(reader: Subscriber, now: dt.datetime) -> AnymailMessage | None:
    """The reader's next mail as it would be sent at `now`, stored nowhere; None when nothing matches.

    Its signed links carry no working token: staff may read over a reader's shoulder, not act for them.
    """
    picks = choose([reader], now)[reader.pk]
    if not picks:
        return None
    stand_in = copy.copy(reader)
    stand_in.code = "preview"
    date = schedule.issue_date(now, reader.time_zone)
    return compose(Digest(subscriber=stand_in, issue_date=date, created_at=now, picks=picks), now)
