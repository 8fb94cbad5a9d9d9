"""The picks of a block of subscribers as a digest stores them: packed records, made for all of them at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from digest.models.picks import PICK, REASON, Lane, Pick, ReasonKind, paper_ids, unpack
from digest.picks.selection.blocks import Block
from digest.picks.selection.boards import MATCHED, POINTS_SHIFT, Board
from digest.picks.selection.standing import Standing
from digest.relevance.ranking.rank import FAINT

Records = NDArray[Any]  # of PICK or REASON


class Packed(NamedTuple):
    """A subscriber's picks and their reasons, as `digest.models.picks.pack` makes them."""

    picks: bytes = b""
    reasons: bytes = b""

    @property
    def papers(self) -> list[int]:
        return paper_ids(self.picks)

    def unpack(self) -> list[Pick]:
        return unpack(self.picks, self.reasons)


NOTHING = Packed()


class Packer:
    """Packs blocks of subscribers of one board."""

    def __init__(self, board: Board, standing: Standing) -> None:
        self.board, self.standing = board, standing
        self.interests = np.array(board.interests, np.int64)
        self.by_trend: list[int] = standing.columns.tolist()

    def pack(self, block: Block) -> Iterator[Packed]:
        """Yield the picks of each subscriber of the block."""
        most = block.columns.shape[1]
        picks, reasons = self._picks(block), self._reasons(block)
        ends = np.searchsorted(reasons["slot"], np.arange(len(block.columns) + 1) * most).tolist()
        packed = np.zeros(len(reasons), REASON)
        for name in ("kind", "subject", "points"):
            packed[name] = reasons[name]
        if most:
            packed["pick"] = reasons["slot"] % most
        refused = self._refused(block)
        found = (block.columns >= 0).sum(axis=1).tolist()
        for row, (count, share, kept) in enumerate(zip(found, block.share.tolist(), block.kept.tolist(), strict=True)):
            own, said = picks[row * most : row * most + count], packed[ends[row] : ends[row + 1]]
            if share:
                told = set(block.columns[row, :count].tolist())
                more = self._trending(share, told, refused.get(row, ()))
                own = np.concatenate([own[:kept], more, own[kept:]])
                said["pick"][said["pick"] >= kept] += len(more)
            yield Packed(own.tobytes(), said.tobytes())

    def _picks(self, block: Block) -> Records:
        """A record for each slot of each subscriber; where there is no pick, one that is not used."""
        columns = block.columns.ravel()
        records = np.zeros(len(columns), PICK)
        records["paper"] = self.board.ids[columns]
        is_over = np.arange(block.columns.shape[1]) >= block.kept[:, None]
        records["lane"] = np.where(is_over, Lane.OVERFLOW, Lane.INTERESTS).ravel()
        records["points"] = block.points.ravel()
        records["trend"] = self.standing.trend[columns]
        return records

    def _refused(self, block: Block) -> dict[int, set[int]]:
        refused: dict[int, set[int]] = {}
        if block.share.any():
            for row, column in zip(*(one.tolist() for one in block.refused), strict=True):
                refused.setdefault(row, set()).add(column)
        return refused

    def _trending(self, share: int, told: Collection[int], refused: Collection[int]) -> Records:
        found: list[int] = []
        for column in self.by_trend:
            if column not in told and column not in refused:
                found.append(column)
                if len(found) == share:
                    break
        records = np.zeros(len(found), PICK)
        records["paper"], records["lane"] = self.board.ids[found], Lane.TRENDING
        records["points"] = records["trend"] = self.standing.trend[found]
        return records

    def _reasons(self, block: Block) -> Records:
        """The reasons of all slots: by slot, then those of lines by their points, the twin above, the faint ones."""
        reasons = np.concatenate([*self._of_lines(block), self._twins(block)])
        order = np.lexsort((-reasons["points"], reasons["rank"], reasons["slot"]))
        found: Records = reasons[order]
        return found

    def _of_lines(self, block: Block) -> tuple[Records, Records]:
        """What single lines say, and what the faint ones of a slot add up to."""
        rows, most = block.columns.shape
        if not most or not len(block.lines.items):
            return _records(0), _records(0)
        columns = block.columns[block.owners]
        cells = self.board.cells[block.lines.items[:, None], columns]
        cells[columns < 0] = 0
        points, matched = cells >> POINTS_SHIFT, (cells & MATCHED).astype(bool)
        is_named = matched | (points >= FAINT)
        line, slot = np.nonzero(is_named)
        kinds = np.where(matched[line, slot], ReasonKind.MATCH, ReasonKind.CLOSE)
        subjects = self.interests[block.lines.items[line]]
        named = _records(len(line), block.owners[line] * most + slot, kinds, subjects, points[line, slot])
        faint = np.zeros((rows, most), np.int64)
        filled = np.flatnonzero(np.diff(block.lines.ends))
        faint[filled] = np.add.reduceat(np.where(is_named, 0, points), block.lines.ends[filled], axis=0)
        slots = np.flatnonzero(faint)
        return named, _records(len(slots), slots, ReasonKind.FAINT, 0, faint.ravel()[slots], rank=2)

    def _twins(self, block: Block) -> Records:
        most = block.columns.shape[1]
        cuts = [(row * most + slot, twin, -cut) for (row, slot), (cut, twin) in block.cut.items()]
        slots, twins, points = np.array(cuts, np.int64).reshape(-1, 3).T
        return _records(len(cuts), slots, ReasonKind.TWIN, twins, points, rank=1)


def _records(count: int, slot: Any = 0, kind: Any = 0, subject: Any = 0, points: Any = 0, rank: int = 0) -> Records:
    """Reasons with the slot they belong to, and their `rank` among the reasons of a slot."""
    records = np.zeros(count, _SORTABLE)
    records["slot"], records["kind"], records["subject"], records["points"] = slot, kind, subject, points
    records["rank"] = rank
    return records


_SORTABLE = np.dtype([("slot", "<i8"), ("rank", "u1"), ("kind", "u1"), ("subject", "<i8"), ("points", "<i8")])
