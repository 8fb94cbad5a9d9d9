"""However often strangers type an address, its mailbox gets few confirmations; a burst of sign-ups raises an alarm."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from digest.operations import dashboard
from digest.operations.health import checks
from subscriptions import addresses, bursts, emails, mail_requests, signup
from subscriptions.models import SignupHour, Subscriber
from subscriptions.preferences import Preferences
from tests.conftest import MORNING
from tests.smtp import Server

pytestmark = pytest.mark.django_db
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


def sign_up(address: str, now: dt.datetime) -> None:
    signup.sign_up(address, Preferences(lines=("agents",)), page="/", now=now)
    emails.send_notices(now)
    signup.prune_unconfirmed(now)


@pytest.mark.parametrize("variants", [
    ["victim@example.org"],
    ["victim@example.org", "Victim+a@example.org", "victim+b@EXAMPLE.org"],
    ["vic.tim@gmail.com", "victim@gmail.com", "v.i.c.t.i.m+x@googlemail.com"],
])  # fmt: skip
def test_three_mails_in_sixty_days_though_sign_ups_are_pruned(variants: list[str], smtp_server: Server) -> None:
    for half_day in range(119):
        sign_up(variants[half_day % len(variants)], MORNING + half_day * DAY / 2)
    assert len(smtp_server.messages) == 3


def test_variants_typed_at_once_bring_one_mail(smtp_server: Server) -> None:
    for number in range(20):
        sign_up(f"victim+{number}@example.org", MORNING)
    assert len(smtp_server.messages) == 1


def test_other_mailboxes_are_not_held_up(smtp_server: Server) -> None:
    for number in range(5):
        sign_up(f"v.i{number}@example.org", MORNING)
    assert len(smtp_server.messages) == 5


def test_who_confirms_begins_anew(smtp_server: Server) -> None:
    for day in range(6):
        now = MORNING + day * DAY
        sign_up("ada@example.org", now)
        ada = Subscriber.objects.get()
        assert signup.confirm(ada, page="/", now=now)
        signup.leave(ada, page="/", now=now)
    assert len(smtp_server.messages) == 6


@pytest.mark.parametrize("address, mailbox", [
    ("Ada+news@Example.org", "ada@example.org"), ("a.d.a@example.org", "a.d.a@example.org"),
    ("A.d.a+x@Gmail.com", "ada@gmail.com"), ("ada@googlemail.com", "ada@gmail.com"),
    ("+x@example.org", "+x@example.org"),
])  # fmt: skip
def test_variants_of_one_mailbox_are_one(address: str, mailbox: str) -> None:
    assert addresses.mailbox(address) == mailbox


def test_mail_goes_to_the_address_as_typed(smtp_server: Server) -> None:
    sign_up("a.d.a+news@gmail.com", MORNING)
    assert smtp_server.messages[0]["To"] == "a.d.a+news@gmail.com"


# --- bursts
def arrive(count: int, hour: dt.datetime) -> None:
    SignupHour.objects.add(hour, requests=count)


def test_a_burst_is_more_than_the_setting_and_than_three_times_the_usual(settings: object) -> None:
    settings.SIGNUP_BURST = 10
    arrive(10, MORNING)
    assert not bursts.rate(MORNING).is_burst
    arrive(1, MORNING)
    assert bursts.rate(MORNING).is_burst
    for day in range(1, 14):
        arrive(9, MORNING - day * DAY)
    assert bursts.rate(MORNING).threshold == 27


def test_one_day_under_attack_is_not_usual(settings: object) -> None:
    settings.SIGNUP_BURST = 10
    for hour in range(2, 24):
        arrive(5_000, MORNING - DAY + hour * HOUR)
    assert bursts.rate(MORNING + DAY).threshold == 10


def test_a_burst_is_over_after_two_hours(settings: object) -> None:
    settings.SIGNUP_BURST = 10
    arrive(50, MORNING)
    assert [bursts.rate(MORNING + number * HOUR).is_burst for number in range(3)] == [True, True, False]


def test_it_is_told_everywhere(settings: object, client: Client, caplog: pytest.LogCaptureFixture) -> None:
    settings.SIGNUP_BURST = 3
    assert [one.level for one in checks.signups(MORNING)] == ["ok"]
    for number in range(4):
        mail_requests.ask_to_sign_up(f"r{number}@example.org", Preferences(lines=("x",)), page="/", now=MORNING)
    told = "4 sign-ups arrived in an hour, more than 3: this may be list bombing."
    assert [(one.level, one.what) for one in checks.signups(MORNING)] == [("problem", told)]
    assert dashboard.figures(User(is_superuser=True, is_active=True), MORNING)["signup_burst"] == told
    mail_requests.handle_requests(MORNING)
    mail_requests.handle_requests(MORNING)
    assert caplog.text.count("4 sign-ups in an hour, more than 3") == 1


def test_metrics_count_them(settings: object, client: Client) -> None:
    settings.SIGNUP_BURST = 3
    page = client.get("/metrics").content.decode()
    assert "paper_round_signup_burst 0.0" in page
    assert "paper_round_signups_in_an_hour 0" in page


def test_zero_never_is_a_burst(settings: object) -> None:
    settings.SIGNUP_BURST = 0
    arrive(100_000, MORNING)
    assert not bursts.rate(MORNING).is_burst
    assert bursts.room_for_confirmations(MORNING) > 1000


def test_old_counts_are_deleted() -> None:
    arrive(1, MORNING - 20 * DAY)
    arrive(1, MORNING)
    bursts.old(MORNING).delete()
    assert SignupHour.objects.get().hour == MORNING


def test_requests_that_wait_or_fail_are_told() -> None:
    mail_requests.ask_for_link("a@example.org", MORNING - HOUR)
    found = checks.signups(MORNING)
    assert [(one.level, one.what) for one in found] == [("warning", "Sign-ups and link requests that wait: 1.")]


def test_the_models_need_no_migration() -> None:
    call_command("makemigrations", "subscriptions", "--check", "--dry-run", verbosity=0)
