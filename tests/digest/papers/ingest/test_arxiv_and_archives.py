"""arXiv's announcements with its search interface behind them, and OAI-PMH archives, asked as sources."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from django.core.management import call_command

from digest.models import Edition, Listing, Paper, Source
from digest.papers import fetch
from digest.papers.ingest import ingest, source_schedule
from digest.papers.sources.parsed import SourceError
from tests.web import Answer, Web

pytestmark = pytest.mark.django_db

TUESDAY = dt.datetime(2026, 3, 17, 9, 0, tzinfo=dt.UTC)
TODAY = TUESDAY.date()
FEED = "https://rss.arxiv.org/rss/cs.CL+cs.LG"


def item(number: int, kind: str = "new", version: int = 1) -> str:
    return f"""<item><title>Paper {number}</title><link>https://arxiv.org/abs/2603.{number:05}</link>
      <description>arXiv:2603.{number:05}v{version} Announce Type: {kind} Abstract: On {number}.</description>
      <guid isPermaLink="false">oai:arXiv.org:2603.{number:05}v{version}</guid><dc:creator>Ada Byron</dc:creator>
      <pubDate>Tue, 17 Mar 2026 00:00:00 -0400</pubDate>
      <arxiv:announce_type>{kind}</arxiv:announce_type></item>"""


def announcements(*items: str, day: str = "Tue, 17 Mar 2026") -> bytes:
    return f"""<?xml version='1.0' encoding='UTF-8'?>
    <rss xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:dc="http://purl.org/dc/elements/1.1/" version="2.0">
    <channel><title>cs.CL, cs.LG updates on arXiv.org</title><link>http://rss.arxiv.org/rss/cs.CL+cs.LG</link>
    <description>updates</description><pubDate>{day} 00:00:00 -0400</pubDate>
    <skipDays><day>Saturday</day><day>Sunday</day></skipDays>{"".join(items)}</channel></rss>""".encode()


def found(numbers: list[int], total: int, start: int = 0) -> bytes:
    entries = "".join(
        f"""<entry><id>http://arxiv.org/abs/2603.{number:05}v1</id><title>Paper {number}</title>
        <updated>2026-03-12T10:00:00Z</updated><published>2026-03-12T10:00:00Z</published>
        <summary>On {number}.</summary><author><name>Ada Byron</name></author></entry>"""
        for number in numbers
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
    <feed xmlns="http://www.w3.org/2005/Atom" xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/">
    <id>https://arxiv.org/api/x</id><title>arXiv Query</title><updated>2026-03-17T00:00:00Z</updated>
    <link href="https://arxiv.org/api/query" type="application/atom+xml"/>
    <opensearch:totalResults>{total}</opensearch:totalResults><opensearch:startIndex>{start}</opensearch:startIndex>
    {entries}</feed>""".encode()


@pytest.fixture
def arxiv(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[httpx.URL]]:
    """Let arXiv answer: `answer(url)` gives the page. Returns what is asked."""
    monkeypatch.setattr(fetch.wait_budget, "sleep", lambda seconds: None)
    monkeypatch.setattr(fetch.host_lock, "RESTS", {})
    monkeypatch.setattr(fetch.host_lock, "REST", 0.0)

    def let(answer: Callable[[httpx.URL], bytes]) -> list[httpx.URL]:
        asked: list[httpx.URL] = []

        def respond(request: httpx.Request) -> httpx.Response:
            asked.append(request.url)
            return httpx.Response(200, content=answer(request.url), headers={"Content-Type": "application/xml"})

        monkeypatch.setattr(fetch.client, "Transport", lambda allowance: httpx.MockTransport(respond))
        return asked

    return let


@pytest.fixture
def source() -> Source:
    return Source.objects.create(slug="arxiv", name="arXiv", kind=Source.Kind.ARXIV, url=FEED)


def test_new_versions_are_not_new_papers(arxiv: Any, source: Source) -> None:
    page = announcements(item(1), item(2, "cross"), item(3, "replace", 2), item(4, "replace-cross", 3))
    arxiv(lambda url: page)
    ingest.ingest_source(source, TUESDAY)
    assert list(Listing.objects.values_list("announce_type", flat=True)) == ["new", "cross", "replace", "replace-cross"]
    assert set(Paper.objects.fresh(TUESDAY).values_list("arxiv_id", flat=True)) == {"2603.00001", "2603.00002"}
    assert Paper.objects.get(arxiv_id="2603.00004").arxiv_version == 3


def test_an_empty_feed_is_a_weekend_and_no_error(arxiv: Any, source: Source) -> None:
    arxiv(lambda url: announcements(day="Sun, 15 Mar 2026"))
    sunday = TUESDAY - dt.timedelta(days=2)
    ingest.ingest_source(source, sunday)
    source.refresh_from_db()
    assert (source.error_count, source.last_success_at) == (0, sunday)
    assert Edition.objects.get().size == 0
    assert source_schedule.gaps(sunday) == []


def test_days_that_the_feed_no_longer_holds_are_asked_of_the_search_interface(arxiv: Any, source: Source) -> None:
    source.last_success_at = TUESDAY - dt.timedelta(days=3)
    source.save()

    def answer(url: httpx.URL) -> bytes:
        if url.host == "rss.arxiv.org":
            return announcements(item(9))
        day = url.params["search_query"].partition("submittedDate:[")[2][:8]
        return found([1], 1) if day == "20260315" else found([], 0)

    asked = arxiv(answer)
    ingest.ingest_source(source, TUESDAY)
    assert [url.host for url in asked] == ["export.arxiv.org", "export.arxiv.org", "rss.arxiv.org"]
    assert "cat:cs.CL OR cat:cs.LG" in asked[0].params["search_query"]
    sizes = dict(Edition.objects.values_list("date", "size"))
    assert sizes == {TODAY - dt.timedelta(days=3): 0, TODAY - dt.timedelta(days=2): 1, TODAY: 1}


def test_a_long_day_is_read_page_by_page(
    arxiv: Any, source: Source, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("digest.papers.sources.arxiv.PAGE", 2)
    pages = {0: [1, 2], 2: [3, 4], 4: [5]}
    asked = arxiv(lambda url: found(pages[int(url.params["start"])], 5, int(url.params["start"])))
    call_command("ingest", "arxiv", "--since=2026-03-12", "--until=2026-03-12")
    assert len(asked) == 3
    assert list(Listing.objects.values_list("rank", flat=True)) == [1, 2, 3, 4, 5]
    assert "5 new papers" in capsys.readouterr().out


def test_an_empty_page_in_the_middle_of_a_day_stores_nothing_of_it(
    arxiv: Any, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digest.papers.sources.arxiv.PAGE", 2)
    arxiv(lambda url: found([1, 2] if url.params["start"] == "0" else [], 5, int(url.params["start"])))
    with pytest.raises(SourceError, match="Stopped at 2026-03-12"):
        list(ingest.backfill(source, TODAY - dt.timedelta(days=5), TODAY, TUESDAY))
    assert not Paper.objects.exists()


# --- archives
def records(*numbers: int, token: str = "", deleted: bool = False) -> Answer:
    status = ' status="deleted"' if deleted else ""
    body = "".join(
        f"""<record><header{status}><identifier>oai:archive.example:{number}</identifier>
        <datestamp>2026-03-16</datestamp></header>"""
        + (
            ""
            if deleted
            else f"""<metadata><oai_dc:dc xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/"
            xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Record number {number}</dc:title>
            <dc:creator>Byron, Ada</dc:creator><dc:date>2026-03-15</dc:date>
            <dc:identifier>https://doi.org/10.1234/{number}</dc:identifier></oai_dc:dc></metadata>"""
        )
        + "</record>"
        for number in numbers
    )
    more = f"<resumptionToken>{token}</resumptionToken>" if token else ""
    return oai(f"<ListRecords>{body}{more}</ListRecords>")


def oai(content: str) -> Answer:
    return Answer(
        f"""<?xml version="1.0" encoding="UTF-8"?><OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">
        <responseDate>2026-03-17T09:00:00Z</responseDate><request verb="ListRecords">http://archive.example/oai</request>
        {content}</OAI-PMH>""".encode(),
        headers=(("Content-Type", "text/xml"),),
    )


NOTHING = oai('<error code="noRecordsMatch">none</error>')


@pytest.fixture
def archive(web: Web) -> Source:
    """An archive on this machine; `web.pages` by day or token."""
    return Source.objects.create(slug="archive", name="Archive", kind=Source.Kind.OAI, url=f"{web.url}/oai?set=physics")


def serve(web: Web, archive: Source, answers: dict[str, Answer]) -> None:
    """Answers by day or by token, whatever the order of the query."""
    plain = web.answer

    def answer(path: str) -> Answer:
        query = parse_qs(urlsplit(path).query)
        name = query.get("from", query.get("resumptionToken", [""]))[0]
        return answers.get(name, NOTHING) if "verb" in query else plain(path)

    web.answer = answer


def test_an_archive_is_asked_day_by_day_and_page_by_page(web: Web, archive: Source) -> None:
    serve(
        web,
        archive,
        {"2026-03-16": records(1, 2, token="next"), "next": records(8, deleted=True, token="last"), "last": records(3)},
    )
    ingest.ingest_source(archive, TUESDAY)
    assert sorted(Paper.objects.values_list("doi", flat=True)) == ["10.1234/1", "10.1234/2", "10.1234/3"]
    assert dict(Edition.objects.values_list("date__day", "size")) == {16: 3, 17: 0}
    asked = [parse_qs(urlsplit(path).query) for path in web.paths]
    assert [query["from"] == query["until"] for query in asked if "from" in query] == [True, True]
    assert asked[0]["set"] == ["physics"]
    assert Paper.objects.fresh(TUESDAY).count() == 3


def test_an_archive_that_was_not_asked_for_a_week_is_asked_for_each_day_of_it(web: Web, archive: Source) -> None:
    archive.last_success_at = TUESDAY - dt.timedelta(days=7)
    archive.save()
    serve(web, archive, {})
    ingest.ingest_source(archive, TUESDAY)
    assert len(web.paths) == 8
    assert Edition.objects.count() == 8


def test_an_archives_complaint_is_passed_on(web: Web, archive: Source) -> None:
    complaint = oai('<error code="badArgument">no set physics</error>')
    serve(web, archive, {"2026-03-16": complaint, "2026-03-17": complaint})
    with pytest.raises(SourceError, match="no set physics"):
        ingest.ingest_source(archive, TUESDAY)
