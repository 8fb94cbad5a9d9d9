"""Addresses that never confirm are forgotten."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine

from subscriptions import signup, tasks
from subscriptions.models import Consent, Interest, InterestLine, Subscriber
from tests.conftest import MORNING, make_reader
from tests.smtp import Server
from tests.subscriptions.conftest import Post

WEEK = dt.timedelta(days=7)


@pytest.fixture
def dora(post: Post, smtp_server: Server) -> Subscriber:
    """Signed up on MORNING, was sent the confirmation, did nothing."""
    with time_machine.travel(MORNING, tick=False):
        post()
        tasks.send_notices()
    return Subscriber.objects.get(email="dora@example.org")


def test_it_forgets_after_a_week(dora: Subscriber) -> None:
    assert signup.prune_unconfirmed(MORNING + WEEK) == 0
    assert signup.prune_unconfirmed(MORNING + WEEK + dt.timedelta(seconds=1)) == 1
    assert not Subscriber.objects.exists()
    assert not Consent.objects.exists()
    assert not InterestLine.objects.exists()


def test_it_waits_for_the_last_link_that_was_sent(dora: Subscriber, post: Post) -> None:
    later = MORNING + dt.timedelta(days=6)
    with time_machine.travel(later, tick=False):
        post()
        tasks.send_notices()
    assert signup.prune_unconfirmed(later + WEEK) == 0
    assert signup.prune_unconfirmed(later + WEEK + dt.timedelta(seconds=1)) == 1


def test_an_address_that_no_mail_reached_is_forgotten_too(dora: Subscriber, smtp_server: Server) -> None:
    late = MORNING + WEEK + dt.timedelta(minutes=1)
    Subscriber.objects.update(notice="confirm", last_notice_at=late)  # its server says "later", again and again
    assert signup.prune_unconfirmed(late) == 1


def test_everybody_else_stays(
    alice: Subscriber, carol: Subscriber, erin: Subscriber, frank: Subscriber, dora: Subscriber
) -> None:
    assert signup.prune_unconfirmed(MORNING + dt.timedelta(days=1000)) >= 1
    assert set(Subscriber.objects.all()) == {alice, carol, erin, frank}


def test_interests_of_others_stay(alice: Subscriber, dora: Subscriber) -> None:
    signup.prune_unconfirmed(MORNING + 2 * WEEK)
    assert Interest.objects.filter(text="diffusion").exists()
    assert "diffusion" in alice.lines()


def test_a_forgotten_address_can_sign_up_anew(dora: Subscriber, post: Post, smtp_server: Server) -> None:
    signup.prune_unconfirmed(MORNING + 2 * WEEK)
    with time_machine.travel(MORNING + 2 * WEEK, tick=False):
        post()
        tasks.send_notices()
    assert len(smtp_server.to("dora@example.org")) == 2


def test_it_says_how_many_in_the_log(db: None, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    with time_machine.travel(MORNING, tick=False):
        make_reader("gil@example.org", "x", status="pending")
    signup.prune_unconfirmed(MORNING + 2 * WEEK)
    assert "Forgot 1 sign-ups" in caplog.text
    assert "gil" not in caplog.text
