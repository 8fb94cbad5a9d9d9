"""The admin's page that adds a source: what is typed, what is shown, what is saved, and who may."""

from __future__ import annotations

import datetime as dt
import hashlib
import html
import json
import re
import uuid
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import time_machine
from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.auth.models import Permission, User
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse

from digest import tasks
from digest.models import KeptPage, Listing, Paper, Source
from digest.papers import fetch
from digest.papers.ingest import ingest
from digest.papers.ingest.addresses import HUGGINGFACE_URL
from digest.papers.sources import kinds
from tests.conftest import listing
from tests.web import Answer, Web

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 3, 17, 9, 0, tzinfo=dt.UTC)  # a Tuesday
ADD = "/admin/digest/source/add/"
CS_CL = "https://rss.arxiv.org/rss/cs.CL"


@pytest.fixture(autouse=True)
def at_now() -> Iterator[None]:
    """Signatures have an age, so the clock stands where the tests say."""
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("operator"))
    return client


def staff(*permissions: str) -> Client:
    person = User.objects.create_user(f"staff with {' '.join(permissions) or 'nothing'}", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(person)
    return client


def item(title: str, link: str = "", published: dt.date | None = None, author: str = "Ada Byron") -> str:
    date = f"<pubDate>{published:%a, %d %b %Y} 00:00:00 GMT</pubDate>" if published else ""
    head = f"<item><title>{html.escape(title)}</title><link>{html.escape(link or 'https://example.org/p')}</link>"
    return f"{head}<description>About it.</description><dc:creator>{author}</dc:creator>{date}</item>"


def rss(*items: str, title: str = "Journal of Weather", link: str = "https://example.org/", more: str = "") -> Answer:
    return Answer(
        '<?xml version="1.0"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>'
        f"<title>{html.escape(title)}</title><link>{link}</link>{more}{''.join(items)}"
        "</channel></rss>".encode()
    )


TODAY = NOW.date()
THREE = (
    item("Rain next week", "https://example.org/rain", TODAY),
    item("Snow last year", "https://example.org/snow", TODAY - dt.timedelta(days=200)),
    item("Diffusion for Weather", "https://example.org/diffusion", TODAY),
)


@pytest.fixture
def journal(web: Web) -> str:
    """The address of a feed of three papers."""
    web.pages["/feed.xml"] = rss(*THREE)
    return f"{web.url}/feed.xml"


@pytest.fixture
def outside(web: Web, monkeypatch: pytest.MonkeyPatch) -> Web:
    """The web with arXiv and Hugging Face in it: each address is asked of our own server, by its path."""
    real = fetch.fetch

    def inside(url: str, **more: str) -> fetch.Page | None:
        parts = urlsplit(url)
        return real(parts._replace(scheme="http", netloc=urlsplit(web.url).netloc).geturl(), **more)

    monkeypatch.setattr(fetch, "fetch", inside)
    return web


def tried(client: Client, address: str) -> str:
    """The page after a trial."""
    answer = client.post(ADD, {"address": address})
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def words(page: str) -> str:
    """The page's text on one line, without tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def form_of(client: Client, address: str, **changed: str) -> dict[str, str]:
    """The filled in form below a trial, as a browser would send it."""
    context = client.post(ADD, {"address": address}).context
    proposed = context["save_form"].initial
    form = {"name": proposed["name"], "slug": proposed["slug"], "check_every": "3600", "trial": context["signed"]}
    return form | changed


# --- the trial
def test_the_page_asks_for_an_address_and_gives_examples(operator: Client) -> None:
    page = operator.get(ADD, {"address": "cs.LG"}).content.decode()
    for example in ("cs.CL+cs.LG", "OAI-PMH", "https://example.org/feed.xml"):
        assert example in page
    assert 'value="cs.LG"' in page  # filled in, and not tried: a link costs nobody anything
    assert " autofocus" in page


def test_the_page_shows_itself_without_scripts(operator: Client) -> None:
    page = operator.get(ADD).content.decode()
    hidden = re.search(r'<noscript><link rel="stylesheet" href="/static/([a-z.-]+)"></noscript>', page)
    assert hidden
    style = Path(str(finders.find(hidden[1]))).read_text(encoding="utf-8")
    assert "[x-cloak] { display: revert !important }" in style


def test_a_feed_is_tried_and_nothing_is_stored(
    operator: Client, journal: str, store: Callable[..., list[Paper]]
) -> None:
    store(listing("Diffusion for Weather", arxiv_id="2603.00001", authors=("Ada Byron",)))
    before = Source.objects.count()
    answer = operator.post(ADD, {"address": journal})
    found = answer.context["tried"]
    assert (found.kind, found.url, found.title) == (Source.Kind.FEED, journal, "Journal of Weather")
    assert (found.count, found.known, found.new, found.news) == (3, 1, 2, 1)
    assert [paper.known for paper in found.papers] == [None, None, Paper.objects.get().pk]
    page = words(answer.content.decode())
    assert "feed, or a file at an address" in page
    assert "2 papers would be new here; 1 is known and would be completed, not doubled" in page
    assert "1 of the new one is news for readers today (published in the last 30 days" in page
    assert "It would be checked every hour" in page
    assert "Rain next week Ada Byron · 17 March 2026" in page
    assert " autofocus" not in answer.content.decode()  # the papers come first
    assert f'href="/admin/digest/paper/{Paper.objects.get().pk}/change/"' in answer.content.decode()
    assert (Source.objects.count(), Paper.objects.count(), Listing.objects.count()) == (before, 1, 1)
    assert not KeptPage.objects.exists()


def test_the_figures_of_the_trial_are_those_of_the_check_after_it(
    operator: Client, journal: str, web: Web, store: Callable[..., list[Paper]]
) -> None:
    store(listing("Diffusion for Weather", arxiv_id="2603.00001", authors=("Ada Byron",)))
    web.pages["/feed.xml"] = rss(*THREE, item("Rain next week", "https://example.org/rain", TODAY))
    found = operator.post(ADD, {"address": journal}).context["tried"]
    operator.post(ADD, form_of(operator, journal))
    outcome = ingest.ingest_source(Source.objects.get(url=journal), NOW)
    assert (found.count, found.new) == (3, 2)
    assert outcome.new_papers == found.new
    assert Paper.objects.filter(is_news=True).exclude(arxiv_id="2603.00001").count() == found.news == 1


def test_twenty_papers_are_shown_and_authors_shortened(operator: Client, web: Web) -> None:
    many = "</dc:creator><dc:creator>".join(["Ada Byron", "Grace Hopper", "Mary Ross", "Joan Clarke", "Ida Rhodes"])
    web.pages["/feed.xml"] = rss(*(item(f"Paper {number}", f"https://example.org/{number}") for number in range(24)),
                                 item("With many", author=many))  # fmt: skip
    answer = operator.post(ADD, {"address": f"{web.url}/feed.xml"})
    assert (answer.context["tried"].count, len(answer.context["tried"].papers)) == (25, 20)
    assert "The first 20 papers" in answer.content.decode()
    web.pages["/feed.xml"] = rss(item("With many", author=many))
    assert "Ada Byron, Grace Hopper, Mary Ross and 2 more" in tried(operator, f"{web.url}/feed.xml")


def test_foreign_text_stays_text(operator: Client, web: Web) -> None:
    evil = '"><img src=x onerror=alert(1)> {{ settings.SECRET_KEY }} {% now "Y" %}'
    items = item(evil, 'javascript:alert("link")', author="&lt;script&gt;alert(2)&lt;/script&gt;")
    web.pages["/feed.xml"] = rss(items, title=f"<script>alert(3)</script>{evil}")
    page = operator.post(ADD, {"address": f"{web.url}/feed.xml"}).content.decode()
    assert "<img src=x" not in page
    assert not re.search(r"<script>\s*alert", page)
    assert "javascript:alert" not in page
    assert "settings.SECRET_KEY" in page  # shown, not run
    name = re.search(r'name="name" value="([^"]*)"', page)
    assert name
    assert "<" not in name[1]


def test_arxiv_is_tried_at_its_canonical_address(operator: Client, outside: Web) -> None:
    outside.pages["/rss/cs.CL"] = rss(
        item("New one", "https://arxiv.org/abs/2603.00001").replace(
            "<item>", '<item><arxiv:announce_type xmlns:arxiv="http://arxiv.org/schemas/atom">new</arxiv:announce_type>'
        ),
        item("Better one", "https://arxiv.org/abs/2503.00002").replace(
            "<item>",
            '<item><arxiv:announce_type xmlns:arxiv="http://arxiv.org/schemas/atom">replace</arxiv:announce_type>',
        ),
        title="cs.CL updates on arXiv.org",
    )
    answer = operator.post(ADD, {"address": "arxiv.org/list/cs.CL/recent"})
    found = answer.context["tried"]
    assert (found.kind, found.url, found.new, found.news) == (Source.Kind.ARXIV, CS_CL, 2, 1)
    form = answer.context["save_form"].initial
    assert (form["name"], form["slug"]) == ("arXiv cs.CL", "arxiv-cscl")
    assert "arXiv's announcements" in words(html.unescape(answer.content.decode()))


def test_hugging_face_is_tried_by_its_newest_day_with_papers(operator: Client, outside: Web) -> None:
    Source.objects.all().delete()
    yesterday = TODAY - dt.timedelta(days=1)
    row = {"id": "2603.00009", "title": "Listed yesterday", "summary": "It.", "authors": [], "upvotes": 3,
           "submittedOnDailyAt": f"{yesterday}T02:00:00.000Z"}  # fmt: skip
    outside.pages[f"/api/daily_papers?date={TODAY}&limit=50&p=0"] = Answer(b"[]")
    outside.pages[f"/api/daily_papers?date={yesterday}&limit=50&p=0"] = Answer(json.dumps([{"paper": row}]).encode())
    answer = operator.post(ADD, {"address": "huggingface.co/papers"})
    found = answer.context["tried"]
    assert (found.kind, found.url, found.day) == (Source.Kind.HUGGINGFACE, HUGGINGFACE_URL, yesterday)
    assert (found.new, found.news) == (1, 1)
    assert answer.context["save_form"].initial["slug"] == "hugging-face-daily-papers"


def test_an_empty_but_proper_list_can_be_saved(operator: Client, outside: Web) -> None:
    outside.pages["/rss/cs.CL"] = rss(
        more="<skipDays><day>Sunday</day></skipDays>", link="http://rss.arxiv.org/rss/cs.CL"
    )
    page = words(tried(operator, "cs.CL"))
    assert "The list is proper, and empty today" in page
    answer = operator.post(ADD, form_of(operator, "cs.CL"))
    assert answer.status_code == 302
    assert Source.objects.get(url=CS_CL).kind == Source.Kind.ARXIV


def test_a_home_page_leads_to_its_feeds(operator: Client, web: Web) -> None:
    web.pages["/"] = Answer(
        b'<!doctype html><html><head><title>Weather</title><link rel="stylesheet" href="/x.css">'
        b'<link rel="alternate" type="application/rss+xml" title="Comments" href="/comments.xml">'
        b'<link rel="ALTERNATE feed" type="Application/Atom+XML; charset=utf-8" href="feed.xml#top">'
        b'<link rel="alternate" type="application/feed+json" href="https://example.org/feed.json">'
        b'<link rel="alternate" type="application/rss+xml" href="javascript:alert(1)">'
        b'<link rel="alternate" hreflang="de" href="/de/"></head><body>Hello</body></html>'
    )
    web.pages["/feed.xml"] = rss(*THREE)
    answer = operator.post(ADD, {"address": web.url})
    found = answer.context["tried"]
    assert (found.url, found.count) == (f"{web.url}/feed.xml", 3)
    assert list(found.others) == ["https://example.org/feed.json", f"{web.url}/comments.xml"]
    assert 'href="?address=https%3A%2F%2Fexample.org%2Ffeed.json"' in answer.content.decode()
    assert web.paths == ["/", "/feed.xml"]


def test_a_feed_that_leads_to_a_page_that_leads_on_is_not_followed_for_ever(operator: Client, web: Web) -> None:
    page = b'<html><head><link rel="alternate" type="application/rss+xml" href="/next"></head></html>'
    web.pages |= {"/": Answer(page), "/next": Answer(page)}
    assert "names no feed either" in tried(operator, web.url)
    assert web.paths == ["/", "/next"]


# --- OAI-PMH
def oai(body: str) -> Answer:
    return Answer(
        '<?xml version="1.0" encoding="UTF-8"?><OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">'
        f"<responseDate>2026-03-17T09:00:00Z</responseDate><request>https://example.org/oai</request>{body}"
        "</OAI-PMH>".encode()
    )


RECORD = (
    "<record><header><identifier>oai:example.org:1</identifier><datestamp>2026-03-16</datestamp></header><metadata>"
    '<oai_dc:dc xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/" xmlns:dc="http://purl.org/dc/elements/1.1/">'
    "<dc:title>A thesis on rain</dc:title><dc:creator>Byron, Ada</dc:creator><dc:date>2026-03-01</dc:date>"
    "<dc:identifier>https://example.org/1</dc:identifier></oai_dc:dc></metadata></record>"
)
NOTHING = oai('<error code="noRecordsMatch">none</error>')
needs_oai = pytest.mark.skipif("oai" not in kinds.PARSERS, reason="there is no parser of OAI-PMH here")


def day(path: str, date: dt.date, more: str = "metadataPrefix=oai_dc") -> list[str]:
    """The addresses that a day's records may be asked at: parameters in either order."""
    dates = f"from={date}&until={date}"
    return [f"{path}?verb=ListRecords&{more}&{dates}", f"{path}?{more}&verb=ListRecords&{dates}"]


def serve(web: Web, paths: list[str], answer: Answer) -> None:
    web.pages |= dict.fromkeys(paths, answer)


@needs_oai
@pytest.mark.parametrize("typed", ["/oai?verb=Identify", "/oai", "/cgi"])
def test_an_archive_is_found_and_its_last_days_are_tried(operator: Client, web: Web, typed: str) -> None:
    path = typed.partition("?")[0]
    web.pages[path] = oai('<error code="badVerb">no verb</error>')
    serve(web, day(path, TODAY), NOTHING)
    token = '<resumptionToken completeListSize="70">next</resumptionToken>'
    serve(web, day(path, TODAY - dt.timedelta(days=1)), oai(f"<ListRecords>{RECORD}{token}</ListRecords>"))
    answer = operator.post(ADD, {"address": web.url + typed})
    found = answer.context["tried"]
    assert (found.kind, found.url) == (Source.Kind.OAI, web.url + path)
    assert [paper.title for paper in found.papers] == ["A thesis on rain"]
    assert (found.total, found.has_more) == (70, True)
    assert "1 of 70" in words(answer.content.decode())
    assert operator.post(ADD, form_of(operator, web.url + typed)).status_code == 302
    assert Source.objects.get(url=web.url + path).kind == Source.Kind.OAI


@needs_oai
def test_an_archive_keeps_its_set_and_format(operator: Client, web: Web) -> None:
    serve(web, day("/oai", TODAY, "metadataPrefix=oai_dc&set=math"), oai(f"<ListRecords>{RECORD}</ListRecords>"))
    address = f"{web.url}/oai?verb=ListRecords&metadataPrefix=oai_dc&set=math&from=2020-01-01"
    found = operator.post(ADD, {"address": address}).context["tried"]
    assert found.url == f"{web.url}/oai?metadataPrefix=oai_dc&set=math"


@needs_oai
def test_an_archive_without_new_records_can_be_saved(operator: Client, web: Web) -> None:
    for ago in range(4):
        serve(web, day("/oai", TODAY - dt.timedelta(days=ago)), NOTHING)
    address = f"{web.url}/oai?verb=ListRecords"
    assert "empty today" in tried(operator, address)
    assert operator.post(ADD, form_of(operator, address)).status_code == 302
    assert Source.objects.get(url=f"{web.url}/oai").kind == Source.Kind.OAI


@needs_oai
def test_an_archive_whose_last_day_fails_is_not_called_empty(operator: Client, web: Web) -> None:
    serve(web, day("/oai", TODAY), NOTHING)
    got = operator.post(ADD, {"address": f"{web.url}/oai?verb=ListRecords"})
    assert "404" in str(got.context["form"].errors["address"])


@needs_oai
def test_a_page_about_an_archive_is_asked_to_identify_itself(operator: Client, web: Web) -> None:
    web.pages["/oai-pmh"] = Answer(b"<html><body>Our repository</body></html>")
    web.pages["/oai-pmh?verb=Identify"] = oai("<Identify><repositoryName>Ours</repositoryName></Identify>")
    serve(web, day("/oai-pmh", TODAY), oai(f"<ListRecords>{RECORD}</ListRecords>"))
    found = operator.post(ADD, {"address": f"{web.url}/oai-pmh"}).context["tried"]
    assert (found.kind, found.url) == (Source.Kind.OAI, f"{web.url}/oai-pmh")


# --- what goes wrong
@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(b"gone", 404), "404"),
        (Answer(b"<html><head><title>Log in</title></head><body>please</body></html>"), "names no feed either"),
        (Answer(b"%PDF-1.7 and so on"), "a PDF"),
        (Answer(b'<?xml version="1.0"?><rss version="2.0"><channel><title>x</title>'), "/feed.xml"),
        (Answer(b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>'), "XML"),
    ],
)
def test_a_failure_is_said_at_the_field_and_what_was_typed_stays(
    operator: Client, web: Web, answer: Answer, said: str
) -> None:
    web.pages["/feed.xml"] = answer
    got = operator.post(ADD, {"address": f"{web.url}/feed.xml"})
    (error,) = got.context["form"].errors["address"]
    assert said in error
    assert f'value="{web.url}/feed.xml"' in got.content.decode()
    assert "tried" not in got.context or got.context["tried"] is None
    assert not KeptPage.objects.exists()


def test_what_is_no_address_is_said_without_asking_anybody(operator: Client, web: Web) -> None:
    page = tried(operator, "hello world")
    assert "is not one address: paste one such as" in page
    assert 'value="hello world"' in page
    assert "There is no address" in tried(operator, "")
    assert web.paths == []


@pytest.mark.parametrize("change", [str, lambda url: f"{url}/", lambda url: url.replace("http://", "HTTP://")])
def test_a_duplicate_is_told_with_a_link(
    operator: Client, journal: str, web: Web, change: Callable[[str], str]
) -> None:
    source = Source.objects.create(slug="weather", name="Weather & <Co>", url=journal)
    page = operator.post(ADD, {"address": change(journal)}).content.decode()
    assert "belongs to a source already" in page
    assert f'href="/admin/digest/source/{source.pk}/change/">Weather &amp; &lt;Co&gt;</a>' in page
    assert web.paths == []  # known before anybody is asked


def test_a_feed_found_on_a_page_may_be_a_duplicate_too(operator: Client, journal: str, web: Web) -> None:
    Source.objects.create(slug="weather", name="Weather", url=journal)
    web.pages["/"] = Answer(b'<html><head><link rel="alternate" type="application/rss+xml" href="/feed.xml"></head>')
    assert "belongs to a source already" in tried(operator, web.url)


def test_trials_are_limited_for_each_user(operator: Client, monkeypatch: pytest.MonkeyPatch, settings: object) -> None:
    backend = "django.core.cache.backends.locmem.LocMemCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": uuid.uuid4().hex}}
    monkeypatch.setattr("digest.admin.add_source.TRIALS", 2)
    for _ in range(2):
        assert operator.post(ADD, {"address": "nothing here"}).status_code == 200
    answer = operator.post(ADD, {"address": "nothing here"})
    assert (answer.status_code, answer["Retry-After"]) == (429, "600")
    assert "wait a little" in answer.content.decode()
    assert staff("add_source").post(ADD, {"address": "nothing here"}).status_code == 200


# --- saving
def test_what_was_tried_is_saved_enabled_and_due(operator: Client, journal: str, web: Web) -> None:
    form = form_of(operator, journal, name="The weather", slug="the-weather", check_every="21600")
    answer = operator.post(ADD, form)
    assert answer.status_code == 302
    source = Source.objects.get(slug="the-weather")
    assert (source.name, source.kind, source.url) == ("The weather", Source.Kind.FEED, journal)
    assert source.is_enabled
    assert (source.next_check_at, source.check_every) == (NOW, dt.timedelta(hours=6))
    entry = LogEntry.objects.get()
    assert (entry.action_flag, entry.object_id, entry.get_change_message()) == (ADDITION, str(source.pk), "Added.")
    assert "“The weather” is added" in operator.get(answer["Location"]).content.decode()
    tasks.ingest_one(source.pk)
    assert Listing.objects.filter(edition__source=source).count() == 3


def test_the_proposed_slug_is_free(operator: Client, journal: str) -> None:
    for slug in ("journal-of-weather", "journal-of-weather-2", "journal-of-weather-report"):
        Source.objects.create(slug=slug, name=slug)
    assert operator.post(ADD, {"address": journal}).context["save_form"].initial["slug"] == "journal-of-weather-3"


@pytest.mark.parametrize(
    ("changed", "field"),
    [({"slug": "huggingface"}, "slug"), ({"slug": "no slug"}, "slug"), ({"name": ""}, "name"),
     ({"check_every": "1"}, "check_every")],
)  # fmt: skip
def test_a_wrong_field_is_said_and_the_papers_stay_in_sight(
    operator: Client, journal: str, web: Web, changed: dict[str, str], field: str
) -> None:
    ingest.huggingface()
    asked = len(web.paths)
    form = form_of(operator, journal)
    answer = operator.post(ADD, form | changed)
    assert answer.status_code == 200
    assert list(answer.context["save_form"].errors) == [field]
    assert "Rain next week" in answer.content.decode()
    assert len(web.paths) == asked + 1  # not fetched again
    assert not Source.objects.filter(url=journal).exists()
    repaired = form | {"trial": answer.context["signed"]}
    assert operator.post(ADD, repaired).status_code == 302


def test_only_what_was_tried_can_be_saved(operator: Client, journal: str) -> None:
    form = form_of(operator, journal)
    other_end = "B" if form["trial"].endswith("A") else "A"
    for trial in ("", "x", form["trial"][:-1] + other_end, form["trial"].replace(":", "", 1)):
        answer = operator.post(ADD, form | {"trial": trial})
        assert "was changed on its way" in answer.content.decode()
    operator.post(ADD, form | {"url": "http://elsewhere.example/", "kind": "oai", "is_enabled": ""})
    source = Source.objects.get(slug=form["slug"])
    assert (source.url, source.kind, source.is_enabled) == (journal, Source.Kind.FEED, True)


def test_an_old_trial_is_not_saved_and_its_address_stays(operator: Client, journal: str) -> None:
    form = form_of(operator, journal)
    with time_machine.travel(NOW + dt.timedelta(hours=1, minutes=1), tick=False):
        page = operator.post(ADD, form).content.decode()
    assert "more than an hour old" in page
    assert f'value="{journal}"' in page
    assert not Source.objects.filter(url=journal).exists()


def test_a_trial_of_somebody_else_is_not_saved(operator: Client, journal: str) -> None:
    page = staff("add_source").post(ADD, form_of(operator, journal)).content.decode()
    assert "somebody else" in html.unescape(page)
    assert not Source.objects.filter(url=journal).exists()


def test_saving_twice_adds_one_source(operator: Client, journal: str) -> None:
    form = form_of(operator, journal)
    operator.post(ADD, form)
    again = operator.post(ADD, form | {"slug": "another"})
    assert "belongs to a source already" in again.content.decode()
    assert Source.objects.filter(url=journal).count() == 1


# --- who may
def test_only_who_may_add_sources_may_try_addresses(client: Client, journal: str, web: Web) -> None:
    assert client.post(ADD, {"address": journal}).status_code == 302  # to log in
    for person in (staff(), staff("view_source", "change_source")):
        assert person.get(ADD).status_code == 403
        assert person.post(ADD, {"address": journal}).status_code == 403
        assert person.post(ADD, {"trial": "x"}).status_code == 403
    assert web.paths == []
    adder = staff("add_source")
    assert adder.post(ADD, form_of(adder, journal)).status_code == 302
    assert Source.objects.filter(url=journal).exists()


def test_who_may_not_see_sources_is_given_no_link_to_one(journal: str) -> None:
    source = Source.objects.create(slug="weather", name="Weather", url=journal)
    page = staff("add_source").post(ADD, {"address": journal}).content.decode()
    assert "belongs to a source already" in page
    assert f"/admin/digest/source/{source.pk}/" not in page


def test_a_trial_needs_the_token_of_our_own_form(journal: str, web: Web) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.create_superuser("operator"))
    assert strict.post(ADD, {"address": journal}).status_code == 403
    assert strict.get(ADD, {"address": journal}).status_code == 200
    assert web.paths == []


# --- the change page
def change_page(source: Source) -> str:
    return reverse("admin:digest_source_change", args=[source.pk])


def test_the_change_page_shows_how_the_source_is_doing(operator: Client) -> None:
    source = ingest.huggingface()
    source.error_count, source.last_error, source.last_warning = 10, "503 <b>again</b>", "one row had no title"
    source.save()
    keep(source, b"<html>broken")
    page = operator.get(change_page(source)).content.decode()
    assert "10: paused. Mend what the last error says" in page
    assert "503 &lt;b&gt;again&lt;/b&gt;" in page
    assert "one row had no title" in page
    assert f"/admin/digest/keptpage/?source__id__exact={source.pk}" in page
    assert 'name="slug"' not in page
    assert 'name="kind"' not in page


def test_a_source_is_changed_without_its_slug_and_kind(operator: Client, journal: str) -> None:
    source = ingest.huggingface()
    Source.objects.filter(pk=source.pk).update(etag="old", error_count=10, last_error="moved", next_check_at=None)
    values = {"name": "HF", "url": "https://mirror.example/api/daily_papers", "is_enabled": "on",
              "check_every": "900", "slug": "other", "kind": "feed"}  # fmt: skip
    assert operator.post(change_page(source), values).status_code == 302
    source.refresh_from_db()
    assert (source.name, source.slug, source.kind) == ("HF", "huggingface", Source.Kind.HUGGINGFACE)
    assert (source.url, source.check_every) == (values["url"], dt.timedelta(minutes=15))
    # The new address begins afresh.
    assert (source.etag, source.error_count, source.last_error, source.next_check_at) == ("", 0, "", NOW)


def test_an_address_cannot_move_onto_another_source(operator: Client, journal: str) -> None:
    source, other = ingest.huggingface(), Source.objects.create(slug="weather", name="Weather", url=journal)
    values = {"name": "HF", "url": f"{journal}/", "is_enabled": "on", "check_every": "3600"}
    answer = operator.post(change_page(source), values)
    assert other.name in str(answer.context["adminform"].form.errors["url"])
    source.refresh_from_db()
    assert source.url == HUGGINGFACE_URL


def test_an_unusual_span_between_checks_stays(operator: Client) -> None:
    source = ingest.huggingface()
    Source.objects.filter(pk=source.pk).update(check_every=dt.timedelta(minutes=45), etag="kept")
    values = {"name": "HF", "url": source.url, "is_enabled": "on", "check_every": "2700"}
    assert operator.post(change_page(source), values).status_code == 302
    source.refresh_from_db()
    assert (source.check_every, source.etag) == (dt.timedelta(minutes=45), "kept")


# --- pages kept, and the actions
def keep(source: Source, content: bytes, url: str = "https://example.org/feed.xml", **more: object) -> KeptPage:
    return KeptPage.objects.create(
        source=source, url=url, content=zlib.compress(content), content_hash=hashlib.sha256(content).hexdigest(),
        error="could not be read", fetched_at=NOW, **more,
    )  # fmt: skip


def act(client: Client, action: str, *sources: Source) -> str:
    values = {"action": action, "_selected_action": [source.pk for source in sources]}
    answer = client.post(reverse("admin:digest_source_changelist"), values, follow=True)
    return html.unescape(answer.content.decode())


def test_kept_pages_are_tried_again_and_each_source_reports(operator: Client) -> None:
    mended = Source.objects.create(slug="mended", name="Mended")
    broken = Source.objects.create(slug="broken", name="Broken")
    fine = Source.objects.create(slug="fine", name="Fine")
    keep(mended, rss(*THREE).body)
    keep(broken, b"%PDF-1.7")
    page = act(operator, "try_kept_pages", mended, broken, fine)
    assert "Mended: 1 of 1 kept pages could be read." in page
    assert "Broken: 0 of 1 kept pages could be read; the last one still cannot be read: the page is a PDF" in page
    assert "Fine: no pages are kept." in page
    assert list(KeptPage.objects.values_list("source__slug", flat=True)) == ["broken"]
    assert Listing.objects.filter(edition__source=mended).count() == 3


def test_check_now_wakes_a_paused_source(operator: Client) -> None:
    source = ingest.huggingface()
    Source.objects.update(error_count=10, next_check_at=NOW + dt.timedelta(days=1))
    assert "1 source will be checked" in act(operator, "check_now", source)
    assert list(Source.objects.due(NOW)) == [source]


def test_who_may_only_look_can_do_neither(operator: Client) -> None:
    source = ingest.huggingface()
    Source.objects.update(error_count=10)
    keep(source, rss(*THREE).body)
    viewer = staff("view_source")
    for action in ("check_now", "try_kept_pages"):
        act(viewer, action, source)
    assert Source.objects.get().error_count == 10
    assert KeptPage.objects.count() == 1


def test_a_kept_page_is_listed_and_only_downloaded(operator: Client) -> None:
    evil = b"<html><script>alert(1)</script>\xff\x00</html>"
    page = keep(ingest.huggingface(), evil, url="https://example.org/<script>")
    raw = reverse("admin:digest_keptpage_raw", args=[page.pk])
    for address in (reverse("admin:digest_keptpage_changelist"),
                    reverse("admin:digest_keptpage_change", args=[page.pk])):  # fmt: skip
        shown = operator.get(address).content.decode()
        assert f'href="{raw}"' in shown
        assert "example.org/&lt;script&gt;" in shown
        assert "alert(1)" not in shown
    answer = operator.get(raw)
    assert answer.content == evil
    assert answer["Content-Type"] == "text/plain"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Disposition"] == 'attachment; filename="huggingface-2026-03-17-0900.txt"'


def test_a_kept_page_is_for_those_who_may_view_it(client: Client) -> None:
    page = keep(ingest.huggingface(), b"x")
    raw = reverse("admin:digest_keptpage_raw", args=[page.pk])
    assert client.get(raw).status_code == 302
    assert staff("view_source").get(raw).status_code == 403
    viewer = staff("view_keptpage")
    assert viewer.get(raw).status_code == 200
    assert viewer.get(reverse("admin:digest_keptpage_raw", args=[0])).status_code == 404


def test_kept_pages_are_in_the_sidebar_and_cannot_be_written(operator: Client) -> None:
    assert "Pages kept" in operator.get("/admin/").content.decode()
    assert operator.get("/admin/digest/keptpage/add/").status_code == 403
    page = keep(ingest.huggingface(), b"x")
    assert operator.post(reverse("admin:digest_keptpage_change", args=[page.pk]), {"url": "y"}).status_code == 403


def test_a_papers_page_shows_what_became_of_it(operator: Client, store: Callable[..., list[Paper]]) -> None:
    first, second = store(listing("Rain"), listing("Snow"))
    Paper.objects.filter(pk=second.pk).update(
        merged_into=first, withdrawn_on=dt.date(2026, 3, 1), replaced_on=dt.date(2026, 3, 2)
    )
    page = operator.get(reverse("admin:digest_paper_change", args=[second.pk])).content.decode()
    assert re.search(r'name="withdrawn_on" value="2026-03-01"', page)
    assert re.search(r'name="replaced_on" value="2026-03-02"', page)
    assert re.search(rf'href="/admin/digest/paper/{first.pk}/change/"[^>]*>\s*Rain\s*</a>', page)
    assert 'name="merged_into"' not in page
