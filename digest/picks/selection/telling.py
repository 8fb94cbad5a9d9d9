"""Picks put into words: the JSON text that a digest stores, joined from pieces.

Making objects of them first would cost more than choosing.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from digest.picks.selection.blocks import Block
from digest.picks.selection.boards import MATCHED, POINTS_SHIFT, Board
from digest.picks.selection.picking import Ints
from digest.picks.selection.standing import Standing
from digest.relevance.ranking.rank import FAINT, INTERESTS, OVERFLOW, TRENDING

_FAINT = round(100 * FAINT)


class Chosen(NamedTuple):
    """A reader's picks as JSON text, and the ids of their papers."""

    picks: str
    papers: list[int]


NOTHING = Chosen("[]", [])


class _Points(dict[int, str]):
    """Hundredths as JSON writes points."""

    def __missing__(self, hundredths: int) -> str:
        self[hundredths] = text = repr(hundredths / 100)
        return text


class _Little(dict[int, str]):
    """The reason that hundredths hardly worth naming add up to."""

    def __missing__(self, hundredths: int) -> str:
        """In the order of jsonb, which `composing.picked` looks for."""
        self[hundredths] = text = (
            f'{{"kind": "faint", "line": "a little of other lines", "words": [], "points": {_points[hundredths]}}}'
        )
        return text


_points, _a_little = _Points(), _Little()


class Teller:
    """Puts picks into words: JSON text as `rank` would give it."""

    def __init__(self, board: Board, standing: Standing) -> None:
        self.board = board
        trends = [_points[trend] for trend in standing.trend.tolist()]
        self.ids = board.ids.tolist()
        # By column; those of papers there was no room for come after the others.
        self.heads = [
            f'{{"paper": {paper}, "lane": "{lane}", "points": ' for lane in (INTERESTS, OVERFLOW) for paper in self.ids
        ]
        self.middles = [f', "trend": {trend}, "reasons": [' for trend in trends] * 2
        self.bare = [
            f'{{"paper": {paper}, "lane": "{TRENDING}", "points": {trend}, "trend": {trend}, "reasons": []}}'
            for paper, trend in zip(self.ids, trends, strict=True)
        ]
        self.by_trend: list[int] = standing.columns.tolist()

    def tell(self, block: Block) -> Iterator[Chosen]:
        """The picks of each reader of the block."""
        most = block.columns.shape[1]
        is_over = np.arange(most) >= block.kept[:, None]
        heads = (block.columns + is_over * len(self.ids)).ravel().tolist()
        points = map(_points.__getitem__, block.points.ravel().tolist())
        picks = [
            f"{self.heads[head]}{worth}{self.middles[head]}{said}]}}"  # where there is no pick, one that is not told
            for head, worth, said in zip(heads, points, self._said(block), strict=True)
        ]
        refused: dict[int, set[int]] = {}
        if block.share.any():
            for reader, column in zip(*(one.tolist() for one in block.refused), strict=True):
                refused.setdefault(reader, set()).add(column)
        found = (block.columns >= 0).sum(axis=1).tolist()
        shares, kept = block.share.tolist(), block.kept.tolist()
        for reader, columns in enumerate(block.columns.tolist()):
            told = picks[reader * most : reader * most + found[reader]]
            del columns[found[reader] :]
            if share := shares[reader]:
                more = self._trending(share, columns, refused.get(reader, ()))
                told[kept[reader] : kept[reader]] = [self.bare[column] for column in more]
                columns[kept[reader] : kept[reader]] = more
            yield Chosen(f"[{', '.join(told)}]", [self.ids[column] for column in columns])

    def _trending(self, share: int, told: Collection[int], refused: Collection[int]) -> list[int]:
        found: list[int] = []
        for column in self.by_trend:
            if column not in told and column not in refused:
                found.append(column)
                if len(found) == share:
                    break
        return found

    def _said(self, block: Block) -> list[str]:
        """The reasons of each pick, as the text of a JSON array without its brackets."""
        reasons, ends, faint = self._reasons(block)
        said = [", ".join(reasons[begin:end]) for begin, end in pairwise(ends)]
        most = block.columns.shape[1]
        more = [(reader * most + slot, _twin(*cut)) for (reader, slot), cut in block.cut.items()]
        more += [(place, _a_little[hundredths]) for place, hundredths in enumerate(faint) if hundredths]
        for place, reason in more:
            said[place] = f"{said[place]}, {reason}" if said[place] else reason
        return said

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
