"""The transactional mails, at a real SMTP server."""

from __future__ import annotations

import datetime as dt
import logging
import threading

import pytest
from django.db import connection
from django.test import Client

from subscriptions import emails, tasks
from subscriptions.models import Subscriber
from tests.conftest import make_reader
from tests.smtp import Server
from tests.subscriptions.conftest import link_in

Notice = Subscriber.Notice


def owe(reader: Subscriber, notice: str = Notice.CONFIRM) -> None:
    Subscriber.objects.filter(pk=reader.pk).update(notice=notice)
    reader.refresh_from_db()


@pytest.fixture
def owed(bob: Subscriber) -> Subscriber:
    """Bob is owed his confirmation."""
    owe(bob)
    return bob


def make_owed(*addresses: str) -> None:
    for address in addresses:
        make_reader(address, "x", status="pending", confirmed_at=None, notice=Notice.CONFIRM)


def test_the_confirmation_has_both_parts_and_a_link_that_works(
    owed: Subscriber, smtp_server: Server, client: Client, now: dt.datetime
) -> None:
    assert emails.send_notices(now) == 1
    message = smtp_server.messages[0]
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    links = {kind: link_in(message, "/confirm/", kind) for kind in ("plain", "html")}
    assert links["plain"] == links["html"]
    assert client.post(links["plain"]).status_code == 302
    owed.refresh_from_db()
    assert owed.status == "active"


def test_the_other_mail_leads_to_the_preferences(
    alice: Subscriber, smtp_server: Server, client: Client, now: dt.datetime
) -> None:
    owe(alice, Notice.ALREADY)
    emails.send_notices(now)
    message = smtp_server.messages[0]
    assert message["Subject"] == "You already get papers from Paper Round"
    assert client.get(link_in(message, "/link/"), follow=True).context["reader"] == alice


def test_it_says_that_a_machine_wrote_it_and_leaves_from_its_own_address(
    owed: Subscriber, smtp_server: Server, settings: object, now: dt.datetime
) -> None:
    settings.TRANSACTIONAL_FROM_EMAIL = "Papers <hello@papers.example.org>"
    settings.POSTAL_ADDRESS = "1 Long Road, Cambridge"
    emails.send_notices(now)
    message = smtp_server.messages[0]
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["From"] == "Papers <hello@papers.example.org>"
    assert smtp_server.accepted[0].mail_from == "hello@papers.example.org"
    assert message["To"] == owed.email
    for kind in ("plain", "html"):
        assert "1 Long Road, Cambridge" in message.get_body((kind,)).get_content()


@pytest.mark.parametrize("header", ["From", "To", "Date", "Subject", "Message-ID", "MIME-Version"])
def test_each_header_comes_once(header: str, owed: Subscriber, smtp_server: Server, now: dt.datetime) -> None:
    emails.send_notices(now)
    assert len(smtp_server.messages[0].get_all(header)) == 1


def test_typed_lines_are_text_and_never_markup(smtp_server: Server, db: None, now: dt.datetime) -> None:
    make_reader("gil@example.org", "R&D <b>", status="pending", notice=Notice.CONFIRM)
    emails.send_notices(now)
    html = smtp_server.messages[0].get_body(("html",)).get_content()
    assert "<b>" not in html


def test_a_site_name_breaks_no_header(
    owed: Subscriber, smtp_server: Server, settings: object, now: dt.datetime
) -> None:
    settings.SITE_NAME = "Papers\r\nBcc: victim@example.org"
    emails.send_notices(now)
    assert smtp_server.messages[0]["Bcc"] is None
    assert smtp_server.accepted[0].rcpt_tos == [owed.email]


def test_it_is_counted_and_dated(owed: Subscriber, smtp_server: Server, now: dt.datetime) -> None:
    emails.send_notices(now)
    owed.refresh_from_db()
    assert (owed.notice, owed.notices_sent, owed.last_notice_at) == ("", 1, now)


def test_a_second_look_sends_nothing(owed: Subscriber, smtp_server: Server, now: dt.datetime) -> None:
    assert (emails.send_notices(now), emails.send_notices(now)) == (1, 0)
    tasks.send_notices()
    assert len(smtp_server.messages) == 1


def test_nothing_owed_opens_no_connection(alice: Subscriber, smtp_server: Server) -> None:
    before = smtp_server.connections
    tasks.send_notices()
    assert smtp_server.connections == before


def test_one_connection_carries_them_all(smtp_server: Server, db: None, now: dt.datetime) -> None:
    make_owed("a@example.org", "b@example.org", "c@example.org")
    before = smtp_server.connections
    assert emails.send_notices(now) == 3
    assert smtp_server.connections == before + 1


# --- what goes wrong
def test_a_server_that_is_down_leaves_it_owed(
    owed: Subscriber, smtp_server: Server, settings: object, now: dt.datetime, caplog: pytest.LogCaptureFixture
) -> None:
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 9
    assert emails.send_notices(now) == 0
    owed.refresh_from_db()
    assert (owed.notice, owed.notices_sent) == ("confirm", 0)
    assert "notices wait" in caplog.text
    settings.EMAIL_PORT = port
    assert emails.send_notices(now) == 1


@pytest.mark.parametrize("reply", ["451 try later", "452 mailbox full", "421 closing"])
def test_a_refusal_for_now_leaves_it_owed(reply: str, owed: Subscriber, smtp_server: Server, now: dt.datetime) -> None:
    smtp_server.refuse[owed.email] = reply
    assert emails.send_notices(now) == 0
    owed.refresh_from_db()
    assert (owed.notice, owed.notices_sent) == ("confirm", 0)
    smtp_server.refuse.clear()
    assert emails.send_notices(now) == 1


def test_a_refusal_of_the_text_for_now_leaves_it_owed(owed: Subscriber, smtp_server: Server, now: dt.datetime) -> None:
    smtp_server.data_answers = ["451 not now"]
    assert (emails.send_notices(now), emails.send_notices(now)) == (0, 1)


@pytest.mark.parametrize("reply", ["550 no such mailbox", "451 try later"])
def test_the_fate_of_one_is_not_that_of_the_next(reply: str, smtp_server: Server, db: None, now: dt.datetime) -> None:
    make_owed("gone@example.org", "well@example.org")
    smtp_server.refuse["gone@example.org"] = reply
    assert emails.send_notices(now) == 1
    assert [message["To"] for message in smtp_server.messages] == ["well@example.org"]


def test_a_refusal_for_good_is_not_tried_for_ever(owed: Subscriber, smtp_server: Server, now: dt.datetime) -> None:
    smtp_server.refuse[owed.email] = "550 no such mailbox"
    emails.send_notices(now)
    owed.refresh_from_db()
    assert (owed.notice, owed.notices_sent) == ("", 1)


def test_the_refused_wait_behind_those_who_were_not_tried(smtp_server: Server, db: None, now: dt.datetime) -> None:
    make_owed("busy@example.org", "well@example.org")
    smtp_server.refuse["busy@example.org"] = "451 try later"
    assert [emails.send_notices(now, limit=1), emails.send_notices(now, limit=1)] == [0, 1]


def test_a_connection_lost_in_the_middle_loses_nobody(smtp_server: Server, db: None, now: dt.datetime) -> None:
    make_owed("a@example.org", "b@example.org", "c@example.org")
    smtp_server.drop_after_data = 1
    emails.send_notices(now)
    emails.send_notices(now)
    assert {message["To"] for message in smtp_server.messages} == {"a@example.org", "b@example.org", "c@example.org"}
    assert not Subscriber.objects.exclude(notice="").exists()


@pytest.mark.parametrize(
    "reply", ["550 <bob@example.org> unknown", "451 <bob@example.org> busy", "421 bob@example.org"]
)
def test_no_log_line_holds_an_address(
    reply: str, owed: Subscriber, smtp_server: Server, now: dt.datetime, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    smtp_server.refuse[owed.email] = reply
    emails.send_notices(now)
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("subscriptions")]
    assert ours
    assert not [line for line in ours if "bob" in line]


@pytest.mark.skipif(connection.vendor == "sqlite", reason="the test's SQLite lives in memory, one thread at a time")
@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_each_mail_once(smtp_server: Server, now: dt.datetime) -> None:
    make_owed(*(f"r{number}@example.org" for number in range(20)))
    start, counts = threading.Barrier(2), []

    def work() -> None:
        start.wait()
        try:
            counts.append(emails.send_notices(now))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == 20
    assert sorted(message["To"] for message in smtp_server.messages) == sorted(f"r{n}@example.org" for n in range(20))
