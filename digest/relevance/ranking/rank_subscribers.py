"""What each subscriber gets: one subscriber or a chunk of thousands, ranked together as arrays. Pure.

`tests.reference.rank` says the same plainly, one subscriber at a time; a property test holds the two together.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from digest.relevance.ranking.arrays import BLOCK_CELLS, Ints
from digest.relevance.ranking.block import Block, Requests, matched_by
from digest.relevance.ranking.candidates import Candidates
from digest.relevance.ranking.packing import NOTHING, Packed, pack_block
from digest.relevance.ranking.score_matrix import ScoreMatrix


def lane_sizes(max_papers: Sequence[int], trending_share: Sequence[int]) -> tuple[Ints, Ints]:
    """How many papers for each subscriber, and how many that are just trending (a share in percent)."""
    papers, percent = np.array(max_papers, np.int64), np.array(trending_share, np.int64)
    share = np.rint(papers * percent / 100).astype(np.int64)
    return np.maximum(papers - share, np.minimum(papers, 1)), share


def rank_subscribers(matrix: ScoreMatrix, candidates: Candidates, requests: Requests) -> list[Packed]:
    """Return the picks of each subscriber: what a pin matches, then what matches or is to their taste, then what is
    trending, then what there was no room for; each best first.

    `candidates` are the papers of the matrix with their upvotes of now. Deterministic.
    """
    ranked = [NOTHING] * len(requests.most)
    if not len(matrix.ids):
        return ranked
    refused = _refused(matrix, requests)
    size = max(BLOCK_CELLS // len(matrix.ids), 1)
    room = requests.most + requests.overflow
    for most in np.unique(room):
        alike = np.flatnonzero(room == most)
        for start in range(0, len(alike), size):
            of = alike[start : start + size]
            block = Block(matrix, candidates, requests, of, int(most), refused)
            for subscriber, one in zip(of.tolist(), pack_block(block), strict=True):
                ranked[subscriber] = one
    return ranked


def _refused(matrix: ScoreMatrix, requests: Requests) -> tuple[Ints, Ints]:
    """Pairs (subscriber, column) that are muted or were sent, subscribers in order."""
    lines = requests.lines
    muting = matrix.mutes[lines.items]
    owners, columns = matched_by(matrix, lines.items[muting], lines.owners()[muting])
    owners, columns = np.concatenate([requests.had[0], owners]), np.concatenate([requests.had[1], columns])
    order = np.argsort(owners, kind="stable")
    return owners[order], columns[order]
