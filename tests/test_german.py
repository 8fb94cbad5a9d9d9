"""Which language a page and a mail speak, and that all of a visit in German is German."""

from __future__ import annotations

import datetime as dt
import html
import json
import re
from collections.abc import Callable, Iterator

import polib
import pytest
from bs4 import BeautifulSoup
from django.core import mail
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import translation

from config.catalogues import LOCALE
from digest import links as digest_links
from digest.mail.rendering import Press, compose
from digest.models import Digest, Feedback, Lane, Paper, Pick, Reason, ReasonKind
from digest.papers.ingest import source_schedule
from digest.picks.explanation.explain import explain
from digest.picks.selection.select import select_due
from subscriptions import emails, links, tokens
from subscriptions.imports.sheet import read as read_sheet
from subscriptions.mail_requests import handle_requests
from subscriptions.models import Subscriber
from tests.conftest import MORNING, PAPERS, make_reader
from tests.digest.mail.rendering.test_fast_renderer import assert_good_on_the_wire, assert_same
from tests.smtp import parsed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("morning")]
FORM = {"email": "erika@example.org", "interests": "diffusion", "frequency": "daily", "hour": "8", "time_zone": "UTC"}


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    yield
    translation.activate("en")


@pytest.fixture
def german() -> Client:
    """A visitor whose browser asks for German."""
    return Client(headers={"accept-language": "de-AT,de;q=0.9,en;q=0.5"})


@pytest.fixture
def papers(store: Callable[..., list[Paper]]) -> list[Paper]:
    return store(*PAPERS)


@pytest.fixture
def erika(papers: list[Paper]) -> Subscriber:
    return make_reader("erika@example.org", "diffusion", "-survey", language="de")


def lang_of(answer: HttpResponse) -> str:
    page = BeautifulSoup(answer.content, "lxml").html
    assert page is not None
    return str(page["lang"])


# --- which language
def test_without_a_wish_a_page_is_in_english(client: Client) -> None:
    answer = client.get("/")
    assert lang_of(answer) == answer["Content-Language"] == "en"


def test_a_page_is_in_the_language_of_the_browser_and_says_so_to_caches(german: Client) -> None:
    answer = german.get("/")
    assert lang_of(answer) == answer["Content-Language"] == "de"
    assert {"Accept-Language", "Cookie"} <= {name.strip() for name in answer["Vary"].split(",")}


@pytest.mark.parametrize("asked", ["fr", "tlh", "de_DE.UTF-8;;", "*", "en-GB,de;q=0.4"])
def test_a_language_there_is_not_is_english(client: Client, asked: str) -> None:
    assert lang_of(client.get("/", headers={"accept-language": asked})) == "en"


def test_a_link_switches_and_a_cookie_keeps_it(client: Client) -> None:
    switch = BeautifulSoup(client.get("/search?q=agents").content, "lxml").select_one(".other-language")
    assert switch is not None
    assert (switch.get_text(), switch["lang"], switch["href"]) == ("Deutsch", "de", "/search?q=agents&lang=de")
    assert lang_of(client.get(str(switch["href"]))) == "de"
    assert client.cookies["language"]["httponly"]
    assert client.cookies["language"]["samesite"] == "Lax"
    assert lang_of(client.get("/help/interests/")) == "de"
    assert lang_of(client.get("/?lang=en", headers={"accept-language": "de"})) == "en"
    assert lang_of(client.get("/", headers={"accept-language": "de"})) == "en"


def test_a_language_in_the_address_that_there_is_not_changes_nothing(client: Client) -> None:
    answer = client.get("/?lang=xx'%3E<")
    assert lang_of(answer) == "en"
    assert "language" not in client.cookies


def test_a_readers_own_pages_are_in_their_language_whatever_the_browser_says(client: Client, erika: Subscriber) -> None:
    answer = client.get(links.access(erika), headers={"accept-language": "en"})
    assert lang_of(answer) == answer["Content-Language"] == "de"
    assert "other-language" not in answer.text
    assert lang_of(client.get("/")) == "en"


def test_an_english_reader_is_spoken_to_in_english(german: Client, alice: Subscriber) -> None:
    assert lang_of(german.get(links.access(alice))) == "en"


@pytest.mark.parametrize("path", ["/feeds/papers.atom", "/feeds/search.atom?q=agents", "/api/v1/papers/", "/healthz"])
def test_what_machines_read_is_english_and_does_not_vary(german: Client, papers: list[Paper], path: str) -> None:
    answer = german.get(path)
    assert "Accept-Language" not in answer.get("Vary", "")
    assert not re.search(r"Artikel|Zeile", answer.text)


def test_the_json_interface_says_what_is_wrong_in_english(german: Client) -> None:
    problem = german.get("/api/v1/papers/?q=(agents").json()
    assert "This bracket is never closed" in json.dumps(problem)


def test_the_admin_is_in_english(german: Client, admin_user: object) -> None:
    german.force_login(admin_user)
    answer = german.get("/admin/subscriptions/subscriber/")
    assert lang_of(answer) == "en"
    assert "Select subscriber to change" in answer.text


# --- the reader's language
def test_who_signs_up_on_a_german_page_is_a_german_reader(german: Client) -> None:
    german.post("/subscribe/", FORM)
    handle_requests(MORNING)
    assert Subscriber.objects.get().language == "de"
    emails.send_notices(MORNING)
    assert mail.outbox[0].subject == "Sind Sie das? Bestätigen Sie Ihre Artikel von Paper Round"
    assert mail.outbox[0].extra_headers["Content-Language"] == "de"
    assert "Wenn Sie das waren, öffnen Sie diese Seite" in mail.outbox[0].body


def test_a_form_that_names_another_language_signs_up_no_reader_of_it(client: Client) -> None:
    assert client.post("/subscribe/", FORM | {"language": "fr"}).status_code == 422
    assert not Subscriber.objects.exists()


def test_the_language_is_changed_in_the_preferences_and_spoken_at_once(client: Client, alice: Subscriber) -> None:
    page = links.access(alice)
    answer = client.post(page, FORM | {"language": "de"}, follow=True)
    assert lang_of(answer) == "de"
    assert "Gespeichert." in answer.text
    alice.refresh_from_db()
    assert alice.language == "de"


def test_a_form_without_the_field_leaves_the_language_as_it_is(client: Client, erika: Subscriber) -> None:
    client.post(links.access(erika), FORM)
    erika.refresh_from_db()
    assert erika.language == "de"


def test_the_whole_mail_shown_to_a_visitor_and_the_sign_up_behind_it_are_german(client: Client, papers: object) -> None:
    page = BeautifulSoup(client.get("/", {"lang": "de"}).content, "lxml")
    hidden = {str(one["name"]): str(one.get("value", "")) for one in page.select('form [name][type="hidden"]')}
    answer = client.post("/preview/mail/", hidden | {"interests": "diffusion"})
    assert BeautifulSoup(answer.content, "lxml").select_one('form [name="language"]')["value"] == "de"  # type: ignore[index]


def test_a_download_an_export_and_an_import_know_the_language(client: Client, erika: Subscriber) -> None:
    assert (
        client.get(reverse("digest:data", args=[links.token_for(erika, links.ACCESS)])).json()["settings"]["language"]
        == "de"
    )
    sheet = read_sheet(b"email,interests,language\nkarl@example.org,agents,de\nlou@example.org,agents,\n")
    assert [row.settings.language for row in sheet.rows.values()] == ["de", "en"]
    assert "“tlh” is not one of en, de." in str(read_sheet(b"email,interests,language\na@b.org,x,tlh").faults[0])


def test_the_language_is_changed_through_the_json_interface(client: Client, alice: Subscriber) -> None:
    token = tokens.make(alice, "api", MORNING)
    asked = {"headers": {"authorization": f"Bearer {token}"}, "content_type": "application/json"}
    answer = client.patch("/api/v1/me/", {"language": "de"}, **asked)
    assert (answer.status_code, answer.json()["language"]) == (200, "de")
    assert client.patch("/api/v1/me/", {"language": "fr"}, **asked).status_code == 422


# --- the mail
def test_a_digest_is_in_the_readers_language_both_ways(erika: Subscriber, alice: Subscriber) -> None:
    select_due(MORNING)
    press = Press()
    for digest in Digest.objects.select_related("subscriber").order_by("subscriber__language"):
        letter = press.letter(digest, MORNING)
        assert_same(letter, digest)
        assert_good_on_the_wire(letter.data)
        assert parsed(letter.data)["Content-Language"] == digest.subscriber.language
    german = compose(Digest.objects.get(subscriber=erika), MORNING)
    page = str(german.alternatives[0][0])
    assert '<html lang="de"' in page
    assert "Ihre Artikel, Montag, 16." in page.replace("&nbsp;", " ")
    assert '<h3 dir="auto" lang="en"' in page
    assert "Passt zu <strong" in page
    assert "Passt zu: diffusion (im Titel)" in german.body or "Passt zu: diffusion (in Titel" in german.body
    assert "FÜR SIE" in german.body
    assert max(map(len, german.body.splitlines())) < 998


def test_a_weekly_an_empty_and_a_cut_mail_are_german_both_ways(erika: Subscriber, papers: list[Paper]) -> None:
    erika.frequency = Subscriber.Frequency.WEEKLY
    interest = erika.interest_lines.first().interest_id
    lanes = (Lane.INTERESTS, Lane.INTERESTS, Lane.INTERESTS, Lane.TRENDING, Lane.OVERFLOW)
    reasons = (
        [Reason(ReasonKind.MATCH, interest, 100)], [Reason(ReasonKind.CLOSE, interest, 100)],
        [Reason(ReasonKind.TASTE, 0, 100)], [], [Reason(ReasonKind.TWIN, papers[0].pk, -100)],
    )  # fmt: skip
    picks = [
        Pick(paper.pk, lane, 150, 0, tuple(said)) for paper, lane, said in zip(papers, lanes, reasons, strict=True)
    ]
    press = Press()
    for held in ([], picks[:1], picks):
        digest = Digest(subscriber=erika, issue_date=MORNING.date(), created_at=MORNING, picks=held)
        assert_same(press.letter(digest, MORNING), digest)
        message = compose(digest, MORNING)
        assert_no_english(message.subject, message.body, str(message.alternatives[0][0]))
    assert compose(Digest(subscriber=erika, issue_date=MORNING.date(), picks=[]), MORNING).subject == (
        "Diese Woche nichts für Sie"
    )


def test_what_a_mail_says_first_is_in_the_readers_language(erika: Subscriber, alice: Subscriber) -> None:
    away = {"paused_at": MORNING - dt.timedelta(days=9), "paused_until": MORNING - dt.timedelta(days=1)}
    Subscriber.objects.update(**away)
    select_due(MORNING)
    said = dict(Digest.objects.values_list("subscriber__language", "notice"))
    assert said == {
        "de": "Das Beste der 8\u00a0Tage, die Sie fort waren.",
        "en": "The best of the 8 days you were away.",
    }


def test_a_late_source_is_named_in_the_language_spoken() -> None:
    sizes = {MORNING.date() - dt.timedelta(days=ago): 30 for ago in range(20, 60)}
    late = source_schedule.late("huggingface", sizes, MORNING.date())
    assert str(late).startswith("has listed nothing since ")
    with translation.override("de"):
        assert str(late).startswith("hat seit ")


def test_the_lost_link_and_the_second_sign_up_are_answered_in_german(erika: Subscriber) -> None:
    for notice in (Subscriber.Notice.LINK, Subscriber.Notice.ALREADY):
        erika.notice = notice
        message = emails.notice(erika)
        assert_no_english(message.subject, message.body, str(message.alternatives[0][0]))
        assert max(map(len, re.sub(r"http\S+", "", message.body).splitlines())) <= 78


def test_a_readers_own_feed_speaks_and_names_their_language(client: Client, erika: Subscriber) -> None:
    select_due(MORNING)
    secret = tokens.make(erika, "feed", MORNING)
    feed = client.get(reverse("digest:feed_mine", args=[secret])).text
    assert 'xml:lang="de"' in feed
    assert "Paper Round: Ihre Artikel" in feed
    assert "Warum: „diffusion“ trifft zu" in feed


def test_why_not_a_paper_is_explained_in_the_language_spoken(erika: Subscriber, papers: list[Paper]) -> None:
    with translation.override("de"):
        found = explain(erika, papers[2].title, MORNING)
    assert found.answer.startswith("Ihre Zeile „-survey“ hält ihn fern: Der Artikel hat „Survey“ im Titel")
    assert explain(erika, papers[2].title, MORNING).answer.startswith("Your line “-survey” keeps it away")


# --- a whole visit
ENGLISH = sorted(
    {
        re.sub(r"<[^>]+>", "", text).strip(" .:")
        for entry in polib.pofile(str(LOCALE / "de" / "LC_MESSAGES" / "django.po"))
        for text in (entry.msgid, entry.msgid_plural)
        if entry.msgid != entry.msgstr and "%(" not in text and len(text) > 9 and " " in text and text[0] != "”"
    }
)


def assert_no_english(*texts: str) -> None:
    """None of our own English texts is left over."""
    for text in texts:
        said = " ".join(html.unescape(re.sub(r"<(style|script).*?</\1>|<[^>]+>", " ", text, flags=re.DOTALL)).split())
        assert not [english for english in ENGLISH if re.search(rf"\b{re.escape(english)}\b", said)]


def pages(client: Client, reader: Subscriber, papers: list[Paper]) -> Iterator[HttpResponse]:
    """Every page a visitor and a reader can see, some filled in wrongly."""
    select_due(MORNING)
    digest = Digest.objects.select_related("subscriber").get(subscriber=reader)
    feedback, preferences = digest_links.feedback(digest), links.access(reader)
    wrong = {"interests": "(agents OR\nauther:x\ndiffusion, rl\nthe model\n'a phrase'\nauthor:Yann LeCun\nnothingness"}
    for path in (
        "/", "/subscribe/", "/subscribe/embed/", "/subscribe/check-your-inbox/", "/help/interests/", "/preferences/",
        "/preferences/sent/", "/papers/", "/papers/2026-03-15/", "/papers/week/2026-W11/", "/papers/month/2026-03/",
        f"/paper/{papers[0].pk}/", "/search", "/search?q=diffusion", "/search?q=(oops", "/search?q=nothingness",
        "/nowhere/", "/confirm/x/", "/mailbox/", links.confirm(reader), preferences, f"{preferences}secrets/",
        f"{preferences}saved/", f"{preferences}erase/", f"{preferences}why/?paper=2603.00003",
        f"{preferences}why/?paper=2603.00001", f"{preferences}why/?paper=2603.00005", f"{preferences}why/?paper=none",
        links.unsubscribe(reader), digest_links.web_copy(digest),
        *(f"{feedback}?paper={digest.paper_ids[0]}&say={say}" for say in ("more", "less", "save", "mute")),
    ):  # fmt: skip
        yield client.get(path)
    for path in ("/preview/", "/preview/mail/", "/live/", "/subscribe/"):
        yield client.post(path, wrong)
        if path != "/subscribe/":
            yield client.post(path, FORM | {"interests": "diffusion\n-survey\na model"})
    for text in ("", "2603.00001", "We forecast the rain of a day with a diffusion model of the weather."):
        yield client.post("/suggest/", {"paste": text})
        yield client.post(f"{preferences}suggest/", {"paste": text})
    yield client.post(f"{preferences}suggest/", {"from": "liked"})
    yield client.post(f"{preferences}suggest/", {"from": "found"})
    yield client.post(preferences, wrong)
    for say in ("more", "less", "save"):
        yield client.post(f"{feedback}?paper={digest.paper_ids[0]}&say={say}")
        yield client.post(f"{feedback}?paper={digest.paper_ids[0]}&say={say}", {"undo": "1"})
    yield client.post(f"{feedback}?paper={digest.paper_ids[0]}&say=mute", {"line": "weather"})
    yield client.post(f"{feedback}?paper={digest.paper_ids[0]}&say=mute", {"line": "( "})
    Feedback.objects.filter(kind="save").update(undone_at=None)
    yield client.post(f"{preferences}saved/", {"paper": papers[0].pk})
    for kind in ("feed", "api"):
        yield client.post(f"{preferences}secrets/", {"make": kind})
    yield client.post(f"{preferences}pause/", {"days": "14"}, follow=True)
    yield client.post(f"{preferences}pause/", {"until": "2020-01-01"}, follow=True)
    yield client.post(f"{preferences}pause/", {"resume": "1"}, follow=True)
    yield client.post(links.unsubscribe(reader))
    yield client.post(links.unsubscribe(reader), {"undo": "1"})
    yield client.post(f"{preferences}erase/")


def test_a_whole_visit_in_german_leaves_no_english(
    german: Client, erika: Subscriber, papers: list[Paper], store: Callable[..., list[Paper]]
) -> None:
    seen = 0
    for answer in pages(german, erika, papers):
        path = answer.request["PATH_INFO"]
        assert answer.status_code in (200, 302, 404, 422), path
        assert path.startswith("/live/") or lang_of(answer) == "de", path
        assert_no_english(answer.text)
        seen += 1
    assert seen > 60


def test_papers_keep_their_own_language(german: Client, client: Client, papers: list[Paper]) -> None:
    page = BeautifulSoup(german.get(f"/paper/{papers[0].pk}/").content, "lxml")
    assert [tag["lang"] for tag in page.select("article h1, h2.spaced + p")] == ["en", "en"]
    assert 'lang="en"' not in client.get(f"/paper/{papers[0].pk}/").text.replace('<html lang="en">', "")
