"""Picks put into words: the JSON text that a digest stores, joined from pieces.

Making objects of them first would cost more than choosing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from digest.ranking import FAINT, INTERESTS, OVERFLOW, TRENDING
from digest.selecting.blocks import Block
from digest.selecting.boards import MATCHED, POINTS_SHIFT, Board
from digest.selecting.picking import Ints
from digest.selecting.standing import Standing

_FAINT = round(100 * FAINT)


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


class Teller:
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

    def tell(self, block: Block) -> Iterator[Chosen]:
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

    def _reasons(self, block: Block) -> tuple[list[str], list[int], list[int]]:
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
    """In the order of jsonb, which `composing.picked` looks for."""
    return f'{{"kind": "faint", "line": "a little of other lines", "words": [], "points": {_points[hundredths]}}}'
