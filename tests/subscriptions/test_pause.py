"""A break, and its end."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.test import Client

from subscriptions import links
from subscriptions.models import Subscriber
from tests.conftest import MORNING
from tests.subscriptions.conftest import path_of, row


@pytest.fixture
def link(alice: Subscriber) -> str:
    return f"{path_of(links.access(alice))}pause/"


def test_it_pauses(alice: Subscriber, link: str, client: Client) -> None:
    with time_machine.travel(MORNING, tick=False):
        answer = client.post(link, {"days": "14"})
    alice.refresh_from_db()
    until = MORNING + dt.timedelta(days=14)
    assert alice.paused_until == until
    assert alice.next_digest_at == until + dt.timedelta(days=1)
    assert (answer.status_code, answer["Location"]) == (302, link.removesuffix("pause/"))


def test_a_paused_reader_is_not_due_until_it_ends(alice: Subscriber, link: str, client: Client) -> None:
    with time_machine.travel(MORNING, tick=False):
        client.post(link, {"days": "7"})
    late = MORNING + dt.timedelta(days=7)
    assert not Subscriber.objects.mailable(late - dt.timedelta(seconds=1)).exists()
    assert Subscriber.objects.mailable(late).get() == alice
    assert Subscriber.objects.due(late + dt.timedelta(days=1)).get() == alice


def test_it_resumes(alice: Subscriber, link: str, client: Client) -> None:
    alice.pause(MORNING + dt.timedelta(days=90), MORNING)
    with time_machine.travel(MORNING, tick=False):
        client.post(link, {"resume": "1"})
    alice.refresh_from_db()
    assert (alice.paused_until, alice.next_digest_at) == (None, MORNING + dt.timedelta(days=1))


@pytest.mark.parametrize(("zone", "ends"), [
    ("UTC", "2026-04-01 00:00"), ("Asia/Kathmandu", "2026-03-31 18:15"), ("America/New_York", "2026-04-01 04:00"),
])  # fmt: skip
def test_the_day_named_is_the_first_with_mail_again(
    zone: str, ends: str, alice: Subscriber, link: str, client: Client
) -> None:
    Subscriber.objects.update(time_zone=zone)
    with time_machine.travel(MORNING, tick=False):
        client.post(link, {"until": "2026-04-01"})
    alice.refresh_from_db()
    assert alice.paused_until == dt.datetime.fromisoformat(ends).replace(tzinfo=dt.UTC)
    assert alice.next_digest_at is not None
    assert f"{alice.next_digest_at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H}" == "2026-04-01 08"


@pytest.mark.parametrize("until", ["2026-03-16", "2026-03-01", "2027-12-01", "9999-99-99", "soon", ""])
def test_a_day_that_cannot_be_is_said_and_pauses_nothing(
    until: str, alice: Subscriber, link: str, client: Client
) -> None:
    before = row(alice)
    with time_machine.travel(MORNING, tick=False):
        page = client.post(link, {"until": until}, follow=True).content.decode()
    assert row(alice) == before
    assert 'class="notice error"' in page


def test_the_page_says_what_follows_a_pause(alice: Subscriber, client: Client) -> None:
    page = path_of(links.access(alice))
    assert "catch-up mail" in client.get(page).content.decode()
    alice.pause(dt.datetime(2026, 4, 1, tzinfo=dt.UTC), MORNING)
    with time_machine.travel(MORNING, tick=False):
        assert "No mail until Wednesday, 1 April 2026" in client.get(page).content.decode()


@pytest.mark.parametrize("days", ["", "0", "-1", "8", "100000", "x"])
def test_only_the_offered_lengths_are_taken(days: str, alice: Subscriber, link: str, client: Client) -> None:
    before = row(alice)
    assert client.post(link, {"days": days}).status_code == 302
    assert row(alice) == before


def test_who_left_cannot_be_brought_back_by_resuming(carol: Subscriber, client: Client) -> None:
    before = row(carol)
    link = f"{path_of(links.access(carol))}pause/"
    client.post(link, {"resume": "1"})
    client.post(link, {"days": "7"})
    assert row(carol) == before


def test_the_page_offers_what_is_possible(alice: Subscriber, client: Client) -> None:
    page = path_of(links.access(alice))
    assert b'name="resume"' not in client.get(page).content
    alice.pause(dt.datetime.now(dt.UTC) + dt.timedelta(days=7), dt.datetime.now(dt.UTC))
    assert b'name="resume"' in client.get(page).content


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_changes_nothing(method: str, alice: Subscriber, link: str, client: Client) -> None:
    before = row(alice)
    assert getattr(client, method)(link).status_code == 405
    assert row(alice) == before


def test_a_foreign_page_cannot_pause(alice: Subscriber, link: str, strict: Client) -> None:
    before = row(alice)
    assert strict.post(link, {"days": "7"}).status_code == 403
    assert row(alice) == before


def test_a_raised_version_voids_the_link(alice: Subscriber, link: str, client: Client) -> None:
    Subscriber.objects.filter(pk=alice.pk).update(token_version=2)
    assert client.post(link, {"days": "7"}).status_code == 410
    alice.refresh_from_db()
    assert alice.paused_until is None
