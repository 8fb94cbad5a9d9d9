"""Days, weeks and months of lists, and the way from one to the next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.test import Client

from digest.models import Paper
from digest.web.pages.archives import PAGE_SIZE
from tests.conftest import MORNING, listing

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
Store = Callable[..., list[Paper]]


@pytest.fixture
def days(store: Store) -> None:
    """Lists of Sunday 1 and Friday 27 February, and of Monday 2, Sunday 8 and Monday 9 March 2026."""
    for date in ("2026-02-01", "2026-02-27", "2026-03-02", "2026-03-08", "2026-03-09"):
        with time_machine.travel(f"{date}T08:00Z", tick=False):
            store(listing(f"Kettles of {date}"), now=dt.datetime.fromisoformat(f"{date}T08:00+00:00"))


def soup(client: Client, address: str) -> BeautifulSoup:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return BeautifulSoup(answer.content, "lxml")


def titles(found: BeautifulSoup) -> list[str]:
    return [one.get_text() for one in found.select("article h2")]


def way(found: BeautifulSoup, rel: str) -> str | None:
    link = found.select_one(f"a[rel={rel}]")
    return str(link["href"]) if link else None


def test_a_week_begins_on_monday_and_ends_on_sunday(client: Client, days: None) -> None:
    found = soup(client, "/papers/week/2026-W10/")
    assert sorted(titles(found)) == ["Kettles of 2026-03-02", "Kettles of 2026-03-08"]
    assert "Papers of the week of 2 March 2026" in found.get_text()
    assert (way(found, "prev"), way(found, "next")) == ("/papers/week/2026-W09/", "/papers/week/2026-W11/")


def test_a_month_and_its_neighbours(client: Client, days: None) -> None:
    found = soup(client, "/papers/month/2026-02/")
    assert sorted(titles(found)) == ["Kettles of 2026-02-01", "Kettles of 2026-02-27"]
    assert (way(found, "prev"), way(found, "next")) == (None, "/papers/month/2026-03/")


def test_a_day_leads_to_the_days_that_have_a_list_and_to_its_week_and_month(client: Client, days: None) -> None:
    found = soup(client, "/papers/2026-03-02/")
    assert (way(found, "prev"), way(found, "next")) == ("/papers/2026-02-27/", "/papers/2026-03-08/")
    assert {link["href"] for link in found.select(".periods a")} == {
        "/papers/week/2026-W10/", "/papers/month/2026-03/", "/papers/",
    }  # fmt: skip


def test_a_paper_listed_on_two_days_of_a_week_stands_once_in_it(client: Client, store: Store) -> None:
    for number in range(2):
        store(listing("Kettles", arxiv_id="2603.00001"), now=MORNING + number * DAY)
    assert titles(soup(client, "/papers/week/2026-W12/")) == ["Kettles"]


def test_all_days_stand_under_their_months_with_their_numbers(client: Client, days: None) -> None:
    found = soup(client, "/papers/")
    assert [one.get_text() for one in found.select("h2")] == ["March 2026", "February 2026"]
    assert [link["href"] for link in found.select(".days a")][:2] == ["/papers/2026-03-09/", "/papers/2026-03-08/"]
    assert "1 paper" in " ".join(found.get_text(" ").split())


def test_a_long_list_has_pages_and_loses_nobody(client: Client, store: Store) -> None:
    store(*(listing(f"Kettle number {number:03}", upvotes=number) for number in range(PAGE_SIZE + 5)))
    first, second = soup(client, "/papers/2026-03-16/"), soup(client, "/papers/2026-03-16/?page=2")
    both = titles(first) + titles(second)
    assert both == sorted(both, reverse=True)
    assert len(both) == PAGE_SIZE + 5
    assert f"1 to {PAGE_SIZE} of {PAGE_SIZE + 5}" in first.get_text()
    assert titles(soup(client, "/papers/2026-03-16/?page=nonsense")) == titles(first)
    assert titles(soup(client, "/papers/2026-03-16/?page=99")) == titles(second)


@pytest.mark.parametrize(
    "address",
    [
        "2026-03-99/", "9999-12-31/", "0001-01-01/", "week/2026-W54/", "week/2026-W00/", "week/2026-10/",
        "month/2026-13/", "month/2026-3/", "week/2020-W01/", "month/2020-01/",
    ],
)  # fmt: skip
def test_days_that_are_none_or_have_no_list_are_not_found(client: Client, days: None, address: str) -> None:
    assert client.get(f"/papers/{address}").status_code == 404
