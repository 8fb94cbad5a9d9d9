"""Arrays for many subscribers at once: rows of different lengths, sums of rows, the largest of each row. Pure.

A block of subscribers is a table with a row a subscriber and a column a paper; a row is the sum of the rows of their
interests. With some hundred papers, adding whole rows is cheaper than looking up which cells are filled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Ints = NDArray[np.int64]

BLOCK_CELLS = 1 << 17  # of the readers' table: half a megabyte, which a processor's own cache holds
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
