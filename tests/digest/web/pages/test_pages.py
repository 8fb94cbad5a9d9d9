"""Every page a visitor or reader can open."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.test import Client

from digest import links
from digest.models import Digest, Feedback, Paper
from digest.picks.selection.select import select_due
from subscriptions.models import Subscriber
from tests.conftest import MORNING, make_reader
from tests.picks import picks_of

pytestmark = pytest.mark.django_db

FORM = {"frequency": "daily", "hour": "8", "time_zone": "UTC"}


@pytest.fixture(autouse=True)
def _in_the_morning() -> object:
    with time_machine.travel(MORNING, tick=False):
        yield


def page(answer: object) -> str:
    return " ".join(BeautifulSoup(answer.content, "lxml").get_text(" ").split())


def test_the_first_page_shows_the_newest_list_and_the_form(client: Client, papers: list[Paper]) -> None:
    answer = client.get("/")
    text = page(answer)
    assert text.index("A Survey of Diffusion") < text.index("Thinking Aloud") < text.index("Pruning Networks")
    assert "R&D: p < 0.05 for Agents" in text
    assert b"<b>badly" not in answer.content
    assert BeautifulSoup(answer.content, "lxml").select_one("textarea[name=interests]")


def test_the_first_page_without_papers_says_what_to_do(client: Client) -> None:
    assert "manage.py ingest" in page(client.get("/"))


def test_the_archive_has_one_page_a_date(client: Client, papers: list[Paper]) -> None:
    assert "Diffusion for Weather" in page(client.get("/papers/2026-03-16/"))
    assert client.get("/papers/2026-03-01/").status_code == 404
    assert client.get("/papers/2026-13-41/").status_code == 404


def test_a_paper_has_a_page(client: Client, papers: list[Paper]) -> None:
    text = page(client.get(papers[0].get_absolute_url()))
    assert "We forecast rain" in text
    assert "number 1, 12 upvotes" in text
    assert client.get("/paper/99999/").status_code == 404


def test_the_search_understands_the_interest_language(client: Client, papers: list[Paper]) -> None:
    text = page(client.get("/search", {"q": "diffusion -survey"}))
    assert "1 paper, newest first" in text
    assert "Diffusion for Weather" in text


def test_the_search_points_at_what_it_cannot_read(client: Client, papers: list[Paper]) -> None:
    answer = client.get("/search", {"q": '"open'})
    assert answer.status_code == 422
    assert "never closed" in page(answer)


def test_the_preview_shows_what_the_mail_would_hold(client: Client, papers: list[Paper]) -> None:
    answer = client.post("/preview/", FORM | {"interests": "diffusion\n-survey\nentomology"})
    text = page(answer)
    assert answer.status_code == 200
    assert "Diffusion for Weather" in text
    assert "A Survey of Diffusion" not in text
    assert "found 2 of 5" in text
    assert "keeps away 1 of 5" in text
    assert "found none yet" in text
    assert not Subscriber.objects.exists()


def test_the_preview_and_the_mail_agree(client: Client, alice: Subscriber, papers: list[Paper]) -> None:
    answer = client.post("/preview/", FORM | {"interests": "\n".join(alice.lines())})
    shown = [link.get_text() for link in BeautifulSoup(answer.content, "lxml").select("article h2 a")]
    select_due(MORNING)
    assert shown == [pick["paper"].title for pick in picks_of(Digest.objects.get())]


def test_the_preview_points_at_a_bad_line_and_keeps_what_was_typed(client: Client, papers: list[Paper]) -> None:
    answer = client.post("/preview/", FORM | {"interests": "fine line\n(a OR", "email": "me@example.org"})
    assert answer.status_code == 422
    soup = BeautifulSoup(answer.content, "lxml")
    assert "Line 2" in soup.get_text()
    assert soup.select_one("textarea").get_text().strip() == "fine line\n(a OR"
    assert soup.select_one("#id_email")["value"] == "me@example.org"


def test_the_web_copy_shows_the_mail_and_no_other_token_opens_it(
    client: Client, alice: Subscriber, papers: list[Paper]
) -> None:
    select_due(MORNING)
    address = links.web_copy(Digest.objects.get())
    answer = client.get(address)
    assert "Diffusion for Weather" in page(answer)
    assert "no-store" in answer["Cache-Control"]
    assert answer["X-Robots-Tag"] == "noindex"
    assert client.get(address[:-3] + "x/").status_code == 404
    Subscriber.objects.update(token_version=2)
    assert client.get(address).status_code == 404


def test_the_web_copy_of_a_mail_about_nothing_says_so(client: Client, papers: list[Paper]) -> None:
    make_reader("nina@example.org", "entomology", empty_mail=True)
    select_due(MORNING)
    assert "None of the papers that came in matched" in page(client.get(links.web_copy(Digest.objects.get())))


def test_feedback_asks_on_get_acts_on_post_and_can_be_undone(
    client: Client, alice: Subscriber, papers: list[Paper]
) -> None:
    select_due(MORNING)
    digest = Digest.objects.get()
    address = f"{links.feedback(digest)}?paper={digest.paper_ids[0]}&say=more"
    assert client.get(address).status_code == 200
    client.head(address)
    assert not Feedback.objects.exists()
    client.post(address)
    client.post(address)
    assert Feedback.objects.get().undone_at is None
    client.post(address, {"undo": "1"})
    assert Feedback.objects.get().undone_at == MORNING


@pytest.mark.parametrize(
    "query", ["", "?paper={held}", "?paper={held}&say=hate", "?paper=x&say=more", "?paper=0&say=more"]
)
def test_feedback_on_what_the_mail_did_not_hold_is_refused(
    client: Client, alice: Subscriber, papers: list[Paper], query: str
) -> None:
    select_due(MORNING)
    digest = Digest.objects.get()
    address = links.feedback(digest) + query.format(held=digest.paper_ids[0])
    assert client.post(address).status_code == 404
    assert not Feedback.objects.exists()


def test_pages_carry_a_strict_policy(client: Client, papers: list[Paper]) -> None:
    answer = client.get("/")
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"


def test_health_names_what_does_not_answer(no_redis: None, client: Client) -> None:
    answer = client.get("/healthz")
    assert answer.json() == {"database": True, "redis": False}
    assert answer.status_code == 503


def test_a_late_reader_of_an_archived_day_finds_its_neighbours(client: Client, papers: list[Paper]) -> None:
    with time_machine.travel(MORNING + dt.timedelta(days=400), tick=False):
        assert "Diffusion for Weather" in page(client.get("/"))


def test_programs_that_look_for_an_icon_are_shown_ours(client: Client) -> None:
    answer = client.get("/favicon.ico")
    assert answer.status_code == 301
    assert answer["Location"].endswith("icon.svg")
