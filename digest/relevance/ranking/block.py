"""A block of subscribers as one table: the points of each paper for each subscriber, and the best of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from digest.relevance.ranking.arrays import Ints, Rows, largest, sums
from digest.relevance.ranking.candidates import Candidates
from digest.relevance.ranking.near_duplicates import spread
from digest.relevance.ranking.scale import LINES_BESIDE_TASTE, hundredths, steps
from digest.relevance.ranking.score_matrix import (
    FINE_BITS,
    FINE_MASK,
    FINE_SHIFT,
    WANTED,
    ScoreMatrix,
)
from digest.relevance.ranking.taste import Taste

PIN = np.int64(1) << 61  # in a key: above all points
UNWANTED = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True)
class Requests:
    """What subscribers want of a matrix: lines by row, mutes too; how many papers in each lane; the pairs
    (subscriber, column) they have had, subscribers in order; and the taste of those who gave feedback.
    """

    lines: Rows
    most: Ints
    share: Ints
    overflow: Ints
    had: tuple[Ints, Ints]
    tastes: Mapping[int, Taste] = field(default_factory=dict)


class Block:
    """Subscribers with room for as many papers, and what they get: `columns` best first, -1 where there are no more,
    with their `points`; `cut` says by (subscriber, slot) what a near-duplicate lost, and the id of the one above.
    """

    def __init__(
        self, matrix: ScoreMatrix, candidates: Candidates, requests: Requests, of: Ints, most: int,
        refused: tuple[Ints, Ints],
    ) -> None:  # fmt: skip
        self.matrix, self.candidates, self.most = matrix, candidates, min(most, len(matrix.ids))
        self.trend = candidates.trend(matrix.scale)
        self.share, self.kept = requests.share[of], requests.most[of]
        self.tastes = {row: requests.tastes[one] for row, one in enumerate(of.tolist()) if one in requests.tastes}
        lines = requests.lines.take(of)
        owners = lines.owners()
        self.refused = _of_subscribers(refused, of)
        pins = matrix.pins[lines.items]
        self.pinned = matched_by(matrix, lines.items[pins], owners[pins])
        asking = ~matrix.mutes[lines.items]
        self.owners = owners[asking]
        ends = np.concatenate([[0], np.cumsum(np.bincount(self.owners, minlength=len(of)))])
        self.lines = Rows(ends, lines.items[asking])
        cells = sums(matrix.cells, self.lines)
        self.wanted = (cells & (WANTED * (WANTED - 1))) != 0
        self.scores = cells >> FINE_SHIFT  # hundredths, and the finer steps below them
        for row, taste in self.tastes.items():
            self._add_taste(row, taste)
        self.wanted[self.refused] = False
        self.cut: dict[tuple[int, int], tuple[int, int]] = {}
        self.columns, self.points = self._best() if self.most else _nobody(len(of))
        if self.most and matrix.twins:
            self._spread()

    def _add_taste(self, row: int, taste: Taste) -> None:
        """Beside a taste, lines count by the logarithm, and as far as they are trusted: else the third line that finds
        a paper would drown what the feedback says of it.
        """
        scale, scores = self.matrix.scale, self.scores[row]
        lines = taste.trust * LINES_BESIDE_TASTE * np.log1p((scores >> FINE_BITS) / 100)
        points = hundredths(lines) + hundredths(scale.taste * taste.degree)
        finer = (scores & FINE_MASK) + steps(scale.taste * taste.degree)
        self.scores[row] = (points << FINE_BITS) + finer
        self.wanted[row] |= taste.degree >= scale.to_taste
        self.wanted[row] &= points >= 100 * scale.least  # else what the feedback says against it weighs more

    def _best(self) -> tuple[Ints, Ints]:
        """The papers with the most points, then the most steps, then the first place. One number, a key, says all."""
        papers, places = len(self.matrix.ids), self.candidates.places
        width = papers.bit_length()
        keys: Ints = self.scores << width
        keys += (self.trend << (FINE_BITS + width)) + (papers - places)
        if len(self.pinned[0]):
            keys[self.pinned] += PIN
        keys[~self.wanted] = UNWANTED
        keys = largest(keys, self.most)
        given = keys != UNWANTED
        found = self.candidates.columns[papers - np.where(given, keys & ((1 << width) - 1), papers)]
        columns: Ints = np.where(given, found, -1)
        rows = np.arange(len(columns))[:, None]
        points = np.where(given, self.points_of(rows, columns) + self.trend[columns], 0)
        return columns, points

    def points_of(self, rows: Ints, columns: Ints) -> Ints:
        """Hundredths without the trend. The finer steps below them may be negative: rounded, not cut."""
        points: Ints = (self.scores[rows, columns] + (1 << FINE_BITS - 1)) >> FINE_BITS
        return points

    def _spread(self) -> None:
        """Where near-duplicates meet among a subscriber's best, choose one after the other."""
        twins = self.matrix.twin_columns
        is_twin = np.isin(self.columns, list(twins))
        for row in np.flatnonzero(is_twin.sum(axis=1) >= 2).tolist():
            held = set(self.columns[row].tolist())
            if any(held.intersection(twins.get(column, ())) for column in held):
                self._spread_one(row)

    def _spread_one(self, row: int) -> None:
        columns, twins, places = np.arange(len(self.matrix.ids)), self.matrix.twin_columns, self.candidates.places
        lines = self.points_of(np.full(len(columns), row), columns)
        points, finer = lines + self.trend, self.scores[row] - (lines << FINE_BITS)
        pinned = np.zeros(len(columns), bool)
        pinned[self.pinned[1][self.pinned[0] == row]] = True
        taken = spread(points, finer, self.wanted[row] & pinned, places, twins, self.most)
        taken += spread(points, finer, self.wanted[row] & ~pinned, places, twins, self.most - len(taken))
        self.columns[row] = -1
        for slot, one in enumerate(taken):
            self.columns[row, slot] = one.column
            self.points[row, slot] = points[one.column] - one.cut
            if one.cut:
                self.cut[row, slot] = one.cut, int(self.matrix.ids[one.twin])


def _nobody(count: int) -> tuple[Ints, Ints]:
    return np.zeros((count, 0), np.int64), np.zeros((count, 0), np.int64)


def _of_subscribers(pairs: tuple[Ints, Ints], of: Ints) -> tuple[Ints, Ints]:
    """The pairs of these subscribers (in order), who are numbered from 0."""
    begin, end = np.searchsorted(pairs[0], of, "left"), np.searchsorted(pairs[0], of, "right")
    ends = np.concatenate([[0], np.cumsum(end - begin)])
    which = np.repeat(begin - ends[:-1], end - begin) + np.arange(ends[-1])
    return np.repeat(np.arange(len(of)), end - begin), pairs[1][which]


def matched_by(matrix: ScoreMatrix, lines: Ints, owners: Ints) -> tuple[Ints, Ints]:
    """Pairs (owner, column) of what these lines match."""
    if not len(lines):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    found = [matrix.matches(line) for line in lines.tolist()]
    return np.repeat(owners, [len(columns) for columns in found]), np.concatenate(found)
