"""What lines say of the candidates of a moment, as one array, kept by this process until papers come or change.

A row a line, a column a paper, and in each cell four numbers side by side, so that the cells of a reader's lines are
added in one go: the hundredths of points, the finer steps (`ranking.STEPS`), how many lines want the paper and how
many match it. Each has room for MAX_LINES lines. What is kept only saves time: it is a function of the rows read.
When papers come, only their columns are learned; when the background is renewed, all.
"""

from __future__ import annotations

import datetime as dt
import math
import threading
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from digest.models import Match, Paper
from digest.picks.selection.arrays import MAX_LINES, Ints
from digest.picks.selection.read_arrays import Packed, PackedFloats, among, floats, numbers
from digest.picks.selection.standing import News, Standing, news
from digest.relevance.ranking import corpus
from digest.relevance.ranking.closeness import is_prose
from digest.relevance.ranking.paper_cache import Lines
from digest.relevance.ranking.rank import Day, hundredths, steps
from digest.relevance.vectors import Floats
from subscriptions.models import Interest

# Bits of a cell, from the lowest: matched, wanted, finer steps, hundredths.
COUNT_BITS = (2 * MAX_LINES).bit_length()  # a line may want a paper twice: it matches, and is close
FINE_SHIFT, FINE_BITS = 2 * COUNT_BITS, 26
POINTS_SHIFT = FINE_SHIFT + FINE_BITS
MATCHED, WANTED = 1, 1 << COUNT_BITS

TABLE_CELLS = 6 << 20  # kept of a board: 48 MB; a new one stands beside it while it takes over what is known
KEPT_WINDOWS = 4  # boards: the days of dailies and weeklies, and of some pauses
LINES_AT_ONCE = 500  # asked for their closeness: a few MB for each thousand papers


class Hits(NamedTuple):
    """Matches of lines: line, column and weight; by line, and by column in each."""

    lines: Ints
    columns: Ints
    weights: NDArray[np.float64]

    def which(self, places: Any) -> Hits:
        return Hits(*(one[places] for one in self))

    def sorted(self) -> Hits:
        return self.which(np.lexsort((self.columns, self.lines)))

    def and_more(self, more: Hits) -> Hits:
        return Hits(*(np.concatenate(both) for both in zip(self, more, strict=True)))


class Board:
    """What lines say of these candidates. Lines are known by number, papers by column: the ids in their order."""

    def __init__(self, of: News, found: corpus.Corpus, before: Board | None = None) -> None:
        self.ids, self.stamp, self.corpus, self.twins = of.ids, of.stamp, found, found.twins
        self.oldest = of.oldest
        self.numbers: dict[tuple[int, str], int] = {}
        self.typed: list[str] = []
        self.interests: list[int] = []
        self.cells = np.zeros((0, len(of.ids)), np.int64)
        self.mutes = np.zeros(0, bool)
        self.pins = np.zeros(0, bool)
        self.prose = np.zeros(0, bool)
        self._hold(_NO_HITS)
        self._learned: list[tuple[Ints, Lines]] = []  # the numbers of lines that were learned together
        self._lock = threading.Lock()
        papers = Paper.objects.filter(pk__in=among(of.ids.tolist()))
        self._matched_at = dict(papers.values_list("pk", "matched_at"))
        if before is not None and before.corpus.known.chain is found.known.chain:
            with before._lock:
                self._carry(before)

    @cached_property
    def twin_columns(self) -> NDArray[np.bool_]:
        return np.isin(self.ids, list(self.twins))

    @cached_property
    def _rarity(self) -> NDArray[np.float64]:
        """By how many papers a line matches; as `Day.found` counts it, to the last bit."""
        return np.array([0.0] + [math.log(1 + len(self.ids) / found) for found in range(1, len(self.ids) + 1)])

    @property
    def is_full(self) -> bool:
        return len(self.typed) * max(len(self.ids), 1) > TABLE_CELLS

    def columns_of(self, papers: Ints) -> tuple[Ints, NDArray[np.bool_]]:
        """The column of each paper (id), and whether it has one."""
        if not len(self.ids):
            return np.zeros(len(papers), np.int64), np.zeros(len(papers), bool)
        columns = np.minimum(np.searchsorted(self.ids, papers), len(self.ids) - 1)
        return columns, self.ids[columns] == papers

    def found(self, line: int) -> slice:
        """The hits of a line."""
        return slice(*np.searchsorted(self.hits.lines, (line, line + 1)).tolist())

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

    def _hold(self, hits: Hits) -> None:
        self.hits = hits

    def _carry(self, before: Board) -> None:
        """Take over what was learned of the papers that are here still, and learn the others' columns."""
        there, stays = before.columns_of(self.ids)
        of = zip(self.ids.tolist(), stays.tolist(), strict=True)
        stays = np.array([was and before._matched_at[pk] == self._matched_at.get(pk) for pk, was in of], bool)
        self.numbers, self.typed, self.interests = dict(before.numbers), [*before.typed], [*before.interests]
        self._make_room(lines := len(self.typed))
        for name in ("mutes", "pins", "prose"):
            getattr(self, name)[:lines] = getattr(before, name)[:lines]
        old = before.cells[:lines].copy()
        old[before.hits.lines, before.hits.columns] -= before._worth(before.hits)
        self.cells[:lines, stays] = old[:, there[stays]]
        new = self.ids[~stays].tolist()
        for rows, learned in before._learned:
            if new:
                self.cells[np.ix_(rows, ~stays)] = _cells(self.corpus.near(learned, new))
            self._forget(rows[line] for line, term in learned.strange if term in self.corpus.known.vocabulary)
        self._learned = [*before._learned]
        columns, is_here = self.columns_of(before.ids[before.hits.columns])
        is_here[is_here] = stays[columns[is_here]]
        kept = before.hits._replace(columns=columns).which(is_here)
        self._hold(kept.and_more(self._matches(range(lines), new)).sorted())
        self._count(self.hits)

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
            self.cells[some] = _cells(self.corpus.near(learned, self.ids.tolist()))
        hits = self._matches(range(first, len(self.typed)), self.ids.tolist()).sorted()
        self._count(hits)
        self._hold(self.hits.and_more(hits))
        return {line for line in new if known[line[0]][3] is None}

    def _matches(self, lines: Sequence[int], papers: list[int]) -> Hits:
        """What these lines match among these papers (ids, in order)."""
        if not papers or not lines:
            return _NO_HITS
        interests = np.array(self.interests, np.int64)[lines]
        rows = Match.objects.filter(interest__in=among(np.unique(interests).tolist()))
        rows = rows.filter(paper__gte=papers[0], paper__lte=papers[-1])
        packed = rows.aggregate(interest=Packed("interest_id"), paper=Packed("paper_id"), weight=PackedFloats("weight"))
        columns, _ = self.columns_of(paper := numbers(packed["paper"]))
        is_here = np.isin(paper, papers)
        found = Hits(numbers(packed["interest"]), columns, floats(packed["weight"]))
        found = found.which(is_here)
        found = found.which(np.argsort(found.lines, kind="stable"))
        # One interest may be several lines, typed in different ways.
        begin, end = np.searchsorted(found.lines, interests, "left"), np.searchsorted(found.lines, interests, "right")
        sizes = end - begin
        which = np.repeat(begin - sizes.cumsum() + sizes, sizes) + np.arange(sizes.sum())
        return found.which(which)._replace(lines=np.repeat(np.array(lines, np.int64), sizes))

    def _worth(self, hits: Hits) -> Ints:
        """What exact matches add to their cells. Nothing for a mute, or for a sentence, which only comes close."""
        found = np.bincount(hits.lines, minlength=len(self.typed))
        worth = (hundredths(hits.weights * self._rarity[found[hits.lines]]) << POINTS_SHIFT) + MATCHED + WANTED
        silent = (self.mutes | self.prose)[hits.lines]
        worth[silent] = 0
        return worth

    def _count(self, hits: Hits) -> None:
        self.cells[hits.lines, hits.columns] += self._worth(hits)

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


def _cells(close: Floats) -> Ints:
    """For closeness alone, as `Day.near` and `rank` count it."""
    squares = _SCALE.close * close**2
    cells = (hundredths(squares) << POINTS_SHIFT) + (steps(squares) << FINE_SHIFT)
    cells += (close >= _SCALE.close_enough) * np.int64(WANTED)
    return cells


_NONE = np.zeros(0, np.int64)
_NO_HITS = Hits(_NONE, _NONE, np.zeros(0))
_SCALE = Day({}, {}).scale


class _Kept:
    """The boards of this process, one for each window of days."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._boards: dict[int | None, tuple[Board, Standing]] = {}

    def at(self, now: dt.datetime, days: int | None) -> tuple[Board, Standing]:
        of = news(now, days)
        with self._lock:
            board, standing = self._boards.get(days, (None, None))
            if standing is None or not standing.is_of(of):
                standing = Standing(of)
            found = corpus.at(standing.day.candidates, now)
            if board is None or board.is_full:
                board = Board(of, found)
            elif board.stamp != of.stamp or board.corpus.known is not found.known:
                board = Board(of, found, board)
            if len(self._boards) >= KEPT_WINDOWS and days not in self._boards:
                self._boards.clear()
            self._boards[days] = board, standing
            return board, standing


_kept = _Kept()


def at(now: dt.datetime, days: int | None = None) -> tuple[Board, Standing]:
    """The board of this moment and of the papers of the last `days` (the setting's, if none are named)."""
    return _kept.at(now, days)
