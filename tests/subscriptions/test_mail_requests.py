"""The page does the same for every address, and loses nothing when the worker comes late or fails."""

from __future__ import annotations

import datetime as dt
import json
import re

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from digest.operations.retention import pruning
from subscriptions import mail_requests, tasks
from subscriptions.erasure import erase
from subscriptions.models import MailRequest, Subscriber
from subscriptions.preferences import Preferences
from tests.conftest import MORNING, make_reader
from tests.subscriptions.conftest import answers

pytestmark = pytest.mark.django_db
MANY_LINES = "\n".join(f"topic{number} OR theme{number}" for number in range(50))


@pytest.fixture
def everybody(alice: Subscriber, bob: Subscriber, carol: Subscriber, erin: Subscriber, frank: Subscriber) -> list[str]:
    """An address of each status, and one that nobody has."""
    return [reader.email for reader in (alice, bob, carol, erin, frank)] + ["nobody@example.org"]


def work(client: Client, path: str, form: dict[str, str]) -> list[str]:
    """The statements of one POST, without their values."""
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert client.post(path, form).status_code == 302
    return [re.sub(r"'[^']*'|\d+", "?", query["sql"]) for query in queries.captured_queries]


@pytest.mark.parametrize("path", ["/subscribe/", "/preferences/"])
def test_every_address_costs_the_same_work(path: str, everybody: list[str], client: Client) -> None:
    work(client, path, answers(email="first@example.org"))  # opens the counters
    done = {json.dumps(work(client, path, answers(email=each, interests=MANY_LINES))) for each in everybody}
    assert len(done) == 1
    assert "subscriber" not in done.pop()


def test_the_links_of_digests_ask_alike_too(alice: Subscriber, client: Client) -> None:
    done = work(client, "/preferences/", {"email": alice.email})
    assert [sql for sql in done if "subscriptions_mailrequest" in sql] == [done[-1]]


def test_a_lost_queue_loses_nothing(client: Client, db: None) -> None:
    client.post("/subscribe/", answers())
    assert not Subscriber.objects.exists()
    tasks.send_notices()
    assert Subscriber.objects.get().notices_sent == 1
    assert not MailRequest.objects.exists()


def test_a_request_is_handled_as_it_was_typed(client: Client, db: None) -> None:
    client.post("/subscribe/", answers(frequency="weekly", weekday="4", time_zone="Asia/Kathmandu", papers="7,8"))
    assert mail_requests.handle_requests(MORNING) == 1
    dora = Subscriber.objects.get()
    assert (dora.frequency, dora.weekday, dora.time_zone, dora.pasted) == ("weekly", 4, "Asia/Kathmandu", [7, 8])
    assert dora.lines() == ["diffusion", "-survey"]


def test_one_that_fails_harms_no_other_and_is_tried_again(db: None, caplog: pytest.LogCaptureFixture) -> None:
    MailRequest.objects.create(kind="sign-up", address="bad@example.org", details={}, requested_at=MORNING)
    mail_requests.ask_to_sign_up("ada@example.org", Preferences(lines=("x",)), page="/", now=MORNING)
    assert [mail_requests.handle_requests(MORNING) for _ in range(6)] == [1, 0, 0, 0, 0, 0]
    assert Subscriber.objects.get().email == "ada@example.org"
    bad = MailRequest.objects.get()
    assert bad.failures == 5
    assert f"Request {bad.pk} could not be handled (KeyError)" in caplog.text
    assert "bad@" not in caplog.text
    pruning.prune(MORNING + dt.timedelta(days=8))
    assert not MailRequest.objects.exists()


def test_a_machine_that_fills_in_everything_stores_nothing(client: Client, db: None) -> None:
    client.post("/subscribe/", answers(website="https://pills.example"))
    assert not MailRequest.objects.exists()


def test_erasing_takes_requests_along(alice: Subscriber) -> None:
    mail_requests.ask_for_link("ALICE@example.org", MORNING)
    mail_requests.ask_for_link("bob@example.org", MORNING)
    erase(alice)
    assert MailRequest.objects.get().address == "bob@example.org"


def test_links_do_not_wait_behind_a_burst_of_sign_ups(settings: object, alice: Subscriber) -> None:
    settings.SIGNUP_BURST = 1
    for number in range(12):
        mail_requests.ask_to_sign_up(f"r{number}@example.org", Preferences(lines=("x",)), page="/", now=MORNING)
    mail_requests.ask_for_link(alice.email, MORNING)
    assert mail_requests.handle_requests(MORNING) == 11  # ten confirmations an hour, and the link
    assert mail_requests.handle_requests(MORNING) == 0
    later = MORNING + dt.timedelta(hours=1)
    assert mail_requests.handle_requests(later) == 2  # nobody is lost


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time")
@pytest.mark.django_db(transaction=True)
def test_a_request_that_another_worker_took_is_not_handled_twice() -> None:
    mail_requests.ask_to_sign_up("ada@example.org", Preferences(lines=("x",)), page="/", now=MORNING)
    pk = MailRequest.objects.get().pk
    assert [mail_requests._handle(pk, MORNING), mail_requests._handle(pk, MORNING)] == [True, False]


def test_the_task_asks_the_clock(client: Client, db: None) -> None:
    make_reader("old@example.org", "x")
    with time_machine.travel(MORNING, tick=False):
        client.post("/subscribe/", answers())
        tasks.send_notices()
    assert Subscriber.objects.get(email="dora@example.org").consents.get().at == MORNING
