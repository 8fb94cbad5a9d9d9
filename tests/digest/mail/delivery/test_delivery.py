"""Claim, send, record, settle, against a real SMTP server that misbehaves on demand."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import psycopg
import pytest
from anymail.message import AnymailMessage
from django.db import connection
from pytest_django import Settings

from digest.mail import delivery
from digest.mail.delivery import record, worker_locks
from digest.mail.messages import Answer, Letter, Order
from digest.mail.rendering import Press
from digest.mail.transports import DjangoWay, Verdict
from digest.mail.transports.smtp import Session
from digest.models import Delivery, MailGate, Paper
from digest.picks.selection.select import select_due
from subscriptions.models import Subscriber, Suppression
from subscriptions.outcomes.classify import Outcome
from subscriptions.outcomes.meanings import DEAD
from tests.conftest import MORNING, make_reader
from tests.smtp import Server

pytestmark = pytest.mark.django_db

Status = Delivery.Status
MINUTE = dt.timedelta(minutes=1)
LEASE = dt.timedelta(minutes=10)
WINDOW, ATTEMPTS = 3, 6


@pytest.fixture(autouse=True)
def _small_windows(settings: Settings) -> None:
    settings.MAIL_WINDOW, settings.MAIL_LEASE = WINDOW, LEASE


def statuses() -> dict[str, int]:
    found: dict[str, int] = {}
    for status in Delivery.objects.values_list("status", flat=True):
        found[status] = found.get(status, 0) + 1
    return found


def test_it_sends_all_over_one_connection(waiting: list[Delivery], smtp_server: Server) -> None:
    counts = delivery.deliver_all(MORNING)
    assert counts == {"sent": 7}
    assert statuses() == {"sent": 7}
    assert {message["To"] for message in smtp_server.messages} == {f"reader{n}@example.org" for n in range(7)}
    assert smtp_server.connections <= 2  # the controller's own knock is one
    assert all(row.message_id and row.sent_at == MORNING for row in Delivery.objects.all())


def test_a_mail_of_nothing_says_so_and_how_to_change_that(papers: list[Paper], smtp_server: Server) -> None:
    make_reader("nina@example.org", "entomology", empty_mail=True)
    select_due(MORNING)
    assert delivery.deliver_all(MORNING) == {"sent": 1}
    (message,) = smtp_server.messages
    text, html = (part.get_payload(decode=True).decode() for part in message.get_payload())
    assert message["Subject"] == "Nothing for you today"
    for part in (text, html):
        assert "none of the day" in part.replace("None", "none")
        assert "/preferences/" in part
        assert "/unsubscribe/" in part


def test_sending_again_sends_nothing(waiting: list[Delivery], smtp_server: Server) -> None:
    delivery.deliver_all(MORNING)
    assert delivery.deliver_all(MORNING + MINUTE) == {}
    assert len(smtp_server.accepted) == 7


def test_one_refused_reader_holds_up_nobody(waiting: list[Delivery], smtp_server: Server) -> None:
    smtp_server.refuse["reader2@example.org"] = "550 5.1.1 No such user"
    assert delivery.deliver_all(MORNING) == {"sent": 6, "failed": 1}
    row = Delivery.objects.get(status=Status.FAILED)
    assert "550 5.1.1 No such user" in row.error


def test_a_busy_mailbox_is_tried_again_later(waiting: list[Delivery], smtp_server: Server) -> None:
    smtp_server.refuse["reader2@example.org"] = "451 4.3.0 Try later"
    assert delivery.deliver_all(MORNING) == {"sent": 6, "retried": 1}
    row = Delivery.objects.get(status=Status.WAITING)
    assert row.attempts == 1
    assert row.not_before > MORNING
    assert delivery.deliver_all(MORNING) == {}
    smtp_server.refuse.clear()
    assert delivery.deliver_all(MORNING + 10 * MINUTE) == {"sent": 1}
    assert len(smtp_server.accepted) == 7


def test_a_mailbox_that_stays_busy_fails_in_the_end(waiting: list[Delivery], smtp_server: Server) -> None:
    smtp_server.refuse["reader2@example.org"] = "450 4.2.1 Busy"
    for day in range(ATTEMPTS + 1):
        delivery.deliver_all(MORNING + dt.timedelta(days=day))
    row = Delivery.objects.exclude(status=Status.SENT).get()
    assert (row.status, row.attempts) == (Status.FAILED, ATTEMPTS)


def test_a_server_that_is_down_burns_no_mail(waiting: list[Delivery], settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    assert delivery.deliver_all(MORNING) == {"waiting": 7}
    assert statuses() == {"waiting": 7}
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {0}


def test_421_in_the_middle_takes_a_new_connection_and_goes_on(waiting: list[Delivery], smtp_server: Server) -> None:
    smtp_server.refuse["reader3@example.org"] = "421 4.7.0 Closing"
    assert delivery.deliver_all(MORNING) == {"sent": 6, "retried": 1}
    assert not MailGate.load().is_open
    smtp_server.refuse.clear()
    assert delivery.deliver_all(MORNING + 2 * MINUTE) == {"sent": 1}


def test_421_to_every_mail_opens_the_circuit_and_the_rest_waits(waiting: list[Delivery], smtp_server: Server) -> None:
    for number in range(3, 7):
        smtp_server.refuse[f"reader{number}@example.org"] = "421 4.7.0 Closing"
    delivery.deliver_all(MORNING)
    assert statuses() == {"sent": 3, "waiting": 4}
    assert sorted(Delivery.objects.values_list("attempts", flat=True)) == [0, 0, 0, 1, 1, 1, 1]
    assert MailGate.load().is_open
    assert delivery.deliver_all(MORNING) == {}
    smtp_server.refuse.clear()
    for minute in (2, 3, 4):
        delivery.deliver_all(MORNING + minute * MINUTE)
    assert statuses() == {"sent": 7}
    assert len(smtp_server.accepted) == 7


def test_a_connection_lost_after_data_is_resent_once_with_the_same_message_id(
    waiting: list[Delivery], smtp_server: Server
) -> None:
    smtp_server.drop_after_data = 1
    counts = delivery.deliver_all(MORNING)
    assert counts == {"sent": 6, "retried": 1}
    delivery.deliver_all(MORNING + 5 * MINUTE)
    assert statuses() == {"sent": 7}
    assert len(smtp_server.accepted) == 8
    assert len({message["Message-ID"] for message in smtp_server.messages}) == 7


def test_a_mail_in_doubt_twice_is_left_to_the_operator(waiting: list[Delivery], smtp_server: Server) -> None:
    Delivery.objects.exclude(pk=waiting[0].pk).delete()
    smtp_server.drop_after_data = 2
    delivery.deliver_all(MORNING)
    delivery.deliver_all(MORNING + 5 * MINUTE)
    assert statuses() == {"unknown": 1}
    assert delivery.deliver_all(MORNING + dt.timedelta(days=1)) == {}


def test_hold_never_sends_what_is_in_doubt(waiting: list[Delivery], smtp_server: Server, settings: Settings) -> None:
    settings.UNKNOWN_DELIVERIES = "hold"
    smtp_server.drop_after_data = 1
    delivery.deliver_all(MORNING)
    assert statuses() == {"sent": 6, "unknown": 1}


def test_a_worker_that_died_while_sending_is_settled_when_its_lease_ends(
    waiting: list[Delivery], smtp_server: Server
) -> None:
    Delivery.objects.filter(pk=waiting[0].pk).update(status=Status.SENDING, claimed_until=MORNING + LEASE)
    delivery.deliver_all(MORNING)
    assert statuses() == {"sent": 6, "sending": 1}
    later = MORNING + LEASE + MINUTE
    delivery.deliver_all(later)
    delivery.deliver_all(later + 2 * MINUTE)
    assert statuses() == {"sent": 7}
    assert len(smtp_server.accepted) == 7


def test_a_worker_that_died_after_claiming_loses_nothing(waiting: list[Delivery], smtp_server: Server) -> None:
    Delivery.objects.update(claimed_until=MORNING + LEASE)
    assert delivery.deliver_all(MORNING + MINUTE) == {}
    assert delivery.deliver_all(MORNING + LEASE + MINUTE) == {"sent": 7}


def test_who_left_in_between_gets_nothing(waiting: list[Delivery], smtp_server: Server) -> None:
    Subscriber.objects.get(email="reader1@example.org").stop(Subscriber.Status.UNSUBSCRIBED, MORNING)
    Suppression.objects.add_address("reader2@example.org", Suppression.Reason.COMPLAINED, MORNING)
    Subscriber.objects.filter(email="reader3@example.org").update(paused_until=MORNING + dt.timedelta(days=3))
    assert delivery.deliver_all(MORNING) == {"sent": 4, "rejected": 3}
    assert len(smtp_server.accepted) == 4


def test_a_crash_while_sending_leaves_at_most_a_window_in_doubt(
    waiting: list[Delivery], smtp_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SystemExit stands for the worker being told to go in the middle of a window."""

    def die(*args: object, **kwargs: object) -> None:
        raise SystemExit

    monkeypatch.setattr(Session, "send", die)
    with pytest.raises(SystemExit):
        delivery.deliver_chunks(MORNING, longest=0)
    assert statuses()["sending"] <= WINDOW


def test_queries_grow_with_windows_and_not_with_mails(
    waiting: list[Delivery], smtp_server: Server, settings: Settings, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    settings.MAIL_WINDOW = 20
    with django_assert_max_num_queries(30):
        delivery.deliver_chunks(MORNING, longest=0)
    assert statuses() == {"sent": 7}


def test_a_mail_that_cannot_be_composed_holds_up_nobody(
    waiting: list[Delivery], smtp_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compose_or_not(press: Press, order: Order, *others: Any) -> Letter:
        if order.key == waiting[2].pk:
            raise ValueError("a template's mistake")
        return compose(press, order, *others)

    compose = Press._letter
    monkeypatch.setattr(Press, "_letter", compose_or_not)
    assert delivery.deliver_all(MORNING) == {"sent": 6, "retried": 1}
    assert "could not be composed" in Delivery.objects.get(status=Status.WAITING).error


def test_a_report_that_comes_before_the_answer_is_recorded_is_kept(waiting: list[Delivery]) -> None:
    row = waiting[0]
    Delivery.objects.filter(pk=row.pk).update(status=Status.DELIVERED, claim=5)
    record.record_sent([Verdict(row.pk, message_id="<a@b>")], 5, MORNING)
    row.refresh_from_db()
    assert (row.status, row.message_id, row.sent_at, row.claim) == (Status.DELIVERED, "<a@b>", MORNING, None)


def test_what_another_claim_holds_is_not_recorded(waiting: list[Delivery]) -> None:
    row = waiting[0]
    Delivery.objects.filter(pk=row.pk).update(status=Status.SENDING, claim=6)
    record.record_sent([Verdict(row.pk)], 5, MORNING)
    row.refresh_from_db()
    assert row.status == Status.SENDING


def test_a_way_out_that_speaks_smtp_gives_answers() -> None:
    taken = Verdict.of_answer(Answer(1, 250, "2.0.0 queued", message_id="abc"))
    refused = Verdict.of_answer(Answer(2, 550, "5.1.1 No such user"))
    lost = Verdict.of_answer(Answer(3, 0, in_doubt=True))
    assert (taken.meaning, taken.message_id) == (None, "abc")
    assert refused.meaning is not None and refused.meaning.outcome is Outcome.PERMANENT
    assert refused.text == "550 5.1.1 No such user"
    assert lost.ends_connection and not refused.ends_connection


def test_a_providers_own_verdict_says_more_than_the_code_made_for_it() -> None:
    said = Verdict.of_answer(Answer(1, 451, "406 You tried to send to a dead mailbox", said=DEAD))
    assert (said.meaning, said.text) == (DEAD, "406 You tried to send to a dead mailbox")


def test_a_dead_mailbox_is_never_mailed_again(waiting: list[Delivery], smtp_server: Server) -> None:
    smtp_server.refuse["reader2@example.org"] = "550 5.1.1 No such user"
    delivery.deliver_all(MORNING)
    reader = Subscriber.objects.get(email="reader2@example.org")
    assert reader.status == Subscriber.Status.BOUNCED
    assert Suppression.objects.reason_for(reader.email) == Suppression.Reason.BOUNCED


def test_a_full_mailbox_counts_a_point_a_day_and_is_given_up_in_the_end(
    waiting: list[Delivery], smtp_server: Server
) -> None:
    Delivery.objects.exclude(pk=waiting[0].pk).delete()
    reader = waiting[0].digest.subscriber
    smtp_server.refuse[reader.email] = "452 4.2.2 Mailbox full"
    delivery.deliver_all(MORNING)
    delivery.deliver_all(MORNING + 6 * 60 * MINUTE)
    reader.refresh_from_db()
    assert (reader.bounce_score, reader.status, waiting[0].attempts) == (1, Subscriber.Status.ACTIVE, 0)
    Subscriber.objects.filter(pk=reader.pk).update(bounce_score=9)
    delivery.deliver_all(MORNING + dt.timedelta(days=2))
    reader.refresh_from_db()
    assert reader.status == Subscriber.Status.BOUNCED
    assert statuses() == {"rejected": 1}  # the mail that waited for its next try


def test_a_server_that_knows_no_mailbox_says_nothing_of_readers(waiting: list[Delivery], smtp_server: Server) -> None:
    smtp_server.refuse["reader2@example.org"] = "554 5.7.1 Refused by policy"
    delivery.deliver_all(MORNING)
    assert not Subscriber.objects.exclude(bounce_score=0, status=Subscriber.Status.ACTIVE).exists()
    assert not Suppression.objects.exists()


def test_what_a_way_out_never_handed_over_waits_without_a_try(waiting: list[Delivery]) -> None:
    class Short(DjangoWay):
        """Takes two mails of each window, and ends."""

        def send(self, mails: Iterable[tuple[int, AnymailMessage]]) -> Iterator[Verdict]:
            for key, _ in list(mails)[:2]:
                yield Verdict(key)

    assert delivery.deliver_chunks(MORNING, longest=0, make_way=Short) == {"sent": 7}
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {1}


def test_a_living_worker_keeps_its_claim_when_the_clock_leaps(waiting: list[Delivery], smtp_server: Server) -> None:
    """Another connection, or process, holds the lock: seen from here it lives, whatever the clock says."""
    row = waiting[0]
    Delivery.objects.filter(pk=row.pk).update(status=Status.SENDING, claim=77, claimed_until=MORNING + LEASE)
    with somebody_holding(77):
        for leap in (dt.timedelta(hours=1), dt.timedelta(days=1), -dt.timedelta(days=1)):
            assert delivery.settle(MORNING + leap) == 0
    assert delivery.settle(MORNING) == 0
    assert delivery.settle(MORNING + dt.timedelta(hours=1)) == 1


def test_a_lease_taken_before_the_clock_was_set_back_is_over(waiting: list[Delivery], smtp_server: Server) -> None:
    Delivery.objects.update(claimed_until=MORNING + LEASE, claim=77)
    assert delivery.deliver_all(MORNING) == {}
    Delivery.objects.update(not_before=MORNING - dt.timedelta(days=2))
    assert delivery.deliver_all(MORNING - dt.timedelta(days=1)) == {"sent": 7}


@contextlib.contextmanager
def somebody_holding(claim: int) -> Iterator[None]:
    if connection.vendor == "sqlite":
        with worker_locks.holding(claim):
            yield
        return
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": None}) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [claim])
        yield
        # By word: a closed connection's locks go when its server process has ended, a moment later.
        other.execute("SELECT pg_advisory_unlock(%s)", [claim])
