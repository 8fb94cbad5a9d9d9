"""The Atom feeds, read with feedparser and a strict XML parser."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import feedparser
import pytest
import time_machine
from django.db import connection
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from pytest_django import DjangoAssertNumQueries

from digest.models import Edition, Listing, Paper
from digest.papers.ingest import ingest
from digest.papers.sources.parsed import ParsedListing
from digest.web.feeds.atom import clean
from tests.conftest import MORNING, listing

pytestmark = pytest.mark.django_db

ATOM = "{http://www.w3.org/2005/Atom}"
GRAMMAR = etree.RelaxNG(file=str(Path(__file__).with_name("atom.rng")))
TODAY = MORNING.date()
NEWEST, SEARCH = "/feeds/papers.atom", "/feeds/search.atom"
HOSTILE = [
    "".join(chr(code) for code in range(1, 32)) + "controls",
    "\x0b\x0c\x1f",
    "ends ]]> here <![CDATA[ x",
    "<script>alert(1)</script> & <b>",
    "\ufffe\uffff\ufdd0 \U0001f9ec \U0010ffff \x7f\x85\x9f",
    "&#0; &lt; &bogus; %00",
    '\'" onmouseover="x',
]


@pytest.fixture(autouse=True)
def _in_the_morning() -> Iterator[None]:
    with time_machine.travel(MORNING, tick=False):
        yield


def tree(content: bytes) -> etree._Element:
    """The feed by a parser that forgives nothing, held to what RFC 4287 asks of a feed and of an entry."""
    root = etree.fromstring(content, etree.XMLParser(recover=False, resolve_entities=False, no_network=True))
    GRAMMAR.assertValid(root)
    assert root.tag == f"{ATOM}feed"
    for name in ("id", "title", "updated"):
        assert len(root.findall(f"{ATOM}{name}")) == 1
    assert root.findtext(f"{ATOM}author/{ATOM}name")
    ids = [entry.findtext(f"{ATOM}id") for entry in root.iter(f"{ATOM}entry")]
    assert len(ids) == len(set(ids))
    for entry in root.iter(f"{ATOM}entry"):
        for name in ("id", "title", "updated", "published"):
            assert len(entry.findall(f"{ATOM}{name}")) == 1, name
            assert entry.findtext(f"{ATOM}{name}")
        assert len(entry.findall(f"{ATOM}summary")) <= 1
        assert all(entry.itertext(f"{ATOM}name"))
        assert [link.get("rel") for link in entry.findall(f"{ATOM}link")].count("alternate") == 1
        assert all(link.get("href").startswith(("http://", "https://")) for link in entry.findall(f"{ATOM}link"))
        assert all(category.get("term") for category in entry.findall(f"{ATOM}category"))
    return root


def read(client: Client, address: str, **query: str) -> Any:
    """The feed as feedparser sees it."""
    answer = client.get(address, query)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/atom+xml; charset=utf-8"
    tree(answer.content)
    parsed = feedparser.parse(answer.content)
    assert not parsed.bozo, parsed.get("bozo_exception")
    for entry in parsed.entries:
        assert entry.id and entry.title and entry.updated_parsed
    return parsed


def store_rows(titles: list[str], date: dt.date = TODAY, **columns: Any) -> list[Paper]:
    """Papers with exactly these titles, past every parser that would have tidied them."""
    edition, _ = Edition.objects.get_or_create(
        source=ingest.huggingface(), date=date, defaults={"first_seen_at": MORNING, "last_seen_at": MORNING}
    )
    rows = [
        Paper(title=title, title_key="x", first_seen_at=MORNING, changed_at=MORNING, first_listed_on=date, **columns)
        for title in titles
    ]
    papers = Paper.objects.bulk_create(rows)
    Listing.objects.bulk_create(
        Listing(edition=edition, paper=paper, rank=rank, seen_at=MORNING) for rank, paper in enumerate(papers, 1)
    )
    Edition.objects.filter(pk=edition.pk).update(size=edition.listings.count())
    return papers


@pytest.mark.parametrize(("good", "bad"), [
    ("</updated>", "</updated><updated>2026-03-16T08:00:00Z</updated>"),
    ("<updated>2026-03-16T02:00:00+00:00</updated>", "<updated>2026-03-16T02:00:00</updated>"),
    ("<name>Paper Round</name>", "<name> </name>"),
    ("<id>tag:", "<id>no uri "),
    ('type="text"', 'type="text/plain"'),
    ('<link href="http://127', '<link href="//127'),
    ("<entry>", "<entry><guid>1</guid>"),
    ("</feed>", "text</feed>"),
])  # fmt: skip
def test_the_grammar_refuses_what_the_standard_does(client: Client, papers: list[Paper], good: str, bad: str) -> None:
    text = client.get(NEWEST).content.decode()
    tree(text.encode())
    assert good in text
    assert not GRAMMAR.validate(etree.fromstring(text.replace(good, bad, 1).encode()))


def test_the_newest_list_as_the_first_page_has_it(client: Client, papers: list[Paper]) -> None:
    parsed = read(client, NEWEST)
    assert parsed.feed.title == "Paper Round: the newest papers"
    assert [entry.title for entry in parsed.entries] == [
        "A Survey of Diffusion",
        "Thinking Aloud",
        "Diffusion for Weather",
        "Pruning Networks",
        "R&D: p < 0.05 for Agents",
    ]
    last = parsed.entries[-1]
    assert last.link == "https://arxiv.org/abs/2603.00004"
    assert [link.href for link in last.links if link.rel == "related"] == [
        f"http://127.0.0.1:8000{papers[3].get_absolute_url()}"
    ]
    assert last.published == last.updated == "2026-03-16T02:00:00+00:00"
    assert parsed.feed.updated == "2026-03-16T02:00:00+00:00"


def test_an_entry_has_each_author_the_categories_and_the_abstract_as_text(
    client: Client, store: Callable[..., list[Paper]]
) -> None:
    store(
        listing(
            "A Title",
            "Agents plan <b>badly</b> & late.",
            authors=("Ada Lovelace", "Alan Turing"),
            categories=("cs.CL",),
        )
    )
    entry = tree(client.get(NEWEST).content).find(f"{ATOM}entry")
    assert entry is not None
    assert [author.findtext(f"{ATOM}name") for author in entry.findall(f"{ATOM}author")] == [
        "Ada Lovelace",
        "Alan Turing",
    ]
    summary = entry.find(f"{ATOM}summary")
    assert summary is not None
    assert (summary.get("type"), summary.text) == ("text", "Agents plan <b>badly</b> & late.")
    assert [category.get("term") for category in entry.findall(f"{ATOM}category")] == ["cs.CL"]


def test_without_papers_it_is_a_feed_that_stays_the_same(client: Client) -> None:
    first = client.get(NEWEST)
    assert read(client, NEWEST).entries == []
    with time_machine.travel(MORNING + dt.timedelta(hours=1), tick=False):
        assert client.get(NEWEST).content == first.content


def test_a_list_of_tomorrow_waits_for_its_day(client: Client, papers: list[Paper]) -> None:
    store_rows(["From Tomorrow"], TODAY + dt.timedelta(days=1))
    assert "From Tomorrow" not in [entry.title for entry in read(client, NEWEST).entries]


def test_it_holds_sixty_papers_at_most(client: Client) -> None:
    store_rows([f"Paper {number}" for number in range(70)])
    assert len(read(client, NEWEST).entries) == 60


def test_an_id_stays_whatever_the_paper_learns(client: Client, papers: list[Paper]) -> None:
    before = {entry.title: entry.id for entry in read(client, NEWEST).entries}
    Paper.objects.update(upvotes=1, doi=None, arxiv_id=None, url="https://example.org/x", changed_at=MORNING)
    parsed = read(client, NEWEST)
    assert {entry.title: entry.id for entry in parsed.entries} == before
    assert parsed.entries[0].updated == "2026-03-16T08:00:00+00:00"


def test_a_link_that_is_not_of_the_web_leads_to_our_page(client: Client) -> None:
    (paper,) = store_rows(["Sly"], url="javascript:alert(1)")
    entry = read(client, NEWEST).entries[0]
    assert entry.link == f"http://127.0.0.1:8000{paper.get_absolute_url()}"
    assert [link.rel for link in entry.links] == ["alternate"]


def test_the_search_feed_is_an_interest_line(client: Client, papers: list[Paper]) -> None:
    parsed = read(client, SEARCH, q="diffusion -survey")
    assert [entry.title for entry in parsed.entries] == ["Diffusion for Weather"]
    assert parsed.feed.title == "Paper Round: diffusion -survey"
    assert parsed.feed.link == "http://127.0.0.1:8000/search?q=diffusion+-survey"
    assert parsed.feed.id == "http://127.0.0.1:8000/feeds/search.atom?q=diffusion+-survey"
    assert read(client, SEARCH, q="entomology").entries == []


@pytest.mark.parametrize(
    ("query", "said"),
    [({"q": '"open'}, "never closed"), ({"q": ""}, "empty"), ({}, "empty"), ({"q": "x" * 501}, "500 are the most")],
)
def test_a_line_that_cannot_be_read_is_said_in_plain_text(client: Client, query: dict[str, str], said: str) -> None:
    answer = client.get(SEARCH, query)
    assert answer.status_code == 422
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert said in answer.content.decode()


@pytest.mark.parametrize("address", [NEWEST, f"{SEARCH}?q=diffusion"])
def test_a_polite_reader_gets_304_until_something_changes(client: Client, papers: list[Paper], address: str) -> None:
    first = client.get(address)
    assert "max-age=300" in first["Cache-Control"]
    assert not first.cookies
    assert "Cookie" not in first.get("Vary", "")
    again = client.get(address, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(address, headers={"If-Modified-Since": first["Last-Modified"]}).status_code == 304
    Paper.objects.filter(title="A Survey of Diffusion").update(abstract="Now longer.", changed_at=MORNING)
    assert client.get(address, headers={"If-None-Match": first["ETag"]}).status_code == 200
    assert client.get(address, headers={"If-Modified-Since": first["Last-Modified"]}).status_code == 200


def test_old_papers_on_a_new_list_are_news_to_readers_that_know_only_dates(client: Client, papers: list[Paper]) -> None:
    first = client.get(NEWEST)
    edition = Edition.objects.create(
        source=ingest.huggingface(),
        date=TODAY + dt.timedelta(days=1),
        size=1,
        first_seen_at=MORNING,
        last_seen_at=MORNING,
    )
    tomorrow = MORNING + dt.timedelta(days=1)
    Listing.objects.create(edition=edition, paper=papers[0], rank=1, seen_at=tomorrow)
    with time_machine.travel(tomorrow, tick=False):
        answer = client.get(NEWEST, headers={"If-Modified-Since": first["Last-Modified"]})
    assert answer.status_code == 200


def test_feeds_are_only_read(client: Client, papers: list[Paper]) -> None:
    assert client.head(NEWEST).status_code == 200
    assert client.post(NEWEST).status_code == 405
    assert client.delete(f"{SEARCH}?q=x").status_code == 405


def test_the_number_of_queries_is_fixed(
    client: Client, store: Callable[..., list[Paper]], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for many in (1, 60):
        store(*(listing(f"Diffusion {number} of {many}") for number in range(many)))
        with django_assert_num_queries(3):
            client.get(NEWEST)
        # PostgreSQL is told how to look and for how long, in a transaction of its own, and at its end to forget it.
        with django_assert_num_queries(4 if connection.vendor == "sqlite" else 10):
            client.get(SEARCH, {"q": "diffusion"})


def test_hostile_titles_make_well_formed_xml(client: Client) -> None:
    store_rows(HOSTILE, authors=HOSTILE, categories=HOSTILE, abstract=HOSTILE[0] + HOSTILE[4])
    titles = {entry.findtext(f"{ATOM}title") for entry in tree(client.get(NEWEST).content).iter(f"{ATOM}entry")}
    assert {"controls", *HOSTILE[2:4], *HOSTILE[5:]} < titles


def test_half_a_surrogate_pair_in_an_authors_name_is_left_out(client: Client) -> None:
    if connection.vendor == "postgresql":
        pytest.skip("PostgreSQL stores no such thing")
    store_rows(["Odd"], authors=["Ada \ud800Lovelace"])
    assert read(client, NEWEST).entries[0].author == "Ada Lovelace"


def test_the_naughty_strings_as_papers(client: Client, shared_data: Path) -> None:
    strings = json.loads((shared_data / "hostile" / "blns" / "blns.json").read_text(encoding="utf-8"))
    assert len(strings) > 500
    seen = 0
    for number, start in enumerate(range(0, len(strings), 60)):
        date = MORNING + dt.timedelta(days=number)
        batch = strings[start : start + 60]
        store_rows(batch, date.date(), authors=batch[:3], categories=batch[:3], abstract="; ".join(batch))
        with time_machine.travel(date, tick=False):
            seen += len(tree(client.get(NEWEST).content).findall(f"{ATOM}entry"))
    assert seen == len(strings)


def test_the_awkward_papers_come_through_the_parser_too(
    client: Client, store: Callable[..., list[Paper]], shared_data: Path
) -> None:
    kinds = json.loads((shared_data / "hostile" / "hf_awkward_titles.json").read_text(encoding="utf-8"))
    titles = {one["title"] for kind in kinds.values() for one in kind["examples"]}
    store(*(ParsedListing(title=" ".join(title.split())) for title in sorted(titles)))
    assert len(read(client, NEWEST).entries) == min(len(Paper.objects.all()), 60)


@given(st.text(st.characters(codec=None)))
def test_what_is_clean_is_xml(text: str) -> None:
    etree.Element("a").text = clean(text)  # lxml refuses what XML cannot carry


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(max_size=80))
def test_any_line_gives_a_feed_or_a_sentence(client: Client, papers: list[Paper], line: str) -> None:
    answer = client.get(SEARCH, {"q": line.encode("utf-8", "replace")})
    assert answer.status_code in (200, 422)
    if answer.status_code == 200:
        tree(answer.content)
