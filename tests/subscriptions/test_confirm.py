"""The link of the confirmation: GET asks, POST answers yes."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.core import signing
from django.test import Client

from subscriptions import links, signup
from subscriptions.models import Subscriber, Suppression
from tests.conftest import MORNING, make_reader
from tests.subscriptions.conftest import path_of, row


@pytest.fixture
def link(bob: Subscriber) -> str:
    return path_of(links.confirm(bob))


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_changes_nothing(method: str, link: str, bob: Subscriber, client: Client) -> None:
    before = row(bob)
    for _ in range(3):
        assert getattr(client, method)(link).status_code == 200
    assert row(bob) == before


def test_it_asks_with_what_was_typed(client: Client, db: None) -> None:
    gil = make_reader("gil@example.org", "R&D <b>", "vision", status=Subscriber.Status.PENDING, confirmed_at=None)
    page = client.get(path_of(links.confirm(gil))).content.decode()
    assert "<code>R&amp;D &lt;b&gt;</code>" in page
    assert "<code>vision</code>" in page
    assert "gil@example.org" in page


def test_yes_starts_the_mail(link: str, bob: Subscriber, client: Client) -> None:
    with time_machine.travel(MORNING, tick=False):
        answer = client.post(link)
    bob.refresh_from_db()
    assert (bob.status, bob.confirmed_at) == ("active", MORNING)
    assert bob.next_digest_at == MORNING + dt.timedelta(days=1)
    assert answer.status_code == 302
    with time_machine.travel(MORNING, tick=False):
        assert client.get(answer["Location"]).context["reader"] == bob


def test_yes_is_kept_as_proof(link: str, bob: Subscriber, client: Client) -> None:
    with time_machine.travel(MORNING, tick=False):
        client.post(link)
    proof = bob.consents.get()
    assert (proof.kind, proof.at, proof.wording) == ("confirmed", MORNING, signup.WORDING)
    assert "/confirm/" in proof.page
    assert links.token_for(bob, links.CONFIRM) not in proof.page


def test_yes_said_twice_is_harmless(link: str, bob: Subscriber, client: Client) -> None:
    client.post(link)
    before = row(bob)
    for answer in (client.post(link), client.get(link)):
        assert answer.status_code == 410
        assert "This link has been used" in answer.content.decode()
        assert bob.email not in answer.content.decode()
        assert "/preferences/" + bob.code not in answer.content.decode()
    assert row(bob) == before


def test_yes_takes_off_a_second_confirmation_that_is_owed(link: str, bob: Subscriber, client: Client) -> None:
    Subscriber.objects.filter(pk=bob.pk).update(notice="confirm", notices_sent=1)
    client.post(link)
    bob.refresh_from_db()
    assert (bob.notice, bob.notices_sent) == ("", 0)


@pytest.mark.parametrize("has_confirmed", [True, False])
def test_the_old_link_does_not_bring_back_who_has_left(
    has_confirmed: bool, link: str, bob: Subscriber, client: Client
) -> None:
    if has_confirmed:
        client.post(link)
    client.post(path_of(links.unsubscribe(bob)))
    before = row(bob)
    assert client.post(link).status_code == 410
    assert row(bob) == before
    assert before["columns"]["status"] == "unsubscribed"


def test_the_link_of_a_new_sign_up_does(link: str, bob: Subscriber, client: Client, now: dt.datetime) -> None:
    client.post(link)
    client.post(path_of(links.unsubscribe(bob)))
    signup.sign_up(bob.email, signup.Preferences(lines=("agents",)), page="/", now=now)
    assert client.post(link).status_code == 410
    bob.refresh_from_db()
    assert client.post(path_of(links.confirm(bob))).status_code == 302
    bob.refresh_from_db()
    assert bob.status == "active"


def test_an_old_link_does_not_bring_back_who_complained(link: str, bob: Subscriber, client: Client) -> None:
    bob.stop(Subscriber.Status.COMPLAINED, MORNING)
    assert client.post(link).status_code == 410


def test_a_link_mailed_before_links_named_their_sign_up_works_once(bob: Subscriber, client: Client) -> None:
    signer = signing.TimestampSigner(salt="paper-round.confirm")
    link = f"/confirm/{signer.sign(f'{bob.code}.{bob.token_version}')}/"
    assert [client.post(link).status_code, client.post(link).status_code] == [302, 410]


def test_who_left_comes_back(carol: Subscriber, client: Client) -> None:
    assert client.post(path_of(links.confirm(carol))).status_code == 302
    carol.refresh_from_db()
    assert carol.status == "active"
    assert carol.next_digest_at is not None


def test_a_mailbox_that_bounced_once_proves_that_it_works(erin: Subscriber, client: Client) -> None:
    client.post(path_of(links.confirm(erin)))
    erin.refresh_from_db()
    assert erin.status == "active"
    assert not Suppression.objects.exists()


@pytest.mark.parametrize("reason", [Suppression.Reason.COMPLAINED, Suppression.Reason.BY_HAND])
def test_an_old_link_does_not_lift_a_complaint(
    reason: str, link: str, bob: Subscriber, client: Client, now: dt.datetime
) -> None:
    Suppression.objects.add_address(bob.email, reason, now)
    before = row(bob)
    assert client.post(link).status_code == 410
    assert row(bob) == before
    assert Suppression.objects.reason_for(bob.email) == reason


def test_it_is_good_for_seven_days(bob: Subscriber, client: Client) -> None:
    with time_machine.travel(MORNING, tick=False):
        link = path_of(links.confirm(bob))
    with time_machine.travel(MORNING + dt.timedelta(days=7), tick=False):
        assert client.get(link).status_code == 200
    with time_machine.travel(MORNING + dt.timedelta(days=7, seconds=1), tick=False):
        answer = client.post(link)
    assert answer.status_code == 410
    assert "has expired" in answer.content.decode()
    bob.refresh_from_db()
    assert bob.status == "pending"


@pytest.mark.parametrize("purpose", [links.PREFERENCES, links.UNSUBSCRIBE])
def test_a_token_of_another_purpose_is_refused(purpose: str, bob: Subscriber, client: Client) -> None:
    assert client.post(f"/confirm/{links.token_for(bob, purpose)}/").status_code == 404
    bob.refresh_from_db()
    assert bob.status == "pending"


@pytest.mark.parametrize("token", ["x", "x.1:y", "a:b:c", "%00", "é", "x" * 5000, "..", "%0d%0aSet-Cookie:x=1"])
def test_a_made_up_token_is_refused(token: str, client: Client, db: None) -> None:
    answer = client.post(f"/confirm/{token}/")
    assert answer.status_code == 404
    assert "Set-Cookie:x" not in str(answer.headers)


def test_a_raised_version_voids_the_link(link: str, bob: Subscriber, client: Client) -> None:
    Subscriber.objects.filter(pk=bob.pk).update(token_version=2)
    assert client.post(link).status_code == 410
    bob.refresh_from_db()
    assert bob.status == "pending"


def test_the_link_of_a_forgotten_reader_says_so(link: str, bob: Subscriber, client: Client) -> None:
    bob.delete()
    assert client.post(link).status_code == 410


def test_a_foreign_page_cannot_say_yes(link: str, bob: Subscriber, strict: Client) -> None:
    assert strict.post(link).status_code == 403
    bob.refresh_from_db()
    assert bob.status == "pending"


def test_our_own_page_can(link: str, bob: Subscriber, strict: Client) -> None:
    token = str(strict.get(link).context["csrf_token"])
    assert strict.post(link, {"csrfmiddlewaretoken": token}).status_code == 302


@pytest.mark.parametrize("version, status", [(1, 200), (2, 410)])
def test_the_page_is_neither_kept_nor_indexed_nor_framed(
    version: int, status: int, link: str, bob: Subscriber, client: Client
) -> None:
    Subscriber.objects.filter(pk=bob.pk).update(token_version=version)
    answer = client.get(link)
    assert answer.status_code == status
    assert {"no-store", "private"} <= set(answer["Cache-Control"].split(", "))
    assert answer["X-Robots-Tag"] == "noindex"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
