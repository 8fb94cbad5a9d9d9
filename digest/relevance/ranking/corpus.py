"""The recent papers as the ranking sees them: read once, kept by this process until papers come or change.

What is kept only saves time: it is a function of the rows and the moment asked for. The background is renewed on
Mondays, so that what was learned of a line and a paper on one morning holds on the next.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from django.db.models import Count, Max, Q

from digest.models import Paper
from digest.models.papers import PaperQuerySet
from digest.relevance.matching.documents import with_sources
from digest.relevance.matching.postings import Postings
from digest.relevance.ranking.exclusions import kept_out
from digest.relevance.ranking.paper_cache import Known, Lines, Row, fingerprint
from digest.relevance.ranking.taste import Taste, taste, trust
from digest.relevance.vectors import Floats, Text, Vocabulary
from subscriptions.interests.language import Node

BACKGROUND = 2000  # papers: some weeks of the dailies; more changed nothing that could be measured
ALIKE = 2.0  # in units of how far two papers taken at random are apart
_KEPT_LINES = 5_000  # a float for each paper: 50 MB
_KEPT_CORPORA = 4  # windows of a moment
SETTLED = 0.8  # of the background from before this week; a younger service renews it with each day's papers


class Corpus:
    """Candidates (ids, ascending) before their background. Arrays over candidates have a column for each."""

    def __init__(self, known: Known, ids: Sequence[int]) -> None:
        self.known, self.ids = known, ids
        self._close: dict[str, Floats] = {}

    @cached_property
    def order(self) -> Any:
        return np.array([self.known.place[paper_id] for paper_id in self.ids], np.int64)

    @cached_property
    def twins(self) -> dict[int, frozenset[int]]:
        """By paper, the candidates that say nearly the same."""
        ids = list(self.known.place)
        near: dict[int, set[int]] = {}
        for one, other in self.known.twins(self.order):
            near.setdefault(ids[one], set()).add(ids[other])
            near.setdefault(ids[other], set()).add(ids[one])
        return {paper_id: frozenset(others) for paper_id, others in near.items()}

    def close(self, lines: Mapping[str, str]) -> dict[str, Floats]:
        """How close the candidates are to lines, given as typed with their printed form."""
        new = {typed: printed for typed, printed in lines.items() if typed not in self._close}
        if len(self._close) + len(new) > _KEPT_LINES:
            self._close, new = {}, dict(lines)
        if len(self.order) and new:
            self._learn(new)
        return {typed: self._close[typed] for typed in lines if typed in self._close}

    def _learn(self, lines: Mapping[str, str]) -> None:
        kept = self.known.kept
        new = [line for line in lines.items() if line[0] not in kept]
        if new:
            if len(kept) + len(new) > _KEPT_LINES:
                kept.clear()
                new = list(lines.items())
            learned = self.known.learn(new)
            near: Floats = self.known.nearness.of(learned.asked).astype(np.float32)
            for (typed, _), node, row in zip(new, learned.nodes, near, strict=True):
                kept[typed] = node, row
        nodes, rows = [kept[typed][0] for typed in lines], np.array([kept[typed][1] for typed in lines])
        close = self.barred(nodes, rows[:, self.order], self.ids)
        self._close |= dict(zip(lines, close, strict=True))

    def near(self, lines: Lines, papers: Sequence[int]) -> Floats:
        """(lines, papers): how close these papers (ids) are to lines learned on this chain."""
        places = np.array([self.known.place[paper] for paper in papers], np.int64)
        near: Floats = self.known.nearness.of(lines.asked, places).astype(np.float32)
        return self.barred(lines.nodes, near, papers)

    def barred(self, nodes: Sequence[Node | None], near: Floats, papers: Sequence[int]) -> Floats:
        """The same, with nothing left of what the lines exclude."""
        if any(nodes):
            column = {paper: place for place, paper in enumerate(papers)}
            for line, paper in kept_out(nodes, self._postings(tuple(papers))):
                near[line, column[paper]] = 0.0
        return near

    def _postings(self, papers: tuple[int, ...]) -> Postings:
        """These papers taken apart for matching, each once as long as it stays as it is."""
        if papers not in self._taken_apart:
            held = self.known.documents
            stamps = dict(Paper.objects.filter(pk__in=papers).values_list("pk", "changed_at"))
            lacking = [pk for pk, at in stamps.items() if pk not in held or held[pk][0] != at]
            for one in with_sources(Paper.objects.filter(pk__in=lacking)):
                held[one.paper_id] = stamps[one.paper_id], one
            self._taken_apart[papers] = Postings([held[pk][1] for pk in papers if pk in held])
        return self._taken_apart[papers]

    @cached_property
    def _taken_apart(self) -> dict[tuple[int, ...], Postings]:
        return {}

    def like(self, paper_id: int, most: int) -> list[int]:
        """The papers most like this one among all it holds, nearest first; none that is hardly like it."""
        place = self.known.place
        if paper_id not in place:
            return []
        here, ids = place[paper_id], np.array(list(place))
        alike = self.known.likeness.to_candidates(np.array([here]), np.arange(len(ids)))[0]
        alike[here] = -np.inf
        nearest = np.argsort(-alike, kind="stable")[:most]
        return [int(paper) for paper in ids[nearest[alike[nearest] >= ALIKE]]]

    def tastes(self, said: Mapping[int, Mapping[int, float]], lines: Mapping[int, Sequence[str]]) -> dict[int, Taste]:
        """By reader, from what each said of papers, and from the lines each typed, asked of `close` before.

        One query for papers older than the corpus.
        """
        if not said:
            return {}
        known = self.known
        papers = sorted({paper for of_one in said.values() for paper in of_one})
        older = [paper for paper in papers if paper not in known.place]
        found = list(_rows(Paper.objects.filter(pk__in=older).order_by("pk")))
        scratch = Vocabulary(known.vocabulary)
        texts = [Text.of(title, abstract, scratch) for _, title, abstract, _ in found]
        likeness = known.likeness.extended(texts, [authors for *_, authors in found])
        place = known.place | {row[0]: len(known.texts) + number for number, row in enumerate(found)}
        rows = {paper: number for number, paper in enumerate(paper for paper in papers if paper in place)}
        alike = likeness.to_candidates(np.array([place[paper] for paper in rows], np.int64), self.order)
        learned = {reader: taste(of_one, rows, alike) for reader, of_one in said.items()}
        return {
            reader: replace(one, trust=self._trust(said[reader], lines.get(reader, ())))
            for reader, one in learned.items()
            if one is not None
        }

    def _trust(self, said: Mapping[int, float], lines: Sequence[str]) -> float:
        place, kept = self.known.place, self.known.kept
        liked = [place[paper] for paper, weight in said.items() if weight > 0 and paper in place]
        near = [kept[typed][1] for typed in lines if typed in kept]
        return trust(np.array(near), liked, len(self.known.background.texts)) if near else 1.0


class _Kept:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stamp: tuple[Any, ...] = ()
        self._base = self._known = Known([])
        self._aside: dict[tuple[int, ...], Known] = {}
        self._corpora: dict[tuple[int, ...], Corpus] = {}

    def at(self, ids: Sequence[int], now: dt.datetime) -> Corpus:
        today = now.date()
        monday = today - dt.timedelta(days=today.weekday())
        listed = Paper.objects.filter(first_listed_on__lte=today)
        seen = listed.aggregate(
            count=Count("pk"), last=Max("pk"), changed=Max("changed_at"),
            before=Count("pk", filter=Q(first_listed_on__lt=monday)),
        )  # fmt: skip
        is_settled = min(seen["before"], BACKGROUND) >= SETTLED * min(seen["count"], BACKGROUND)
        end = monday if is_settled else today + dt.timedelta(days=1)
        order = tuple(ids)
        with self._lock:
            if (stamp := (end, *seen.values())) != self._stamp:
                self._read(listed, end)
                self._stamp, self._aside, self._corpora = stamp, {}, {}
            if order not in self._corpora:
                if len(self._corpora) >= _KEPT_CORPORA:
                    self._corpora.clear()
                self._corpora[order] = Corpus(self._with(sorted(set(ids) - self._known.place.keys())), ids)
            return self._corpora[order]

    def _read(self, listed: PaperQuerySet, end: dt.date) -> None:
        """The background ends before that day; what came since is added as it comes."""
        newest = listed.filter(first_listed_on__lt=end).order_by("-first_listed_on", "-pk")[:BACKGROUND]
        rows = list(_rows(newest))[::-1]
        if {row[0]: fingerprint(row) for row in rows} != self._base.prints:
            self._base = self._known = Known(rows)
        since = list(_rows(listed.filter(first_listed_on__gte=end).order_by("first_listed_on", "pk")))
        prints = self._base.prints | {row[0]: fingerprint(row) for row in since}
        stays = self._known.prints.items() <= prints.items()
        before = self._known if stays else self._base  # one that came since may be changed, or gone
        new = [row for row in since if row[0] not in before.place]
        if new or not stays:
            self._known = before.extended(new, apart=not stays)

    def _with(self, older: Sequence[int]) -> Known:
        """And papers older than the background."""
        key = tuple(older)
        if key and key not in self._aside:
            rows = list(_rows(Paper.objects.filter(pk__in=older).order_by("pk")))
            self._aside[key] = self._known.extended(rows, apart=True)
        return self._aside[key] if key else self._known


def _rows(papers: Any) -> Iterable[Row]:
    found: Iterable[Row] = papers.values_list("pk", "title", "abstract", "authors")
    return found


_kept = _Kept()


def at(ids: Sequence[int], now: dt.datetime) -> Corpus:
    """The corpus of this moment for these candidates (ids, ascending)."""
    return _kept.at(ids, now)
