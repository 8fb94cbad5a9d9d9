"""The recent papers as the ranking sees them: read once, kept by this process until papers come or change.

What is kept only saves time: it is a function of the rows and the moment asked for.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from django.db.models import Count, Max

from digest.matching.documents import with_sources
from digest.matching.postings import Postings
from digest.models import Paper
from digest.ranking import Candidate, in_order
from digest.ranking.closeness import Nearness, says_itself, terms_of
from digest.ranking.exclusions import excluded, kept_out
from digest.ranking.taste import Likeness, Taste, taste, trust
from digest.vectors import Background, Floats, Text, Vocabulary
from subscriptions.interests.language import Node
from subscriptions.interests.parser import InterestError, reread

BACKGROUND = 2000  # papers: some weeks of the dailies; more changed nothing that could be measured
ALIKE = 2.0  # in units of how far two papers taken at random are apart
_KEPT_LINES = 5_000  # a float for each paper: 50 MB
_KEPT_CORPORA = 4  # windows of a moment

Row = tuple[int, str, str, list[str]]  # of a paper: id, title, abstract, authors


class Known:
    """Papers read and counted: the background of a moment, and what may be a candidate then."""

    def __init__(self, rows: Sequence[Row], older: Sequence[Row] = ()) -> None:
        """The background, newest last, and candidates older than that."""
        every = [*rows, *older]
        self.vocabulary = Vocabulary()
        self.place = {row[0]: place for place, row in enumerate(every)}
        self.texts = [Text.of(title, abstract, self.vocabulary) for _, title, abstract, _ in every]
        self.authors = [authors for *_, authors in every]
        self.background = Background(self.texts[: len(rows)])
        self.kept: dict[str, Floats] = {}

    @cached_property
    def nearness(self) -> Nearness:
        return Nearness(self.background, self.texts, self.vocabulary)

    @cached_property
    def likeness(self) -> Likeness:
        return Likeness(self.background, self.texts, len(self.vocabulary), self.authors)

    def near(self, lines: Sequence[tuple[str, str]]) -> Floats:
        """(lines, papers): how close each paper is to lines, given as typed and printed."""
        if not lines or not self.texts:
            return np.zeros((len(lines), len(self.texts)), np.float32)
        nodes = [None if says_itself(typed) else _node(printed) for typed, printed in lines]
        asked = [terms_of(typed, node) for (typed, _), node in zip(lines, nodes, strict=True)]
        near: Floats = self.nearness.to(asked).astype(np.float32)
        if any(node and excluded(node) for node in nodes):
            for line, paper_id in kept_out(nodes, self._postings):
                near[line, self.place[paper_id]] = 0.0
        return near.astype(np.float32)

    @cached_property
    def _postings(self) -> Postings:
        """The papers taken apart for matching; some 3 s for 2,300, and only when a line excludes something."""
        return Postings(list(with_sources(Paper.objects.filter(pk__in=list(self.place)))))


class Corpus:
    """Candidates before their background. Arrays over candidates are in the order of `in_order`."""

    def __init__(self, known: Known, candidates: Mapping[int, Candidate]) -> None:
        self.known, self.candidates = known, candidates

    @cached_property
    def order(self) -> Any:
        return np.array([self.known.place[paper_id] for paper_id in in_order(self.candidates.values())], np.int64)

    @cached_property
    def twins(self) -> dict[int, frozenset[int]]:
        """By paper, the candidates that say nearly the same."""
        ids = list(self.known.place)
        near: dict[int, set[int]] = {}
        for one, other in self.known.likeness.twins(self.order):
            near.setdefault(ids[one], set()).add(ids[other])
            near.setdefault(ids[other], set()).add(ids[one])
        return {paper_id: frozenset(others) for paper_id, others in near.items()}

    def close(self, lines: Mapping[str, str]) -> dict[str, Floats]:
        """How close the candidates are to lines, given as typed with their printed form."""
        kept = self.known.kept
        new = [typed for typed in lines if typed not in kept]
        if len(kept) + len(new) > _KEPT_LINES:
            kept.clear()
            new = list(lines)
        if len(self.order):
            kept |= dict(zip(new, self.known.near([(typed, lines[typed]) for typed in new]), strict=True))
        return {typed: kept[typed][self.order] for typed in lines if typed in kept}

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
        near = [kept[typed] for typed in lines if typed in kept]
        return trust(np.array(near), liked, len(self.known.background.texts)) if near else 1.0


def _node(printed: str) -> Node | None:
    """None for a line that cannot be read any more, after a change of the language say: it is a bag of words."""
    try:
        return reread(printed)
    except InterestError:
        return None


class _Kept:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stamp: tuple[Any, ...] = ()
        self._known = Known([])
        self._corpora: dict[tuple[int, ...], Corpus] = {}

    def at(self, candidates: Mapping[int, Candidate], now: dt.datetime) -> Corpus:
        known = Paper.objects.filter(first_listed_on__lte=now.date()).order_by("-first_listed_on", "-pk")
        changes = known.order_by().aggregate(count=Count("pk"), last=Max("pk"), changed=Max("changed_at"))
        stamp = (*changes.values(), now.date())
        order = tuple(in_order(candidates.values()))
        with self._lock:
            if stamp != self._stamp or not self._known.place.keys() >= candidates.keys():
                rows = {row[0]: row for row in _rows(known[:BACKGROUND])}
                missing = [paper_id for paper_id in candidates if paper_id not in rows]
                older = list(_rows(Paper.objects.filter(pk__in=missing).order_by("pk")))
                self._known = Known(list(reversed(rows.values())), older)
                self._stamp, self._corpora = stamp, {}
            if order not in self._corpora:
                if len(self._corpora) >= _KEPT_CORPORA:
                    self._corpora.clear()
                self._corpora[order] = Corpus(self._known, candidates)
            return self._corpora[order]


def _rows(papers: Any) -> Iterable[Row]:
    found: Iterable[Row] = papers.values_list("pk", "title", "abstract", "authors")
    return found


_kept = _Kept()


def at(candidates: Mapping[int, Candidate], now: dt.datetime) -> Corpus:
    """The corpus of this moment."""
    return _kept.at(candidates, now)
