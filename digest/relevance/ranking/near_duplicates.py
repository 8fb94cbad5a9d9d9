"""The best papers of one subscriber where near-duplicates meet among them: one after the other. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from digest.relevance.ranking.arrays import Ints
from digest.relevance.ranking.scale import TWIN_SHARE


class Taken(NamedTuple):
    """A paper taken: its column, the hundredths it lost, and the column of the near-duplicate above it (or -1)."""

    column: int
    cut: int = 0
    twin: int = -1


def spread(
    points: Ints, finer: Ints, wanted: Any, places: Ints, twins: Mapping[int, Sequence[int]], most: int
) -> list[Taken]:
    """Return the `most` best of the `wanted` columns, with near-duplicates spread.

    Greedy, as in maximal marginal relevance (Carbonell and Goldstein, 1998): a paper nearly the same as one already
    taken stands with what is left of its points, once. Equal points are ordered by `finer`, then by place.
    """
    columns = np.flatnonzero(wanted)
    columns = columns[np.lexsort((places[columns], -finer[columns], -points[columns]))]
    # Only twins ever step back, so nobody comes forward by more places than there are twins.
    columns = columns[: most + sum(int(column) in twins for column in columns)]
    queue = [(-int(points[column]), order, int(column)) for order, column in enumerate(columns)]
    left = set(columns.tolist())
    cut: dict[int, tuple[int, int]] = {}
    taken: list[Taken] = []
    while queue and len(taken) < most:
        *_, column = queue.pop(0)
        taken.append(Taken(column, *cut.get(column, (0, -1))))
        fresh = {twin for twin in twins.get(column, ()) if twin in left and twin not in cut}
        for twin in fresh:
            cut[twin] = (int(max(points[twin], 0) * TWIN_SHARE), column)
        if fresh:
            queue = sorted((score + cut[one][0] if one in fresh else score, order, one) for score, order, one in queue)
    return taken
