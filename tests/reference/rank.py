"""The ranking said plainly, one subscriber at a time: what `rank_subscribers` must agree with."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from digest.models.picks import Lane, Pick, Reason, ReasonKind
from digest.relevance.ranking.candidates import Candidate
from digest.relevance.ranking.scale import FAINT, LINES_BESIDE_TASTE, TWIN_SHARE, Scale, hundredths, steps
from digest.relevance.ranking.taste import Taste
from digest.relevance.vectors import Floats, Integers


@dataclass(frozen=True, slots=True)
class Hit:
    """An interest found a paper; `weight` as in Match."""

    paper_id: int
    weight: float


@dataclass(frozen=True, slots=True)
class Line:
    """One of the reader's lines."""

    interest_id: int
    typed: str
    is_mute: bool = False
    is_prose: bool = False  # only its closeness counts
    is_pin: bool = False  # what it matches comes first, whatever its points


@dataclass(frozen=True, slots=True)
class Wishes:
    """What one reader wants: lines, how many papers, the percent of them that may just be trending; and how many more
    that match may follow in a lane of their own.
    """

    lines: tuple[Line, ...]
    max_papers: int = 10
    trending_share: int = 0
    overflow: int = 0


def in_order(candidates: Iterable[Candidate]) -> list[int]:
    """Paper ids as they stand when their points are equal: the order of all arrays over candidates."""
    return [one.paper_id for one in sorted(candidates, key=lambda one: (-one.upvotes, one.rank, one.paper_id))]


@dataclass(frozen=True)
class Day:
    """What all readers of a moment share.

    `candidates` and `hits` on them by interest; `close`, by line as typed, how close each candidate is to it (0 to
    1, in the order of `in_order`); `twins`, by paper, those that are nearly the same.
    """

    candidates: Mapping[int, Candidate]
    hits: Mapping[int, Sequence[Hit]]
    close: Mapping[str, Floats] = field(default_factory=dict)
    twins: Mapping[int, frozenset[int]] = field(default_factory=dict)
    scale: Scale = field(default_factory=Scale)

    @cached_property
    def papers(self) -> list[int]:
        return in_order(self.candidates.values())

    @cached_property
    def place(self) -> dict[int, int]:
        return {paper_id: place for place, paper_id in enumerate(self.papers)}

    @cached_property
    def trend(self) -> Integers:
        """Hundredths of points, by upvotes against the day's most."""
        votes = np.log1p([self.candidates[paper_id].upvotes for paper_id in self.papers])
        most = votes.max(initial=0.0)
        return hundredths(self.scale.trend * votes / most) if most else np.zeros(len(self.papers), np.int64)

    @cached_property
    def has_twin(self) -> Any:
        """By place."""
        return np.array([bool(self.twins.get(paper)) for paper in self.papers], bool)

    @cached_property
    def _found(self) -> dict[int, dict[int, int]]:
        return {}

    def found(self, interest_id: int) -> dict[int, int]:
        """By place: the hundredths an interest's exact match gives."""
        if interest_id not in self._found:
            held = [hit for hit in self.hits.get(interest_id, ()) if hit.paper_id in self.place]
            # ln(1 + papers / papers found): an interest that finds nearly everything says little.
            rarity = math.log(1 + len(self.candidates) / len(held)) if held else 0.0
            self._found[interest_id] = {self.place[hit.paper_id]: round(100 * (hit.weight * rarity)) for hit in held}
        return self._found[interest_id]

    @cached_property
    def _near(self) -> dict[str, Integers]:
        return {}

    def near(self, typed: str) -> Integers | None:
        """The hundredths a line gives for closeness, squared so that half of a line is worth a quarter."""
        if typed not in self.close:
            return None
        if typed not in self._near:
            self._near[typed] = hundredths(self.scale.close * self.close[typed] ** 2)
        return self._near[typed]


def rank(wishes: Wishes, day: Day, already_sent: Iterable[int] = (), taste: Taste | None = None) -> list[Pick]:
    """The picks: what a pin matches, then what matches or is to the reader's taste, then what is trending anyway,
    then what there was no room for; each best first.
    """
    points, wanted = np.zeros(len(day.papers), np.int64), np.zeros(len(day.papers), bool)
    finer = np.zeros(len(day.papers), np.int64)  # what rounding took: it decides between equal points
    for line in wishes.lines:
        if not line.is_mute:
            _add_line(day, line, points, finer, wanted)
    points = _beside(taste, points) + day.trend
    if taste is not None:
        points += hundredths(day.scale.taste * taste.degree)
        finer += steps(day.scale.taste * taste.degree)
        wanted |= taste.degree >= day.scale.to_taste
    wanted &= points - day.trend >= 100 * day.scale.least  # else what the reader said against it weighs more
    free = _free(wishes, day, already_sent)
    share = round(wishes.max_papers * wishes.trending_share / 100)
    most = max(wishes.max_papers - share, 1 if wishes.max_papers else 0)
    pinned, room = _pinned(wishes, day), most + wishes.overflow
    for_you = best(day, points, finer, wanted & free & pinned, room) if pinned.any() else []
    for_you += best(day, points, finer, wanted & free & ~pinned, room - len(for_you))
    for place, _, _ in for_you:
        free[place] = False
    trending = np.flatnonzero(free)[np.argsort(-day.trend[free], kind="stable")][:share]
    picks = [_pick(day, wishes, taste, place, cut, twin) for place, cut, twin in for_you]
    over = [pick._replace(lane=Lane.OVERFLOW) for pick in picks[most:]]
    return picks[:most] + [_trending(day, int(place)) for place in trending] + over


def _add_line(day: Day, line: Line, points: Integers, finer: Integers, wanted: Any) -> None:
    found = day.found(line.interest_id)
    if found and not line.is_prose:
        places = list(found)
        points[places] += np.array(list(found.values()))
        wanted[places] = True
    near = day.near(line.typed)
    if near is not None:
        points += near
        finer += steps(day.scale.close * day.close[line.typed] ** 2)
        wanted |= day.close[line.typed] >= day.scale.close_enough


def _pinned(wishes: Wishes, day: Day) -> Any:
    """Which candidates a pin matches."""
    pinned = np.zeros(len(day.papers), bool)
    for line in wishes.lines:
        if line.is_pin:
            pinned[list(day.found(line.interest_id))] = True
    return pinned


def _beside(taste: Taste | None, worth: Integers) -> Integers:
    """What all lines together give in hundredths, from what they are worth alone.

    Beside a taste they count by the logarithm, and as far as they are trusted: else the third line that finds a paper
    would drown what the clicks say of it.
    """
    if taste is None:
        return worth
    return hundredths(taste.trust * LINES_BESIDE_TASTE * np.log1p(worth / 100))


def _free(wishes: Wishes, day: Day, already_sent: Iterable[int]) -> Any:
    """Which candidates are neither muted nor sent before."""
    free = np.ones(len(day.papers), bool)
    free[[day.place[paper_id] for paper_id in already_sent if paper_id in day.place]] = False
    for line in wishes.lines:
        if line.is_mute:
            free[list(day.found(line.interest_id))] = False
    return free


def best(day: Day, points: Integers, finer: Integers, wanted: Any, most: int) -> list[tuple[int, int, int]]:
    """(place, hundredths lost, place of the twin above or -1) of the best; near-duplicates are spread.

    Greedy, as in maximal marginal relevance (Carbonell and Goldstein, 1998): a paper nearly the same as one
    already taken stands with what is left of its points, once.
    """
    places = np.flatnonzero(wanted)
    places = places[np.lexsort((places, -finer[places], -points[places]))]
    if not day.twins:
        return [(int(place), 0, -1) for place in places[:most]]
    # Only twins ever step back, so nobody comes forward by more places than there are twins.
    places = places[: most + int(np.count_nonzero(day.has_twin[places]))]
    queue = [(-int(points[place]), order, int(place)) for order, place in enumerate(places)]
    left = set(places.tolist())
    cut: dict[int, tuple[int, int]] = {}
    chosen: list[tuple[int, int, int]] = []
    while queue and len(chosen) < most:
        *_, place = queue.pop(0)
        chosen.append((place, *cut.get(place, (0, -1))))
        twins = {day.place[twin] for twin in day.twins.get(day.papers[place], ()) if twin in day.place}
        fresh = [twin for twin in twins if twin in left and twin not in cut]
        for twin in fresh:
            cut[twin] = (int(max(points[twin], 0) * TWIN_SHARE), place)
        if fresh:
            queue = sorted((score + cut[p][0] if p in fresh else score, order, p) for score, order, p in queue)
    return chosen


def _pick(day: Day, wishes: Wishes, taste: Taste | None, place: int, cut: int, twin: int) -> Pick:
    said = [reason for line in wishes.lines if not line.is_mute and (reason := _reason(day, line, place))]
    said = _shared_out(said, taste)
    reasons = [reason for reason in said if not _is_faint(reason)]
    reasons.sort(key=lambda reason: -reason.points)  # of equal points, in the order of the lines
    if taste is not None and (liking := int(hundredths(day.scale.taste * taste.degree[[place]])[0])):
        reasons.append(Reason(ReasonKind.TASTE, max(int(taste.nearest[place]), 0) if liking > 0 else 0, liking))
    if cut:
        reasons.append(Reason(ReasonKind.TWIN, day.papers[twin], -cut))
    if faint := sum(reason.points for reason in said if _is_faint(reason)):
        reasons.append(Reason(ReasonKind.FAINT, 0, faint))
    trend = int(day.trend[place])
    total = sum(reason.points for reason in reasons) + trend
    return Pick(day.papers[place], Lane.INTERESTS, total, trend, tuple(reasons))


def _trending(day: Day, place: int) -> Pick:
    trend = int(day.trend[place])
    return Pick(day.papers[place], Lane.TRENDING, trend, trend)


def _is_faint(reason: Reason) -> bool:
    return reason.kind == ReasonKind.CLOSE and reason.points < FAINT


def _shared_out(reasons: list[Reason], taste: Taste | None) -> list[Reason]:
    """Each line's part of what they give together, by what each is worth; none without a part."""
    if taste is None or not reasons:
        return reasons
    worth = list(accumulate(reason.points for reason in reasons))
    share = taste.trust * LINES_BESIDE_TASTE * math.log1p(worth[-1] / 100) / max(worth[-1], 1)
    ends = [round(100 * (share * so_far)) for so_far in worth]
    parts = [end - before for before, end in pairwise([0, *ends])]
    return [reason._replace(points=part) for reason, part in zip(reasons, parts, strict=True) if part]


def _reason(day: Day, line: Line, place: int) -> Reason | None:
    """What a line says for a paper: an exact match, or that the paper is close to it."""
    near = day.near(line.typed)
    close = int(near[place]) if near is not None else 0
    exact = None if line.is_prose else day.found(line.interest_id).get(place)
    if exact is not None:
        return Reason(ReasonKind.MATCH, line.interest_id, exact + close)
    return Reason(ReasonKind.CLOSE, line.interest_id, close) if close else None
