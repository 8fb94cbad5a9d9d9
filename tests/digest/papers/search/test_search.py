"""Search in all papers: the database's index finds exactly what asking each paper finds."""

from __future__ import annotations

import datetime as dt
import random
import string
import time
from collections.abc import Callable

import hypothesis
import pytest
from bs4 import BeautifulSoup
from django.db import connection, transaction
from django.test import Client
from hypothesis import given, settings

from digest.models import Paper, SearchText
from digest.papers.search import index
from digest.papers.search.terms import Stored, bound, fts5, term, tsquery
from digest.relevance import match_papers
from digest.relevance.matching.documents import document
from digest.relevance.matching.queries import Query
from digest.web.pages.search import RESULTS
from subscriptions.interests.parser import parse
from tests.conftest import MORNING, listing
from tests.digest.relevance.matching.test_matching import SMALL, whole_language

pytestmark = pytest.mark.django_db
Store = Callable[..., list[Paper]]


def everything(line: str, size: int = 7) -> list[int]:
    """The ids of all papers found, a page after the other."""
    query, found, place = Query.of(0, parse(line)), [], None
    while True:
        page = index.find(query, size, place)
        assert len(page.found) <= size
        found += [paper.pk for paper, _, _ in page.found]
        if page.rest is None:
            return found
        place = page.rest


@pytest.fixture
def many(store: Store) -> list[Paper]:
    """Small papers made of the words that the language's tests ask for."""
    chance = random.Random(7)
    words = [*SMALL, "large", "language", "models", "thought.", "3.5", "C++", "Ⅷ", "the"]
    names = ["Ada Lovelace", "A. Lovelace", "Lovelace, Ada B.", "José Müller", "J Muller"]
    return store(
        *(
            listing(
                f"{' '.join(chance.choices(words, k=chance.randint(1, 5)))} {number}",
                " ".join(chance.choices(words, k=chance.randint(0, 12))),
                authors=chance.sample(names, chance.randint(0, 2)),
                categories=chance.sample(["cs.CL", "cs.LG", "csx.AI", "cs"], chance.randint(0, 2)),
            )
            for number in range(120)
        )
    )


def test_it_finds_what_asking_each_paper_finds(many: list[Paper]) -> None:
    held = [document(paper) for paper in Paper.objects.prefetch_related("editions__source")]

    @settings(deadline=None, max_examples=100, suppress_health_check=list(hypothesis.HealthCheck))
    @given(whole_language)
    @hypothesis.example("-fine")
    @hypothesis.example('use -"fine tuning"')
    @hypothesis.example("use -(fine tuning)")
    @hypothesis.example("source:files use")
    def agree(line: str) -> None:
        query = Query.of(0, parse(line))
        assert set(everything(line)) == {paper.paper_id for paper in held if query.find(paper)}

    agree()


def test_the_newest_come_first_and_each_comes_once(store: Store) -> None:
    for days in (3, 1, 2):
        date = MORNING + dt.timedelta(days=days)
        store(*(listing(f"Kettle {days}.{number}") for number in range(9)), now=date)
    found = Paper.objects.in_bulk(ids := everything("kettle", size=4))
    dates = [found[pk].first_listed_on for pk in ids]
    assert dates == sorted(dates, reverse=True)
    assert len(set(ids)) == len(ids) == 27


def test_a_paper_that_changes_its_words_is_found_by_the_new_ones_only(store: Store) -> None:
    (paper,) = store(listing("Kettles", arxiv_id="2603.00009"))
    Paper.objects.filter(pk=paper.pk).update(title="Teapots", matched_at=None)
    match_papers.match_new(MORNING)
    assert everything("kettles") == []
    assert everything("teapots") == [paper.pk]
    paper.delete()
    assert everything("teapots") == []


def test_papers_from_before_the_index_are_taken_in(store: Store) -> None:
    (paper,) = store(listing("Kettles"))
    SearchText.objects.all().delete()
    assert everything("kettles") == []
    match_papers.match_new(MORNING)
    assert everything("kettles") == [paper.pk]


def test_a_paper_merged_into_another_is_not_found_twice(store: Store) -> None:
    one, other = store(listing("Kettles of one kind"), listing("Kettles of another"))
    Paper.objects.filter(pk=one.pk).update(merged_into=other)
    assert everything("kettles") == [other.pk]


@pytest.mark.parametrize("text", ["c++", "Ⅷ", "量子计算" * 80, "a'b\"c\\d", "x" * 500, "0x2b0", ""])
def test_a_term_is_letters_and_digits_and_short(text: str) -> None:
    made = term("w", text)
    assert made.isascii()
    assert made.isalnum()
    assert len(made) < 2_000  # PostgreSQL's longest is 2,046 bytes
    assert made[0] == "w"


@pytest.mark.parametrize(
    ("line", "sqlite", "postgresql"),
    [
        ("title:fine", '("twfine" OR "tgfin")', "(twfine | tgfin)"),
        ("tun*", '("ftun" * OR "wtun" *)', "(ftun:* | wtun:*)"),
        ("category:cs.CL", '"ccs0x2e0cl"', "ccs0x2e0cl"),
        ("use -zeal", '(("wuse" OR "gus") NOT (("wzeal" OR "gzeal")))', "((wuse | gus) & !((wzeal | gzeal)))"),
    ],
)
def test_a_line_in_the_words_of_each_database(line: str, sqlite: str, postgresql: str) -> None:
    asked = bound(Query.of(0, parse(line)))
    strip = str.maketrans("", "", "()")  # how much is bracketed is nobody's business
    assert fts5(asked).translate(strip) == sqlite.translate(strip)
    assert tsquery(asked).translate(strip) == postgresql.translate(strip)


def test_the_longest_and_oddest_lines_are_answered(many: list[Paper]) -> None:
    for line in (
        " ".join(f"wo{n}" for n in range(60)),
        " OR ".join(string.ascii_lowercase),
        "-a",
        '"' + "a b " * 30 + '"',
    ):
        everything(line)


def test_what_is_stored_names_no_address_and_stays_small(many: list[Paper]) -> None:
    paper = Paper.objects.first()
    assert paper
    stored = Stored.of(document(paper))
    assert len(stored.title + stored.abstract + stored.labels) < 12 * len(paper.title + paper.abstract) + 2_000


# --- the page
def test_the_page_leads_to_older_papers(client: Client, store: Store) -> None:
    store(*(listing(f"Kettle number {number}") for number in range(RESULTS + 3)))
    first = BeautifulSoup(client.get("/search", {"q": "kettle"}).content, "lxml")
    assert len(first.select("article")) == RESULTS
    assert "The newest papers." in first.get_text()
    second = BeautifulSoup(client.get(first.select_one("a[rel=next]")["href"]).content, "lxml")
    assert len(second.select("article")) == 3
    assert second.select_one("a[rel=next]") is None
    titles = {one.get_text() for page in (first, second) for one in page.select("article h2")}
    assert len(titles) == RESULTS + 3


def test_the_page_marks_the_words(client: Client, store: Store) -> None:
    store(listing("Kettles that whistle", "A whistling kettle."))
    page = BeautifulSoup(client.get("/search", {"q": "whistle"}).content, "lxml")
    assert [one.get_text() for one in page.select("mark")] == ["whistle", "whistling"]


@pytest.mark.parametrize("before", ["", "nonsense", "-5", "9" * 30, "²"])
def test_a_place_that_is_none_is_the_beginning(client: Client, store: Store, before: str) -> None:
    store(listing("Kettles"))
    page = BeautifulSoup(client.get("/search", {"q": "kettle", "before": before}).content, "lxml")
    assert len(page.select("article")) == 1


def test_what_takes_too_long_is_said_and_ends(client: Client, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A statement that PostgreSQL breaks off after its time."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite's index answers phrases itself")
    store(listing("Kettles"))
    slow = (
        "SELECT place FROM digest_searchtext WHERE terms @@ %s::tsquery AND place < %s AND pg_sleep(2) IS NULL LIMIT %s"
    )
    monkeypatch.setattr(index, "_ALL", slow)
    monkeypatch.setattr(index, "_TIME", 200)
    answer = client.get("/search", {"q": "kettle"})
    assert answer.status_code == 422
    assert "That would take too long" in answer.content.decode()
    feed = client.get("/feeds/search.atom", {"q": "kettle"})
    assert (feed.status_code, feed.content) == (422, b"Its words are in very many papers: add a rarer one.\n")


def test_words_that_many_papers_hold_come_newest_first_too(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "_RARE", 5)
    papers = store(*(listing(f"Kettle {number}") for number in range(30)))
    assert everything("kettle") == sorted((paper.pk for paper in papers), reverse=True)


def test_a_search_leaves_no_limit_to_its_callers_transaction(papers: list[Paper]) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no settings of a transaction")
    index.file_missing()

    def limit() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            return str(cursor.fetchone()[0])

    before = limit()
    with transaction.atomic():
        assert index.find(Query.of(0, parse("diffusion")), 10, deadline=time.monotonic() + 0.5).found
        assert limit() == before
