"""Wishes and hits -> picks."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np

from digest.models import Lane, Reason, ReasonKind
from digest.relevance.ranking.candidates import Candidate
from digest.relevance.ranking.scale import Scale
from digest.relevance.ranking.taste import Taste
from tests.reference.both import rank
from tests.reference.rank import Day, Hit, Line, Wishes


def day(upvotes: dict[int, int], hits: dict[int, dict[int, float]]) -> Day:
    """A day of papers {id: upvotes} and hits {interest: {paper: weight}}."""
    return Day(
        {paper: Candidate(paper, votes) for paper, votes in upvotes.items()},
        {interest: [Hit(p, w) for p, w in found.items()] for interest, found in hits.items()},
    )


def order(wishes: Wishes, on: Day, sent: tuple[int, ...] = ()) -> list[int]:
    return [pick.paper for pick in rank(wishes, on, sent)]


LIKES_1 = (Line(1, "diffusion"),)


def test_it_prefers_the_better_match() -> None:
    papers = dict.fromkeys(range(3, 40), 0) | {1: 0, 2: 99}
    assert order(Wishes(LIKES_1), day(papers, {1: {1: 1.0, 2: 0.5}})) == [1, 2]


def test_it_prefers_the_rarer_interest() -> None:
    papers = dict.fromkeys(range(1, 9), 0)
    found = day(papers, {1: dict.fromkeys(range(1, 8), 1.0), 2: {8: 1.0}})
    assert order(Wishes((Line(1, "model"), Line(2, "protein"))), found)[0] == 8


def test_it_breaks_a_tie_by_upvotes() -> None:
    assert order(Wishes(LIKES_1), day({1: 3, 2: 40}, {1: {1: 1.0, 2: 1.0}})) == [2, 1]


def test_the_points_shown_add_up() -> None:
    found = day({1: 10, 2: 5}, {1: {1: 1.0}, 2: {1: 0.7, 2: 0.4}})
    for pick in rank(Wishes((Line(1, "a"), Line(2, "b"))), found):
        assert pick.points == sum(reason.points for reason in pick.reasons) + pick.trend


def test_it_never_picks_what_is_muted_or_was_sent() -> None:
    found = day({1: 0, 2: 0, 3: 0}, {1: {1: 1.0, 2: 1.0, 3: 1.0}, 9: {2: 0.1}})
    assert order(Wishes((*LIKES_1, Line(9, "-survey", is_mute=True)), trending_share=50), found, (3,)) == [1]


def test_it_keeps_to_the_number_of_papers_and_the_share_of_trending() -> None:
    papers = {number: number for number in range(1, 31)}
    found = day(papers, {1: dict.fromkeys(range(1, 16), 1.0)})
    picks = rank(Wishes(LIKES_1, max_papers=10, trending_share=30), found)
    assert [pick.lane for pick in picks] == [Lane.INTERESTS] * 7 + [Lane.TRENDING] * 3
    assert [pick.paper for pick in picks[-3:]] == [30, 29, 28]


def test_nothing_matched_is_an_empty_list_unless_trending_was_asked_for() -> None:
    found = day({1: 5, 2: 9}, {})
    assert rank(Wishes(LIKES_1), found) == []
    assert order(Wishes(LIKES_1, max_papers=10, trending_share=30), found) == [2, 1]


def test_the_same_inputs_in_any_order_give_the_same_picks() -> None:
    chance = random.Random(7)
    papers = {number: chance.randrange(5) for number in range(60)}
    hits = {interest: {p: chance.choice((0.5, 1.0)) for p in range(60) if chance.random() < 0.4} for interest in (1, 2)}
    wishes = Wishes((Line(1, "a"), Line(2, "b")), trending_share=20)
    first = rank(wishes, day(papers, hits))
    shuffled = list(papers.items())
    chance.shuffle(shuffled)
    assert rank(wishes, day(dict(shuffled), dict(reversed(hits.items())))) == first


def test_of_two_papers_nearly_the_same_one_stands_back() -> None:
    found = day({1: 0, 2: 0, 3: 0}, {1: {1: 1.0, 2: 0.98, 3: 0.7}})
    twins = replace(found, twins={1: frozenset({2}), 2: frozenset({1})})
    assert order(Wishes(LIKES_1), found) == [1, 2, 3]
    assert order(Wishes(LIKES_1), twins) == [1, 3, 2]
    last = rank(Wishes(LIKES_1), twins)[-1]
    assert (last.reasons[-1].kind, last.reasons[-1].subject) == (ReasonKind.TWIN, 1)
    assert last.points == sum(reason.points for reason in last.reasons)


def test_a_paper_close_to_a_line_comes_after_those_that_match_it() -> None:
    close = {"diffusion": np.array([0.0, 0.6, 0.2])}
    found = replace(day({1: 0, 2: 0, 3: 0}, {1: {1: 1.0}}), close=close)
    found = replace(found, scale=Scale(close=1.0))
    picks = rank(Wishes(LIKES_1), found)
    assert [pick.paper for pick in picks] == [1, 2]
    assert picks[1].reasons == (Reason(ReasonKind.CLOSE, 1, 36),)


def test_beside_a_taste_lines_count_by_the_logarithm_and_the_points_still_add_up() -> None:
    found = day({1: 10, 2: 5}, {1: {1: 9.0, 2: 1.0}, 2: {1: 3.1}, 3: {1: 0.02}})
    wishes = Wishes((Line(1, "a"), Line(2, "b"), Line(3, "c"), Line(4, "worth nothing")))
    found = replace(found, hits={**found.hits, 4: [Hit(2, 0.0)]})
    alone = rank(wishes, found)
    assert alone[0].points > 1000
    for trust in (1.0, 0.4, 0.0):
        pick = rank(wishes, found, (), Taste(np.zeros(2), np.array([7, 7]), trust))[0]
        worth = (alone[0].points - alone[0].trend) / 100
        assert pick.points - pick.trend == round(100 * trust * 2 * np.log1p(worth))
        assert pick.points == sum(reason.points for reason in pick.reasons) + 100
        assert all(reason.points for reason in pick.reasons)


def test_a_line_worth_nothing_is_no_error_beside_a_taste() -> None:
    learned = Taste(np.array([2.5]), np.array([7]))
    pick = rank(Wishes(LIKES_1), day({1: 0}, {1: {1: 0.0}}), (), learned)[0]
    assert [reason.kind for reason in pick.reasons] == [ReasonKind.TASTE]


def test_three_lines_on_a_paper_do_not_drown_a_strong_taste_for_another() -> None:
    found = day({1: 0, 2: 0, 3: 0}, {1: {1: 2.0, 2: 1.0}, 2: {1: 2.0}, 3: {1: 2.0}})
    lines = Wishes((Line(1, "a"), Line(2, "b"), Line(3, "c")))
    assert order(lines, found) == [1, 2]
    learned = Taste(np.array([0.0, 2.0, 0.0]), np.array([7, 7, 7]))
    assert [pick.paper for pick in rank(lines, found, (), learned)] == [2, 1]


def test_taste_alone_brings_a_paper_only_when_it_is_strong() -> None:
    learned = Taste(np.array([9.0, 0.5, -9.0]), np.array([7, 7, 7]))
    assert [pick.paper for pick in rank(Wishes(()), day({1: 0, 2: 0, 3: 0}, {}), (), learned)] == [1]


def test_what_the_reader_does_not_like_is_left_out_though_it_matches() -> None:
    learned = Taste(np.array([-9.0, 0.0]), np.array([-1, -1]))
    assert [pick.paper for pick in rank(Wishes(LIKES_1), day({1: 0, 2: 0}, {1: {1: 1, 2: 1}}), (), learned)] == [2]
