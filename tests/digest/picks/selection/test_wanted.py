"""What readers want, as arrays."""

from __future__ import annotations

import pytest

from digest.picks.selection.wanted import interests_of
from subscriptions.models import InterestLine
from tests.conftest import make_reader

pytestmark = pytest.mark.django_db


def test_it_gives_each_readers_interests_in_their_order() -> None:
    readers = [
        make_reader("ada@example.org", "pruning", "diffusion", "-survey"),
        make_reader("bob@example.org"),
        make_reader("eve@example.org", "diffusion"),
    ]
    asked = [readers[2].pk, readers[1].pk, readers[0].pk]
    rows = interests_of(asked)
    assert [rows.items[a:b].tolist() for a, b in zip(rows.ends, rows.ends[1:], strict=False)] == [
        list(InterestLine.objects.filter(subscriber=pk).order_by("position").values_list("interest", flat=True))
        for pk in asked
    ]
    assert len(rows.items) == 4


def test_nobody_wants_nothing() -> None:
    assert len(interests_of([])) == 0
    assert interests_of([make_reader("bob@example.org").pk]).ends.tolist() == [0, 0]
