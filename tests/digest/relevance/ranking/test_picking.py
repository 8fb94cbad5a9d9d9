"""Picks as arrays are the picks that ranking reader by reader gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.picks.selection import picking
from digest.picks.selection.picking import Hits, Picks, Rows, pick
from digest.relevance.ranking.rank import Candidate, Day, Hit, Line, Wishes, rank


def rows(lists: list[list[int]]) -> Rows:
    ends = np.cumsum([0, *map(len, lists)])
    return Rows(ends, np.array([item for one in lists for item in one], dtype=np.int64))


def hits(found: list[dict[int, int]]) -> Hits:
    return Hits(
        rows([list(one) for one in found]), np.array([p for one in found for p in one.values()], dtype=np.int64)
    )


def as_lists(picks: Picks) -> list[list[tuple[int, int, set[int]]]]:
    """For each reader (paper, points, lines)."""
    return [
        [
            (int(paper), int(points), {n for n in range(63) if int(lines) >> n & 1})
            for paper, points, lines in zip(*of_one, strict=True)
            if paper >= 0
        ]
        for of_one in zip(picks.papers, picks.points, picks.lines, strict=True)
    ]


@st.composite
def days(draw: st.DrawFn) -> dict[str, Any]:
    papers, interests = draw(st.integers(1, 9)), draw(st.integers(1, 7))
    number = st.integers(0, papers - 1)
    return {
        "papers": [Candidate(n, draw(st.integers(0, 3)), draw(st.integers(1, 3))) for n in range(papers)],
        "weights": [draw(st.dictionaries(number, st.sampled_from([0.5, 1.0, 1.2]))) for _ in range(interests)],
        "readers": draw(st.lists(st.lists(st.integers(0, interests - 1), unique=True), max_size=6)),
        "mutes": draw(st.sets(st.integers(0, interests - 1), max_size=2)),
        "sent": draw(st.sets(number, max_size=3)),
        "most": draw(st.integers(1, 12)),
    }  # fmt: skip


@settings(deadline=None)
@given(days(), st.booleans())
def test_many_readers_at_once_get_what_each_gets_alone(given_day: dict[str, Any], in_small_tables: bool) -> None:
    candidates = {one.paper_id: one for one in given_day["papers"]}
    weights, readers, mutes, sent = (given_day[name] for name in ("weights", "readers", "mutes", "sent"))
    day = Day(candidates, {n: [Hit(p, w, {}) for p, w in one.items()] for n, one in enumerate(weights)})
    place = day.place
    wanted = [[interest for interest in one if interest not in mutes] for one in readers]
    refused = sorted(
        {
            (reader, place[paper])
            for reader, one in enumerate(readers)
            for paper in {*sent, *(paper for mute in mutes & set(one) for paper in weights[mute])}
        }
    )
    points = [{at: hundredths for at, (hundredths, _) in day.found(n).items()} for n in range(len(weights))]
    with pytest.MonkeyPatch.context() as patch:
        if in_small_tables:
            patch.setattr(picking, "TABLE_CELLS", 1)
            patch.setattr(picking, "MAX_LINES", 7)
            patch.setattr(picking, "BLOCK_CELLS", 1)
        picks = pick(
            rows(wanted),
            hits(points),
            day.trend,
            most=given_day["most"],
            refused=tuple(np.array(refused, dtype=np.int64).reshape(-1, 2).T),  # type: ignore[arg-type]
        )
    for of_one, lines, found in zip(readers, wanted, as_lists(picks), strict=True):
        wishes = Wishes(tuple(Line(n, str(n), n in mutes) for n in of_one), given_day["most"])
        alone = [
            (place[one["paper"]], round(one["points"] * 100), {int(why["line"]) for why in one["reasons"]})
            for one in rank(wishes, day, sent)
        ]
        assert [(paper, points, {lines[n] for n in bits}) for paper, points, bits in found] == alone


ONE_READER, ONE_HIT = rows([[0]]), hits([{1: 50}])


def test_a_reader_gets_no_more_than_their_cap() -> None:
    found = pick(rows([[0], [0]]), hits([{0: 5, 1: 6, 2: 7}]), np.zeros(3, int), caps=np.array([1, 10]))
    assert [[paper for paper, _, _ in one] for one in as_lists(found)] == [[2], [2, 1, 0]]


def test_points_of_taste_count_but_bring_no_paper_of_their_own() -> None:
    extra = np.array([[900, -60]])
    assert as_lists(pick(ONE_READER, ONE_HIT, np.zeros(2, int), extra=extra)) == [[(1, -10, {0})]]


def test_many_points_do_not_overflow() -> None:
    found = pick(rows([[0, 1]]), hits([{0: 2**29}, {0: 2**29}]), np.zeros(500, int))
    assert as_lists(found) == [[(0, 2**30, {0, 1})]]


def test_the_best_are_found_among_very_many_papers() -> None:
    chance = np.random.default_rng(5)
    worth = chance.integers(1, 40, 501)
    found = pick(ONE_READER, hits([dict(enumerate(worth.tolist()))]), np.zeros(501, int))
    best = sorted(range(501), key=lambda paper: (-worth[paper], paper))[:10]
    assert [paper for paper, _, _ in as_lists(found)[0]] == best


def test_nobody_and_nothing_give_no_picks() -> None:
    assert as_lists(pick(rows([]), ONE_HIT, np.zeros(2, int))) == []
    assert as_lists(pick(ONE_READER, hits([{}]), np.zeros(0, int))) == [[]]
    assert as_lists(pick(rows([[], [0]]), ONE_HIT, np.zeros(2, int))) == [[], [(1, 50, {0})]]


def test_what_would_give_wrong_picks_is_refused() -> None:
    with pytest.raises(ValueError, match="interests of one reader"):
        pick(rows([[0] * 64]), ONE_HIT, np.zeros(2, int))
    with pytest.raises(ValueError, match="at least one hundredth"):
        pick(ONE_READER, hits([{1: 0}]), np.zeros(2, int))
