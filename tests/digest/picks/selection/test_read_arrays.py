"""What readers want, as arrays."""

from __future__ import annotations

import datetime as dt

import pytest

from digest.models import Digest, Lane, Pick
from digest.picks.selection.read_arrays import lines_of, sent_to
from subscriptions.models import InterestLine, Subscriber
from tests.conftest import MORNING, make_reader

pytestmark = pytest.mark.django_db


def test_it_gives_each_subscribers_lines_in_their_order() -> None:
    subscribers = [
        make_reader("ada@example.org", "pruning", "diffusion", "-survey"),
        make_reader("bob@example.org"),
        make_reader("eve@example.org", "diffusion"),
    ]
    asked = [subscribers[2].pk, subscribers[1].pk, subscribers[0].pk]
    lines = lines_of(asked)
    rows = lines.interests
    assert [rows.items[a:b].tolist() for a, b in zip(rows.ends, rows.ends[1:], strict=False)] == [
        list(InterestLine.objects.filter(subscriber=pk).order_by("position").values_list("interest", flat=True))
        for pk in asked
    ]
    assert lines.typed == ["diffusion", "pruning", "diffusion", "-survey"]


def test_nobody_wants_nothing() -> None:
    assert len(lines_of([]).interests) == 0
    assert lines_of([make_reader("bob@example.org").pk]).interests.ends.tolist() == [0, 0]


def test_papers_of_earlier_digests_are_read_with_their_subscriber(alice: Subscriber, bob: Subscriber) -> None:
    for number, (subscriber, papers) in enumerate([(bob, [7, 9]), (alice, []), (alice, [8])]):
        date = MORNING.date() - dt.timedelta(days=number)
        picks = [Pick(paper, Lane.TRENDING, 0, 0) for paper in papers]
        Digest.objects.create(subscriber=subscriber, issue_date=date, created_at=MORNING, picks=picks)
    owners, papers = sent_to([alice.pk, bob.pk], Digest.objects.all())
    assert sorted(zip(owners.tolist(), papers.tolist(), strict=True)) == [(0, 8), (1, 7), (1, 9)]
    assert [len(one) for one in sent_to([], Digest.objects.all())] == [0, 0]
