"""When mail waits for the operator's yes: a run far larger than usual, readers who complain."""

from __future__ import annotations

import datetime as dt
import io

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from digest import tasks
from digest.mail import delivery
from digest.mail.delivery import complaints, send_control
from digest.mail.delivery.complaints import Complaints
from digest.models import Delivery, Digest, MailDay, MailGate, Paper
from digest.operations.health import checks
from digest.picks.selection.select import select_due
from subscriptions import bounces
from subscriptions.models import Subscriber, Suppression
from tests.conftest import MORNING, make_reader
from tests.digest.test_tasks import run_at_once
from tests.smtp import Server

pytestmark = pytest.mark.django_db

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
Status = Delivery.Status


def sent() -> int:
    return Delivery.objects.filter(status=Status.SENT).count()


def mail(*args: str, at: dt.datetime = MORNING) -> str:
    out = io.StringIO()
    with time_machine.travel(at, tick=False):
        call_command("mail", *args, stdout=out)
    return out.getvalue()


# --- a run far larger than usual
def test_a_run_far_larger_than_usual_waits_for_a_word(
    waiting: list[Delivery], smtp_server: Server, settings: Settings
) -> None:
    settings.MAIL_ASK_ABOVE = 5
    MailDay.objects.create(day=(MORNING - DAY).date(), sent=2)
    MailDay.objects.create(day=(MORNING - 20 * DAY).date(), sent=900)  # too long ago to be usual
    assert delivery.deliver_all(MORNING) == {}
    assert "Today would bring 7 mails; the most of the last 14 days was 2." in mail("status")
    mail("go")
    assert delivery.deliver_all(MORNING) == {"sent": 7}


def test_three_times_the_usual_is_not_asked_about(
    waiting: list[Delivery], smtp_server: Server, settings: Settings
) -> None:
    settings.MAIL_ASK_ABOVE = 5
    MailDay.objects.create(day=(MORNING - DAY).date(), sent=3)
    assert delivery.deliver_all(MORNING) == {"sent": 7}


def test_a_look_asks_before_it_begins_and_chunks_hold(
    papers: list[Paper], smtp_server: Server, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Readers who are due count before anything is chosen for them."""
    settings.MAIL_ASK_ABOVE = 2
    for number in range(3):
        make_reader(f"reader{number}@example.org", "diffusion")
    run_at_once(monkeypatch)
    with time_machine.travel(MORNING, tick=False):
        tasks.send_due()
        assert set(Delivery.objects.values_list("status", flat=True)) == {"waiting"}
        send_control.allow(MORNING)
        tasks.send_due()
    assert sent() == 3


def test_an_import_is_asked_about_before_its_first_mail_however_its_hours_are_spread(
    papers: list[Paper], smtp_server: Server, settings: Settings
) -> None:
    settings.MAIL_ASK_ABOVE = 10
    for hour in range(12):
        make_reader(f"reader{hour}@example.org", "diffusion", next_digest_at=MORNING + hour * HOUR)
    for hour in range(12):
        select_due(MORNING + hour * HOUR)
        assert delivery.deliver_all(MORNING + hour * HOUR) == {}
        assert "Today would bring 12 mails" in MailGate.load().question


def test_readers_for_whom_nothing_matches_make_no_run_large(
    papers: list[Paper], smtp_server: Server, settings: Settings
) -> None:
    """As many are due as on every day, and one in four gets a mail, as on every day."""
    settings.MAIL_ASK_ABOVE = 5
    for number in range(16):
        make_reader(f"reader{number}@example.org", "entomology" if number % 4 else "diffusion")
    Subscriber.objects.filter(email_key__startswith="reader1").update(next_digest_at=MORNING + 2 * HOUR)
    select_due(MORNING)
    assert 0 < Delivery.objects.count() < Digest.objects.count() < 16
    assert delivery.deliver_all(MORNING)["sent"] == Delivery.objects.count()


def test_what_a_warm_up_plan_holds_back_is_not_asked_about(
    waiting: list[Delivery], smtp_server: Server, settings: Settings
) -> None:
    settings.MAIL_ASK_ABOVE, settings.MAIL_WARM_UP = 5, (2, 6)
    assert delivery.deliver_all(MORNING) == {"sent": 2}
    # Its second day is more than three times the first: that was planned, and is asked about all the same.
    settings.MAIL_WARM_UP = (2, 7)
    Delivery.objects.update(status=Status.WAITING)
    assert delivery.deliver_all(MORNING + DAY) == {}


def test_a_question_goes_when_there_is_nothing_more_to_ask(waiting: list[Delivery], settings: Settings) -> None:
    settings.MAIL_ASK_ABOVE = 5
    assert send_control.ask_first(MORNING)
    Delivery.objects.update(status=Status.REJECTED)
    assert not send_control.ask_first(MORNING)
    assert send_control.reasons(MailGate.load(), MORNING) == {}


# --- complaints
def complain(number: int, at: dt.datetime) -> None:
    """So many readers call a mail spam."""
    for _ in range(number):
        reader = make_reader(f"angry{Subscriber.objects.count()}@example.org", "diffusion")
        bounces.complained(reader, at)


@pytest.mark.parametrize(
    ("number", "mails", "is_over"),
    [
        (2, 100, False),  # may be chance
        (3, 3000, False),  # the limit itself is not over it
        (3, 2999, True),
        (9, 1_000_000, False),
        (3, 0, True),
    ],
)
def test_three_complaints_and_a_rate_make_a_question(number: int, mails: int, is_over: bool) -> None:
    found = Complaints(number, mails)
    assert found.are_over(0.1) == is_over
    assert not found.are_over(0)
    assert 0 <= found.percent <= 100


def test_too_many_complaints_stop_the_run_until_the_operator_says_yes(
    waiting: list[Delivery], smtp_server: Server, settings: Settings, admin_client: Client, client: Client
) -> None:
    settings.MAIL_CHUNK = 2
    MailDay.objects.create(day=(MORNING - DAY).date(), sent=2000)
    assert delivery.deliver_chunks(MORNING, longest=0) == {"sent": 2}
    complain(3, MORNING)
    assert send_control.ask_first(MORNING + HOUR)  # a look in the middle of the run
    assert delivery.deliver_chunks(MORNING + HOUR, longest=0) == {}
    says = "Readers called mails spam: 3 of 2,002 mails (0.15 %), over the limit of 0.1 %."
    assert says in mail("status", at=MORNING + HOUR)
    with time_machine.travel(MORNING + HOUR, tick=False):
        page = admin_client.get("/admin/").content.decode()
        assert says in page and "Yes, send them" in page
        assert [says in finding.what for finding in checks.deliveries(timezone.now())] == [True]
        assert 'paper_round_mail_held{reason="question"} 1.0' in client.get("/metrics").content.decode()
        assert "paper_round_complaints_last_week 3" in client.get("/metrics").content.decode()
        admin_client.post("/admin/mail/go/")
    assert delivery.deliver_all(MORNING + 2 * HOUR) == {"sent": 5}


def test_after_a_yes_only_new_complaints_ask_again(waiting: list[Delivery]) -> None:
    complain(3, MORNING - DAY)
    assert send_control.ask_first(MORNING)
    send_control.allow(MORNING)
    assert not send_control.ask_first(MORNING + 2 * DAY)
    complain(2, MORNING + HOUR)
    assert not send_control.ask_first(MORNING + 2 * DAY)
    complain(1, MORNING + HOUR)
    assert send_control.ask_first(MORNING + 2 * DAY)


def test_old_complaints_ask_nothing_and_a_question_does_not_lapse(db: None) -> None:
    complain(3, MORNING - 8 * DAY)
    assert not send_control.ask_first(MORNING)
    complain(3, MORNING - 6 * DAY)
    assert send_control.ask_first(MORNING)
    assert send_control.ask_first(MORNING + 30 * DAY)


def test_complaints_of_the_erased_count_and_bounces_do_not(db: None) -> None:
    complain(3, MORNING)
    Subscriber.objects.all().delete()
    bounces.give_up(make_reader("dead@example.org", "diffusion"), MORNING)
    assert complaints.since(MORNING - DAY).number == 3


def test_a_complaint_counts_from_when_it_was_told(db: None) -> None:
    """The address was suppressed before, for another reason; the same complaint told again is no new one."""
    for reason, at in (("bounced", 0), ("complained", 5), ("complained", 9)):
        Suppression.objects.add_address("x@example.org", reason, MORNING + at * DAY)
    assert Suppression.objects.get().at == MORNING + 5 * DAY


def test_a_yes_that_comes_while_a_look_asks_is_kept(
    waiting: list[Delivery], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MAIL_ASK_ABOVE = 5
    assert send_control.ask_first(MORNING)
    due = Subscriber.objects.due

    def slow(now: dt.datetime) -> object:
        send_control.allow(MORNING)
        return due(now)

    monkeypatch.setattr(Subscriber.objects, "due", slow)
    send_control.ask_first(MORNING)
    assert send_control.reasons(MailGate.load(), MORNING) == {}
