"""What lines say of candidates, as one array: a row a line, a column a candidate. Pure.

A cell packs four numbers side by side, so that the cells of a subscriber's lines are added in one go: hundredths of
points, the finer steps that rounding loses, how many lines want the paper, and how many match it. The bits below give
each of them room for the sum over MAX_LINES lines.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from digest.relevance.ranking.arrays import Ints
from digest.relevance.ranking.candidates import Candidates
from digest.relevance.ranking.scale import CLOSE_POINTS, STEPS, Scale, hundredths, steps
from digest.relevance.vectors import Floats

MAX_LINES = 127  # of a subscriber
# Bits of a cell, from the lowest: matched, wanted, finer steps, hundredths.
COUNT_BITS = (2 * MAX_LINES).bit_length()  # a line may want a paper twice: it matches, and is close
FINE_SHIFT, FINE_BITS = 2 * COUNT_BITS, 26
POINTS_SHIFT = FINE_SHIFT + FINE_BITS
MATCHED, WANTED = 1, 1 << COUNT_BITS
FINE_MASK = (1 << FINE_BITS) - 1
MAX_CANDIDATES = 1 << 16  # `block` packs a place beside the points of all lines
MAX_POINTS = (1 << 62 - FINE_BITS - 16) // (2 * MAX_LINES)  # hundredths of one line
assert MAX_LINES * STEPS * CLOSE_POINTS < 1 << FINE_BITS - 1, "the finer steps of MAX_LINES lines do not fit"
assert MAX_POINTS > 1000


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


NO_HITS = Hits(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))


class Line(NamedTuple):
    """What a line is, and what it says of the candidates: the columns it matches with their weights, and how close it
    is to each candidate (0 to 1; None: not known).
    """

    interest_id: int
    columns: Sequence[int] | Ints = ()
    weights: Sequence[float] | NDArray[np.float64] = ()
    close: Floats | None = None
    is_mute: bool = False
    is_pin: bool = False  # what it matches comes first, whatever its points
    is_prose: bool = False  # a sentence, which only comes close


class ScoreMatrix:
    """Lines are known by their row, papers by their column. `twins`: by paper id, those that are nearly the same."""

    def __init__(self, candidates: Candidates, twins: Mapping[int, frozenset[int]], scale: Scale | None = None) -> None:
        if len(candidates) >= MAX_CANDIDATES:
            raise ValueError(f"Cannot rank {len(candidates)} papers at once: at most {MAX_CANDIDATES - 1}.")
        self.candidates, self.ids, self.twins = candidates, candidates.ids, twins
        self.scale = scale or Scale()
        self.interests: list[int] = []
        self.cells = np.zeros((0, len(candidates)), np.int64)
        self.mutes, self.pins, self.prose = (np.zeros(0, bool) for _ in range(3))
        self.hits = NO_HITS

    @classmethod
    def of(
        cls,
        candidates: Candidates,
        lines: Sequence[Line],
        twins: Mapping[int, frozenset[int]] | None = None,
        scale: Scale | None = None,
    ) -> ScoreMatrix:
        """Return the matrix of lines that are all known now."""
        matrix = cls(candidates, twins or {}, scale)
        matrix.interests = [line.interest_id for line in lines]
        for name in ("mute", "pin", "prose"):
            held = np.array([getattr(line, f"is_{name}") for line in lines], bool)
            setattr(matrix, "prose" if name == "prose" else f"{name}s", held)
        matrix.cells = np.zeros((len(lines), len(candidates)), np.int64)
        for row, line in enumerate(lines):
            if line.close is not None and not line.is_mute:
                matrix.cells[row] = matrix.closeness(line.close)
        if lines:
            columns = [np.asarray(line.columns, np.int64) for line in lines]
            matrix.hits = Hits(
                np.repeat(np.arange(len(lines)), [len(one) for one in columns]),
                np.concatenate(columns),
                np.concatenate([np.asarray(line.weights, float) for line in lines]),
            ).sorted()
            matrix.count(matrix.hits)
        return matrix

    @cached_property
    def twin_columns(self) -> Mapping[int, list[int]]:
        """By column, the columns of the candidates nearly the same."""
        found = {}
        for paper, others in self.twins.items():
            columns, is_here = self.candidates.columns_of(np.array([paper, *sorted(others)], np.int64))
            if is_here[0]:
                found[int(columns[0])] = columns[1:][is_here[1:]].tolist()
        return found

    def matches(self, line: int) -> Ints:
        """The columns that a line matches."""
        return self.hits.columns[slice(*np.searchsorted(self.hits.lines, (line, line + 1)).tolist())]

    def closeness(self, close: Floats) -> Ints:
        """Cells for closeness alone: squared, so that half of a line is worth a quarter."""
        squares = self.scale.close * close**2
        cells: Ints = (np.minimum(hundredths(squares), MAX_POINTS) << POINTS_SHIFT) + (steps(squares) << FINE_SHIFT)
        cells += (close >= self.scale.close_enough) * np.int64(WANTED)
        return cells

    def worth(self, hits: Hits) -> Ints:
        """What exact matches add to their cells. Nothing for a mute or a sentence."""
        found = np.bincount(hits.lines, minlength=len(self.interests))
        points = np.minimum(hundredths(hits.weights * self._rarity[found[hits.lines]]), MAX_POINTS)
        worth: Ints = (points << POINTS_SHIFT) + MATCHED + WANTED
        worth[(self.mutes | self.prose)[: len(self.interests)][hits.lines]] = 0
        return worth

    def count(self, hits: Hits) -> None:
        self.cells[hits.lines, hits.columns] += self.worth(hits)

    @cached_property
    def _rarity(self) -> NDArray[np.float64]:
        """By how many papers a line matches: ln(1 + papers / found). A line that finds nearly all says little."""
        total = len(self.ids)
        return np.array([0.0] + [math.log(1 + total / found) for found in range(1, total + 1)])
