"""What a digest stores of its picks: numbers, packed into two columns of fixed-size records.

Points are hundredths, so that the reasons of a pick and its trend add up to its points exactly. Sentences are made
where they are shown (`digest.picks.evidence`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from django.db.models import IntegerChoices

# Little-endian and without padding: these layouts are the storage format.
PICK = np.dtype([("paper", "<i8"), ("lane", "u1"), ("points", "<i4"), ("trend", "<i4")])
REASON = np.dtype([("pick", "<u2"), ("kind", "u1"), ("subject", "<i8"), ("points", "<i4")])
MAX_PICKS = 1 << 16  # of a digest: `REASON["pick"]` is the index of its pick


class Lane(IntegerChoices):
    INTERESTS = 1
    TRENDING = 2
    OVERFLOW = 3  # matched during the week, beyond the number of papers the subscriber asked for


class ReasonKind(IntegerChoices):
    MATCH = 1
    CLOSE = 2
    TASTE = 3
    TWIN = 4
    FAINT = 5


class Reason(NamedTuple):
    """`subject` is the id of the interest (MATCH, CLOSE), of the liked paper (TASTE), of the near-duplicate ranked
    above (TWIN), or 0.
    """

    kind: int
    subject: int
    points: int


class Pick(NamedTuple):
    """A paper of a digest. `points` is the sum of `trend` and of the points of `reasons`."""

    paper: int
    lane: int
    points: int
    trend: int
    reasons: tuple[Reason, ...] = ()


def pack(picks: Sequence[Pick]) -> tuple[bytes, bytes]:
    """Return the picks and their reasons as stored. Raises OverflowError for a number that does not fit."""
    if len(picks) > MAX_PICKS:
        raise OverflowError(f"A digest holds at most {MAX_PICKS} picks, not {len(picks)}.")
    rows = [(pick.paper, pick.lane, pick.points, pick.trend) for pick in picks]
    reasons = [(index, *reason) for index, pick in enumerate(picks) for reason in pick.reasons]
    return np.array(rows, PICK).tobytes(), np.array(reasons, REASON).tobytes()


def unpack(picks: bytes, reasons: bytes) -> list[Pick]:
    """Return the picks, best first, each with its reasons in the order they were packed."""
    of_pick: list[list[Reason]] = [[] for _ in range(len(picks) // PICK.itemsize)]
    for index, *reason in np.frombuffer(reasons, REASON).tolist():
        of_pick[index].append(Reason(*reason))
    rows = np.frombuffer(picks, PICK).tolist()
    return [
        Pick(paper, lane, points, trend, tuple(of_one))
        for (paper, lane, points, trend), of_one in zip(rows, of_pick, strict=True)
    ]


def paper_ids(picks: bytes) -> list[int]:
    """Return the ids of the papers without unpacking the rest."""
    ids: list[int] = np.frombuffer(picks, PICK)["paper"].tolist()
    return ids


def in_lane(picks: Iterable[Pick], lane: Lane) -> list[Pick]:
    return [pick for pick in picks if pick.lane == lane]
