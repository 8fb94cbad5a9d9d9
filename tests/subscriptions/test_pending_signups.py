"""Anybody can type an address: what a sign-up asks for takes effect with the click on its own link only."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client

from digest.operations.retention import pruning
from digest.web.pages.data_export import held
from subscriptions import emails, links, signup
from subscriptions.models import PendingSignup, Subscriber
from subscriptions.preferences import Preferences
from tests.conftest import MORNING
from tests.smtp import Server
from tests.subscriptions.conftest import link_in, path_of, row

HOUR = dt.timedelta(hours=1)
STRANGERS = Preferences(["buy kettles"], hour=3, frequency="weekly", max_papers=5, language="de")
OWN = Preferences(["agents", "-survey"], hour=9)


def sign_up(address: str, preferences: Preferences, now: dt.datetime, pasted: tuple[int, ...] = ()) -> None:
    signup.sign_up(address, preferences, page="https://example.org/subscribe/", now=now, pasted=pasted)


def wishes(subscriber: Subscriber) -> tuple[object, ...]:
    subscriber.refresh_from_db()
    names = ("frequency", "hour", "max_papers", "language", "pasted", "status")
    return (*subscriber.lines(), *(getattr(subscriber, name) for name in names))


@pytest.mark.parametrize("who", ["carol", "erin", "bob"])
def test_a_strangers_sign_up_changes_nothing_that_is_stored(
    who: str, request: pytest.FixtureRequest, smtp_server: Server, now: dt.datetime
) -> None:
    subscriber: Subscriber = request.getfixturevalue(who)
    before = wishes(subscriber)
    sign_up(subscriber.email, STRANGERS, now, pasted=(7,))
    assert wishes(subscriber) == before
    assert emails.send_notices(now) == 1
    assert wishes(subscriber) == before


def test_who_left_and_clicks_gets_what_was_asked_with_the_link(
    carol: Subscriber, smtp_server: Server, client: Client, now: dt.datetime
) -> None:
    sign_up(carol.email, OWN, now)
    emails.send_notices(now)
    link = link_in(smtp_server.messages[0], "/confirm/")
    page = client.get(link).content.decode()
    assert "<code>agents</code>" in page and "09:00" in page and "<code>diffusion</code>" not in page
    assert carol.lines() == ["diffusion"]
    assert client.post(link).status_code == 302
    assert wishes(carol) == ("agents", "-survey", "daily", 9, 10, "en", [], "active")
    assert not PendingSignup.objects.exists()


def test_a_second_sign_up_does_not_change_what_the_first_link_confirms(
    smtp_server: Server, client: Client, db: None, now: dt.datetime
) -> None:
    sign_up("dora@example.org", OWN, now)
    emails.send_notices(now)
    sign_up("dora@example.org", STRANGERS, now + HOUR, pasted=(7,))
    emails.send_notices(now + HOUR)
    first, second = (link_in(message, "/confirm/") for message in smtp_server.messages)
    assert first != second
    assert "buy kettles" in client.get(second).content.decode()
    assert "buy kettles" not in client.get(first).content.decode()
    assert client.post(first).status_code == 302
    dora = Subscriber.objects.get()
    assert wishes(dora) == ("agents", "-survey", "daily", 9, 10, "en", [], "active")
    for answer in (client.get(second), client.post(second)):  # one of them was used
        assert answer.status_code == 410
    assert dora.lines() == ["agents", "-survey"]


def test_the_second_link_confirms_the_second_sign_up_alone(
    smtp_server: Server, client: Client, db: None, now: dt.datetime
) -> None:
    sign_up("dora@example.org", STRANGERS, now)
    emails.send_notices(now)
    sign_up("dora@example.org", OWN, now + HOUR, pasted=())
    emails.send_notices(now + HOUR)
    first, second = (link_in(message, "/confirm/") for message in smtp_server.messages)
    assert client.post(second).status_code == 302
    assert wishes(Subscriber.objects.get()) == ("agents", "-survey", "daily", 9, 10, "en", [], "active")
    assert client.post(first).status_code == 410


def test_a_sign_up_that_no_mail_is_owed_for_is_not_stored(
    smtp_server: Server, client: Client, db: None, now: dt.datetime
) -> None:
    """The mail that is owed goes on confirming what it was owed for."""
    sign_up("dora@example.org", OWN, now)
    sign_up("dora@example.org", STRANGERS, now)  # before the mail has left
    emails.send_notices(now)
    sign_up("dora@example.org", STRANGERS, now)  # too soon after it
    assert emails.send_notices(now) == 0
    assert not PendingSignup.objects.exists()
    client.post(link_in(smtp_server.messages[0], "/confirm/"))
    assert Subscriber.objects.get().lines() == ["agents", "-survey"]


def test_a_link_of_a_number_nobody_gave_confirms_nothing(carol: Subscriber, client: Client) -> None:
    carol.latest_signup = 9
    link = path_of(links.confirm(carol))
    before = row(carol)
    assert [client.get(link).status_code, client.post(link).status_code] == [410, 410]
    assert row(carol) == before


def test_leaving_voids_the_links_of_pending_sign_ups(carol: Subscriber, client: Client, now: dt.datetime) -> None:
    sign_up(carol.email, OWN, now)
    carol.refresh_from_db()
    link = path_of(links.confirm(carol))
    client.post(link)
    client.post(path_of(links.unsubscribe(carol)))
    assert client.post(link).status_code == 410


def test_pending_sign_ups_are_exported_and_forgotten(carol: Subscriber) -> None:
    sign_up(carol.email, STRANGERS, MORNING)
    carol.refresh_from_db()
    (shown,) = held(carol)["pending_signups"]
    assert shown["preferences"]["lines"] == ["buy kettles"]
    pruning.prune(MORNING + dt.timedelta(days=6))
    assert PendingSignup.objects.exists()
    pruning.prune(MORNING + dt.timedelta(days=60))
    assert not PendingSignup.objects.exists()
