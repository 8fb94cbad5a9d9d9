"""What each reader of a chunk gets, as arrays: the picks of `ranking.rank`, for many readers at once.

`rank` says it plainly and one reader at a time; a test holds the two together to the last byte.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from digest.picks.selection.arrays import BLOCK_CELLS, Ints
from digest.picks.selection.blocks import Block, Wants, found_by
from digest.picks.selection.boards import Board
from digest.picks.selection.packing import NOTHING, Packed, Packer
from digest.picks.selection.standing import Standing


def lanes(max_papers: Sequence[int], trending_share: Sequence[int]) -> tuple[Ints, Ints]:
    """How many papers for each reader, and how many that are just trending, as `rank` counts them."""
    papers, percent = np.array(max_papers, np.int64), np.array(trending_share, np.int64)
    share = np.rint(papers * percent / 100).astype(np.int64)
    return np.maximum(papers - share, np.minimum(papers, 1)), share


def choose(board: Board, standing: Standing, wants: Wants) -> list[Packed]:
    """The picks of each reader."""
    chosen = [NOTHING] * len(wants.most)
    packer = Packer(board, standing)
    refused = _refused(board, wants)
    readers = max(BLOCK_CELLS // len(board.ids), 1)
    room = wants.most + wants.overflow
    for most in np.unique(room):
        alike = np.flatnonzero(room == most)
        for start in range(0, len(alike), readers):
            of = alike[start : start + readers]
            block = Block(board, standing, wants, of, int(most), refused)
            for reader, one in zip(of.tolist(), packer.pack(block), strict=True):
                chosen[reader] = one
    return chosen


def _refused(board: Board, wants: Wants) -> tuple[Ints, Ints]:
    """Pairs (reader, column) that are muted or were sent, readers in order."""
    muting = board.mutes[wants.lines.items]
    owners, columns = found_by(board, wants.lines.items[muting], wants.lines.owners()[muting])
    owners, columns = np.concatenate([wants.had[0], owners]), np.concatenate([wants.had[1], columns])
    order = np.argsort(owners, kind="stable")
    return owners[order], columns[order]
