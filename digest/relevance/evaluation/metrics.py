"""nDCG, recall and bootstrap intervals. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

RESAMPLES, SEED = 2000, 20


def ndcg(ranked: Sequence[int], gains: Mapping[int, float], cut: int = 10) -> float:
    """Discounted gain of the first `cut` against the best order (Jarvelin and Kekalainen, 2002); linear gains."""
    reached = _discounted(gains.get(paper, 0.0) for paper in ranked[:cut])
    best = _discounted(sorted(gains.values(), reverse=True)[:cut])
    return reached / best if best else 0.0


def _discounted(gains: Iterable[float]) -> float:
    return sum(gain / math.log2(place + 2) for place, gain in enumerate(gains))


def recall(ranked: Sequence[int], gains: Mapping[int, float], cut: int = 20) -> float:
    """The share of the relevant papers among the first `cut`."""
    relevant = {paper for paper, gain in gains.items() if gain > 0}
    return len(relevant.intersection(ranked[:cut])) / len(relevant) if relevant else 0.0


def interval(values: Sequence[float]) -> tuple[float, float]:
    """The 95% bootstrap interval of the mean; the same values give the same interval."""
    if not values:
        return (0.0, 0.0)
    sample = np.asarray(values, float)
    chosen = np.random.default_rng(SEED).integers(0, len(sample), (RESAMPLES, len(sample)))
    low, high = np.quantile(sample[chosen].mean(axis=1), (0.025, 0.975))
    return float(low), float(high)
