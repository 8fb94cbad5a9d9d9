"""New papers against all interests, new interests against the recent papers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from digest.models import Match, Paper
from digest.relevance import match_papers
from digest.relevance.matching.documents import document
from digest.relevance.matching.match import describe
from digest.relevance.matching.queries import Query
from subscriptions.models import Interest, Subscriber
from tests.conftest import MORNING, listing, make_reader

pytestmark = pytest.mark.django_db


def found() -> set[tuple[str, str]]:
    return set(Match.objects.values_list("interest__text", "paper__title"))


def test_a_new_paper_meets_the_interests_there_are(alice: Subscriber, store: Callable[..., list[Paper]]) -> None:
    store(listing("Fresh Diffusion"))
    assert found() == {("diffusion", "Fresh Diffusion")}


def test_a_new_interest_meets_the_papers_there_are(papers: list[Paper]) -> None:
    make_reader("alan@example.org", "pruning")
    assert found() == {("pruning", "Pruning Networks")}


def test_a_new_interest_does_not_look_back_for_ever(papers: list[Paper]) -> None:
    old = MORNING - dt.timedelta(days=match_papers.RECENT_DAYS + 1)
    Paper.objects.update(first_seen_at=old, first_listed_on=old.date())
    make_reader("alan@example.org", "pruning")
    assert not found()


def test_a_match_is_stored_as_the_model_would_store_it(store: Callable[..., list[Paper]]) -> None:
    reader = make_reader("alan@example.org", 'author:"O\'Neil"', "back", "-survey")
    (paper,) = store(listing('A "back\\slash\tsurvey"', "Back, and back again.", authors=("José O'Neil",)))
    assert Match.objects.filter(paper=paper, interest__subscribers=reader).count() == 3
    for match in Match.objects.select_related("interest"):
        query, taken_apart = Query.of(match.interest_id, match.interest.node()), document(paper)
        held = query.find(taken_apart)
        assert held and (match.weight, match.places) == (round(held.weight, 4), describe(held, taken_apart))


def test_new_interests_are_matched_part_by_part(papers: list[Paper], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(match_papers, "_NEW_AT_ONCE", 2)
    monkeypatch.setattr(match_papers, "_ROWS_AT_ONCE", 1)
    make_reader("alan@example.org", "pruning", "diffusion", "weather", "networks OR weather", "nothing")
    titles = {"Pruning Networks", "Diffusion for Weather"}
    assert {pair for pair in found() if pair[0] == "networks OR weather"} == {
        ("networks OR weather", title) for title in titles
    }
    assert {("pruning", "Pruning Networks"), ("weather", "Diffusion for Weather")} <= found()
    assert not Interest.objects.filter(matched_at=None).exists()


def test_matching_again_adds_nothing(alice: Subscriber, papers: list[Paper]) -> None:
    before = set(Match.objects.values_list("pk", flat=True))
    assert match_papers.match_new(MORNING) == 0
    assert set(Match.objects.values_list("pk", flat=True)) == before


def test_a_paper_that_changed_loses_matches_that_are_no_longer_true(alice: Subscriber, papers: list[Paper]) -> None:
    Paper.objects.filter(title="Diffusion for Weather").update(title="Rain", abstract="Drops.", matched_at=None)
    match_papers.match_new(MORNING)
    assert ("diffusion", "Rain") not in found()


def test_one_interest_that_cannot_be_read_stops_no_other(
    alice: Subscriber, store: Callable[..., list[Paper]], caplog: pytest.LogCaptureFixture
) -> None:
    Interest.objects.create(key="0" * 64, text="(broken", wanted_at=MORNING, matched_at=MORNING)
    store(listing("Fresh Diffusion"))
    assert found() == {("diffusion", "Fresh Diffusion")}
    assert "cannot be read" in caplog.text


def test_interests_are_read_once_by_a_process(alice: Subscriber, store: Callable[..., list[Paper]]) -> None:
    store(listing("Fresh Diffusion"))
    with CaptureQueriesContext(connection) as queries:
        store(listing("Diffusion Again"))
    assert ("diffusion", "Diffusion Again") in found()
    assert not [query["sql"] for query in queries if 'interest"."text"' in query["sql"]]


def test_an_interest_that_comes_later_is_asked_of_the_next_paper(
    alice: Subscriber, store: Callable[..., list[Paper]]
) -> None:
    store(listing("Fresh Diffusion"))
    make_reader("alan@example.org", "pruning")
    store(listing("Pruning for Diffusion"))
    assert {("diffusion", "Pruning for Diffusion"), ("pruning", "Pruning for Diffusion")} <= found()


def test_an_interest_that_is_gone_is_not_asked(alice: Subscriber, store: Callable[..., list[Paper]]) -> None:
    for number in range(3):
        make_reader(f"reader{number}@example.org", f"diffusion OR word{number}")
    store(listing("Fresh Diffusion"))
    Interest.objects.filter(text="diffusion").delete()
    store(listing("Diffusion Again"))
    assert found() == {
        (f"diffusion OR word{number}", title) for number in range(3) for title in ("Fresh Diffusion", "Diffusion Again")
    }


def test_more_interests_than_a_process_keeps_are_all_asked(
    alice: Subscriber, store: Callable[..., list[Paper]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(match_papers, "MOST_KEPT", 2)
    for number in range(3):
        make_reader(f"reader{number}@example.org", f"diffusion OR word{number}")
    store(listing("Fresh Diffusion"))
    assert Match.objects.filter(paper__title="Fresh Diffusion").count() == 4
