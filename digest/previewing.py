"""What somebody would get, before anything is stored: for the sign-up page, the search and the admin."""

from __future__ import annotations

import copy
import datetime as dt
import threading
from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any

from anymail.message import AnymailMessage
from django.db.models import Count, Max, Sum

from digest import corpus
from digest.closeness import is_prose
from digest.composing import compose, show
from digest.matching import describe
from digest.models import Digest, Paper
from digest.models.papers import PaperQuerySet
from digest.percolation import RECENT_DAYS, with_sources
from digest.plans import plans
from digest.postings import Postings
from digest.queries import Query, QueryIndex
from digest.ranking import Day, Hit, Line, Wishes, rank
from digest.selecting import candidates, choose
from subscriptions import schedule
from subscriptions.interests import language
from subscriptions.interests.parser import parse
from subscriptions.models import Subscriber

PREVIEW_DAYS = 7
SEARCH_RESULTS = 50
BATCH = 500  # papers in one IN (...)


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


class _Recent:
    """The recent papers taken apart, kept by this process; only papers that are new or changed are read again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stamp: tuple[Any, ...] = ()
        self._changed_at: dict[int, dt.datetime] = {}
        self._postings = Postings([])

    def papers(self, now: dt.datetime) -> Postings:
        fresh = Paper.objects.fresh(now, days=RECENT_DAYS)
        stamp = tuple(fresh.aggregate(count=Count("pk"), last=Max("pk"), sum=Sum("pk"), at=Max("changed_at")).values())
        with self._lock:
            if stamp != self._stamp:
                self._read(fresh)
                self._stamp = stamp
            return self._postings

    def _read(self, fresh: PaperQuerySet) -> None:
        changed_at = dict(fresh.order_by("pk").values_list("pk", "changed_at"))
        have = {paper.paper_id: paper for paper in self._postings.papers}
        lacking = [pk for pk, at in changed_at.items() if self._changed_at.get(pk) != at]
        for start in range(0, len(lacking), BATCH):
            for paper in with_sources(Paper.objects.filter(pk__in=lacking[start : start + BATCH])):
                have[paper.paper_id] = paper
        self._changed_at = changed_at
        self._postings = Postings([have[pk] for pk in changed_at if pk in have])


_recent = _Recent()


def preview(lines: Sequence[str], now: dt.datetime, *, max_papers: int = 10, trending_share: int = 0) -> Preview:
    """Rank the last days' papers for these lines. Raises InterestError for a line that cannot be read."""
    papers = Paper.objects.fresh(now, days=PREVIEW_DAYS)
    fresh = candidates(papers)
    nodes = [parse(line) for line in lines]
    recent = _recent.papers(now)
    hits = {number: _hits(Query.of(number, node), recent, fresh) for number, node in enumerate(nodes)}
    wished = [
        Line(n, line, language.is_mute(node), is_prose(line), language.is_pin(node))
        for n, (line, node) in enumerate(zip(lines, nodes, strict=True))
    ]
    # The voices of the mail, less the taste of somebody who has said nothing yet.
    known = corpus.at(fresh, now)
    printed = {line: str(node) for line, node in zip(lines, nodes, strict=True) if not language.is_mute(node)}
    day = Day(fresh, hits, close=known.close(printed), twins=known.twins)
    picks = rank(Wishes(tuple(wished), max_papers, trending_share), day)
    counts = [LineCount(line.typed, len(hits[line.interest_id]), len(fresh), line.is_mute) for line in wished]
    return Preview(show(_with_papers(picks)), counts, len(fresh), PREVIEW_DAYS)


def search(line: str, now: dt.datetime) -> list[dict[str, Any]]:
    """The recent papers an interest line finds, best first. Raises InterestError."""
    hits = _hits(Query.of(0, parse(line)), _recent.papers(now))
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


def _hits(query: Query, papers: Postings, only: Container[int] | None = None) -> list[Hit]:
    """How well, and where, the query finds the papers; `only` those of these ids."""
    hits = []
    for _, paper in QueryIndex([query]).matches(papers):
        found = query.find(paper) if only is None or paper.paper_id in only else None
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
    notice = plans([reader], now)[0].notice
    return compose(Digest(subscriber=stand_in, issue_date=date, created_at=now, picks=picks, notice=notice), now)
