"""The score matrices of this process: what lines say of the candidates of a moment, kept until papers come or change.

What is kept only saves time: it is a function of the rows read. When papers come, only their columns are learned; when
the background is renewed, all of them.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterable, Sequence

import numpy as np

from digest.models import Match, Paper
from digest.relevance.ranking import candidates, corpus
from digest.relevance.ranking.arrays import Ints
from digest.relevance.ranking.candidates import Candidates
from digest.relevance.ranking.closeness import is_prose
from digest.relevance.ranking.packed_columns import Packed, PackedFloats, among, floats, numbers
from digest.relevance.ranking.paper_cache import Lines
from digest.relevance.ranking.score_matrix import NO_HITS, Hits, ScoreMatrix
from subscriptions.models import Interest

TABLE_CELLS = 6 << 20  # kept of a matrix: 48 MB; a new one stands beside it while it takes over what is known
KEPT_WINDOWS = 4  # matrices: the days of dailies and weeklies, and of some pauses
LINES_AT_ONCE = 500  # asked for their closeness: a few MB for each thousand papers


class LearnedScores(ScoreMatrix):
    """A matrix that reads and learns a line when somebody wants it first. `numbers` says which row a line has."""

    def __init__(self, of: Candidates, found: corpus.Corpus, before: LearnedScores | None = None) -> None:
        super().__init__(of, found.twins)
        self.corpus = found
        self.numbers: dict[tuple[int, str], int] = {}
        self.typed: list[str] = []
        self._learned: list[tuple[Ints, Lines]] = []  # the numbers of lines that were learned together
        self._lock = threading.Lock()
        papers = Paper.objects.filter(pk__in=among(of.ids.tolist()))
        self._matched_at = dict(papers.values_list("pk", "matched_at"))
        if before is not None and before.corpus.known.chain is found.known.chain:
            with before._lock:
                self._carry(before)

    @property
    def is_full(self) -> bool:
        return len(self.typed) * max(len(self.ids), 1) > TABLE_CELLS

    def rows_of(self, interests: Ints, typed: list[str]) -> Ints:
        """The number of each line; what no reader before had is read and counted now."""
        lines = list(zip(interests.tolist(), typed, strict=True))
        with self._lock:
            rows = list(map(self.numbers.get, lines))
            if None in rows:
                new = dict.fromkeys(line for line, row in zip(lines, rows, strict=True) if row is None)
                unmatched = self._learn(list(new))
                rows = [self.numbers[line] for line in lines]
                for line in unmatched:  # its matches are still to come: look again next time
                    del self.numbers[line]
        return np.array(rows, np.int64)

    def _carry(self, before: LearnedScores) -> None:
        """Take over what was learned of the papers that are here still, and learn the others' columns."""
        there, stays = before.candidates.columns_of(self.ids)
        of = zip(self.ids.tolist(), stays.tolist(), strict=True)
        stays = np.array([was and before._matched_at[pk] == self._matched_at.get(pk) for pk, was in of], bool)
        self.numbers, self.typed, self.interests = dict(before.numbers), [*before.typed], [*before.interests]
        self._make_room(lines := len(self.typed))
        for name in ("mutes", "pins", "prose"):
            getattr(self, name)[:lines] = getattr(before, name)[:lines]
        old = before.cells[:lines].copy()
        old[before.hits.lines, before.hits.columns] -= before.worth(before.hits)
        self.cells[:lines, stays] = old[:, there[stays]]
        new = self.ids[~stays].tolist()
        for rows, learned in before._learned:
            if new:
                self.cells[np.ix_(rows, ~stays)] = self.closeness(self.corpus.near(learned, new))
            self._forget(rows[line] for line, term in learned.strange if term in self.corpus.known.vocabulary)
        self._learned = [*before._learned]
        columns, is_here = self.candidates.columns_of(before.ids[before.hits.columns])
        is_here[is_here] = stays[columns[is_here]]
        kept = before.hits._replace(columns=columns).which(is_here)
        self.hits = kept.and_more(self._matches(range(lines), new)).sorted()
        self.count(self.hits)

    def _forget(self, numbers: Iterable[int]) -> None:
        """Lines that mean more by now: they are learned anew, under another number, when somebody asks for them."""
        for number in numbers:
            line = self.interests[number], self.typed[number]
            if self.numbers.get(line) == number:
                del self.numbers[line]

    def _learn(self, new: list[tuple[int, str]]) -> set[tuple[int, str]]:
        ids = list({interest for interest, _ in new})
        rows = Interest.objects.filter(pk__in=among(ids)).values_list("pk", "text", "is_mute", "is_pin", "matched_at")
        known = {pk: (text, is_mute, is_pin, matched_at) for pk, text, is_mute, is_pin, matched_at in rows}
        first = len(self.typed)
        self._make_room(len(new))
        for number, (interest, typed) in enumerate(new, first):
            self.numbers[interest, typed] = number
            self.typed.append(typed)
            self.interests.append(interest)
            _, self.mutes[number], self.pins[number], _ = known[interest]
            self.prose[number] = is_prose(typed)
        asked = [number for number in range(first, len(self.typed)) if not self.mutes[number]]
        for start in range(0, len(asked), LINES_AT_ONCE):
            some = asked[start : start + LINES_AT_ONCE]
            learned = self.corpus.known.learn([(self.typed[one], known[self.interests[one]][0]) for one in some])
            self._learned.append((np.array(some), learned))
            self.cells[some] = self.closeness(self.corpus.near(learned, self.ids.tolist()))
        hits = self._matches(range(first, len(self.typed)), self.ids.tolist()).sorted()
        self.count(hits)
        self.hits = self.hits.and_more(hits)
        return {line for line in new if known[line[0]][3] is None}

    def _matches(self, lines: Sequence[int], papers: list[int]) -> Hits:
        """What these lines match among these papers (ids, in order)."""
        if not papers or not lines:
            return NO_HITS
        interests = np.array(self.interests, np.int64)[lines]
        rows = Match.objects.filter(interest__in=among(np.unique(interests).tolist()))
        rows = rows.filter(paper__gte=papers[0], paper__lte=papers[-1])
        packed = rows.aggregate(interest=Packed("interest_id"), paper=Packed("paper_id"), weight=PackedFloats("weight"))
        columns, _ = self.candidates.columns_of(paper := numbers(packed["paper"]))
        is_here = np.isin(paper, papers)
        found = Hits(numbers(packed["interest"]), columns, floats(packed["weight"]))
        found = found.which(is_here)
        found = found.which(np.argsort(found.lines, kind="stable"))
        # One interest may be several lines, typed in different ways.
        begin, end = np.searchsorted(found.lines, interests, "left"), np.searchsorted(found.lines, interests, "right")
        sizes = end - begin
        which = np.repeat(begin - sizes.cumsum() + sizes, sizes) + np.arange(sizes.sum())
        return found.which(which)._replace(lines=np.repeat(np.array(lines, np.int64), sizes))

    def _make_room(self, lines: int) -> None:
        have, need = len(self.cells), len(self.typed) + (lines if len(self.cells) else 0)
        need = max(need, lines)
        if need > have:  # all there may be at once: what is not used yet takes no memory
            room = max(need, TABLE_CELLS // max(len(self.ids), 1))
            for name in ("cells", "mutes", "pins", "prose"):
                held = getattr(self, name)
                more = np.zeros((room, *held.shape[1:]), held.dtype)
                more[:have] = held
                setattr(self, name, more)


class ScoreCache:
    """The matrices of a process, one for each window of days."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[int | None, LearnedScores] = {}

    def at(self, now: dt.datetime, days: int | None = None) -> tuple[LearnedScores, Candidates]:
        """The candidates of this moment, of the last `days` (None: the setting's), and their matrix."""
        of = candidates.read(now, days)
        with self._lock:
            kept = self._kept.get(days)
            found = corpus.at(of.ids.tolist(), now)
            if kept is None or kept.is_full:
                kept = LearnedScores(of, found)
            elif kept.candidates.stamp != of.stamp or kept.corpus.known is not found.known:
                kept = LearnedScores(of, found, kept)
            if len(self._kept) >= KEPT_WINDOWS and days not in self._kept:
                self._kept.clear()
            self._kept[days] = kept
            return kept, of


_cache = ScoreCache()


def at(now: dt.datetime, days: int | None = None) -> tuple[LearnedScores, Candidates]:
    """The candidates of this moment and their matrix, from this process's cache."""
    return _cache.at(now, days)
