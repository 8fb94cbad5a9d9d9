"""E-mail me my link: for who lost it, and nothing for anybody else."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from subscriptions import emails, links, signup
from subscriptions.mail_requests import handle_requests
from subscriptions.models import Subscriber, Suppression
from subscriptions.preferences import Preferences
from tests.conftest import MORNING, make_reader
from tests.smtp import Server
from tests.subscriptions.conftest import link_in, path_of, row

pytestmark = pytest.mark.django_db
Notice = Subscriber.Notice


def ask(client: Client, address: str, network: str = "127.0.0.1") -> HttpResponse:
    answer = client.post("/preferences/", {"email": address}, REMOTE_ADDR=network)
    handle_requests(timezone.now())
    return answer


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
        page = client.get(answer["Location"])
        answers.add((answer.status_code, answer["Location"], page.content))
    assert len(answers) == 1


def test_a_stranger_who_asks_again_and_again_brings_one_mail(alice: Subscriber, client: Client) -> None:
    with time_machine.travel(MORNING, tick=False):
        ask(client, alice.email)
        Subscriber.objects.update(notice="")  # it went out
        ask(client, alice.email)
    assert owed(alice) == Notice.NONE
    with time_machine.travel(MORNING + dt.timedelta(minutes=16), tick=False):
        ask(client, alice.email)
    assert owed(alice) == Notice.LINK


def test_a_confirmation_that_is_owed_is_not_pushed_aside(client: Client) -> None:
    back = make_reader("back@example.org", "x", status="unsubscribed", notice=Notice.CONFIRM)
    ask(client, back.email)
    assert owed(back) == Notice.CONFIRM


def asked_every_hour(client: Client, address: str, hours: range, network: str = "127.0.0.1") -> int:
    """How many links are owed to an address that is asked for once an hour."""
    count = 0
    for hour in hours:
        with time_machine.travel(MORNING + dt.timedelta(hours=hour), tick=False):
            ask(client, address, network)
            count += Subscriber.objects.filter(notice=Notice.LINK).update(notice="")  # it goes out
    return count


def test_one_network_asks_for_an_address_three_times_a_day(alice: Subscriber, client: Client) -> None:
    assert asked_every_hour(client, alice.email, range(23)) == 3


def test_a_stranger_leaves_links_to_the_owner(alice: Subscriber, client: Client) -> None:
    assert asked_every_hour(client, alice.email, range(20), "203.0.113.9") == 3
    assert asked_every_hour(client, alice.email, range(20, 21), "198.51.100.7") == 1


def test_eight_a_day_whoever_asks_and_whoever_is_refused_has_one_that_works(alice: Subscriber, client: Client) -> None:
    mailed = {}
    for hour in range(24):
        with time_machine.travel(MORNING + dt.timedelta(hours=hour), tick=False):
            ask(client, alice.email, f"203.0.{hour}.1")
            if Subscriber.objects.filter(notice=Notice.LINK).update(notice=""):
                mailed[hour] = path_of(links.emailed(alice))
            newest = mailed[max(mailed)]
            assert client.get(newest).status_code == 302
    assert len(mailed) == 8
    with time_machine.travel(MORNING + dt.timedelta(hours=24), tick=False):
        ask(client, alice.email)
    assert owed(alice) == Notice.LINK


@pytest.mark.parametrize("times", [3, 20])
def test_sign_ups_by_strangers_do_not_block_the_link(times: int, alice: Subscriber, client: Client) -> None:
    for number in range(times):
        with time_machine.travel(MORNING + dt.timedelta(days=number), tick=False):
            signup.sign_up(alice.email, Preferences(lines=("x",)), page="/", now=timezone.now())
            Subscriber.objects.update(notice="", notices_sent=3, last_notice_at=timezone.now())
    with time_machine.travel(MORNING + dt.timedelta(days=times - 1, minutes=1), tick=False):
        ask(client, alice.email)
    assert owed(alice) == Notice.LINK


def test_a_reminder_that_is_owed_gives_way_to_the_link(alice: Subscriber, client: Client) -> None:
    Subscriber.objects.update(notice=Notice.ALREADY)
    ask(client, alice.email)
    assert owed(alice) == Notice.LINK


def test_void_links_begin_a_new_count(alice: Subscriber, client: Client) -> None:
    ask(client, alice.email)
    Subscriber.objects.update(notice="")
    signup.void_links(alice)
    ask(client, alice.email)
    assert owed(alice) == Notice.LINK


def test_who_left_without_ever_confirming_gets_no_link(client: Client) -> None:
    gone = make_reader("gone@example.org", "x", status="unsubscribed", confirmed_at=None)
    ask(client, gone.email)
    assert owed(gone) == Notice.NONE


def test_a_network_that_asks_too_often_is_told_to_wait(client: Client) -> None:
    for number in range(20):
        ask(client, f"n{number}@example.org")
    answer = ask(client, "n21@example.org")
    assert answer.status_code == 429
    assert answer["Retry-After"] == "3600"


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
    page = client.get(answer["Location"])
    assert page.context["reader"] == alice
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
