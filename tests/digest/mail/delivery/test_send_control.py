"""What holds mail back, and that it is seen: the circuit and the switch."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterable, Iterator, Sequence
from multiprocessing.sharedctypes import RawValue
from typing import Any

import pytest
import time_machine
from anymail.message import AnymailMessage
from celery.signals import worker_shutting_down
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from digest.mail import delivery
from digest.mail.delivery import circuit, record, send_control, shutdown
from digest.mail.messages import Order
from digest.mail.transports import DjangoWay, NoWay, Verdict
from digest.models import Delivery, MailGate
from digest.operations.health import checks
from digest.picks.selection.select import select_due
from subscriptions.models import Subscriber, Suppression
from tests.conftest import MORNING
from tests.smtp import Server

pytestmark = pytest.mark.django_db

MINUTE, DAY = dt.timedelta(minutes=1), dt.timedelta(days=1)
Status, Switch = Delivery.Status, MailGate.Switch


class Dead(DjangoWay):
    """A server that is not there; it counts who knocks."""

    knocks = 0

    def open(self) -> None:
        type(self).knocks += 1
        raise NoWay("connection refused")


@pytest.fixture(autouse=True)
def _quiet_dead() -> None:
    Dead.knocks = 0


def sent() -> int:
    return Delivery.objects.filter(status=Status.SENT).count()


def mail(*args: str) -> str:
    out = io.StringIO()
    call_command("mail", *args, stdout=out)
    return out.getvalue()


# --- the circuit
def test_a_dead_server_is_left_alone_for_longer_each_time(waiting: list[Delivery]) -> None:
    delivery.deliver_chunks(MORNING, longest=0, make_way=Dead)
    waits, now = [], MORNING
    for _ in range(10):
        row = MailGate.load()
        assert row.next_try_at
        waits.append((row.next_try_at - now).total_seconds())
        assert delivery.deliver_chunks(row.next_try_at - dt.timedelta(seconds=1), longest=0, make_way=Dead) == {}
        now = row.next_try_at
        assert delivery.deliver_chunks(now, longest=0, make_way=Dead) == {"waiting": 1}
    assert Dead.knocks == 11
    assert all(0.75 * 30 * 2**n - 1 <= wait <= 30 * 2**n + 1 for n, wait in enumerate(waits[:6]))
    assert 0.75 * 1800 - 1 <= waits[-1] <= 1801
    since = MailGate.load().circuit_since
    assert since and since - MORNING < MINUTE
    assert set(Delivery.objects.values_list("status", "attempts")) == {("waiting", 0)}


def test_one_mail_tries_and_its_success_lets_all_go(waiting: list[Delivery], smtp_server: Server) -> None:
    delivery.deliver_chunks(MORNING, longest=0, make_way=Dead)
    assert delivery.ready_count(MORNING, 20) == 0
    later = MORNING + MINUTE
    assert delivery.ready_count(later, 20) == 1
    assert delivery.deliver_chunks(later, longest=0) == {"sent": 1}
    assert not MailGate.load().is_open
    assert delivery.deliver_chunks(later, longest=0) == {"sent": 6}


def test_only_one_worker_tries(waiting: list[Delivery]) -> None:
    delivery.deliver_chunks(MORNING, longest=0, make_way=Dead)
    later = MORNING + MINUTE

    class Looking(Dead):
        def open(self) -> None:
            assert delivery.deliver_chunks(later, longest=0, make_way=Dead) == {}  # another worker, meanwhile
            super().open()

    delivery.deliver_chunks(later, longest=0, make_way=Looking)
    assert (Dead.knocks, Looking.knocks) == (1, 2)


def test_a_trial_whose_worker_dies_is_taken_up_again(waiting: list[Delivery], smtp_server: Server) -> None:
    delivery.deliver_chunks(MORNING, longest=0, make_way=Dead)

    class Dying(DjangoWay):
        def send(self, mails: Iterable[tuple[int, AnymailMessage]]) -> Iterator[Verdict]:
            raise SystemExit
            yield

    with pytest.raises(SystemExit):
        delivery.deliver_chunks(MORNING + MINUTE, longest=0, make_way=Dying)
    assert delivery.deliver_chunks(MORNING + MINUTE, longest=0) == {}
    assert delivery.deliver_chunks(MORNING + 3 * MINUTE, longest=0) == {"sent": 1}


def test_a_refused_reader_shows_that_the_server_is_back(waiting: list[Delivery], smtp_server: Server) -> None:
    delivery.deliver_chunks(MORNING, longest=0, make_way=Dead)
    smtp_server.refuse["reader0@example.org"] = "550 5.1.1 No such user"
    assert delivery.deliver_chunks(MORNING + MINUTE, longest=0) == {"failed": 1}
    assert not MailGate.load().is_open


def test_a_mail_that_the_server_will_not_speak_of_does_not_keep_the_circuit_open(
    waiting: list[Delivery], smtp_server: Server
) -> None:
    """It answers 421 to one reader only: the next trial is another's."""
    smtp_server.refuse["reader0@example.org"] = "421 4.3.2 Closing"
    now = MORNING
    for _ in range(4):
        delivery.deliver_all(now)
        now += 3 * MINUTE
    assert sent() == 6


def test_three_doubts_in_a_row_are_the_server(waiting: list[Delivery], smtp_server: Server, settings: Settings) -> None:
    settings.MAIL_WINDOW = 1
    smtp_server.drop_after_data = 99
    delivery.deliver_all(MORNING)
    assert MailGate.load().is_open
    assert len(smtp_server.accepted) == 3


def test_the_wait_a_server_asks_for_is_kept(waiting: list[Delivery]) -> None:
    class Busy(DjangoWay):
        def open(self) -> None:
            raise NoWay("429 slow down", dt.timedelta(minutes=20))

    delivery.deliver_chunks(MORNING, longest=0, make_way=Busy)
    row = MailGate.load()
    assert row.next_try_at and row.next_try_at - MORNING >= dt.timedelta(minutes=15)


def test_a_clock_set_back_does_not_keep_the_circuit_open(waiting: list[Delivery], smtp_server: Server) -> None:
    delivery.deliver_chunks(MORNING + DAY, longest=0, make_way=Dead)
    assert delivery.deliver_chunks(MORNING, longest=0) == {"sent": 1}


def test_a_waiting_run_is_seen(waiting: list[Delivery], admin_client: Client, client: Client) -> None:
    delivery.deliver_chunks(MORNING, longest=0, make_way=Dead)
    says = "The mail server takes nothing since 2026-03-16 08:00 UTC (1 try failed, the next comes at 08:00:"
    with time_machine.travel(MORNING, tick=False):
        assert says in mail("status")
        page = admin_client.get("/admin/").content.decode()
        assert says in page and "connection refused" in page and "Try the mail server now" in page
        assert [says in finding.what for finding in checks.deliveries(MORNING)] == [True]
        text = client.get("/metrics").content.decode()
        assert 'paper_round_mail_held{reason="circuit"} 1.0' in text
        assert "paper_round_mail_circuit_tries 1" in text
        admin_client.post("/admin/mail/retry/")
    assert send_control.may_claim(MailGate.load(), MORNING)


# --- pause, drain, resume
def test_a_pause_takes_nothing_and_a_resume_all(waiting: list[Delivery], smtp_server: Server) -> None:
    assert "Mail is paused" in mail("pause")
    assert delivery.deliver_all(MORNING) == {}
    assert "Mail leaves.\nMails waiting: 7; being sent: 0; left today (UTC): 0.\n" in mail("resume")
    assert delivery.deliver_all(MORNING) == {"sent": 7}


@pytest.mark.parametrize(("switch", "goes"), [(Switch.PAUSED, 2), (Switch.DRAINING, 7)])
def test_in_the_middle_a_pause_stops_and_a_drain_finishes(
    waiting: list[Delivery], smtp_server: Server, settings: Settings, switch: str, goes: int
) -> None:
    settings.MAIL_WINDOW = 2

    class Turning(DjangoWay):
        """Somebody turns the switch while the first window is on its way."""

        def send(self, mails: Iterable[tuple[int, AnymailMessage]]) -> Iterator[Verdict]:
            send_control.turn(switch, MORNING)
            return super().send(mails)

    delivery.deliver_chunks(MORNING, longest=0, make_way=Turning)
    assert sent() == goes
    assert not Delivery.objects.filter(status=Status.WAITING).exclude(claimed_until=None).exists()
    assert delivery.deliver_chunks(MORNING, longest=0) == {}


@pytest.mark.parametrize(("switch", "goes"), [(Switch.PAUSED, 0), (Switch.DRAINING, 7)])
def test_nothing_leaves_that_was_composed_before_a_pause(
    waiting: list[Delivery], smtp_server: Server, switch: str, goes: int
) -> None:
    class Turning(DjangoWay):
        def compose(self, orders: Sequence[Order], now: dt.datetime) -> dict[int, AnymailMessage]:
            send_control.turn(switch, MORNING)
            return super().compose(orders, now)

    counts = delivery.deliver_chunks(MORNING, make_way=Turning)
    assert counts == ({"sent": 7} if goes else {"waiting": 7})
    assert len(smtp_server.accepted) == goes
    assert set(Delivery.objects.values_list("claimed_until", "attempts")) == {(None, 1 if goes else 0)}


def test_a_pause_gives_back_also_what_its_domain_did_not_take(
    waiting: list[Delivery], smtp_server: Server, settings: Settings
) -> None:
    """The first mail is put off, for the domain has its one from another worker; then the run is paused."""
    settings.MAIL_DOMAIN_LIMITS, settings.MAIL_WINDOW = {"example.org": 1}, 1
    Delivery.objects.filter(pk=waiting[-1].pk).update(status=Status.SENDING, claim=77)

    class Turning(DjangoWay):
        composed = 0

        def compose(self, orders: Sequence[Order], now: dt.datetime) -> dict[int, AnymailMessage]:
            self.composed += 1
            if self.composed == 2:
                send_control.turn(Switch.PAUSED, MORNING)
            return super().compose(orders, now)

    assert delivery.deliver_chunks(MORNING, make_way=Turning) == {"waiting": 5}
    rest = Delivery.objects.filter(status=Status.WAITING)
    assert set(rest.values_list("claim", flat=True)) == {None}
    assert rest.filter(not_before__gt=MORNING).count() == 1


def test_a_circuit_that_another_worker_opens_stops_this_one(waiting: list[Delivery], smtp_server: Server) -> None:
    class Tripped(DjangoWay):
        def compose(self, orders: Sequence[Order], now: dt.datetime) -> dict[int, AnymailMessage]:
            circuit.trip(MailGate.load(), MORNING, "nobody there")
            return super().compose(orders, now)

    assert delivery.deliver_chunks(MORNING, make_way=Tripped) == {"waiting": 7}
    assert smtp_server.accepted == []


def test_a_worker_told_to_stop_finishes_its_window_and_gives_the_rest_back(
    waiting: list[Delivery], smtp_server: Server, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MAIL_WINDOW = 2
    monkeypatch.setattr(shutdown, "_is_stopping", RawValue("b", 0))

    class Stopped(DjangoWay):
        def send(self, mails: Iterable[tuple[int, AnymailMessage]]) -> Iterator[Verdict]:
            worker_shutting_down.send(sender="a worker")
            return super().send(mails)

    assert delivery.deliver_chunks(MORNING, longest=0, make_way=Stopped) == {"sent": 2, "waiting": 5}
    assert set(Delivery.objects.filter(status=Status.WAITING).values_list("claimed_until", "attempts")) == {(None, 0)}


def test_the_buttons_post_and_need_a_permission(admin_client: Client, client: Client, django_user_model: Any) -> None:
    assert admin_client.get("/admin/mail/pause/").status_code == 405
    assert MailGate.load().switch == Switch.RUNNING
    assert "No more mail leaves." in admin_client.post("/admin/mail/pause/", follow=True).content.decode()
    assert MailGate.load().switch == Switch.PAUSED
    assert admin_client.post("/admin/mail/explode/").status_code == 404
    client.force_login(django_user_model.objects.create_user("staff", password="x", is_staff=True))
    assert client.post("/admin/mail/resume/").status_code == 403
    assert MailGate.load().switch == Switch.PAUSED


# --- clocks that are wrong
@pytest.mark.parametrize("leap", [dt.timedelta(hours=1), DAY, -dt.timedelta(hours=1), -DAY])
def test_a_clock_that_leaps_doubles_and_loses_no_mail(
    waiting: list[Delivery], smtp_server: Server, settings: Settings, leap: dt.timedelta
) -> None:
    settings.MAIL_CHUNK = 3
    delivery.deliver_chunks(MORNING, longest=0)
    for moment in (MORNING + leap, MORNING + leap + MINUTE, MORNING + MINUTE):
        select_due(moment)
        delivery.deliver_all(moment)
    assert sorted(str(one["To"]) for one in smtp_server.messages) == [f"reader{n}@example.org" for n in range(7)]


def test_a_mail_put_off_by_a_clock_that_was_wrong_goes_when_it_is_right(
    waiting: list[Delivery], smtp_server: Server
) -> None:
    Delivery.objects.update(not_before=MORNING + DAY)
    assert delivery.deliver_all(MORNING) == {"sent": 7}


# --- a test mail
def test_a_test_mail_goes_to_one_address(smtp_server: Server) -> None:
    assert mail("test", "me@example.org").startswith("The mail server accepted it, under the Message-ID <")
    (one,) = smtp_server.to("me@example.org")
    assert one["Subject"] == "A test mail from Paper Round"


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("refused@example.org", "Not taken: 550 5.1.1 No such user"),
        ("nobody", "is not an e-mail address"),
        ("gone@example.org", "is suppressed"),
    ],
)
def test_a_test_mail_says_why_it_did_not_go(smtp_server: Server, address: str, says: str) -> None:
    smtp_server.refuse["refused@example.org"] = "550 5.1.1 No such user"
    Suppression.objects.add_address("gone@example.org", Suppression.Reason.COMPLAINED, MORNING)
    with pytest.raises(CommandError, match=says):
        mail("test", address)
    assert not smtp_server.accepted


def test_a_test_mail_to_a_dead_server_is_one_line(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    with pytest.raises(CommandError, match="The mail server cannot be used"):
        mail("test", "me@example.org")


def test_send_digests_says_what_mail_waits_for(waiting: list[Delivery], smtp_server: Server) -> None:
    send_control.turn(Switch.PAUSED, MORNING)
    with pytest.raises(CommandError, match=r"The mails wait\. Mail is paused since 2026-03-16 08:00 UTC"):
        call_command("send_digests", now=MORNING, stdout=io.StringIO())
    assert Subscriber.objects.due(MORNING).count() == 0


# --- waits
def test_waits_grow_to_a_bound_and_lie_apart(settings: Settings) -> None:
    settings.MAIL_BACKOFF = (MINUTE, 5 * MINUTE, 60 * MINUTE)
    for tries, step in enumerate([MINUTE, 5 * MINUTE, 60 * MINUTE, 60 * MINUTE, 60 * MINUTE], 1):
        waits = [record.backoff(pk, tries) for pk in range(200)]
        assert step <= min(waits) < 1.05 * step
        assert 1.2 * step < max(waits) <= 1.25 * step
        assert len(set(waits)) > 150
        assert waits == [record.backoff(pk, tries) for pk in range(200)]  # a mail's own, however often it is asked
    assert record.backoff(0, 1, 20 * MINUTE) == 20 * MINUTE  # what a server asks for
    assert record.backoff(0, 1, DAY) == 60 * MINUTE  # within bounds
