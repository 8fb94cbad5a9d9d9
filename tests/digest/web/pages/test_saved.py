"""Saved papers: the list, and what reference managers get."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from digest.models import Feedback, Paper
from digest.papers.sources import bibtex as bibtex_reader
from digest.papers.sources import ris as ris_reader
from digest.web.pages import subscriber
from digest.web.pages.citations import bibtex, ris
from subscriptions import links
from subscriptions.models import Subscriber
from tests.conftest import MORNING


def cited(title: str = "Diffusion for Weather", **more: object) -> Paper:
    """A paper that no database holds."""
    columns = {"authors": ["Ada Lovelace"], "arxiv_id": "2603.00001", "categories": ["cs.LG"]}
    return Paper(title=title, first_listed_on=dt.date(2026, 3, 15), **columns | more)


@pytest.fixture
def saver(alice: Subscriber, papers: list[Paper]) -> Subscriber:
    for number, paper in enumerate(papers[:3]):
        Feedback.objects.create(
            subscriber=alice, paper=paper, kind=Feedback.Kind.SAVE, at=MORNING + dt.timedelta(minutes=number)
        )
    return alice


def address(reader: Subscriber, rest: str = "saved/") -> str:
    return links.access(reader) + rest


def test_the_newest_stand_first(saver: Subscriber, client: Client) -> None:
    page = client.get(address(saver)).content.decode()
    assert page.index("A Survey of Diffusion") < page.index("Thinking Aloud") < page.index("Diffusion for Weather")
    assert "Pruning" not in page


def test_one_is_removed_and_put_back(saver: Subscriber, papers: list[Paper], client: Client) -> None:
    page = client.post(address(saver), {"paper": str(papers[1].pk)}).content.decode()
    assert "is no longer saved" in page
    assert subscriber.saved_by(saver).count() == 2
    client.post(address(saver), {"paper": str(papers[1].pk), "undo": "1"})
    assert subscriber.saved_by(saver).count() == 3


@pytest.mark.parametrize("number", ["", "0", "x", "99999999999999999", "1.5"])
def test_removing_what_is_not_there_does_nothing(number: str, saver: Subscriber, client: Client) -> None:
    assert client.post(address(saver), {"paper": number}).status_code == 200
    assert subscriber.saved_by(saver).count() == 3


def test_putting_back_saves_nothing_that_never_was(saver: Subscriber, papers: list[Paper], client: Client) -> None:
    client.post(address(saver), {"paper": str(papers[4].pk), "undo": "1"})
    assert subscriber.saved_by(saver).count() == 3


def test_what_is_liked_is_not_saved(alice: Subscriber, papers: list[Paper], client: Client) -> None:
    Feedback.objects.create(subscriber=alice, paper=papers[0], kind=Feedback.Kind.MORE, at=MORNING)
    assert "Nothing is saved" in client.get(address(alice)).content.decode()


def test_only_so_many_are_shown(saver: Subscriber, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriber, "MOST_SAVED", 2)
    assert "the last 2 of 3" in client.get(address(saver)).content.decode()
    assert client.get(address(saver, "saved.bib")).content.decode().count("@misc") == 2


@pytest.mark.parametrize("rest", ["saved/", "saved.bib", "saved.ris"])
def test_the_list_and_the_files_are_private(rest: str, saver: Subscriber, client: Client) -> None:
    answer = client.get(address(saver, rest))
    assert answer.status_code == 200
    assert {"no-store", "private"} <= set(answer["Cache-Control"].split(", "))
    Subscriber.objects.update(token_version=2)
    assert client.get(address(saver, rest)).status_code == 410


def test_the_files_are_saved_under_their_names(saver: Subscriber, client: Client) -> None:
    assert 'filename="saved-papers.bib"' in client.get(address(saver, "saved.bib"))["Content-Disposition"]
    assert 'filename="saved-papers.ris"' in client.get(address(saver, "saved.ris"))["Content-Disposition"]


def test_looking_and_fetching_change_nothing(saver: Subscriber, client: Client) -> None:
    before = list(Feedback.objects.order_by("pk").values())
    for rest in ("saved/", "saved.bib", "saved.ris"):
        client.get(address(saver, rest))
        client.head(address(saver, rest))
    assert list(Feedback.objects.order_by("pk").values()) == before


AWKWARD = [
    "R&D: 100% of $x_1$ for {Agents} #1", "Costs $5 and $6", "Über Ähnlichkeit — résumé",
    "ends with \\", "$\\alpha$-divergence", "} unbalanced {",
]  # fmt: skip


@pytest.mark.parametrize("title", AWKWARD)
def test_a_title_survives_bibtex_and_back(title: str) -> None:
    read = bibtex_reader.parse(bibtex([cited(title)])).listings
    assert len(read) == 1
    assert [letter for letter in read[0].title if letter.isalnum()][:6] == [x for x in title if x.isalnum()][:6]
    assert read[0].arxiv_id == "2603.00001"
    assert read[0].authors == ("Ada Lovelace",)


@pytest.mark.parametrize("title", AWKWARD)
def test_a_title_survives_ris_and_back(title: str) -> None:
    read = ris_reader.parse(ris([cited(title, authors=["Lovelace, Ada"])])).listings
    assert read[0].title == title
    assert read[0].arxiv_id == "2603.00001"


def test_signs_that_tex_would_obey_are_escaped() -> None:
    assert r"{{A \textbackslash{} B \textasciitilde{} C \textasciicircum{} \%}}" in bibtex([cited(r"A \ B ~ C ^ %")])


def test_keys_are_all_different() -> None:
    text = bibtex([cited(), cited(), cited()])
    assert "@misc{lovelace2026diffusion," in text
    assert "@misc{lovelace2026diffusion-2," in text
    assert "@misc{lovelace2026diffusion-3," in text


def test_a_company_that_is_an_author_stays_one() -> None:
    text = bibtex([cited(authors=["Research and Development", "Ada Lovelace"])])
    assert "{{Research and Development} and Ada Lovelace}" in text


@given(st.lists(st.text(max_size=60), min_size=1, max_size=4), st.text(max_size=80))
def test_whatever_papers_are_called_braces_balance_and_entries_count(titles: list[str], name: str) -> None:
    text = bibtex([cited(title, authors=[name]) for title in titles])
    bare = text.replace("\\\\", "").replace(r"\{", "").replace(r"\}", "")
    assert bare.count("{") == bare.count("}")
    assert text.count("@misc{") >= len(titles)
    assert ris([cited(title, authors=[name]) for title in titles]).count("\r\nER  - \r\n") == len(titles)


def test_nothing_saved_is_an_empty_file(alice: Subscriber, client: Client) -> None:
    assert client.get(address(alice, "saved.bib")).content == b""
