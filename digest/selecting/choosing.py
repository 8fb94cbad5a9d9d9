"""What each reader of a chunk gets, as arrays: the picks of `ranking.rank`, for many readers at once.

`rank` says it plainly and one reader at a time; a test holds the two together to the last byte. Picks leave as the
JSON text that a digest stores, joined from pieces: making objects of them first would cost more than choosing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from digest.ranking import FAINT, INTERESTS, OVERFLOW, TRENDING, best
from digest.selecting.boards import FINE_BITS, FINE_SHIFT, MATCHED, POINTS_SHIFT, WANTED, Board, Standing
from digest.selecting.picking import BLOCK_CELLS, Ints, Rows, largest, sums

PIN = 1 << 62  # in a key: above all points
_FAINT = round(100 * FAINT)


@dataclass(frozen=True, slots=True)
class Wants:
    """What the readers of a chunk want of a board: lines by number, mutes too; how many papers in each lane; and
    the pairs (reader, column) they have had, readers in order."""

    lines: Rows
    most: Ints
    share: Ints
    overflow: Ints
    had: tuple[Ints, Ints]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A reader's picks as JSON text, and the ids of their papers."""

    picks: str
    papers: list[int]


NOTHING = Chosen("[]", [])


class _Points(dict[int, str]):
    """Hundredths as JSON writes points."""

    def __missing__(self, hundredths: int) -> str:
        self[hundredths] = text = repr(hundredths / 100)
        return text


_points = _Points()


def lanes(max_papers: Sequence[int], trending_share: Sequence[int]) -> tuple[Ints, Ints]:
    """How many papers for each reader, and how many that are just trending, as `rank` counts them."""
    papers, percent = np.array(max_papers, np.int64), np.array(trending_share, np.int64)
    share = np.rint(papers * percent / 100).astype(np.int64)
    return np.maximum(papers - share, np.minimum(papers, 1)), share


def choose(board: Board, standing: Standing, wants: Wants) -> list[Chosen]:
    """The picks of each reader."""
    chosen = [NOTHING] * len(wants.most)
    teller = _Teller(board, standing)
    refused = _refused(board, wants)
    readers = max(BLOCK_CELLS // len(board.ids), 1)
    room = wants.most + wants.overflow
    for most in np.unique(room):
        alike = np.flatnonzero(room == most)
        for start in range(0, len(alike), readers):
            of = alike[start : start + readers]
            block = _Block(board, standing, wants, of, int(most), refused)
            for reader, one in zip(of.tolist(), teller.tell(block), strict=True):
                chosen[reader] = one
    return chosen


def _refused(board: Board, wants: Wants) -> tuple[Ints, Ints]:
    """Pairs (reader, column) that are muted or were sent, readers in order."""
    muting = board.mutes[wants.lines.items]
    owners, columns = _found(board, wants.lines.items[muting], wants.lines.owners()[muting])
    owners, columns = np.concatenate([wants.had[0], owners]), np.concatenate([wants.had[1], columns])
    order = np.argsort(owners, kind="stable")
    return owners[order], columns[order]


def _found(board: Board, lines: Ints, owners: Ints) -> tuple[Ints, Ints]:
    """Pairs (owner, column) of what these lines match."""
    if not len(lines):
        return _NONE, _NONE
    found = [board.found[line] for line in lines.tolist()]
    return np.repeat(owners, [len(columns) for columns in found]), np.concatenate(found)


_NONE = np.zeros(0, np.int64)


class _Block:
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
        self.pinned = _found(board, lines.items[board.pins[lines.items]], owners[board.pins[lines.items]])
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


class _Teller:
    """Puts picks into words: JSON text as `rank` would give it."""

    def __init__(self, board: Board, standing: Standing) -> None:
        self.board = board
        trends = [_points[trend] for trend in standing.trend.tolist()]
        self.ids = board.ids.tolist()
        papers = list(zip(self.ids, trends, strict=True))
        self.heads = [f'{{"paper": {paper}, "lane": "{INTERESTS}", "points": ' for paper, _ in papers]
        self.over = [f'{{"paper": {paper}, "lane": "{OVERFLOW}", "points": ' for paper, _ in papers]
        self.middles = [f', "trend": {trend}, "reasons": [' for _, trend in papers]
        self.bare = [
            f'{{"paper": {paper}, "lane": "{TRENDING}", "points": {trend}, "trend": {trend}, "reasons": []}}'
            for paper, trend in papers
        ]
        self.by_trend: list[int] = standing.columns.tolist()

    def tell(self, block: _Block) -> Iterator[Chosen]:
        """The picks of each reader of the block."""
        reasons, ends, faint = self._reasons(block)
        refused: dict[int, set[int]] = {}
        if block.share.any():
            for reader, column in zip(*(one.tolist() for one in block.refused), strict=True):
                refused.setdefault(reader, set()).add(column)
        middles, kept, pick = self.middles, block.kept.tolist(), 0
        for reader, (columns, points) in enumerate(zip(block.columns.tolist(), block.points.tolist(), strict=True)):
            told: list[str] = []
            heads, most = self.heads, kept[reader]
            for slot, column in enumerate(columns):
                if column < 0:
                    break
                if slot == most:
                    heads = self.over
                place = pick + slot
                said = reasons[ends[place] : ends[place + 1]]
                if block.cut and (reader, slot) in block.cut:
                    said.append(_twin(*block.cut[reader, slot]))
                if faint[place]:
                    said.append(_a_little(faint[place]))
                told.append(f"{heads[column]}{_points[points[slot]]}{middles[column]}{', '.join(said)}]}}")
            pick += len(columns)
            columns = columns[: len(told)]
            if block.share[reader]:
                more = self._trending(int(block.share[reader]), {*columns, *refused.get(reader, ())})
                told[most:most] = [self.bare[column] for column in more]
                columns[most:most] = more
            yield Chosen(f"[{', '.join(told)}]", [self.ids[column] for column in columns])

    def _trending(self, share: int, without: set[int]) -> list[int]:
        found: list[int] = []
        for column in self.by_trend:
            if len(found) == share:
                break
            if column not in without:
                found.append(column)
        return found

    def _reasons(self, block: _Block) -> tuple[list[str], list[int], list[int]]:
        """The reasons worth naming, where those of each pick end, and for each pick what the faint ones add up to."""
        readers, most = block.columns.shape
        if not most or not len(block.lines.items):
            return [], [0] * (readers * most + 1), [0] * (readers * most)
        columns = block.columns[block.owners]
        cells = self.board.cells[block.lines.items[:, None], columns]
        cells[columns < 0] = 0
        points, matched = cells >> POINTS_SHIFT, (cells & MATCHED).astype(bool)
        is_named = matched | (points >= _FAINT)
        faint = np.zeros((readers, most), np.int64)
        filled = np.flatnonzero(np.diff(block.lines.ends))
        faint[filled] = np.add.reduceat(np.where(is_named, 0, points), block.lines.ends[filled], axis=0)
        line, slot = np.nonzero(is_named)
        pick = block.owners[line] * most + slot
        order = np.lexsort((-points[line, slot], pick))
        line, slot, pick = line[order], slot[order], pick[order]
        worth, is_match = points[line, slot], matched[line, slot]
        numbers = block.lines.items[line]
        texts = self._texts(numbers, columns[line, slot], worth, is_match)
        self._settle_ties(texts, pick, worth, numbers, is_match)
        ends = np.concatenate([[0], np.cumsum(np.bincount(pick, minlength=readers * most))])
        return texts, ends.tolist(), faint.ravel().tolist()

    def _texts(self, lines: Ints, columns: Ints, worth: Ints, is_match: Any) -> list[str]:
        tails = iter(self.board.tails(lines[is_match], columns[is_match]))
        exact, close = self.board.heads
        return [
            f"{exact[line]}{_points[points]}{next(tails)}}}"
            if matches
            else f'{close[line]}{_points[points]}, "words": [], "kind": "close"}}'
            for line, points, matches in zip(lines.tolist(), worth.tolist(), is_match.tolist(), strict=True)
        ]

    def _settle_ties(self, texts: list[str], pick: Ints, worth: Ints, lines: Ints, is_match: Any) -> None:
        """Reasons of equal points stand in the order of their words."""
        same = np.flatnonzero((pick[1:] == pick[:-1]) & (worth[1:] == worth[:-1]))
        for run in _runs(same.tolist()):
            first, last = run[0], run[-1] + 2
            words = [
                self.board.typed[line] if matches else f"close to: {self.board.typed[line]}"
                for line, matches in zip(lines[first:last].tolist(), is_match[first:last].tolist(), strict=True)
            ]
            in_order = sorted(range(last - first), key=words.__getitem__)
            texts[first:last] = [texts[first + place] for place in in_order]


def _runs(numbers: list[int]) -> Iterator[list[int]]:
    """Neighbours together."""
    run: list[int] = []
    for number in numbers:
        if run and number != run[-1] + 1:
            yield run
            run = []
        run.append(number)
    if run:
        yield run


def _twin(cut: int, paper: int) -> str:
    reason = {"line": "much like a paper above", "points": -cut / 100, "words": [], "kind": "twin", "like": paper}
    return json.dumps(reason)


def _a_little(hundredths: int) -> str:
    return f'{{"line": "a little of other lines", "points": {_points[hundredths]}, "words": [], "kind": "faint"}}'
