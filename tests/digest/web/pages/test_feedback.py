"""What a reader says of a paper, from the links in the mail."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.core import signing
from django.http import HttpResponse
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from digest import links
from digest.models import Digest, Feedback, Paper
from digest.picks.selection import feedback as stored_feedback
from digest.picks.selection.choose import choose
from digest.picks.selection.select import select_due
from digest.relevance import match_papers
from digest.web.pages.mute_choices import author_mutes, mute_of, word_mutes
from subscriptions import edit_interests
from subscriptions.edit_interests import MAX_LINES
from subscriptions.interests.language import is_mute
from subscriptions.interests.parser import parse
from subscriptions.models import Interest, Subscriber
from tests.conftest import MORNING

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _in_the_morning() -> Iterator[None]:
    with time_machine.travel(MORNING, tick=False):
        yield


@pytest.fixture
def digest(alice: Subscriber, papers: list[Paper]) -> Digest:
    select_due(MORNING)
    return Digest.objects.get()


def address(digest: Digest, say: str, arxiv_id: str = "2603.00001") -> str:
    return f"{links.feedback(digest)}?paper={Paper.objects.get(arxiv_id=arxiv_id).pk}&say={say}"


def text(answer: HttpResponse) -> str:
    return " ".join(BeautifulSoup(answer.content, "lxml").get_text(" ").split())


def everything(reader: Subscriber) -> object:
    return list(Feedback.objects.order_by("pk").values()), reader.lines(), Interest.objects.count()


@pytest.mark.parametrize("say", ["more", "less", "save", "mute"])
def test_a_scanner_that_opens_each_link_changes_nothing(say: str, digest: Digest, client: Client) -> None:
    before = everything(digest.subscriber)
    for method in (client.get, client.head):
        answer = method(address(digest, say))
        assert answer.status_code == 200
    for link in BeautifulSoup(client.get(address(digest, say)).content, "lxml").select("main a[href]"):
        client.get(str(link["href"]))
    assert everything(digest.subscriber) == before


def test_the_web_copy_offers_what_the_mail_offers(digest: Digest, client: Client) -> None:
    soup = BeautifulSoup(client.get(links.web_copy(digest)).content, "lxml")
    offered = [str(link["href"]) for link in soup.select(".say a")]
    assert len(offered) == 4 * len(digest.picks)
    for link in offered:
        assert client.get(link).status_code == 200


def test_more_says_what_it_does_and_has_an_undo(digest: Digest, client: Client) -> None:
    assert "would stand higher" in text(client.get(address(digest, "more")))
    answer = client.post(address(digest, "more"))
    assert "Noted: more like this." in text(answer)
    assert "Undone." in text(client.post(address(digest, "more"), {"undo": "1"}))
    assert stored_feedback.read([digest.subscriber.pk], MORNING) == {}


def test_less_takes_more_back_and_the_undo_leaves_neither(digest: Digest, client: Client) -> None:
    client.post(address(digest, "more"))
    client.post(address(digest, "less"))
    assert Feedback.objects.get(undone_at=None).kind == "less"
    client.post(address(digest, "less"), {"undo": "1"})
    assert not Feedback.objects.filter(undone_at=None).exists()


def test_saving_leaves_more_alone(digest: Digest, client: Client) -> None:
    client.post(address(digest, "more"))
    client.post(address(digest, "save"))
    assert Feedback.objects.filter(undone_at=None).count() == 2


def test_what_was_said_before_stands_below_each_with_its_undo(digest: Digest, client: Client) -> None:
    client.post(address(digest, "less", "2603.00002"))
    page = client.post(address(digest, "more"))
    assert "Your feedback on this mail" in text(page)
    button = BeautifulSoup(page.content, "lxml").select_one("button[name=take_back]")
    assert button is not None
    client.post(address(digest, "more"), {"take_back": str(button["value"])})
    assert Feedback.objects.get(undone_at=None).kind == "more"


@pytest.mark.parametrize("number", ["", "x", "-1", "99999999999999999999", "１"])
def test_taking_back_what_is_not_there_does_nothing(number: str, digest: Digest, client: Client) -> None:
    client.post(address(digest, "more"))
    assert client.post(address(digest, "more"), {"take_back": number}).status_code == 200
    assert Feedback.objects.filter(undone_at=None).count() == 1


def test_nobody_takes_back_the_words_of_another(digest: Digest, carol: Subscriber, client: Client) -> None:
    paper = Paper.objects.first()
    hers = Feedback.objects.create(subscriber=carol, paper=paper, kind="more", at=MORNING)
    client.post(address(digest, "more"), {"take_back": str(hers.pk)})
    hers.refresh_from_db()
    assert hers.undone_at is None


def test_mute_offers_the_words_of_the_title_and_the_authors(digest: Digest, client: Client) -> None:
    Paper.objects.filter(arxiv_id="2603.00002").update(authors=["Ada Lovelace", 'Bob "Bobby" Tables'])
    page = text(client.get(address(digest, "mute", "2603.00002")))
    for offered in ("Thinking", "Aloud", "Thinking Aloud", "Ada Lovelace", "Bob Bobby Tables"):
        assert offered in page


def test_a_word_that_the_reader_asks_for_is_not_offered(digest: Digest, client: Client) -> None:
    soup = BeautifulSoup(client.get(address(digest, "mute")).content, "lxml")
    assert [button["value"] for button in soup.select("button[name=line]")] == ["-Weather"]


def test_a_mute_adds_a_line_and_undo_removes_exactly_that(digest: Digest, client: Client) -> None:
    reader = digest.subscriber
    before = reader.lines()
    page = client.post(address(digest, "mute"), {"line": "-Weather"})
    assert "“Weather” is muted" in text(page)
    assert reader.lines() == [*before, "-Weather"]
    client.post(address(digest, "mute"), {"line": "-weather"})
    assert reader.lines() == [*before, "-Weather"]
    client.post(address(digest, "mute"), {"undo": undo_on(page)})
    assert reader.lines() == before


def undo_on(page: HttpResponse) -> str:
    button = BeautifulSoup(page.content, "lxml").select_one("button[name=undo]")
    assert button is not None
    return str(button["value"])


@pytest.mark.parametrize("undo", ["-survey", "x", "", "-survey:x:y"])
def test_no_line_is_taken_away_that_the_page_did_not_add(undo: str, digest: Digest, client: Client) -> None:
    before = digest.subscriber.lines()
    assert client.post(address(digest, "mute"), {"undo": undo}).status_code == 422
    assert "-survey" not in text(client.post(address(digest, "mute"), {"line": "-survey"})).replace("your lines", "")
    assert b'name="undo"' not in client.post(address(digest, "mute"), {"line": "-survey"}).content
    assert digest.subscriber.lines() == before


def test_a_mute_is_undone_for_a_week_and_by_its_own_reader_only(
    digest: Digest, carol: Subscriber, client: Client
) -> None:
    undo = undo_on(client.post(address(digest, "mute"), {"line": "-Weather"}))
    with pytest.raises(signing.BadSignature):
        links.muted_line(undo, carol)
    with time_machine.travel(MORNING + dt.timedelta(days=7, seconds=1), tick=False):
        assert client.post(address(digest, "mute"), {"undo": undo}).status_code == 422
    assert "-Weather" in digest.subscriber.lines()


@pytest.mark.parametrize("fields", [{"undo": "1"}, {"take_back": "that"}])
def test_feedback_is_undone_for_a_week(fields: dict[str, str], digest: Digest, client: Client) -> None:
    client.post(address(digest, "more"))
    fields = {name: str(Feedback.objects.get().pk) if value == "that" else value for name, value in fields.items()}
    with time_machine.travel(MORNING + dt.timedelta(days=7, seconds=1), tick=False):
        client.post(address(digest, "more"))  # said again it becomes no younger
        page = client.post(address(digest, "more"), fields)
    assert "more than 7 days ago" in text(page)
    assert Feedback.objects.get().undone_at is None


def test_what_was_said_of_other_mails_is_not_told(digest: Digest, client: Client) -> None:
    other = Paper.objects.exclude(pk__in=digest.paper_ids).first()
    assert other
    row = Feedback.objects.create(subscriber=digest.subscriber, paper=other, kind="more", at=MORNING)
    page = client.post(address(digest, "more"), {"take_back": str(row.pk)})
    assert other.title not in text(page)
    row.refresh_from_db()
    assert row.undone_at is None


def test_a_muted_author_no_longer_comes(alice: Subscriber, digest: Digest, client: Client) -> None:
    Paper.objects.filter(arxiv_id="2603.00002").update(authors=["Ada Lovelace"], matched_at=None)
    thinking = Paper.objects.get(arxiv_id="2603.00002").pk
    client.post(address(digest, "mute", "2603.00002"), {"line": '-author:"Ada Lovelace"'})
    digest.delete()  # as if it had not been sent
    match_papers.match_new(MORNING)
    assert thinking not in [pick.paper for pick in choose([alice], MORNING)[alice.pk]]
    edit_interests.remove(alice, '-author:"Ada Lovelace"')
    assert thinking in [pick.paper for pick in choose([alice], MORNING)[alice.pk]]


@pytest.mark.parametrize("typed, line", [
    ("rain", "-rain"), ("-rain", "-rain"), ("heavy rain", '-"heavy rain"'), ("author:lovelace", "-author:lovelace"),
    ("Fine-tuning", '-"Fine-tuning"'), ("-rain -snow", "-rain -snow"),
    ("ra\x00in", "-rain"),
])  # fmt: skip
def test_something_else_can_be_typed(typed: str, line: str, digest: Digest, client: Client) -> None:
    assert client.post(address(digest, "mute"), {"line": typed}).status_code == 200
    assert digest.subscriber.lines()[-1] == line


@pytest.mark.parametrize("typed", ["", "   ", "-", "\x00", "(", "x" * 900, '"', "the"])
def test_what_cannot_be_muted_is_said_and_stores_nothing(typed: str, digest: Digest, client: Client) -> None:
    before = everything(digest.subscriber)
    answer = client.post(address(digest, "mute"), {"line": typed})
    assert answer.status_code == 422
    assert "cannot be muted" in text(answer)
    assert everything(digest.subscriber) == before


def test_the_most_lines_are_said_plainly(digest: Digest, client: Client) -> None:
    digest.subscriber.set_lines([f"topic{number}" for number in range(MAX_LINES)])
    answer = client.post(address(digest, "mute"), {"line": "-Weather"})
    assert answer.status_code == 422
    assert f"You have {MAX_LINES} lines, and that is the most" in text(answer)
    assert len(digest.subscriber.lines()) == MAX_LINES


def test_a_foreign_page_cannot_say_anything(digest: Digest) -> None:
    strict = Client(enforce_csrf_checks=True)
    for say in ("more", "mute"):
        assert strict.post(address(digest, say), {"line": "-Weather"}).status_code == 403
    assert not Feedback.objects.exists()


def test_pages_behind_the_link_are_private(digest: Digest, client: Client) -> None:
    for answer in (
        client.get(address(digest, "mute")),
        client.post(address(digest, "more")),
        client.get("/feedback/x/"),
    ):
        assert "no-store" in answer["Cache-Control"]
        assert answer["X-Robots-Tag"] == "noindex"


@given(st.text(max_size=60))
def test_whatever_is_typed_either_mutes_or_is_refused(typed: str) -> None:
    mute = mute_of(typed)
    assert mute is None or is_mute(parse(mute.line))


@given(st.text(max_size=120), st.lists(st.text(max_size=30), max_size=4))
def test_whatever_a_paper_is_called_what_is_offered_can_be_muted(title: str, authors: list[str]) -> None:
    for mute in (*word_mutes(title), *author_mutes(authors)):
        assert is_mute(parse(mute.line))
