"""A stored time zone that does not exist stops nobody else's mail."""

from __future__ import annotations

import datetime as dt

import pytest

from digest.models import Digest, Paper
from digest.operations.health.time_zones import time_zones
from digest.picks.selection import select
from digest.picks.selection.select import select_chunk, select_due
from subscriptions.models import Subscriber
from tests.conftest import MORNING, make_reader

UNKNOWN = ["Europe/Berlinn", "", "../../etc/passwd", "/UTC", "Europe"]


@pytest.mark.parametrize("zone", UNKNOWN)
def test_the_others_get_their_mail(
    zone: str, alice: Subscriber, papers: list[Paper], caplog: pytest.LogCaptureFixture
) -> None:
    bad = make_reader("bad@example.org", "diffusion")
    Subscriber.objects.filter(pk=bad.pk).update(time_zone=zone)  # no form would
    selected = select_due(MORNING)
    assert (selected.readers, selected.mails) == (2, 1)
    assert Digest.objects.get().subscriber == alice
    assert f"Subscriber {bad.pk} has an unknown time zone" in caplog.text
    assert "bad@" not in caplog.text
    (finding,) = time_zones()
    assert f"1 (id {bad.pk})" in finding.what


def test_they_are_tried_again_in_a_day_and_fill_no_chunk(
    papers: list[Paper], alice: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(select, "CHUNK", 2)
    early = MORNING - dt.timedelta(minutes=1)
    for number in range(5):
        make_reader(f"bad{number}@example.org", "diffusion", next_digest_at=early, time_zone="Mars/Base")
    assert select_chunk(MORNING) == select.Selected(2, 0)
    assert select_due(MORNING) == select.Selected(4, 1)
    assert Digest.objects.get().subscriber == alice
    bad = Subscriber.objects.filter(time_zone="Mars/Base")
    assert set(bad.values_list("next_digest_at", flat=True)) == {MORNING + dt.timedelta(days=1)}
    bad.update(time_zone="UTC")
    assert select_due(MORNING + dt.timedelta(days=1)).mails == 6


def test_the_doctor_says_nothing_when_all_are_known(alice: Subscriber) -> None:
    assert time_zones() == []
