"""How many mails may leave now: rates, limits of domains, the warm-up plan."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import settings as checked
from hypothesis import strategies as st
from pytest_django import Settings

from digest.mail import delivery
from digest.mail.delivery import claims, rate_limits, send_control
from digest.mail.delivery.rate_limits import Rate
from digest.models import Delivery, MailDay, MailGate, Paper, RateBucket
from digest.picks.selection.select import select_due
from tests.conftest import MORNING, make_reader
from tests.smtp import Server

DAY = dt.timedelta(days=1)
Status = Delivery.Status


@pytest.fixture
def waiting(papers: list[Paper]) -> list[Delivery]:
    """Six mails to one large provider and three elsewhere, that wait."""
    for number in range(9):
        make_reader(f"reader{number}@{'big' if number < 6 else 'small'}.example", "diffusion")
    select_due(MORNING)
    return list(Delivery.objects.order_by("pk"))


# --- rates
@checked(max_examples=60)
@given(st.integers(1, 300), st.sampled_from([1, 60, 3600]), st.lists(st.floats(0, 2), min_size=1, max_size=60))
def test_no_stretch_of_its_length_sees_more_than_a_rate(count: int, seconds: int, steps: list[float]) -> None:
    rate = Rate("x", count, seconds)
    tokens, now, taken = float(rate.capacity), 0.0, []
    for step in steps:
        now += step * seconds / 10
        tokens = rate.filled(tokens, step * seconds / 10)
        may = int(tokens + 1e-9)
        tokens -= may
        taken += [now] * may
    for first in set(taken):
        assert sum(first <= moment < first + seconds for moment in taken) <= count


def test_a_rate_is_nearly_used_up() -> None:
    rate = Rate("x", 1400, 100)
    tokens, taken = float(rate.capacity), 0
    for _ in range(10_000):
        tokens = rate.filled(tokens, 0.01)
        taken, tokens = taken + int(tokens), tokens - int(tokens)
    assert 13.2 <= taken / 100 <= 14.0


@pytest.mark.django_db
def test_workers_share_a_bucket_and_the_narrower_rate_counts(settings: Settings) -> None:
    settings.MAIL_RATE = {"100/s": (100, 1), "40/h": (40, 3600)}
    assert rate_limits.take(50, MORNING) == (2, 0.0)
    may, wait = rate_limits.take(50, MORNING)
    assert may == 0
    assert 80 < wait < 100
    assert rate_limits.take(50, MORNING + dt.timedelta(seconds=wait + 0.001)) == (1, 0.0)
    assert RateBucket.objects.count() == 2


@pytest.mark.django_db
def test_a_clock_set_back_fills_no_bucket(settings: Settings) -> None:
    settings.MAIL_RATE = {"40/h": (40, 3600)}
    rate_limits.take(50, MORNING)
    assert rate_limits.take(50, MORNING - DAY)[0] == 0
    assert rate_limits.take(50, MORNING - DAY + dt.timedelta(seconds=100))[0] == 1


@pytest.mark.django_db
def test_what_a_rate_does_not_allow_waits(waiting: list[Delivery], smtp_server: Server, settings: Settings) -> None:
    settings.MAIL_RATE = {"60/h": (60, 3600)}
    assert delivery.deliver_all(MORNING) == {"sent": 3, "waiting": 6}
    assert delivery.deliver_all(MORNING) == {"waiting": 9 - 3}
    assert set(Delivery.objects.values_list("status", "attempts")) == {("sent", 1), ("waiting", 0)}
    assert delivery.deliver_all(MORNING + dt.timedelta(seconds=90))["sent"] == 1


@pytest.mark.django_db
def test_a_short_wait_is_waited(waiting: list[Delivery], smtp_server: Server, settings: Settings) -> None:
    settings.MAIL_RATE = {"40/s": (40, 1)}
    assert delivery.deliver_all(MORNING) == {"sent": 9}


# --- domains
@pytest.mark.django_db
def test_a_domain_takes_so_many_at_once_and_the_others_do_not_wait(
    waiting: list[Delivery], smtp_server: Server, settings: Settings
) -> None:
    settings.MAIL_DOMAIN_LIMITS = {"big.example": 2}
    big = [row.pk for row in waiting[:6]]
    Delivery.objects.filter(pk__in=big[:2]).update(status=Status.SENDING, claimed_until=MORNING + DAY / 300)
    assert delivery.deliver_all(MORNING) == {"sent": 3}
    left = Delivery.objects.filter(status=Status.WAITING)
    assert set(left.values_list("pk", "attempts", "claimed_until")) == {(pk, 0, None) for pk in big[2:]}
    Delivery.objects.filter(pk__in=big[:2]).update(status=Status.SENT)
    assert delivery.deliver_all(MORNING + dt.timedelta(minutes=1)) == {"sent": 4}


@pytest.mark.django_db
def test_no_window_holds_more_of_a_domain_than_its_limit(
    waiting: list[Delivery], smtp_server: Server, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MAIL_DOMAIN_LIMITS = {"big.example": 2}
    windows: list[list[str]] = []
    mark = claims.mark_sending

    def watched(rows: list[Delivery], name: int, is_trial: bool) -> list[Delivery]:
        marked = mark(rows, name, is_trial)
        windows.append([claims.domain_of(row) for row in marked])
        return marked

    monkeypatch.setattr(claims, "mark_sending", watched)
    assert delivery.deliver_all(MORNING) == {"sent": 9}
    assert max(window.count("big.example") for window in windows) == 2
    assert len(windows) == 3


# --- warm-up
@pytest.mark.django_db
def test_a_new_sender_warms_up(waiting: list[Delivery], smtp_server: Server, settings: Settings) -> None:
    settings.MAIL_WARM_UP, settings.MAIL_CHUNK = (2, 4), 3
    assert delivery.deliver_all(MORNING) == {"sent": 2}
    assert delivery.deliver_all(MORNING + DAY / 4) == {}
    assert send_control.reasons(MailGate.load(), MORNING)["warm_up"].startswith(
        "Warm-up, day 1 of 2: all 2 mails of today have left"
    )
    # A day without mail is no day of the plan.
    assert delivery.deliver_all(MORNING + 2 * DAY) == {"sent": 4}
    assert delivery.deliver_all(MORNING + 3 * DAY) == {"sent": 3}
    assert "warm_up" not in send_control.reasons(MailGate.load(), MORNING + 3 * DAY)
    assert list(MailDay.objects.order_by("day").values_list("sent", flat=True)) == [2, 4, 3]
    dates = list(Delivery.objects.order_by("pk").values_list("sent_at", flat=True))
    assert all(first <= second for first, second in pairwise(dates))  # in the order of due


@pytest.mark.django_db
def test_what_another_worker_holds_counts_as_sent(
    waiting: list[Delivery], smtp_server: Server, settings: Settings
) -> None:
    settings.MAIL_WARM_UP = (4,)
    claims.claim(MORNING, 99, 3)
    assert delivery.deliver_all(MORNING) == {"sent": 1}
