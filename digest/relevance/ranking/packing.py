"""The picks of a block of subscribers as a digest stores them: packed records, made for all of them at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from digest.models.picks import PICK, REASON, Lane, Pick, ReasonKind, paper_ids, unpack
from digest.relevance.ranking.arrays import Ints
from digest.relevance.ranking.block import Block
from digest.relevance.ranking.scale import FAINT, LINES_BESIDE_TASTE, hundredths
from digest.relevance.ranking.score_matrix import MATCHED, POINTS_SHIFT
from digest.relevance.ranking.taste import Taste

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


def pack_block(block: Block) -> Iterator[Packed]:
    """Yield the picks of each subscriber of the block."""
    most = block.columns.shape[1]
    reasons = _reasons(block)
    picks = _picks(block, reasons)
    ends = np.searchsorted(reasons["slot"], np.arange(len(block.columns) + 1) * most).tolist()
    packed = np.zeros(len(reasons), REASON)
    for name in ("kind", "subject", "points"):
        packed[name] = reasons[name]
    if most:
        packed["pick"] = reasons["slot"] % most
    by_trend: list[int] = block.candidates.columns.tolist()
    by_trend.sort(key=lambda column: -block.trend[column])
    refused = _refused(block)
    found = (block.columns >= 0).sum(axis=1).tolist()
    for row, (count, share, kept) in enumerate(zip(found, block.share.tolist(), block.kept.tolist(), strict=True)):
        own, said = picks[row * most : row * most + count], packed[ends[row] : ends[row + 1]]
        if share:
            told = refused.get(row, set()).union(block.columns[row, :count].tolist())
            trending = _trending(block, [column for column in by_trend if column not in told][:share])
            own = np.concatenate([own[:kept], trending, own[kept:]])
            said["pick"][said["pick"] >= kept] += len(trending)
        yield Packed(own.tobytes(), said.tobytes())


def _picks(block: Block, reasons: Records) -> Records:
    """A record for each slot of each subscriber; where there is no pick, one that is not used."""
    columns, most = block.columns.ravel(), block.columns.shape[1]
    records = np.zeros(len(columns), PICK)
    records["paper"] = block.matrix.ids[columns]
    is_over = np.arange(most) >= block.kept[:, None]
    records["lane"] = np.where(is_over, Lane.OVERFLOW, Lane.INTERESTS).ravel()
    records["points"] = block.points.ravel()
    records["trend"] = block.trend[columns]
    # Beside a taste the lines' parts are rounded one by one: what is shown is their sum.
    shown = np.bincount(reasons["slot"], reasons["points"], len(columns)).astype(np.int64) + records["trend"]
    for row in block.tastes:
        slots = slice(row * most, (row + 1) * most)
        records["points"][slots] = shown[slots]
    return records


def _refused(block: Block) -> dict[int, set[int]]:
    refused: dict[int, set[int]] = {}
    if block.share.any():
        for row, column in zip(*(one.tolist() for one in block.refused), strict=True):
            refused.setdefault(row, set()).add(column)
    return refused


def _trending(block: Block, columns: Sequence[int]) -> Records:
    records = np.zeros(len(columns), PICK)
    records["paper"], records["lane"] = block.matrix.ids[columns], Lane.TRENDING
    records["points"] = records["trend"] = block.trend[columns]
    return records


def _reasons(block: Block) -> Records:
    """By slot: the reasons of lines, most points first, then taste, the near-duplicate above, the faint ones."""
    reasons = np.concatenate([*_of_lines(block), *_of_taste(block), _twins(block)])
    found: Records = reasons[np.lexsort((-reasons["points"], reasons["rank"], reasons["slot"]))]
    return found


def _of_lines(block: Block) -> tuple[Records, Records]:
    """What single lines say, and what the faint ones of a slot add up to."""
    rows, most = block.columns.shape
    if not most or not len(block.lines.items):
        return _records(0), _records(0)
    columns = block.columns[block.owners]
    cells = block.matrix.cells[block.lines.items[:, None], columns]
    cells[columns < 0] = 0
    points, matched = cells >> POINTS_SHIFT, (cells & MATCHED).astype(bool)
    counts = np.ones(points.shape, bool)
    for row, taste in block.tastes.items():
        own = slice(block.lines.ends[row], block.lines.ends[row + 1])
        points[own] = _shared_out(points[own], taste)
        counts[own] = points[own] != 0
    is_named = (matched | (points >= FAINT)) & counts
    line, slot = np.nonzero(is_named)
    kinds = np.where(matched[line, slot], ReasonKind.MATCH, ReasonKind.CLOSE)
    subjects = np.array(block.matrix.interests, np.int64)[block.lines.items[line]]
    named = _records(len(line), block.owners[line] * most + slot, kinds, subjects, points[line, slot])
    faint = np.zeros((rows, most), np.int64)
    filled = np.flatnonzero(np.diff(block.lines.ends))
    faint[filled] = np.add.reduceat(np.where(is_named, 0, points), block.lines.ends[filled], axis=0)
    slots = np.flatnonzero(faint)
    return named, _records(len(slots), slots, ReasonKind.FAINT, 0, faint.ravel()[slots], rank=3)


def _shared_out(points: Ints, taste: Taste) -> Ints:
    """(lines, slots): each line's part of what the lines give together beside a taste, by what each is worth alone."""
    worth = np.cumsum(points, axis=0)
    total = worth[-1] if len(worth) else np.zeros(points.shape[1], np.int64)
    share = taste.trust * LINES_BESIDE_TASTE * np.log1p(total / 100) / np.maximum(total, 1)
    ends = np.rint(100 * (share * worth)).astype(np.int64)
    parts: Ints = np.diff(ends, axis=0, prepend=0)
    return parts


def _of_taste(block: Block) -> Iterator[Records]:
    most = block.columns.shape[1]
    for row, taste in block.tastes.items():
        columns = block.columns[row][block.columns[row] >= 0]
        points = hundredths(block.matrix.scale.taste * taste.degree[columns])
        slots = np.flatnonzero(points)
        nearest = np.where(points > 0, np.maximum(taste.nearest[columns], 0), 0)[slots]
        yield _records(len(slots), row * most + slots, ReasonKind.TASTE, nearest, points[slots], rank=1)


def _twins(block: Block) -> Records:
    most = block.columns.shape[1]
    cuts = [(row * most + slot, twin, -cut) for (row, slot), (cut, twin) in block.cut.items()]
    slots, twins, points = np.array(cuts, np.int64).reshape(-1, 3).T
    return _records(len(cuts), slots, ReasonKind.TWIN, twins, points, rank=2)


def _records(count: int, slot: Any = 0, kind: Any = 0, subject: Any = 0, points: Any = 0, rank: int = 0) -> Records:
    """Reasons with the slot they belong to, and their `rank` among the reasons of a slot."""
    records = np.zeros(count, _SORTABLE)
    records["slot"], records["kind"], records["subject"], records["points"] = slot, kind, subject, points
    records["rank"] = rank
    return records


_SORTABLE = np.dtype([("slot", "<i8"), ("rank", "u1"), ("kind", "u1"), ("subject", "<i8"), ("points", "<i8")])
