"""E-mail me my link: for who lost it, and nothing for anybody else."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
import time_machine
from django.test import Client

from subscriptions import emails, links
from subscriptions.models import Subscriber, Suppression
from tests.conftest import MORNING, make_reader
from tests.smtp import Server
from tests.subscriptions.conftest import link_in, path_of, row

pytestmark = pytest.mark.django_db
Notice = Subscriber.Notice


def ask(client: Client, address: str) -> object:
    return client.post("/preferences/", {"email": address})


def owed(reader: Subscriber) -> str:
    return Subscriber.objects.get(pk=reader.pk).notice


def test_the_form_stands_there_for_who_has_no_token(client: Client) -> None:
    page = client.get("/preferences/")
    assert page.status_code == 200
    assert b'type="email"' in page.content


@pytest.mark.parametrize("name", ["alice", "carol"])
def test_who_gets_or_got_our_mail_is_owed_the_link(name: str, request: pytest.FixtureRequest, client: Client) -> None:
    reader = request.getfixturevalue(name)
    ask(client, f" {reader.email.upper()} ")
    assert owed(reader) == Notice.LINK


@pytest.mark.parametrize("name", ["bob", "erin", "frank"])
def test_who_never_confirmed_bounced_or_complained_is_owed_nothing(
    name: str, request: pytest.FixtureRequest, client: Client
) -> None:
    reader = request.getfixturevalue(name)
    before = row(reader)
    ask(client, reader.email)
    assert row(reader) == before


def test_a_suppressed_address_is_owed_nothing(carol: Subscriber, client: Client) -> None:
    Suppression.objects.add_address(carol.email, Suppression.Reason.BY_HAND, MORNING)
    ask(client, carol.email)
    assert owed(carol) == Notice.NONE


def test_every_address_is_answered_alike(
    alice: Subscriber, bob: Subscriber, carol: Subscriber, frank: Subscriber, client: Client
) -> None:
    answers = set()
    for address in (
        alice.email,
        bob.email,
        carol.email,
        frank.email,
        "nobody@example.org",
        "no address",
        "",
        "a\x00@b",
    ):
        answer = ask(client, address)
        page = client.get(answer["Location"])  # type: ignore[index]
        answers.add((answer.status_code, answer["Location"], page.content))  # type: ignore[attr-defined,index]
    assert len(answers) == 1


def test_known_and_unknown_cost_the_same_questions(
    alice: Subscriber, client: Client, django_assert_num_queries: object
) -> None:
    with django_assert_num_queries(4):  # type: ignore[operator]
        ask(client, "nobody@example.org")
    with django_assert_num_queries(5):  # type: ignore[operator]
        ask(client, alice.email)  # one more: to note the debt


def test_a_stranger_who_asks_again_and_again_brings_one_mail(alice: Subscriber, client: Client) -> None:
    with time_machine.travel(MORNING, tick=False):
        ask(client, alice.email)
        Subscriber.objects.update(notice="", notices_sent=1, last_notice_at=MORNING)  # it went out
        ask(client, alice.email)
    assert owed(alice) == Notice.NONE
    with time_machine.travel(MORNING + dt.timedelta(minutes=16), tick=False):
        ask(client, alice.email)
    assert owed(alice) == Notice.LINK


def test_a_confirmation_that_is_owed_is_not_pushed_aside(client: Client) -> None:
    back = make_reader("back@example.org", "x", status="unsubscribed", notice=Notice.CONFIRM)
    ask(client, back.email)
    assert owed(back) == Notice.CONFIRM


@pytest.mark.usefixtures("real_cache")
def test_an_address_is_asked_for_only_so_often(alice: Subscriber, client: Client) -> None:
    for _ in range(4):
        Subscriber.objects.update(notice="", notices_sent=0, last_notice_at=None)
        ask(client, alice.email)
    assert owed(alice) == Notice.NONE


@pytest.fixture
def real_cache(settings: object) -> None:
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": uuid.uuid4().hex}
    }  # type: ignore[attr-defined]


@pytest.mark.usefixtures("real_cache")
def test_a_network_that_asks_too_often_is_told_to_wait(client: Client) -> None:
    for number in range(20):
        ask(client, f"n{number}@example.org")
    answer = ask(client, "n21@example.org")
    assert answer.status_code == 429  # type: ignore[attr-defined]
    assert answer["Retry-After"] == "3600"  # type: ignore[index]


def test_the_mail_leads_to_the_preferences(
    alice: Subscriber, smtp_server: Server, client: Client, now: dt.datetime
) -> None:
    ask(client, alice.email)
    emails.send_notices(now)
    message = smtp_server.messages[0]
    assert message["Subject"] == "Your link to Paper Round"
    assert message["To"] == alice.email
    path = link_in(message, "/link/")
    assert path == link_in(message, "/link/", "html")
    answer = client.get(path)
    assert answer["Location"] == links.preferences(alice)
    assert "no-store" in answer["Cache-Control"]
    assert owed(alice) == Notice.NONE


def test_opening_the_mailed_link_changes_nothing(alice: Subscriber, client: Client) -> None:
    before = row(alice)
    client.get(path_of(links.emailed(alice)))
    client.head(path_of(links.emailed(alice)))
    assert client.post(path_of(links.emailed(alice))).status_code == 405
    assert row(alice) == before


def test_the_mailed_link_ends_after_a_day_and_says_what_to_do(alice: Subscriber, client: Client) -> None:
    with time_machine.travel(MORNING, tick=False):
        path = path_of(links.emailed(alice))
    with time_machine.travel(MORNING + dt.timedelta(hours=23), tick=False):
        assert client.get(path).status_code == 302
    with time_machine.travel(MORNING + dt.timedelta(hours=25), tick=False):
        answer = client.get(path)
    assert answer.status_code == 410
    assert "good for a day" in answer.content.decode()
    assert 'href="/preferences/"' in answer.content.decode()


@pytest.mark.parametrize("purpose", [links.CONFIRM, links.UNSUBSCRIBE, links.PREFERENCES])
def test_a_token_of_another_purpose_opens_nothing(purpose: str, alice: Subscriber, client: Client) -> None:
    assert client.get(f"/link/{links.token_for(alice, purpose)}/").status_code == 404
    assert client.get(f"/preferences/{links.token_for(alice, links.EMAILED)}/").status_code == 404


def test_a_raised_version_voids_the_mailed_link(alice: Subscriber, client: Client) -> None:
    path = path_of(links.emailed(alice))
    Subscriber.objects.update(token_version=2)
    assert client.get(path).status_code == 410


def test_a_foreign_page_cannot_ask(alice: Subscriber, strict: Client) -> None:
    assert strict.post("/preferences/", {"email": alice.email}).status_code == 403
