"""When two listings are the same paper."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from digest.models import Digest, Edition, Feedback, Lane, Listing, Paper, Pick, Source
from digest.papers.ingest import ingest, storage
from digest.papers.ingest.editions import Circumstances
from digest.papers.ingest.merge import title_key
from digest.papers.sources.parsed import ParsedEdition, ParsedListing
from digest.picks.selection.choose import choose
from digest.relevance import match_papers
from subscriptions.models import Subscriber
from tests.conftest import MORNING, listing

pytestmark = pytest.mark.django_db


def store(*listings: ParsedListing, date: dt.date | None = None, slug: str = "huggingface") -> None:
    source = ingest.huggingface()
    if slug != "huggingface":
        source, _ = type(source).objects.get_or_create(slug=slug, defaults={"name": slug})
    storage.store(source, ParsedEdition(listings=listings, date=date), Circumstances(now=MORNING))


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


def test_a_paper_that_another_source_lists_too_is_matched_again(alice: Subscriber) -> None:
    alice.set_lines(["source:arxiv"])
    store(listing("T one two", arxiv_id="2603.1"))
    match_papers.match_new(MORNING)
    assert not alice.interests.get().matches.exists()
    store(listing("T one two", arxiv_id="2603.1"), slug="arxiv")
    match_papers.match_new(MORNING)
    assert alice.interests.get().matches.count() == 1


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


def test_two_papers_that_turn_out_to_be_one_become_one(alice: Subscriber, client: Client) -> None:
    store(listing("A preprint on diffusion", arxiv_id="2603.7"))
    preprint = Paper.objects.get()
    store(listing("The printed article", "In print.", doi="10.1/y", upvotes=3), slug="journal")
    printed = Paper.objects.get(doi="10.1/y")
    Feedback.objects.create(subscriber=alice, paper=printed, kind="save", at=MORNING)
    Digest.objects.create(
        subscriber=alice, issue_date=MORNING.date(), created_at=MORNING, picks=[Pick(printed.pk, Lane.INTERESTS, 0, 0)]
    )
    store(listing("A preprint on diffusion", arxiv_id="2603.7", doi="10.1/y"), slug="third")
    preprint.refresh_from_db()
    printed.refresh_from_db()
    assert (preprint.doi, preprint.abstract, preprint.upvotes) == ("10.1/y", "In print.", 3)
    assert preprint.listings.count() == 3
    assert (printed.merged_into, printed.doi, printed.listings.count()) == (preprint, None, 0)
    assert Feedback.objects.get().paper == preprint
    assert client.get(printed.get_absolute_url()).url == preprint.get_absolute_url()
    match_papers.match_new(MORNING)
    assert choose([alice], MORNING)[alice.pk] == []  # she was sent it under its other name


def test_papers_with_ids_of_their_own_stay_apart_whatever_a_third_source_mixes_up() -> None:
    store(listing("One paper", arxiv_id="2603.7", doi="10.1/a"), listing("Another", arxiv_id="2603.8", doi="10.1/b"))
    store(listing("One paper", arxiv_id="2603.7", doi="10.1/b"), slug="confused")
    assert sorted(Paper.objects.values_list("arxiv_id", "doi")) == [("2603.7", "10.1/a"), ("2603.8", "10.1/b")]
    assert Listing.objects.get(edition__source__slug="confused").paper.arxiv_id == "2603.7"


def test_a_page_that_joins_its_own_papers_heals_at_the_next_look() -> None:
    mixed = (
        listing("One paper", arxiv_id="2603.7"),
        listing("Its other name", doi="10.1/a", rank=2),
        listing("One paper", arxiv_id="2603.7", doi="10.1/a", rank=3),
    )
    store(*mixed)
    store(*mixed)
    assert Paper.objects.known().get().doi == "10.1/a"


def test_a_new_version_is_marked_and_is_no_news() -> None:
    store(listing("Old paper", arxiv_id="2401.1", arxiv_version=3, announce_type="replace"), slug="arxiv")
    paper = Paper.objects.get()
    assert (paper.arxiv_version, paper.replaced_on) == (3, MORNING.date())
    assert not Paper.objects.fresh(MORNING).exists()
    store(listing("Old paper", arxiv_id="2401.1"))
    assert Paper.objects.fresh(MORNING).get() == paper  # now it is trending


def test_a_withdrawn_paper_is_marked_and_mailed_to_nobody() -> None:
    store(listing("Bad paper", arxiv_id="2603.1", arxiv_version=1))
    store(listing("Bad paper", arxiv_id="2603.1", arxiv_version=2, is_withdrawn=True), slug="arxiv")
    assert Paper.objects.get().withdrawn_on == MORNING.date()
    assert not Paper.objects.fresh(MORNING).exists()
    store(listing("Bad paper", arxiv_id="2603.1", arxiv_version=3), slug="again")
    assert Paper.objects.get().withdrawn_on is None


def test_an_archives_note_that_it_deleted_what_we_never_had_makes_no_paper() -> None:
    note = listing("arXiv:2603.9", arxiv_id="2603.9", is_withdrawn=True, announce_type="replace", rank=2)
    store(listing("A paper", arxiv_id="2603.8", authors=("Ada",)), note, slug="archive")
    assert Paper.objects.get().arxiv_id == "2603.8"
    store(listing("A paper", arxiv_id="2603.9", authors=("Ada",)), slug="arxiv")
    store(note, slug="archive")
    assert Paper.objects.get(arxiv_id="2603.9").withdrawn_on == MORNING.date()


def test_names_that_were_cut_off_are_completed() -> None:
    store(listing("Big team", authors=("Ada Lovelace",)))
    store(listing("Big team", authors=("A. Lovelace", "Alan Turing")), slug="b")
    store(listing("Big team", authors=("Alan Turing", "Ada Lovelace", "Grace Hopper")), slug="c")
    assert Paper.objects.get().authors == ["A. Lovelace", "Alan Turing"]


def test_a_feed_lists_each_entry_once_however_long_it_holds_it() -> None:
    feed = Source.objects.create(slug="feed", name="Feed", url="https://feed.example/rss")
    for day in range(3):
        now = MORNING + dt.timedelta(days=day)
        entries = tuple(listing(f"Entry number {number}") for number in range(day, day + 2))
        storage.store(feed, ParsedEdition(listings=entries), Circumstances(now=now))
    assert list(Edition.objects.order_by("date").values_list("size", flat=True)) == [2, 1, 1]


def test_what_a_new_feed_still_holds_of_last_year_is_no_news() -> None:
    feed = Source.objects.create(slug="feed", name="Feed", url="https://feed.example/rss")
    old, new = MORNING.date() - dt.timedelta(days=200), MORNING.date() - dt.timedelta(days=2)
    entries = (listing("Old entry", published_on=old), listing("New entry", published_on=new))
    storage.store(feed, ParsedEdition(listings=entries), Circumstances(now=MORNING))
    assert [paper.title for paper in Paper.objects.fresh(MORNING)] == ["New entry"]


@pytest.mark.parametrize(("own", "stored"), [(-3, -3), (-400, 0), (30, 0)])
def test_a_feed_that_does_not_keep_its_date_is_dated_by_the_day_it_was_read(own: int, stored: int) -> None:
    feed = Source.objects.create(slug="feed", name="Feed", url="https://feed.example/rss")
    today = MORNING.date()
    parsed = ParsedEdition(listings=(listing("An entry"),), date=today + dt.timedelta(days=own))
    storage.store(feed, parsed, Circumstances(now=MORNING))
    assert Edition.objects.get().date == today + dt.timedelta(days=stored)


def test_a_file_whose_rows_name_their_days_becomes_an_edition_a_day() -> None:
    days = [dt.date(2025, 1, day) for day in (6, 7)]
    rows = tuple(listing(f"Of {day} {number}", listed_on=day) for day in days for number in range(3))
    outcome = storage.store(ingest.huggingface(), ParsedEdition(listings=rows), Circumstances(now=MORNING))
    assert outcome.dates == tuple(days)
    assert list(Edition.objects.order_by("date").values_list("date", "size")) == [(day, 3) for day in days]
    assert not Paper.objects.fresh(MORNING).exists()


@given(st.text(min_size=1, max_size=80))
def test_a_title_key_is_blind_to_case_and_spaces(title: str) -> None:
    assert title_key(title) == title_key(f"  {title}  ")
    if title.isascii():
        assert title_key(title) == title_key(title.upper()) == title_key(title.lower())
