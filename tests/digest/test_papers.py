"""When two listings are the same paper."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest import ingest
from digest.models import Listing, Paper
from digest.papers import title_key
from digest.sources import ParsedEdition, ParsedListing
from tests.conftest import MORNING, listing

pytestmark = pytest.mark.django_db


def store(*listings: ParsedListing, date: dt.date | None = None, slug: str = "huggingface") -> None:
    source = ingest.huggingface()
    if slug != "huggingface":
        source, _ = type(source).objects.get_or_create(slug=slug, defaults={"name": slug})
    ingest.store(source, ParsedEdition(listings=listings, date=date), now=MORNING)


def test_it_merges_by_arxiv_id_whatever_the_title_says() -> None:
    store(listing("Old title", arxiv_id="2603.1", arxiv_version=1))
    store(listing("New title", arxiv_id="2603.1", arxiv_version=2), slug="arxiv")
    paper = Paper.objects.get()
    assert (paper.title, paper.arxiv_version, paper.listings.count()) == ("Old title", 2, 2)


def test_it_merges_by_doi() -> None:
    store(listing("One", doi="10.1/x"))
    store(listing("One, revised", doi="10.1/x", arxiv_id="2603.2"), slug="journal")
    assert Paper.objects.get().arxiv_id == "2603.2"


@pytest.mark.parametrize("other", ["deep learning: a study", "Deep-Learning — A Study", "Deep  Learning A\u00a0Study"])
def test_it_merges_by_title_without_case_hyphens_and_punctuation(other: str) -> None:
    store(listing("Deep Learning: A Study"))
    store(listing(other, arxiv_id="2603.3"), slug="other")
    assert Paper.objects.get().arxiv_id == "2603.3"


def test_it_keeps_papers_of_one_title_but_two_ids_apart() -> None:
    store(listing("Editorial", doi="10.1/a"), listing("Editorial", doi="10.1/b"))
    assert Paper.objects.count() == 2


def test_it_keeps_papers_of_one_title_but_other_authors_apart() -> None:
    store(listing("Editorial", authors=("Ada Lovelace",)), listing("Editorial", authors=("Alan Turing",)))
    store(listing("Editorial", authors=("A. Lovelace",)), slug="other")
    assert Paper.objects.count() == 2


def test_later_data_fills_gaps_and_blanks_nothing() -> None:
    store(listing("T one two", "The whole abst…", authors=("Ada",), url="https://a.example/1"))
    store(listing("T one two", "The whole abstract is here.", categories=("cs.CL",)), slug="b")
    store(listing("T one two", ""), slug="c")
    paper = Paper.objects.get()
    assert paper.abstract == "The whole abstract is here."
    assert (paper.authors, paper.categories, paper.url) == (["Ada"], ["cs.CL"], "https://a.example/1")


def test_a_paper_whose_words_changed_is_matched_again() -> None:
    store(listing("T one two"))
    Paper.objects.update(matched_at=MORNING)
    store(listing("T one two", upvotes=5))
    assert Paper.objects.get().matched_at == MORNING
    store(listing("T one two", "Now with an abstract."))
    assert Paper.objects.get().matched_at is None


def test_a_page_that_lists_a_paper_twice_means_its_first_place() -> None:
    store(listing("Twice here", rank=1), listing("Other paper", rank=2), listing("twice HERE", rank=3))
    assert Paper.objects.count() == 2
    assert sorted(Listing.objects.values_list("rank", flat=True)) == [1, 2]


def test_a_refresh_updates_rank_and_upvotes() -> None:
    date = dt.date(2026, 3, 15)
    store(listing("A first"), listing("B second", rank=2, upvotes=1), date=date)
    store(listing("B second", upvotes=30), listing("A first", rank=2), date=date)
    assert list(Listing.objects.values_list("paper__title", "rank", "upvotes")) == [
        ("B second", 1, 30),
        ("A first", 2, None),
    ]
    assert Paper.objects.get(title="B second").upvotes == 30


@given(st.text(min_size=1, max_size=80))
def test_a_title_key_is_blind_to_case_and_spaces(title: str) -> None:
    assert title_key(title) == title_key(f"  {title}  ")
    if title.isascii():
        assert title_key(title) == title_key(title.upper()) == title_key(title.lower())
