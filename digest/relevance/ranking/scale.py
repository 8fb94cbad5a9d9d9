"""How many points each voice of the ranking may give. docs/ranking.md explains the numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from digest.relevance.vectors import Floats, Integers

TREND_POINTS = 1.0  # at most: it decides among papers that a broad line finds, not between a good match and a poor one
CLOSE_POINTS = 2.0  # of a paper that holds all that a line asks for, at its best
CLOSE_ENOUGH = 0.5  # of a line's closeness, for a paper that no line matches
TASTE_POINTS = 2.0  # a degree of taste
LINES_BESIDE_TASTE = 2.0  # points of lines worth e - 1 points; ten points' worth have not quite five
TO_TASTE = 2.0  # degrees, for a paper that no line matches or is close to
FAINT = 25  # hundredths of closeness below which a line is not named as a reason
TWIN_SHARE = 0.5  # of its points a near-duplicate loses to the one above it
STEPS = 1 << 16  # of a point: what rounding to hundredths loses decides between equal points


@dataclass(frozen=True, slots=True)
class Scale:
    """What each voice may say, in points, and what is enough without a match. Zero silences a voice."""

    close: float = CLOSE_POINTS
    taste: float = TASTE_POINTS
    trend: float = TREND_POINTS
    close_enough: float = CLOSE_ENOUGH
    to_taste: float = TO_TASTE
    least: float = 0.0  # interests and taste together, of a pick that is for the subscriber


def hundredths(points: Floats) -> Integers:
    return np.rint(100 * points).astype(np.int64)


def steps(points: Floats) -> Integers:
    return np.rint(STEPS * points).astype(np.int64)
