"""A paper's page: its upvotes over time, papers like it, how to cite it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.test import Client

from digest.models import Listing, Paper, UpvoteObservation
from digest.web.pages.paper import HEIGHT, WIDTH, Plot
from tests.conftest import MORNING, listing

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _in_the_morning() -> object:
    with time_machine.travel(MORNING, tick=False):
        yield


def soup(client: Client, paper: Paper) -> BeautifulSoup:
    return BeautifulSoup(client.get(paper.get_absolute_url()).content, "lxml")


def test_upvotes_over_time_are_a_line_and_a_sentence(client: Client, papers: list[Paper]) -> None:
    place = Listing.objects.get(paper=papers[0])
    UpvoteObservation.objects.all().delete()
    assert soup(client, papers[0]).select_one("svg") is None
    for hours, votes in ((0, 0), (6, 20), (24, 40)):
        at = MORNING - dt.timedelta(hours=24 - hours)
        UpvoteObservation.objects.create(listing=place, at=at, upvotes=votes)
    found = soup(client, papers[0])
    assert found.select_one("svg polyline")["points"] == "0.0,62.0 80.0,32.0 320.0,2.0"
    assert "Upvotes: 0 on 15 March, 40 on 16 March" in found.get_text()


def test_a_plot_stays_in_its_box() -> None:
    seen = [(MORNING + dt.timedelta(hours=n), votes) for n, votes in enumerate((0, 7, 3, 10**6, 0))]
    plot = Plot.of(seen)
    assert plot
    for point in plot.points.split():
        x, y = map(float, point.split(","))
        assert 0 <= x <= WIDTH
        assert 0 <= y <= HEIGHT
    assert Plot.of([]) is None
    assert Plot.of([(MORNING, 3), (MORNING, 4)]) is None
    assert Plot.of([(MORNING, 0), (MORNING + dt.timedelta(1), 0)])


def test_papers_like_it_are_named_and_others_are_not(client: Client, store: Callable[..., list[Paper]]) -> None:
    words = "kettle steam boiling water spout handle lid whistle copper enamel".split()
    others = [listing(f"Paper {n} on graphs", f"graph node edge path tree number{n} letter{n}") for n in range(40)]
    kettles = [listing("Kettles that whistle", " ".join(words)), listing("Boiling water", " ".join(words[::-1]))]
    papers = store(*kettles, *others)
    found = [link.get_text() for link in soup(client, papers[0]).select(".related a")]
    assert found == ["Boiling water"]


def test_a_paper_is_cited_in_bibtex_and_ris(client: Client, store: Callable[..., list[Paper]]) -> None:
    (paper,) = store(
        listing(
            "Kettles & {Steam}: 100% hot_water", "An abstract.", arxiv_id="2603.00009",
            authors=["Ada Lovelace", "Émile Borel"], published_on=dt.date(2026, 3, 9), categories=["cs.CL"],
        )
    )  # fmt: skip
    answer = client.get(f"/paper/{paper.pk}/cite.bib")
    assert answer["Content-Type"] == "application/x-bibtex; charset=utf-8"
    assert answer.content.decode().startswith("@misc{lovelace2026kettles,\n")
    assert answer.content.decode().count("@") == 1
    record = client.get(f"/paper/{paper.pk}/cite.ris").content.decode().split("\r\n")
    assert record[:4] == [
        "TY  - GEN",
        "TI  - Kettles & {Steam}: 100% hot_water",
        "AU  - Ada Lovelace",
        "AU  - Émile Borel",
    ]
    assert record[-2:] == ["ER  - ", ""]
    assert client.get("/paper/99999/cite.bib").status_code == 404
