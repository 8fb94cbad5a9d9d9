"""Claim, send, record, settle, against a real SMTP server that misbehaves on demand."""

from __future__ import annotations

import datetime as dt
import smtplib
from collections.abc import Callable

import pytest
from anymail.exceptions import AnymailAPIError, AnymailRecipientsRefused, AnymailRequestsAPIError

from digest import delivery
from digest.models import Delivery, Paper
from digest.selecting import select_due
from subscriptions import outcomes
from subscriptions.models import Subscriber, Suppression
from subscriptions.outcomes import Outcome
from tests.conftest import MORNING, make_reader
from tests.smtp import Server

pytestmark = pytest.mark.django_db

Status = Delivery.Status
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def waiting(papers: list[Paper]) -> list[Delivery]:
    """Seven mails that wait."""
    for number in range(7):
        make_reader(f"reader{number}@example.org", "diffusion")
    select_due(MORNING)
    return list(Delivery.objects.order_by("pk"))


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
    for day in range(delivery.MAX_ATTEMPTS + 1):
        delivery.deliver_all(MORNING + dt.timedelta(days=day))
    row = Delivery.objects.exclude(status=Status.SENT).get()
    assert (row.status, row.attempts) == (Status.FAILED, delivery.MAX_ATTEMPTS)


def test_a_server_that_is_down_burns_no_mail(waiting: list[Delivery], settings: object) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"  # type: ignore[attr-defined]
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9  # type: ignore[attr-defined]
    assert delivery.deliver_all(MORNING) == {"waiting": 7}
    assert statuses() == {"waiting": 7}
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {0}


def test_421_in_the_middle_pauses_the_rest(waiting: list[Delivery], smtp_server: Server) -> None:
    smtp_server.refuse["reader3@example.org"] = "421 4.7.0 Closing"
    counts = delivery.deliver_all(MORNING)
    assert statuses() == {"sent": 3, "waiting": 4}
    assert counts["waiting"] == 4
    smtp_server.refuse.clear()
    delivery.deliver_all(MORNING + 2 * MINUTE)
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


def test_hold_never_sends_what_is_in_doubt(waiting: list[Delivery], smtp_server: Server, settings: object) -> None:
    settings.UNKNOWN_DELIVERIES = "hold"  # type: ignore[attr-defined]
    smtp_server.drop_after_data = 1
    delivery.deliver_all(MORNING)
    assert statuses() == {"sent": 6, "unknown": 1}


def test_a_worker_that_died_while_sending_is_settled_when_its_lease_ends(
    waiting: list[Delivery], smtp_server: Server
) -> None:
    Delivery.objects.filter(pk=waiting[0].pk).update(status=Status.SENDING, claimed_until=MORNING + delivery.LEASE)
    delivery.deliver_all(MORNING)
    assert statuses() == {"sent": 6, "sending": 1}
    later = MORNING + delivery.LEASE + MINUTE
    delivery.deliver_all(later)
    delivery.deliver_all(later + 2 * MINUTE)
    assert statuses() == {"sent": 7}
    assert len(smtp_server.accepted) == 7


def test_a_worker_that_died_after_claiming_loses_nothing(waiting: list[Delivery], smtp_server: Server) -> None:
    Delivery.objects.update(claimed_until=MORNING + delivery.LEASE)
    assert delivery.deliver_all(MORNING + MINUTE) == {}
    assert delivery.deliver_all(MORNING + delivery.LEASE + MINUTE) == {"sent": 7}


def test_who_left_in_between_gets_nothing(waiting: list[Delivery], smtp_server: Server) -> None:
    Subscriber.objects.get(email="reader1@example.org").stop(Subscriber.Status.UNSUBSCRIBED)
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

    monkeypatch.setattr(smtplib.SMTP, "sendmail", die)
    with pytest.raises(SystemExit):
        delivery.deliver_chunk(MORNING)
    assert statuses()["sending"] <= delivery.WINDOW


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (smtplib.SMTPRecipientsRefused({"a": (550, b"no")}), Outcome.PERMANENT),
        (smtplib.SMTPRecipientsRefused({"a": (450, b"later")}), Outcome.TEMPORARY),
        (smtplib.SMTPRecipientsRefused({"a": (421, b"bye")}), Outcome.NO_SERVER),
        (smtplib.SMTPSenderRefused(550, b"not you", "x"), Outcome.NO_SERVER),
        (smtplib.SMTPDataError(552, b"too big"), Outcome.PERMANENT),
        (smtplib.SMTPDataError(421, b"bye"), Outcome.NO_SERVER),
        (smtplib.SMTPServerDisconnected("gone"), Outcome.UNKNOWN),
        (TimeoutError("slow"), Outcome.UNKNOWN),
        (ConnectionResetError("reset"), Outcome.UNKNOWN),
        (smtplib.SMTPNotSupportedError("SMTPUTF8"), Outcome.PERMANENT),
        (AnymailRecipientsRefused(), Outcome.PERMANENT),
        (AnymailAPIError("odd"), Outcome.UNKNOWN),
    ],
)
def test_each_error_means_one_thing(error: Exception, expected: Outcome) -> None:
    assert outcomes.of(error) is expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (429, Outcome.TEMPORARY),
        (500, Outcome.UNKNOWN),
        (401, Outcome.NO_SERVER),
        (422, Outcome.PERMANENT),
        (None, Outcome.UNKNOWN),
    ],
)
def test_each_answer_of_a_provider_means_one_thing(status: int | None, expected: Outcome) -> None:
    error = AnymailRequestsAPIError("x")
    error.status_code = status
    assert outcomes.of(error) is expected


def test_queries_do_not_grow_faster_than_mails(
    waiting: list[Delivery], smtp_server: Server, django_assert_max_num_queries: Callable[..., object]
) -> None:
    with django_assert_max_num_queries(7 * 3 + 12):  # type: ignore[attr-defined]
        delivery.deliver_chunk(MORNING)
