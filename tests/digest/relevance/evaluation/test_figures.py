"""The measures against values worked out by hand."""

from __future__ import annotations

import pytest

from digest.relevance.evaluation.metrics import interval, ndcg, recall
from digest.relevance.evaluation.protocols import Judgement
from digest.relevance.evaluation.report import rows


def test_ndcg_by_hand() -> None:
    # (1 / log2 3) / (1 / log2 2 + 1 / log2 3)
    assert ndcg([9, 1], {1: 1.0, 2: 1.0}) == pytest.approx(0.6309297 / 1.6309297)


def test_grades_are_gains_and_places_past_the_cut_count_nothing() -> None:
    assert ndcg([1, 2], {1: 1.0, 2: 3.0}) == pytest.approx((1 + 3 * 0.6309297) / (3 + 0.6309297))
    assert ndcg([*range(100, 110), 1], {1: 1.0}) == 0


def test_nothing_relevant_is_zero_and_no_division() -> None:
    assert ndcg([1, 2], {}) == 0
    assert recall([1, 2], {}) == 0


def test_recall_by_hand() -> None:
    assert recall([1, 5, 2], {1: 1.0, 2: 2.0, 3: 1.0, 4: 0.0}, cut=3) == pytest.approx(2 / 3)


def test_an_interval_holds_the_mean_and_is_the_same_each_time() -> None:
    values = [0.1, 0.4, 0.2, 0.9, 0.3]
    low, high = interval(values)
    assert low < sum(values) / 5 < high
    assert interval(values) == (low, high)
    assert interval([0.5] * 9) == (0.5, 0.5)


def test_a_difference_is_paired_by_query() -> None:
    judged = [Judgement("queries", "Paper Round", f"query {n}", f"query {n}", [1, 2], {1: 1.0}) for n in range(12)] + [
        Judgement("queries", "BM25", f"query {n}", f"query {n}", [2, 1], {1: 1.0}) for n in range(12)
    ]
    ours, theirs = rows(judged)
    assert (ours.ndcg, ours.difference) == (1.0, None)
    assert theirs.difference == pytest.approx(1 - 0.6309297)
    assert theirs.low == pytest.approx(theirs.high)
