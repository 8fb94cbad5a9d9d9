"""Days on which no mail could leave: what a reader gets when it can again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.core.management import call_command

from digest.mail import delivery
from digest.mail.delivery import claims
from digest.models import Delivery, Digest, Lane, Paper
from digest.picks.selection.select import select_due
from digest.relevance import match_papers
from subscriptions.models import Subscriber
from tests.conftest import MORNING, listing, make_reader
from tests.smtp import Server

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
Status = Delivery.Status


@pytest.fixture(autouse=True)
def _quick(settings: object) -> None:
    settings.LATE_SOURCES = "ignore"
    settings.CANDIDATE_DAYS = 2


@pytest.fixture
def alice() -> Subscriber:
    return make_reader("alice@example.org", "diffusion", next_digest_at=MORNING, max_papers=2)


@pytest.fixture
def a_day_each(store: Callable[..., list[Paper]], alice: Subscriber) -> Callable[[int], None]:
    """So many mornings, each with a new paper that matches; nothing is sent."""

    def run(days: int) -> None:
        for day in range(days):
            now = MORNING + day * DAY
            store(listing(f"Diffusion {day}", upvotes=50 - day), now=now)
            match_papers.match_new(now)
            select_due(now)

    return run


def said() -> str:
    return " ".join(Digest.objects.get().notice.split())


def test_after_days_of_pause_a_reader_gets_one_mail_with_all_of_it(
    a_day_each: Callable[[int], None], smtp_server: Server
) -> None:
    call_command("mail", "pause")
    a_day_each(4)
    call_command("mail", "resume")
    assert delivery.deliver_all(MORNING + 3 * DAY) == {"sent": 1}
    (mail,) = smtp_server.messages
    text = mail.get_body(("plain",)).get_content()
    assert all(f"Diffusion {day}" in text for day in range(4))  # twice her two papers
    assert "Our mail could not leave for 3 days. This one holds the best of them." in " ".join(text.split())
    assert Digest.objects.get().issue_date == (MORNING + 3 * DAY).date()


def test_one_day_without_mail_is_made_up_for_in_the_next(a_day_each: Callable[[int], None]) -> None:
    a_day_each(2)
    assert said() == "Our mail could not leave yesterday. This one holds the best of both days."
    assert len(Digest.objects.get().picks) == 2


def test_a_week_that_ended_meanwhile_keeps_the_list_of_what_the_cap_left_out(
    alice: Subscriber, store: Callable[..., list[Paper]]
) -> None:
    sunday = MORNING + 6 * DAY
    Subscriber.objects.update(next_digest_at=sunday)
    store(*(listing(f"Diffusion {n}", upvotes=50 - n) for n in range(6)), now=MORNING + 3 * DAY)
    match_papers.match_papers(sunday, since=MORNING.date())
    select_due(sunday)
    select_due(sunday + DAY)
    assert [pick.lane for pick in Digest.objects.get().picks] == [Lane.INTERESTS] * 2 + [Lane.OVERFLOW] * 4


def test_it_looks_back_as_far_as_the_first_would_have(alice: Subscriber, store: Callable[..., list[Paper]]) -> None:
    """Also when the reader chose another hour since: a day and a part of one."""
    store(listing("Diffusion of two days before"), now=MORNING - 2 * DAY + dt.timedelta(hours=1))
    match_papers.match_papers(MORNING, since=(MORNING - 2 * DAY).date())
    select_due(MORNING)
    later = MORNING + dt.timedelta(hours=34)
    Subscriber.objects.update(next_digest_at=later)
    select_due(later)
    assert len(Digest.objects.get().picks) == 1


def test_it_is_said_in_the_readers_language(a_day_each: Callable[[int], None], alice: Subscriber) -> None:
    Subscriber.objects.update(language="de")
    a_day_each(3)
    assert said() == "Unsere Mail konnte 2 Tage lang nicht hinaus. Diese enthält das Beste daraus."


def test_the_place_in_the_queue_is_kept(a_day_each: Callable[[int], None]) -> None:
    """Under a warm-up plan those who got nothing yesterday come before those who did."""
    a_day_each(3)
    assert Delivery.objects.get().not_before == MORNING


@pytest.mark.parametrize(
    "columns", [{"attempts": 1}, {"doubts": 1}, {"status": Status.SENDING}, {"status": Status.SENT}]
)
def test_what_a_server_may_have_seen_stays(
    a_day_each: Callable[[int], None], columns: dict[str, object], store: Callable[..., list[Paper]]
) -> None:
    a_day_each(1)
    Delivery.objects.update(**columns)
    store(listing("Diffusion again"), now=MORNING + DAY)
    match_papers.match_new(MORNING + DAY)
    select_due(MORNING + DAY)
    first, second = Digest.objects.order_by("pk")
    assert not set(first.paper_ids) & set(second.paper_ids)
    assert second.notice == ""


def test_what_catches_up_after_a_readers_pause_stays(
    alice: Subscriber, a_day_each: Callable[[int], None], store: Callable[..., list[Paper]]
) -> None:
    alice.pause(MORNING + 9 * DAY, MORNING)
    store(listing("Diffusion of the first day"), now=MORNING)
    for day in (10, 11):
        store(listing(f"Diffusion of day {day}"), now=MORNING + day * DAY)
        match_papers.match_papers(MORNING + day * DAY, since=MORNING.date())
        select_due(MORNING + day * DAY)
    first, second = Digest.objects.order_by("pk")
    assert (first.is_catch_up, second.notice) == (True, "")


def test_what_a_worker_holds_stays(a_day_each: Callable[[int], None], store: Callable[..., list[Paper]]) -> None:
    a_day_each(1)
    now = MORNING + DAY
    claims.claim(now, claims.new_claim(), 10)
    store(listing("Diffusion again"), now=now)
    match_papers.match_new(now)
    select_due(now)
    assert Digest.objects.count() == 2


def test_of_two_readers_only_the_one_who_waits_is_told(
    a_day_each: Callable[[int], None], store: Callable[..., list[Paper]]
) -> None:
    a_day_each(1)
    make_reader("bob@example.org", "diffusion", next_digest_at=MORNING + DAY)
    store(listing("Diffusion again"), now=MORNING + DAY)
    match_papers.match_new(MORNING + DAY)
    match_papers.match_interests(MORNING + DAY)
    select_due(MORNING + DAY)
    notices = Digest.objects.values_list("subscriber__email", "notice")
    assert {email: bool(notice) for email, notice in notices} == {"alice@example.org": True, "bob@example.org": False}
