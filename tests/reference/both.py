"""The production ranking of what the reference is asked, with the reference's answer beside it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from digest.models import Pick
from digest.relevance.ranking.arrays import Rows
from digest.relevance.ranking.block import Requests
from digest.relevance.ranking.candidates import Candidates
from digest.relevance.ranking.rank_subscribers import lane_sizes, rank_subscribers
from digest.relevance.ranking.score_matrix import Line, ScoreMatrix
from digest.relevance.ranking.taste import Taste
from tests.reference import rank as reference
from tests.reference.rank import Day, Wishes


def rank(wishes: Wishes, day: Day, already_sent: Iterable[int] = (), taste: Taste | None = None) -> list[Pick]:
    """Rank with production's code, and assert that the reference agrees."""
    candidates = Candidates.of(day.candidates.values())
    by_id = np.argsort(day.papers)  # the reference has its arrays in the order of its papers
    lines = []
    for line in wishes.lines:
        hits = [hit for hit in day.hits.get(line.interest_id, ()) if hit.paper_id in day.candidates]
        columns, _ = candidates.columns_of(np.array([hit.paper_id for hit in hits], np.int64))
        close = day.close[line.typed][by_id] if line.typed in day.close else None
        flags = line.is_mute, line.is_pin, line.is_prose
        lines.append(Line(line.interest_id, columns, [hit.weight for hit in hits], close, *flags))
    matrix = ScoreMatrix.of(candidates, lines, day.twins, day.scale)
    columns, is_here = candidates.columns_of(np.array(sorted(already_sent), np.int64))
    had = np.zeros(int(is_here.sum()), np.int64), columns[is_here]
    tastes = {0: replace(taste, degree=taste.degree[by_id], nearest=taste.nearest[by_id])} if taste else {}
    sizes = lane_sizes([wishes.max_papers], [wishes.trending_share])
    wanted = Rows(np.array([0, len(lines)]), np.arange(len(lines)))
    requests = Requests(wanted, *sizes, np.array([wishes.overflow]), had, tastes)
    (packed,) = rank_subscribers(matrix, candidates, requests)
    picks = packed.unpack()
    assert picks == reference.rank(wishes, day, already_sent, taste)
    return picks
