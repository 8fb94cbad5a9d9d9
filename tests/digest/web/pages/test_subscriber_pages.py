"""What the preferences page shows of papers: what lines find, what was sent, what was saved."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from digest.models import Digest, Feedback, Lane, Paper, Pick
from digest.picks.preview import interest_counts
from digest.picks.preview.digest_preview import preview
from digest.picks.preview.interest_counts import Rate, rate
from digest.picks.selection.select import select_due
from subscriptions import links
from subscriptions.models import Interest, Subscriber
from tests.conftest import MORNING, listing, make_reader

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _in_the_morning() -> Iterator[None]:
    with time_machine.travel(MORNING, tick=False):
        yield


def shown(reader: Subscriber, client: Client) -> str:
    return " ".join(BeautifulSoup(client.get(links.access(reader)).content, "lxml").get_text(" ").split())


def test_each_line_says_what_it_finds(papers: list[Paper], client: Client) -> None:
    reader = make_reader("dora@example.org", "diffusion", "entomology", "-survey", "-entomology")
    page = shown(reader, client)
    assert "diffusion about 2 papers a week" in page
    assert "entomology none in the last 30 days: is it what papers call it?" in page
    assert "-survey mute keeps away 1 of 5 papers a week" in page
    assert "-entomology mute keeps nothing away yet" in page


def test_a_line_that_was_only_just_saved_is_counted_too(alice: Subscriber, papers: list[Paper], client: Client) -> None:
    alice.set_lines(["agents", "pruning OR weather"])
    assert not Interest.objects.get(text="agents").matched_at
    page = shown(alice, client)
    assert "agents about 1 paper a week" in page
    assert "pruning OR weather about 2 papers a week" in page
    assert not Interest.objects.get(text="agents").matched_at  # looking stores nothing


def test_what_is_counted_is_what_the_preview_counts(store: Callable[..., object]) -> None:
    store(*(listing(f"Agents {n}", arxiv_id=f"2603.01{n:03}") for n in range(4)))
    store(listing("Agents of old", arxiv_id="2603.02001"), now=MORNING - dt.timedelta(days=10))
    reader = make_reader("dora@example.org", "agents", "title:agents -old")
    counted = [(one.typed, one.papers, one.of) for one in interest_counts.rates(reader, MORNING)]
    previewed = preview(reader.lines(), MORNING).lines
    assert counted == [(line.typed, line.papers, line.of) for line in previewed]


def test_a_line_that_found_something_earlier_is_not_called_barren(store: Callable[..., object]) -> None:
    store(listing("Agents of old", arxiv_id="2603.02001"), now=MORNING - dt.timedelta(days=10))
    assert [one.said for one in interest_counts.rates(make_reader("d@example.org", "agents"), MORNING)] == [
        "none in the last 7 days"
    ]


def test_a_sentence_is_not_called_barren(papers: list[Paper]) -> None:
    reader = make_reader("dora@example.org", "how the weather of the next week is foretold by a model of it")
    assert interest_counts.rates(reader, MORNING)[0].said == "a sentence: papers like it come"


@pytest.mark.parametrize(("papers", "of", "says"), [
    (161, 300, "about 23 papers a day: narrow it"), (161, 1000, "about 23 papers a day"),
    (3, 300, "about 3 papers a week"), (1, 300, "about 1 paper a week"), (9, 19, "about 9 papers a week"),
    (7, 20, "about 7 papers a week: narrow it"), (21, 300, "about 3 papers a day"),
])  # fmt: skip
def test_a_wide_line_is_told_to_narrow(papers: int, of: int, says: str) -> None:
    assert Rate("model", papers, of).said == says


def test_a_longer_time_is_counted_by_the_week() -> None:
    assert rate(30, days=30) == "7 papers a week"


def test_what_was_sent_stands_with_its_reason_and_its_web_copy(
    alice: Subscriber, papers: list[Paper], client: Client
) -> None:
    assert "Nothing yet" in shown(alice, client)
    select_due(MORNING)
    answer = client.get(links.access(alice))
    soup = BeautifulSoup(answer.content, "lxml")
    mail = soup.select_one("details.mail")
    assert mail is not None
    assert "Monday, 16 March 2026 2 papers" in " ".join(mail.get_text(" ").split())
    assert "Diffusion for Weather diffusion" in " ".join(mail.get_text(" ").split())
    link = mail.select_one("a[href*='/digest/']")
    assert link is not None
    assert client.get(str(link["href"])).status_code == 200


def test_days_without_a_mail_are_not_listed(alice: Subscriber, client: Client) -> None:
    Digest.objects.create(subscriber=alice, issue_date=MORNING.date(), created_at=MORNING, picks=[])
    assert "Nothing yet" in shown(alice, client)


def test_the_last_saved_papers_stand_there(alice: Subscriber, papers: list[Paper], client: Client) -> None:
    assert "None yet." in shown(alice, client)
    for paper in papers[:4]:
        Feedback.objects.create(subscriber=alice, paper=paper, kind=Feedback.Kind.SAVE, at=MORNING)
    page = shown(alice, client)
    assert "All 4 saved" in page
    assert "Diffusion for Weather" not in page  # the oldest; only three are shown


def test_the_page_asks_the_database_as_often_for_many_lines_and_mails(
    alice: Subscriber, papers: list[Paper], client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    alice.set_lines([f"topic{number}" for number in range(50)])
    Interest.objects.update(matched_at=MORNING)
    picks = [Pick(paper.pk, Lane.INTERESTS, 100, 0) for paper in papers]
    for day in range(20):
        date = MORNING.date() - dt.timedelta(days=day)
        Digest.objects.create(subscriber=alice, issue_date=date, created_at=MORNING, picks=picks)
    with django_assert_max_num_queries(14):
        page = client.get(links.access(alice)).content.decode()
    assert page.count('class="mail"') == 7
