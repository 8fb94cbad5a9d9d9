"""Mailboxes that keep refusing, suppressions that outlive everything."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from django.core.management import call_command
from hypothesis import given
from hypothesis import strategies as st

from subscriptions import bounces, signup
from subscriptions.models import Subscriber, Suppression
from subscriptions.models.subscribers import ENDS
from tests.conftest import MORNING

DAY = dt.timedelta(days=1)
Status = Subscriber.Status


def refusals_until_suppressed(reader: Subscriber, every: dt.timedelta, most: int = 60) -> int:
    for number in range(most):
        if bounces.count(reader, 1, MORNING + number * every):
            return number + 1
    return 0


@pytest.mark.parametrize(("days", "refusals"), [(1, 6), (7, 10), (30, 0)])
def test_a_mailbox_that_keeps_refusing_is_given_up(alice: Subscriber, days: int, refusals: int) -> None:
    assert refusals_until_suppressed(alice, days * DAY) == refusals
    alice.refresh_from_db()
    assert (alice.status == Status.BOUNCED) == bool(refusals)
    assert Suppression.objects.reason_for(alice.email) == ("bounced" if refusals else "")


def test_a_day_counts_once(alice: Subscriber) -> None:
    for minutes in range(0, 600, 10):
        assert not bounces.count(alice, 1, MORNING + dt.timedelta(minutes=minutes))
    alice.refresh_from_db()
    assert alice.bounce_score == 1


def test_a_mail_that_arrived_clears_the_count(alice: Subscriber) -> None:
    for number in range(5):
        assert not bounces.count(alice, 1, MORNING + number * DAY)
    bounces.clear(alice)
    assert not bounces.count(alice, 1, MORNING + 5 * DAY)
    alice.refresh_from_db()
    assert alice.bounce_score == 1


def test_who_confirms_anew_begins_anew(alice: Subscriber) -> None:
    refusals_until_suppressed(alice, DAY)
    assert signup.confirm(Subscriber.objects.get(), page="x", now=MORNING + 30 * DAY)
    row = Subscriber.objects.get()
    assert (row.status, row.bounce_score, row.bounced_at) == (Status.ACTIVE, 0, None)
    assert not Suppression.objects.exists()


@given(st.floats(0, 1e6), st.timedeltas(dt.timedelta(0), 3000 * DAY))
def test_points_only_ever_decay(score: float, age: dt.timedelta) -> None:
    assert 0 <= bounces.decayed(score, MORNING, MORNING + age) <= score
    assert bounces.decayed(score, MORNING, MORNING + bounces.HALF_LIFE) == pytest.approx(score / 2)
    assert bounces.decayed(score, MORNING, MORNING - DAY) == score  # a clock that went back


def test_the_count_is_said_in_words() -> None:
    assert bounces.in_words(0, None, MORNING) == "No refusal is counted."
    said = bounces.in_words(3.0, MORNING, MORNING + bounces.HALF_LIFE)
    assert said.startswith("Last refused on 16 March 2026. 1.5 of 5 points now, 0.8 on 11 May 2026: ")


@pytest.mark.parametrize("first", ENDS)
@pytest.mark.parametrize("second", ENDS)
def test_the_strongest_end_stays_whatever_came_last(alice: Subscriber, first: Status, second: Status) -> None:
    alice.stop(first, MORNING)
    alice.stop(second, MORNING)
    assert alice.status == Subscriber.objects.get().status == max(first, second, key=ENDS.index)


@pytest.mark.django_db
@pytest.mark.parametrize("reason", ["bounced", "complained"])
def test_a_suppression_outlives_erasure_and_import(alice: Subscriber, tmp_path: Path, reason: str) -> None:
    {"bounced": bounces.give_up, "complained": bounces.complained}[reason](alice, MORNING)
    alice.delete()
    (row,) = Suppression.objects.all()
    assert "alice" not in f"{row.address_hash}{row}"
    file = tmp_path / "readers.csv"
    file.write_text("email,interests\nALICE@Example.org,diffusion\nzoe@example.org,diffusion\n")
    call_command("import_subscribers", str(file), "--confirmed")
    assert list(Subscriber.objects.values_list("email", flat=True)) == ["zoe@example.org"]
    assert Suppression.objects.reason_for("alice@example.org") == reason


@pytest.mark.django_db
def test_only_its_owner_lifts_a_bounce_and_nobody_a_complaint(alice: Subscriber) -> None:
    wishes = signup.Preferences(lines=("diffusion",))
    for give_up, comes_back in ((bounces.give_up, True), (bounces.complained, False)):
        give_up(Subscriber.objects.get(), MORNING)
        signup.sign_up("alice@example.org", wishes, page="x", now=MORNING)
        reader = Subscriber.objects.get()
        assert reader.status != Status.ACTIVE  # typing an address lifts nothing
        assert signup.confirm(reader, page="x", now=MORNING) == comes_back
