"""The readers of a part of a chunk as one table: the points of each paper for each reader, and the best of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from digest.picks.selection.arrays import Ints, Rows, largest, sums
from digest.picks.selection.boards import FINE_BITS, FINE_SHIFT, POINTS_SHIFT, WANTED, Board
from digest.picks.selection.standing import Standing
from digest.relevance.ranking.rank import best

PIN = 1 << 62  # in a key: above all points


@dataclass(frozen=True, slots=True)
class Wants:
    """What the readers of a chunk want of a board: lines by number, mutes too; how many papers in each lane; and
    the pairs (reader, column) they have had, readers in order."""

    lines: Rows
    most: Ints
    share: Ints
    overflow: Ints
    had: tuple[Ints, Ints]


class Block:
    """Readers with room for as many papers, and what they get: `columns` best first, -1 where there are no more."""

    def __init__(
        self,
        board: Board,
        standing: Standing,
        wants: Wants,
        of: Ints,
        most: int,
        refused: tuple[Ints, Ints],
    ) -> None:
        self.board, self.standing, self.most = board, standing, min(most, len(board.ids))
        self.share, self.kept = wants.share[of], wants.most[of]
        lines = wants.lines.take(of)
        owners = lines.owners()
        self.refused = _of_readers(refused, of)
        self.pinned = found_by(board, lines.items[board.pins[lines.items]], owners[board.pins[lines.items]])
        kept = ~board.mutes[lines.items]
        self.owners = owners[kept]
        ends = np.concatenate([[0], np.cumsum(np.bincount(self.owners, minlength=len(of)))])
        self.lines = Rows(ends, lines.items[kept])
        self.scores = sums(board.cells, self.lines)
        self.wanted = (self.scores & (WANTED * (WANTED - 1))) != 0
        self.wanted[self.refused] = False
        self.cut: dict[tuple[int, int], tuple[int, int]] = {}  # (reader, slot): hundredths lost, the twin's id
        self.columns, self.points = self._best() if self.most else self._nobody(of)
        if self.most and board.twins:
            self._spread()

    def _nobody(self, of: Ints) -> tuple[Ints, Ints]:
        return np.zeros((len(of), 0), np.int64), np.zeros((len(of), 0), np.int64)

    def _best(self) -> tuple[Ints, Ints]:
        """The papers with the most points; then the most steps; then the first place. One number, a key, says all."""
        papers = len(self.board.ids)
        width = papers.bit_length()
        keys: Ints = (self.scores >> FINE_SHIFT) << width
        keys += (self.standing.trend << (FINE_BITS + width)) + (papers - self.standing.places)
        if len(self.pinned[0]):
            keys[self.pinned] |= PIN
        keys[~self.wanted] = -1
        keys = largest(keys, self.most)
        given = keys > 0
        columns = self.standing.columns[papers - np.where(given, keys & ((1 << width) - 1), papers)]
        return np.where(given, columns, -1), np.where(given, (keys & (PIN - 1)) >> (FINE_BITS + width), 0)

    def _spread(self) -> None:
        """Where near-duplicates meet among a reader's best, choose as `rank` does: one after the other."""
        meets = (self.board.twin_columns[self.columns] & (self.columns >= 0)).sum(axis=1) >= 2
        for reader in np.flatnonzero(meets).tolist():
            held = {int(self.board.ids[column]) for column in self.columns[reader] if column >= 0}
            if any(self.board.twins.get(paper, frozenset()) & held for paper in held):
                self._spread_one(reader)

    def _spread_one(self, reader: int) -> None:
        order, day = self.standing.columns, self.standing.with_twins(self.board.twins)
        scores = self.scores[reader, order]
        points = (scores >> POINTS_SHIFT) + self.standing.trend[order]
        finer = (scores >> FINE_SHIFT) & ((1 << FINE_BITS) - 1)
        wanted = self.wanted[reader, order]
        pinned = np.zeros(len(order), bool)
        pinned[self.standing.places[self.pinned[1][self.pinned[0] == reader]]] = True
        taken = best(day, points, finer, wanted & pinned, self.most)
        taken += best(day, points, finer, wanted & ~pinned, self.most - len(taken))
        self.columns[reader] = -1
        for slot, (place, cut, twin) in enumerate(taken):
            self.columns[reader, slot] = order[place]
            self.points[reader, slot] = points[place] - cut
            if cut:
                self.cut[reader, slot] = (cut, day.papers[twin])


def _of_readers(pairs: tuple[Ints, Ints], of: Ints) -> tuple[Ints, Ints]:
    """The pairs of these readers (in order), who are numbered anew."""
    begin, end = np.searchsorted(pairs[0], of, "left"), np.searchsorted(pairs[0], of, "right")
    rows = Rows(np.concatenate([[0], np.cumsum(end - begin)]), _NONE)
    which = np.repeat(begin - rows.ends[:-1], end - begin) + np.arange(rows.ends[-1])
    return np.repeat(np.arange(len(of)), end - begin), pairs[1][which]


def found_by(board: Board, lines: Ints, owners: Ints) -> tuple[Ints, Ints]:
    """Pairs (owner, column) of what these lines match."""
    if not len(lines):
        return _NONE, _NONE
    found = [board.hits.columns[board.found(line)] for line in lines.tolist()]
    return np.repeat(owners, [len(columns) for columns in found]), np.concatenate(found)


_NONE = np.zeros(0, np.int64)
