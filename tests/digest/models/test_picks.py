"""Picks as stored numbers: packing, and what earlier releases stored."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from hypothesis import given
from hypothesis import strategies as st

from digest.models import Digest, Lane, Pick, Reason, ReasonKind
from digest.models.picks import MAX_PICKS, pack, paper_ids, unpack
from subscriptions.models import InterestLine
from tests.conftest import MORNING, make_reader

IDS = st.integers(0, 2**63 - 1)
HUNDREDTHS = st.integers(-(2**31), 2**31 - 1)
REASONS = st.builds(Reason, st.sampled_from(ReasonKind), IDS, HUNDREDTHS)
PICKS = st.builds(Pick, IDS, st.sampled_from(Lane), HUNDREDTHS, HUNDREDTHS, st.lists(REASONS, max_size=5).map(tuple))


@given(st.lists(PICKS, max_size=30))
def test_what_is_packed_is_unpacked(picks: list[Pick]) -> None:
    packed = pack(picks)
    assert unpack(*packed) == picks
    assert paper_ids(packed[0]) == [pick.paper for pick in picks]


@pytest.mark.parametrize("pick", [
    Pick(2**63, Lane.INTERESTS, 0, 0), Pick(1, 256, 0, 0), Pick(1, Lane.INTERESTS, 2**31, 0),
    Pick(1, Lane.INTERESTS, 0, 0, (Reason(ReasonKind.MATCH, 2**63, 0),)),
])  # fmt: skip
def test_a_number_that_does_not_fit_is_an_error(pick: Pick) -> None:
    with pytest.raises(OverflowError):
        pack([pick])


def test_too_many_picks_are_an_error() -> None:
    with pytest.raises(OverflowError, match="at most"):
        pack([Pick(1, Lane.INTERESTS, 0, 0)] * (MAX_PICKS + 1))


OLD = [
    {"paper": 7, "lane": "interests", "points": 3.68, "trend": 0.57, "reasons": [
        {"line": "diffusion", "words": ["Diffusion"], "points": 2.5, "title": [[0, 9]]},
        {"line": "close to: chain of thought", "words": [], "points": 0.43, "kind": "close"},
        {"line": "your taste", "words": [], "points": 0.29, "kind": "taste", "like": 5},
        {"line": "much like a paper above", "points": -0.13, "words": [], "kind": "twin", "like": 6},
        {"line": "a line that was removed since", "words": [], "points": 0.01},
        {"line": "a little of other lines", "kind": "faint", "words": [], "points": 0.01},
    ]},
    {"paper": 8, "lane": "overflow", "points": 1.1, "trend": 0.1, "reasons": []},
    {"paper": 9, "lane": "trending", "points": 0.57, "trend": 0.57, "reasons": []},
]  # fmt: skip


def test_sentences_of_earlier_releases_become_numbers() -> None:
    packed_pick = import_module("digest.migrations.0014_packed_picks").packed_pick
    interests = {(1, "diffusion"): 11, (1, "chain of thought"): 12, (2, "diffusion"): 13}
    first, *others = [packed_pick(pick, 1, interests) for pick in OLD]
    assert first == Pick(7, Lane.INTERESTS, 368, 57, (
        Reason(ReasonKind.MATCH, 11, 250), Reason(ReasonKind.CLOSE, 12, 43), Reason(ReasonKind.TASTE, 5, 29),
        Reason(ReasonKind.TWIN, 6, -13), Reason(ReasonKind.MATCH, 0, 1), Reason(ReasonKind.FAINT, 0, 1),
    ))  # fmt: skip
    assert first.points == first.trend + sum(reason.points for reason in first.reasons)
    assert others == [Pick(8, Lane.OVERFLOW, 110, 10), Pick(9, Lane.TRENDING, 57, 57)]


@pytest.mark.django_db(transaction=True)
def test_stored_digests_are_migrated() -> None:
    subscriber = make_reader("ada@example.org", "diffusion", "chain of thought")
    try:
        old = MigrationExecutor(connection).migrate([("digest", "0013_queue_in_order")]).apps
        row = {"subscriber_id": subscriber.pk, "created_at": MORNING}
        old.get_model("digest", "Digest").objects.create(issue_date=MORNING.date(), picks=OLD, **row)
        old.get_model("digest", "Digest").objects.create(issue_date="2026-03-15", picks=[], papers="", **row)
    finally:
        call_command("migrate", "digest", verbosity=0)
    empty, held = Digest.objects.order_by("issue_date")
    assert not empty.has_picks
    assert [(pick.paper, pick.points) for pick in held.picks] == [(7, 368), (8, 110), (9, 57)]
    lines = dict(InterestLine.objects.values_list("interest_id", "typed"))
    named = [lines[reason.subject] for reason in held.picks[0].reasons[:2]]
    assert named == ["diffusion", "chain of thought"]
