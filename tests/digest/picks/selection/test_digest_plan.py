"""What a mail covers: the day, the week, or the days somebody was away."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from digest.models import Digest, Paper
from digest.picks.selection.select import select_due
from digest.relevance import match_papers
from subscriptions.models import Subscriber
from tests.conftest import MORNING, all_sent, listing, make_reader
from tests.picks import picks_of

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
SUNDAY = MORNING + 6 * DAY


@pytest.fixture(autouse=True)
def _sources_may_be_late(settings: object) -> None:
    settings.LATE_SOURCES = "ignore"


def diffusion(**columns: object) -> Subscriber:
    """A reader of diffusion, matched with papers of the whole week."""
    reader = make_reader("alice@example.org", "diffusion", **columns)
    match_papers.match_papers(SUNDAY, since=MORNING.date())
    return reader


def held(lane: str) -> list[str]:
    digest = Digest.objects.order_by("-pk")[0]
    return [pick["paper"].title for pick in picks_of(digest) if pick["lane"] == lane]


@pytest.fixture
def many(store: Callable[..., list[Paper]]) -> list[Paper]:
    """Fifteen papers of Saturday that match."""
    return store(*(listing(f"Diffusion {n:02}", upvotes=50 - n) for n in range(15)), now=SUNDAY - DAY)


def test_the_last_mail_of_the_week_lists_what_the_cap_left_out(many: list[Paper]) -> None:
    diffusion(next_digest_at=SUNDAY, max_papers=3)
    select_due(SUNDAY)
    assert held("interests") == ["Diffusion 00", "Diffusion 01", "Diffusion 02"]
    assert held("overflow") == [f"Diffusion {n:02}" for n in range(3, 13)]


def test_what_was_listed_so_does_not_come_again(many: list[Paper]) -> None:
    diffusion(next_digest_at=SUNDAY, max_papers=3)
    select_due(SUNDAY)
    all_sent()
    select_due(SUNDAY + DAY)
    assert held("interests") == ["Diffusion 13", "Diffusion 14"]


def test_with_room_for_all_there_is_no_such_list(many: list[Paper]) -> None:
    diffusion(next_digest_at=SUNDAY, max_papers=20)
    select_due(SUNDAY)
    assert (len(held("interests")), held("overflow")) == (15, [])


def test_before_the_end_of_the_week_neither(papers: list[Paper]) -> None:
    make_reader("alice@example.org", "diffusion", max_papers=1)
    select_due(MORNING)
    assert (len(held("interests")), held("overflow")) == (1, [])


def test_friday_is_the_last_day_of_who_reads_on_working_days(store: Callable[..., list[Paper]]) -> None:
    friday = MORNING + 4 * DAY
    store(*(listing(f"Diffusion {n}") for n in range(5)), now=friday - DAY)
    diffusion(next_digest_at=friday, max_papers=3, frequency="weekdays")
    select_due(friday)
    assert len(held("overflow")) == 2


def test_a_weekly_mail_covers_the_week_however_short_news_is(
    store: Callable[..., list[Paper]], settings: object
) -> None:
    settings.CANDIDATE_DAYS = 1
    store(listing("Diffusion of Tuesday"), now=MORNING + DAY)
    diffusion(next_digest_at=SUNDAY, frequency="weekly", weekday=6)
    select_due(SUNDAY)
    assert held("interests") == ["Diffusion of Tuesday"]


@pytest.fixture
def away(store: Callable[..., list[Paper]]) -> Subscriber:
    """Paused for 14 days, in which papers came that are no news any more."""
    reader = make_reader("alice@example.org", "diffusion", max_papers=2)
    reader.pause(MORNING + 14 * DAY, MORNING)
    for day in range(1, 8):
        store(listing(f"Diffusion of day {day}", upvotes=day), now=MORNING + day * DAY)
    return reader


def test_a_pause_gives_a_mail_that_catches_up_once(away: Subscriber) -> None:
    back = MORNING + 15 * DAY
    select_due(back)
    digest = Digest.objects.get()
    assert digest.notice == "The best of the 14 days you were away."
    assert held("interests") == [f"Diffusion of day {day}" for day in (7, 6, 5, 4)]
    away.refresh_from_db()
    assert away.paused_at is None
    all_sent()
    select_due(back + DAY)
    assert Digest.objects.order_by("-pk")[0].notice == ""


def test_coming_back_early_catches_up_with_the_days_there_were(away: Subscriber) -> None:
    back = MORNING + 9 * DAY
    away.pause(None, back)
    select_due(back + DAY)
    assert Digest.objects.get().notice == "The best of the 10 days you were away."
    assert len(held("interests")) == 4


def test_a_longer_pause_does_not_begin_anew(alice: Subscriber) -> None:
    alice.pause(MORNING + 7 * DAY, MORNING)
    alice.pause(MORNING + 30 * DAY, MORNING + 5 * DAY)
    assert alice.paused_at == MORNING


def test_a_mail_catches_up_no_further_back_than_set(away: Subscriber, settings: object) -> None:
    settings.CATCH_UP_DAYS = 10
    select_due(MORNING + 15 * DAY)
    assert Digest.objects.get().notice == "The best of the last 10 days of the 14 you were away."
    assert held("interests") == ["Diffusion of day 7", "Diffusion of day 6", "Diffusion of day 5"]


def test_an_hour_away_is_no_pause_to_catch_up_with(alice: Subscriber, papers: list[Paper]) -> None:
    alice.pause(MORNING + 7 * DAY, MORNING - DAY / 2)
    alice.pause(None, MORNING - DAY / 4)
    select_due(MORNING)
    assert Digest.objects.get().notice == ""
