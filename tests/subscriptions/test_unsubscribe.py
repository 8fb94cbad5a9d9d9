"""Leaving: RFC 8058's one click, the page for people, and the undo."""

from __future__ import annotations

import datetime as dt
import re

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from django.test.client import MULTIPART_CONTENT

from subscriptions import links, signup
from subscriptions.models import Subscriber, Suppression
from tests.conftest import MORNING
from tests.subscriptions.conftest import path_of, row

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def link(alice: Subscriber) -> str:
    return path_of(links.unsubscribe(alice))


def one_click(client: Client, link: str, **headers: str) -> HttpResponse:
    """What a mailbox provider sends."""
    return client.post(link, "List-Unsubscribe=One-Click", FORM, headers=headers)


def status_of(reader: Subscriber) -> str:
    reader.refresh_from_db()
    return reader.status


def test_one_click_as_urlencoded(link: str, alice: Subscriber, strict: Client) -> None:
    assert one_click(strict, link, Origin="https://mail.example.com").status_code == 200
    assert status_of(alice) == "unsubscribed"
    assert alice.next_digest_at is None


def test_one_click_as_multipart(link: str, alice: Subscriber, strict: Client) -> None:
    body = {"List-Unsubscribe": "One-Click"}
    answer = strict.post(link, body, MULTIPART_CONTENT, headers={"Origin": "https://mail.example.com"})
    assert answer.status_code == 200
    assert status_of(alice) == "unsubscribed"


@pytest.mark.parametrize("headers", [
    {"Origin": "null"}, {"Referer": "https://mail.example.com/"}, {"User-Agent": ""}, {"Accept": "*/*"},
    {"Sec-Fetch-Site": "cross-site"}, {"X-Forwarded-Proto": "http"},
])  # fmt: skip
def test_one_click_from_anywhere(headers: dict[str, str], link: str, alice: Subscriber, strict: Client) -> None:
    assert one_click(strict, link, **headers).status_code == 200
    assert status_of(alice) == "unsubscribed"


@pytest.mark.parametrize("body, kind", [
    ("", FORM), ("", "text/plain"), ("{}", "application/json"), ("no boundary", "multipart/form-data"),
    ("x" * 3_000_000, FORM),
])  # fmt: skip
def test_one_click_with_an_odd_body(body: str, kind: str, link: str, alice: Subscriber, strict: Client) -> None:
    assert strict.post(link, body, kind).status_code == 200
    assert status_of(alice) == "unsubscribed"


def test_one_click_over_https_behind_a_proxy(link: str, alice: Subscriber, strict: Client, settings: object) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert one_click(strict, link, Origin="https://mail.example.com").status_code == 200
    assert status_of(alice) == "unsubscribed"


def test_repeated_it_is_harmless(link: str, alice: Subscriber, strict: Client) -> None:
    one_click(strict, link)
    before = row(alice)
    for _ in range(3):
        assert one_click(strict, link).status_code == 200
    assert row(alice) == before


def test_it_is_kept_as_proof(link: str, alice: Subscriber, strict: Client) -> None:
    with time_machine.travel(MORNING, tick=False):
        one_click(strict, link)
    assert list(alice.consents.values_list("kind", "at")) == [("withdrawn", MORNING)]


def test_it_holds_for_an_erased_reader(link: str, alice: Subscriber, strict: Client) -> None:
    alice.delete()
    for _ in range(2):
        answer = one_click(strict, link)
        assert answer.status_code == 200
        assert "You are unsubscribed" in answer.content.decode()


def test_it_holds_for_a_link_that_was_made_void(link: str, alice: Subscriber, strict: Client) -> None:
    Subscriber.objects.filter(pk=alice.pk).update(token_version=2)
    assert one_click(strict, link).status_code == 200
    assert status_of(alice) == "unsubscribed"


def test_it_holds_years_later(alice: Subscriber, strict: Client) -> None:
    with time_machine.travel("2016-01-01"):
        link = path_of(links.unsubscribe(alice))
    assert one_click(strict, link).status_code == 200
    assert status_of(alice) == "unsubscribed"


def test_a_pending_address_can_leave_too(bob: Subscriber, strict: Client) -> None:
    Subscriber.objects.filter(pk=bob.pk).update(notice="confirm")
    assert one_click(strict, path_of(links.unsubscribe(bob))).status_code == 200
    assert status_of(bob) == "unsubscribed"
    assert bob.notice == ""


@pytest.mark.parametrize("who, left", [("erin", "unsubscribed"), ("frank", "complained")])
def test_an_address_that_is_suppressed_stays_so(
    who: str, left: str, strict: Client, request: pytest.FixtureRequest
) -> None:
    reader: Subscriber = request.getfixturevalue(who)
    for _ in range(3):
        assert one_click(strict, path_of(links.unsubscribe(reader))).status_code == 200
    assert status_of(reader) == left
    assert Suppression.objects.reason_for(reader.email)
    assert reader.consents.count() <= 1


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_changes_nothing(method: str, link: str, alice: Subscriber, client: Client) -> None:
    before = row(alice)
    for _ in range(3):
        assert getattr(client, method)(link).status_code == 200
    assert row(alice) == before


def test_the_page_asks_with_one_button(link: str, client: Client) -> None:
    page = client.get(link).content.decode()
    assert page.count("<button") == 1
    assert '<form method="post">' in page
    assert "alice" not in page


# --- the undo
def test_the_undo_brings_everything_back(link: str, alice: Subscriber, client: Client) -> None:
    with time_machine.travel(MORNING, tick=False):
        page = client.post(link).content.decode()
    assert 'name="undo"' in page
    assert "for 7 days" in page
    with time_machine.travel(MORNING + dt.timedelta(days=7), tick=False):
        answer = client.post(link, {"undo": "1"})
    assert (answer.status_code, status_of(alice)) == (200, "active")
    assert alice.next_digest_at is not None
    assert alice.next_digest_at > MORNING + dt.timedelta(days=7)
    assert alice.lines() == ["diffusion", '"chain of thought"', "-survey"]
    assert links.preferences(alice) in answer.content.decode()  # which opens nothing


def test_the_undo_ends_after_a_week(link: str, alice: Subscriber, client: Client) -> None:
    with time_machine.travel(MORNING, tick=False):
        client.post(link)
    with time_machine.travel(MORNING + dt.timedelta(days=7, seconds=1), tick=False):
        assert b'name="undo"' not in client.post(link).content
        answer = client.post(link, {"undo": "1"})
    assert b"You are unsubscribed" in answer.content
    assert status_of(alice) == "unsubscribed"


def test_the_undo_leaves_a_trace(link: str, alice: Subscriber, client: Client) -> None:
    client.post(link)
    client.post(link, {"undo": "1"})
    assert list(alice.consents.order_by("pk").values_list("kind", flat=True)) == ["withdrawn", "confirmed"]


def test_the_old_link_works_after_coming_back(link: str, alice: Subscriber, client: Client, strict: Client) -> None:
    client.post(link)
    client.post(link, {"undo": "1"})
    assert one_click(strict, link).status_code == 200
    assert status_of(alice) == "unsubscribed"


def test_an_address_that_never_confirmed_has_no_undo(bob: Subscriber, client: Client) -> None:
    link = path_of(links.unsubscribe(bob))
    assert b'name="undo"' not in client.post(link).content
    client.post(link, {"undo": "1"})
    assert status_of(bob) == "unsubscribed"


def test_a_void_link_lets_nobody_come_back_or_see(link: str, alice: Subscriber, client: Client) -> None:
    Subscriber.objects.filter(pk=alice.pk).update(token_version=2)
    assert b'name="undo"' not in client.post(link).content
    answer = client.post(link, {"undo": "1"})
    assert status_of(alice) == "unsubscribed"
    assert not re.search(rb"/preferences/[^\"]", answer.content)  # only the page that mails a lost link


@pytest.mark.parametrize("reason", [Suppression.Reason.COMPLAINED, Suppression.Reason.BY_HAND])
def test_the_undo_does_not_lift_a_complaint(reason: str, link: str, alice: Subscriber, client: Client) -> None:
    client.post(link)
    Suppression.objects.add_address(alice.email, reason, MORNING)
    assert client.post(link, {"undo": "1"}).status_code == 200
    assert status_of(alice) == "unsubscribed"


def test_undo_of_an_active_reader_leaves(link: str, alice: Subscriber, client: Client) -> None:
    """A provider's POST may hold anything: while the reader is active it always means leave."""
    client.post(link, {"undo": "1"})
    assert status_of(alice) == "unsubscribed"


# --- tokens
@pytest.mark.parametrize("purpose", [links.CONFIRM, links.PREFERENCES])
def test_a_token_of_another_purpose_does_nothing(purpose: str, alice: Subscriber, client: Client) -> None:
    assert client.post(f"/unsubscribe/{links.token_for(alice, purpose)}/").status_code == 404
    assert status_of(alice) == "active"


def test_a_guessed_link_does_nothing(alice: Subscriber, client: Client) -> None:
    assert client.post(f"/unsubscribe/{alice.code}.1:{'A' * 43}/").status_code == 404
    assert status_of(alice) == "active"


def test_no_page_is_kept_or_indexed(link: str, client: Client) -> None:
    for answer in (
        client.get(link),
        client.post(link),
        client.post(link, {"undo": "1"}),
        client.get("/unsubscribe/x/"),
    ):
        assert {"no-store", "private"} <= set(answer["Cache-Control"].split(", "))
        assert answer["X-Robots-Tag"] == "noindex"


def test_leaving_says_nothing_to_anybody_else(link: str, alice: Subscriber, carol: Subscriber, client: Client) -> None:
    before = row(carol)
    client.post(link)
    assert row(carol) == before


def test_the_undo_is_gone_once_somebody_has_signed_the_address_up_anew(client, carol, now):
    """What a stranger asked for since must not come back as "everything is as it was"."""
    carol.confirmed_at = now
    carol.save()
    signup.leave(carol, page="/", now=now)
    signup.sign_up(carol.email, signup.Preferences(lines=("a stranger's line",)), page="/", now=now)
    link = links.unsubscribe(carol)
    answer = client.post(link, {"undo": "1"})
    assert b"Undo" not in answer.content
    carol.refresh_from_db()
    assert carol.status == Subscriber.Status.UNSUBSCRIBED
