"""Picks for many readers at once, as arrays. Pure: it knows neither papers' words nor readers' names.

The same answer as `ranking.rank` for its lane of interests, which says it plainly and one reader at a time; a
test holds the two together. Points are whole hundredths here, so sums are exact. Papers are numbered in the
order that decides between equal points (`ranking._order`), best first.

A block of readers is a table, a row a reader and a column a paper. A row is the sum of the rows of the interests
the reader wants: with some hundred papers, adding whole rows is cheaper than looking up which cells are filled.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Ints = NDArray[np.integer[Any]]  # whole numbers of any width

BLOCK_CELLS = 1 << 17  # of the readers' table: half a megabyte, which a processor's own cache holds
TABLE_CELLS = 12 << 20  # of the interests' table: 48 MB
GROUP = 8  # columns whose largest is taken first
MAX_LINES = 63  # a reader's: the lines that found a paper are the bits of an int64


@dataclass(frozen=True, slots=True)
class Rows:
    """Lists of numbers behind each other: row n is `items[ends[n]:ends[n + 1]]` (compressed sparse rows)."""

    ends: Ints
    items: Ints

    def __len__(self) -> int:
        return len(self.ends) - 1

    def part(self, first: int, last: int) -> Rows:
        """Rows first to last, the last not among them."""
        ends = self.ends[first : last + 1]
        return Rows(ends - ends[0], self.items[ends[0] : ends[-1]])

    def take(self, rows: Ints) -> Rows:
        """These rows, in this order."""
        sizes = np.diff(self.ends)[rows]
        ends = np.concatenate([[0], np.cumsum(sizes)])
        return Rows(ends, self.items[np.repeat(self.ends[rows] - ends[:-1], sizes) + np.arange(ends[-1])])

    def owners(self) -> Ints:
        """For each item, the row it is in."""
        return np.repeat(np.arange(len(self)), np.diff(self.ends))

    def places(self) -> Ints:
        """For each item, its place in its row."""
        return np.arange(len(self.items), dtype=np.int64) - np.repeat(self.ends[:-1], np.diff(self.ends))


@dataclass(frozen=True, slots=True)
class Hits:
    """Interest -> the papers it found, and beside each the points it is worth: hundredths, at least 1."""

    papers: Rows
    points: Ints


@dataclass(frozen=True, slots=True)
class Picks:
    """For each reader the best papers in order, -1 where there are no more, and their points in hundredths.

    `lines` has bit n set where the reader's n-th interest found the paper.
    """

    papers: Ints
    points: Ints
    lines: Ints


def pick(
    wanted: Rows,
    hits: Hits,
    trend: Ints,
    *,
    most: int = 10,
    caps: Ints | None = None,
    refused: tuple[Ints, Ints] | None = None,
    extra: Ints | None = None,
) -> Picks:
    """The best papers of each reader, at most `most`, among those that one of the reader's interests found.

    `wanted`: reader -> interests, mutes left out. `trend`: hundredths of each paper. `caps`: how many papers each
    reader gets, where that is less than `most`. `refused`: pairs (reader, paper) not to be picked, muted or
    already sent, ordered by reader. `extra`: hundredths of each reader and paper, of taste say; no paper is
    picked for those alone.
    Raises ValueError for a reader of more than MAX_LINES interests and for a hit worth nothing.
    """
    if len(wanted) and np.diff(wanted.ends).max() > MAX_LINES:
        raise ValueError(f"More than {MAX_LINES} interests of one reader")
    if len(hits.points) and hits.points.min() < 1:
        raise ValueError("A hit is worth at least one hundredth of a point")
    picks = _none(len(wanted), min(most, len(trend)))
    if not picks.papers.size:
        return picks
    for first, last, table in _tables(wanted, hits, len(trend)):
        for start in range(first, last, max(BLOCK_CELLS // len(trend), 1)):
            stop = min(start + max(BLOCK_CELLS // len(trend), 1), last)
            points = table.sums(wanted.part(start, stop))
            refuse = points == 0
            points += trend
            if extra is not None:
                points += extra[start:stop]
            if refused is not None:
                those = slice(*np.searchsorted(refused[0], (start, stop)))
                refuse[refused[0][those] - start, refused[1][those]] = True
            block = Picks(picks.papers[start:stop], picks.points[start:stop], picks.lines[start:stop])
            _fill(block, points, refuse, None if caps is None else caps[start:stop])
            table.name_lines(block, wanted.part(start, stop))
    return picks


def sums(cells: Ints, wanted: Rows) -> Ints:
    """For each reader the rows of `cells` that they want, added."""
    ones = np.ones(len(wanted.items), cells.dtype)
    readers = csr_array((ones, wanted.items, wanted.ends), shape=(len(wanted), len(cells)), copy=False)
    return np.asarray(readers @ cells)


def largest(keys: Ints, most: int) -> Ints:
    """Each row's `most` largest keys, the largest first."""
    found = _largest(_of_best_groups(keys, most), most)
    found.sort(axis=1)
    return found[:, ::-1]


def _none(readers: int, most: int) -> Picks:
    shape = (readers, most)
    return Picks(np.full(shape, -1, np.int32), np.zeros(shape, np.int32), np.zeros(shape, np.int64))


def _fill(block: Picks, points: Ints, refuse: Ints, caps: Ints | None) -> None:
    """Write the best cells of each row: the most points, then the lowest column. One number, a key, says both."""
    papers, most = points.shape[1], block.papers.shape[1]
    width = int(papers).bit_length()
    fits = max(points.max(), -points.min()) < 1 << (30 - width)
    kind: type[np.signedinteger[Any]] = np.int32 if fits else np.int64
    keys: Ints = (points.astype(kind, copy=False) << width) + np.arange(papers, 0, -1, dtype=kind)
    lowest = np.iinfo(kind).min
    keys[refuse] = lowest
    keys = largest(keys, most)
    given = keys > lowest
    if caps is not None:
        given &= np.arange(most) < caps[:, None]
    block.papers[:] = np.where(given, papers - (keys & ((1 << width) - 1)), -1)
    block.points[:] = np.where(given, keys >> width, 0)


def _of_best_groups(keys: Ints, most: int) -> Ints:
    """Fewer keys of each row, the `most` largest among them.

    The largest keys lie in the groups whose own largest are the largest, and taking the largest of a group of
    columns is a tenth of the work of telling the largest columns apart.
    """
    rows, columns = keys.shape
    groups = columns // GROUP
    if groups <= 2 * most:
        return keys
    grouped = keys[:, : groups * GROUP].reshape(rows, GROUP, groups)
    best = np.argpartition(grouped.max(axis=1), groups - most, axis=1)[:, groups - most :]
    members = np.take_along_axis(grouped, best[:, None, :], axis=2).reshape(rows, GROUP * most)
    return np.concatenate([members, keys[:, groups * GROUP :]], axis=1)


def _largest(keys: Ints, most: int) -> Ints:
    rest = keys.shape[1] - most
    return np.partition(keys, rest, axis=1)[:, rest:] if rest else keys


@dataclass(frozen=True, slots=True)
class _Table:
    """Interests as rows of points, a column a paper. `row_of` says which row an interest has."""

    cells: Ints
    row_of: Ints

    def sums(self, wanted: Rows) -> Ints:
        """The points of each reader's interests, added."""
        return sums(self.cells, Rows(wanted.ends, self.row_of[wanted.items]))

    def name_lines(self, block: Picks, wanted: Rows) -> None:
        """Set the bits of the lines that found each pick."""
        columns = block.papers[wanted.owners()]
        found = self.cells[self.row_of[wanted.items][:, None], columns] > 0
        bits = np.where(found, np.int64(1) << wanted.places()[:, None], 0)
        filled = np.flatnonzero(np.diff(wanted.ends))
        if len(filled):
            block.lines[filled] = np.add.reduceat(bits, wanted.ends[filled], axis=0)
        block.lines[block.papers < 0] = 0


def _tables(wanted: Rows, hits: Hits, papers: int) -> Iterator[tuple[int, int, _Table]]:
    """(first reader, last reader, the rows of what these want), no table larger than TABLE_CELLS by much.

    One table serves all where the interests are few; else each part of the readers gets its own.
    """
    interests, room = len(hits.papers), max(TABLE_CELLS // papers, MAX_LINES)
    if interests <= room:
        yield 0, len(wanted), _table(np.arange(interests), hits, papers)
        return
    first = 0
    while first < len(wanted):
        last = int(np.searchsorted(wanted.ends, wanted.ends[first] + room, side="right")) - 1
        last = max(last, first + 1)
        yield first, last, _table(np.unique(wanted.part(first, last).items), hits, papers)
        first = last


def _table(interests: Ints, hits: Hits, papers: int) -> _Table:
    row_of = np.zeros(len(hits.papers), np.int32)
    row_of[interests] = np.arange(len(interests))
    sizes = np.diff(hits.papers.ends)[interests]
    behind = np.cumsum(sizes)
    which = np.repeat(hits.papers.ends[interests] - behind + sizes, sizes) + np.arange(sizes.sum())
    cells = np.zeros((max(len(interests), 1), papers), np.int32)
    cells[np.repeat(np.arange(len(interests)), sizes), hits.papers.items[which]] = hits.points[which]
    return _Table(cells, row_of)
