"""What comes of the world's inputs once they are stored: papers, links, days that cannot be read."""

from __future__ import annotations

import datetime as dt
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from auditlog.models import AuditEntry
from digest.models import Edition, Listing, Paper, Source, UnreadDay
from digest.papers import fetch
from digest.papers.ingest import ingest, reading
from digest.papers.ingest.merge import title_key
from digest.picks.explanation.find_paper import find_paper
from subscriptions.models import Subscriber
from tests.conftest import MORNING

pytestmark = pytest.mark.django_db

OXFORD = "https://academic.oup.com/bioinformatics/article/doi/10.1093/bioinformatics/btaf001/7654321"
BIB = "@misc{{a, title={{{title}}}, author={{Byron, Ada and Wei, Li}}, doi={{{doi}}}, url={{{url}}}, year=2026}}"
JSON = '{{"message": {{"items": [{{"DOI": "{doi}", "title": ["{title}"], "author": [{{"name": "Ada Byron"}}]}}]}}}}'


def rss(*items: str, link: str = "") -> str:
    return f"<rss version='2.0'><channel><title>J</title>{link}{''.join(items)}</channel></rss>"


def item(title: str, link: str = "", more: str = "") -> str:
    return f"<item><title>{title}</title>{f'<link>{link}</link>' if link else ''}{more}</item>"


def hand_in(page: str, where: str = "page", now: dt.datetime = MORNING) -> None:
    ingest.ingest_page(page, now=now, where=where)


@pytest.mark.parametrize("in_turn", [False, True])
def test_a_guessed_doi_neither_parts_nor_links_papers(in_turn: bool) -> None:
    feed = rss(item("Kettles in bioinformatics", OXFORD, "<author>Ada Byron</author>"))
    stated = JSON.format(doi="10.1093/bioinformatics/btaf001", title="Kettles in bioinformatics")
    for page in (stated, feed) if in_turn else (feed, stated):
        hand_in(page)
    paper = Paper.objects.get()
    assert (paper.doi, paper.guessed_doi, paper.url) == ("10.1093/bioinformatics/btaf001", "", OXFORD)


def test_a_paper_with_a_guessed_doi_keeps_its_publishers_link_and_is_found() -> None:
    hand_in(rss(item("Kettles in plants", "http://onlinelibrary.wiley.com/doi/10.1111/tpj.12145/abstract")))
    paper = Paper.objects.get()
    assert paper.link == "http://onlinelibrary.wiley.com/doi/10.1111/tpj.12145/abstract"
    assert find_paper("https://doi.org/10.1111/tpj.12145") == paper


@pytest.mark.parametrize("in_turn", [False, True])
def test_a_preprint_and_its_journals_version_are_one_paper(in_turn: bool) -> None:
    title = "Boiling kettles with transformers at scale"
    preprint = BIB.format(title=title, doi="10.48550/arXiv.2611.01001", url="http://arxiv.org/abs/2611.01001")
    journal = JSON.format(doi="10.1000/jkl.1", title=title)
    for page in (journal, preprint) if in_turn else (preprint, journal):
        hand_in(page)
    paper = Paper.objects.get()
    assert (paper.arxiv_id, paper.doi) == ("2611.01001", "10.1000/jkl.1")


def test_two_editorials_are_two_papers_and_each_is_known_again() -> None:
    page = rss(*(item("Editorial", f"http://127.0.0.1/ed{number}") for number in (1, 2)))
    hand_in(page)
    hand_in(page)
    assert sorted(Paper.objects.values_list("url", flat=True)) == ["http://127.0.0.1/ed1", "http://127.0.0.1/ed2"]


def test_a_paper_without_a_link_leads_to_the_page_of_its_source() -> None:
    hand_in(rss(item("Kettles without a link"), link="<link>https://journal.example/</link>"))
    assert Paper.objects.get().link == "https://journal.example/"


@pytest.mark.parametrize(
    "day", ["Mon, 01 Jan 0001 00:00:00 +0000", "Thu, 01 Jan 1970 00:00:00 GMT", "Thu, 01 Jan 2099 00:00:00 GMT"]
)
def test_a_day_that_stands_for_none_keeps_no_paper_from_being_news(day: str) -> None:
    source = Source.objects.create(slug="lab", name="Lab", url="http://127.0.0.1/feed")
    ingest.ingest_page(
        rss(item("Whisks at work", more=f"<pubDate>{day}</pubDate>")), now=MORNING, where="x", source=source
    )
    paper = Paper.objects.get()
    assert (paper.published_on, paper.is_news) == (None, True)


# --- days that cannot be read
OAI = (
    '<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><request>http://x</request>'
    "<responseDate>{day}T00:00:00Z</responseDate>"
    "<ListRecords><record><header><identifier>oai:x:{day}</identifier><datestamp>{day}</datestamp></header><metadata>"
    '<dc xmlns:d="http://purl.org/dc/elements/1.1/"><d:title>Kettles of {day}</d:title></dc>'
    "</metadata></record></ListRecords></OAI-PMH>"
)


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The days that the archive answers with something that is no XML."""
    broken: set[str] = set()

    def answer(url: str, **_: object) -> fetch.Page:
        day = url.partition("from=")[2][:10]
        text = "<OAI-PMH><a>" if day in broken else OAI.format(day=day)
        return fetch.Page(url=url, content=text.encode(), etag="", last_modified="")

    monkeypatch.setattr(fetch, "fetch", answer)
    return broken


def test_an_unreadable_day_neither_blocks_others_nor_pauses_the_source(archive: set[str]) -> None:
    source = Source.objects.create(slug="oai", name="OAI", kind=Source.Kind.OAI, url="http://127.0.0.1/oai")
    archive.add("2026-03-15")
    for hour in range(12):
        with pytest.raises(reading.Unreadable):
            ingest.ingest_source(source, MORNING + dt.timedelta(hours=hour))
    source.refresh_from_db()
    assert (source.error_count, source.is_paused) == (0, False)
    assert "2026-03-15 could not be read" in source.last_warning
    assert Edition.objects.filter(date=MORNING.date()).exists()
    assert [row.date.isoformat() for row in UnreadDay.objects.all()] == ["2026-03-15"]
    later = MORNING + dt.timedelta(days=3)
    asked = [want.date for want in reading.wanted(source, later) if want.backfill]
    assert dt.date(2026, 3, 15) in asked
    archive.clear()
    ingest.ingest_source(source, later)
    assert not UnreadDay.objects.exists()
    assert Paper.objects.filter(title="Kettles of 2026-03-15").exists()


def test_a_source_of_which_nothing_can_be_read_fails(archive: set[str]) -> None:
    source = Source.objects.create(slug="oai", name="OAI", kind=Source.Kind.OAI, url="http://127.0.0.1/oai")
    archive.update(("2026-03-15", "2026-03-16"))
    with pytest.raises(reading.Unreadable):
        ingest.ingest_source(source, MORNING)
    source.refresh_from_db()
    assert source.error_count == 1


ARXIV = (
    '<rss version="2.0" xmlns:arxiv="http://arxiv.org/schemas/atom"><channel><title>cs.CL</title><link>http://rss.arxiv.org/rss/cs.CL</link>'
    "<pubDate>{day}</pubDate><item><title>Kettles {number}</title><link>https://arxiv.org/abs/2603.0000{number}</link>"
    "<arxiv:announce_type>new</arxiv:announce_type></item></channel></rss>"
)


def test_arxivs_list_of_yesterday_under_todays_date_is_not_todays(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Source.objects.create(
        slug="arxiv", name="arXiv", kind=Source.Kind.ARXIV, url="https://rss.arxiv.org/rss/cs.CL"
    )
    pages = iter(
        [
            ("Mon, 16 Mar 2026 00:00:00 -0400", 1),
            ("Tue, 17 Mar 2026 00:00:00 -0400", 1),
            ("Tue, 17 Mar 2026 00:00:00 -0400", 2),
        ]
    )

    def answer(url: str, **_: object) -> fetch.Page:
        day, number = next(pages)
        return fetch.Page(url=url, content=ARXIV.format(day=day, number=number).encode(), etag="", last_modified="")

    monkeypatch.setattr(fetch, "fetch", answer)
    ingest.ingest_source(source, MORNING)
    tuesday = MORNING + dt.timedelta(days=1)
    ingest.ingest_source(source, tuesday)
    assert "is that of 2026-03-16 again" in source.last_warning
    assert [row.date for row in UnreadDay.objects.all()] == [tuesday.date()]
    assert not Edition.objects.filter(date=tuesday.date()).exists()
    source.refresh_from_db()
    ingest.ingest_source(source, tuesday + dt.timedelta(minutes=30))
    assert Edition.objects.get(date=tuesday.date()).size == 1
    assert not UnreadDay.objects.exists()


# --- search and repair
@pytest.mark.parametrize(
    "form", ["arXiv:2408.14837", "https://arxiv.org/pdf/2408.14837v2.pdf", "10.48550/arXiv.2408.14837"]
)
def test_search_and_the_api_find_the_paper_that_an_identifier_names(client: Client, form: str) -> None:
    hand_in(BIB.format(title="Kettles in search", doi="10.48550/arXiv.2408.14837", url="x"))
    page = client.get(reverse("digest:search"), {"q": form})
    assert (page.status_code, b"Kettles in search" in page.content) == (200, True)
    answer = client.get(reverse("digest:api_papers"), {"q": form})
    assert [paper["title"] for paper in answer.json()["results"]] == ["Kettles in search"]


def test_search_says_of_an_unknown_identifier_that_no_source_listed_it(client: Client, alice: Subscriber) -> None:
    page = client.get(reverse("digest:search"), {"q": "10.1000/nobody"})
    assert (page.status_code, b"10.1000/nobody" in page.content) == (200, True)


def stored(title: str, **columns: object) -> Paper:
    day = MORNING.date()
    return Paper.objects.create(title=title, title_key=title_key(title), first_listed_on=day, **columns)


def test_repair_mends_what_was_stored_and_says_how_many() -> None:
    wrong = stored("Kettles in bioinformatics", doi="10.1093/bioinformatics/btaf001/7654321", authors=["Ada Byron"])
    right = stored("Kettles in bioinformatics", doi="10.1093/bioinformatics/btaf001", authors=["Ada Byron"])
    preprint = stored("Preprint of kettles", doi="10.48550/arxiv.2611.00001")
    zero = stored("Whisks", published_on=dt.date(1, 1, 1), is_news=False)
    tagged = stored("Kettles <i>in situ</i>", doi="10.1000/fine")
    source = Source.objects.create(slug="j", name="J", url="http://127.0.0.1/feed")
    edition = Edition.objects.create(source=source, date=MORNING.date(), first_seen_at=MORNING, last_seen_at=MORNING)
    for rank, (paper, url) in enumerate([(wrong, OXFORD), (zero, "")], 1):
        Listing.objects.create(edition=edition, paper=paper, rank=rank, url=url, seen_at=MORNING)
    out = StringIO()
    call_command("repair_papers", "--dry-run", stdout=out)
    wrong.refresh_from_db()
    assert wrong.doi == "10.1093/bioinformatics/btaf001/7654321"
    call_command("repair_papers", stdout=out)
    for paper in (wrong, right, preprint, zero, tagged):
        paper.refresh_from_db()
    assert (wrong.doi, wrong.url, right.merged_into) == ("10.1093/bioinformatics/btaf001", OXFORD, wrong)
    assert (preprint.arxiv_id, preprint.doi) == ("2611.00001", None)
    assert (zero.published_on, zero.is_news, zero.source_page) == (None, True, "http://127.0.0.1/feed")
    assert (tagged.title, tagged.doi) == ("Kettles in situ", "10.1000/fine")
    assert "Mended 6 in all." in out.getvalue()
    assert AuditEntry.objects.get().action == "repair papers"
    call_command("repair_papers", stdout=(again := StringIO()))
    assert "Mended 0 in all." in again.getvalue()
