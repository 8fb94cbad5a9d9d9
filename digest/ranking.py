"""A reader's wishes and the matches -> picks with points and reasons. Pure: lists in, lists out.

score = interests + taste + trend. The points shown beside a paper add up to its score. The same inputs
give the same picks in the same order.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

INTERESTS, TRENDING = "interests", "trending"
TREND_POINTS = 0.1  # at most: enough to order equals, too little to lift a poor match over a good one


@dataclass(frozen=True, slots=True)
class Candidate:
    """What ranking knows of a paper: `upvotes` as of now, `rank` its best place in any list."""

    paper_id: int
    upvotes: int = 0
    rank: int = 1


@dataclass(frozen=True, slots=True)
class Hit:
    """An interest found a paper: Match.weight and Match.places."""

    paper_id: int
    weight: float
    places: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """One of the reader's lines."""

    interest_id: int
    typed: str
    is_mute: bool = False


@dataclass(frozen=True, slots=True)
class Wishes:
    """What one reader wants: lines, how many papers, and the percent of them that may just be trending."""

    lines: tuple[Line, ...]
    max_papers: int = 10
    trending_share: int = 0


@dataclass(frozen=True)
class Day:
    """What all readers of a moment share: the candidates, and the hits on them by interest."""

    candidates: Mapping[int, Candidate]
    hits: Mapping[int, list[Hit]]

    @cached_property
    def most_upvotes(self) -> int:
        return max((candidate.upvotes for candidate in self.candidates.values()), default=0)

    def rarity(self, interest_id: int) -> float:
        """ln(1 + papers / papers found): an interest that finds nearly everything says little."""
        found = len(self.hits.get(interest_id, ()))
        return math.log(1 + len(self.candidates) / found) if found else 0.0

    def trend(self, candidate: Candidate) -> float:
        """0 to TREND_POINTS, by upvotes against the day's most."""
        if not self.most_upvotes:
            return 0.0
        return TREND_POINTS * math.log1p(candidate.upvotes) / math.log1p(self.most_upvotes)


def rank(wishes: Wishes, day: Day, already_sent: Iterable[int] = ()) -> list[dict[str, Any]]:
    """The picks, best first: those that match, then those that are trending anyway."""
    muted = {hit.paper_id for line in wishes.lines if line.is_mute for hit in day.hits.get(line.interest_id, ())}
    refused = muted | set(already_sent)
    reasons = _reasons(wishes, day, refused)
    trending_places = round(wishes.max_papers * wishes.trending_share / 100)
    matched = sorted(
        (_pick(day, paper_id, INTERESTS, why) for paper_id, why in reasons.items()),
        key=lambda pick: _order(pick, day),
    )[: max(wishes.max_papers - trending_places, 1 if wishes.max_papers else 0)]
    chosen = refused | {pick["paper"] for pick in matched}
    trending = sorted(
        (_pick(day, paper_id, TRENDING, []) for paper_id in day.candidates if paper_id not in chosen),
        key=lambda pick: _order(pick, day),
    )[:trending_places]
    return matched + trending


def _reasons(wishes: Wishes, day: Day, refused: set[int]) -> dict[int, list[dict[str, Any]]]:
    """For each paper that matches, the lines that found it and the points each gave."""
    reasons: dict[int, list[dict[str, Any]]] = {}
    for line in wishes.lines:
        if line.is_mute:
            continue
        rarity = day.rarity(line.interest_id)
        for hit in day.hits.get(line.interest_id, ()):
            if hit.paper_id in day.candidates and hit.paper_id not in refused:
                reason = {"line": line.typed, "points": round(hit.weight * rarity, 2), **hit.places}
                reasons.setdefault(hit.paper_id, []).append(reason)
    return reasons


def _pick(day: Day, paper_id: int, lane: str, reasons: list[dict[str, Any]]) -> dict[str, Any]:
    best = sorted(reasons, key=lambda reason: (-reason["points"], reason["line"]))
    trend = round(day.trend(day.candidates[paper_id]), 2)
    points = round(sum(reason["points"] for reason in reasons) + trend, 2)
    return {"paper": paper_id, "lane": lane, "points": points, "trend": trend, "reasons": best}


def _order(pick: dict[str, Any], day: Day) -> tuple[float, int, int, int]:
    candidate = day.candidates[pick["paper"]]
    return (-pick["points"], -candidate.upvotes, candidate.rank, candidate.paper_id)
