"""A mail that was forwarded is no account: whatever its links open, nothing leads to the preferences."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.http import HttpResponse
from django.test import Client

from digest import links as digest_links
from digest.mail.rendering import compose
from digest.models import Digest, Feedback, Paper
from digest.picks.selection.select import select_due
from subscriptions import links, tokens
from subscriptions.mail_requests import handle_requests
from subscriptions.models import Secret, Subscriber
from tests.conftest import MORNING
from tests.subscriptions.conftest import path_of, row

pytestmark = pytest.mark.django_db
PAGES = [
    "", "pause/", "secrets/", "void/", "suggest/", "why/", "saved/", "said/", "saved.bib", "saved.ris", "data.json",
    "erase/",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _in_the_morning() -> Iterator[None]:
    with time_machine.travel(MORNING, tick=False):
        yield


@pytest.fixture
def digest(alice: Subscriber, papers: list[Paper]) -> Digest:
    select_due(MORNING)
    return Digest.objects.get()


def crawled(client: Client, start: list[str]) -> Iterator[tuple[str, HttpResponse]]:
    """Every page of ours that links and forms lead to, each form sent once."""
    waiting, seen = [("get", path, {}) for path in start], set()
    while waiting:
        method, path, fields = waiting.pop()
        if (method, path, str(fields)) in seen or len(seen) > 300:
            continue
        seen.add((method, path, str(fields)))
        answer = getattr(client, method)(path, fields) if fields or method == "post" else client.get(path)
        yield path, answer
        if "Location" in answer:
            waiting.append(("get", urljoin(path, answer["Location"]), {}))
        waiting += _ways_on(path, answer)


def _ways_on(path: str, answer: HttpResponse) -> Iterator[tuple[str, str, dict[str, str]]]:
    soup = BeautifulSoup(answer.content if "html" in answer["Content-Type"] else b"", "lxml")
    for link in soup.select("main a[href]"):
        target = urljoin(path, str(link["href"]))
        if urlsplit(target).path.startswith(("/digest/", "/feedback/", "/preferences/", "/unsubscribe/", "/link/")):
            yield "get", target, {}
    for form in soup.select("main form[method=post]"):
        for button in form.select("button"):
            fields = {str(button["name"]): str(button.get("value", ""))} if button.get("name") else {}
            yield "post", str(form.get("action") or path), fields


def test_nothing_that_the_links_of_a_digest_lead_to_opens_the_preferences(
    alice: Subscriber, digest: Digest, client: Client
) -> None:
    Feedback.objects.create(subscriber=alice, paper=Paper.objects.all()[0], kind="save", at=MORNING)
    mail = compose(digest, MORNING)
    body = f"{mail.body} {mail.alternatives[0].content}"
    start = sorted({path_of(link) + "?" + urlsplit(link).query for link in re.findall(r"https?://127[^\s\"<>]+", body)})
    start = [link for link in start if not link.startswith(("/?", "/paper"))]
    assert {link.split("/")[1] for link in start} == {"digest", "feedback", "preferences", "unsubscribe"}
    pages = list(crawled(client, [link.replace("&amp;", "&") for link in start]))
    assert len(pages) > 20
    for path, answer in pages:
        said = f"{answer.content.decode()} {answer.headers}"
        assert alice.email not in said, path
        for token in re.findall(r"/preferences/([^/\s\"?]+:[^/\s\"?]+)/", said):
            assert token == links.token_for(alice, links.PREFERENCES), path


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("method", ["get", "post"])
def test_the_lasting_link_shows_and_changes_nothing(page: str, method: str, alice: Subscriber, client: Client) -> None:
    door = path_of(links.preferences(alice))
    before = row(alice)
    answer = getattr(client, method)(door + page)
    assert alice.email not in answer.content.decode()
    if answer.status_code != 405 and page:
        assert (answer.status_code, answer["Location"]) == (302, door)
    assert row(alice) == before
    assert not Secret.objects.exists()


def test_it_mails_the_link_to_its_own_subscriber(alice: Subscriber, client: Client) -> None:
    door = path_of(links.preferences(alice))
    page = client.get(door)
    assert "E-mail me my link" in page.content.decode()
    assert {"no-store", "private"} <= set(page["Cache-Control"].split(", "))
    assert page["X-Robots-Tag"] == "noindex"
    answer = client.post(door)
    assert answer["Location"] == "/preferences/sent/"
    handle_requests(MORNING)
    alice.refresh_from_db()
    assert alice.notice == Subscriber.Notice.LINK


def test_it_is_limited_as_the_form_is(alice: Subscriber, client: Client) -> None:
    door = path_of(links.preferences(alice))
    assert [client.post(door).status_code for _ in range(21)] == [302] * 20 + [429]


def test_the_preferences_close_after_two_hours(alice: Subscriber, client: Client) -> None:
    page = path_of(links.access(alice))
    with time_machine.travel(MORNING + dt.timedelta(hours=2), tick=False):
        assert client.get(page).status_code == 200
    with time_machine.travel(MORNING + dt.timedelta(hours=2, seconds=1), tick=False):
        for name in PAGES:
            for answer in (client.get(page + name), client.post(page + name)):
                assert answer.status_code in (405, 410)
                assert alice.email not in answer.content.decode()


def test_a_subscriber_makes_all_links_void(alice: Subscriber, digest: Digest, client: Client) -> None:
    secrets = {kind: tokens.make(alice, kind, MORNING) for kind in Secret.Kind.values}
    old = [links.preferences(alice), links.access(alice), links.emailed(alice)]
    feedback, copy, leave = digest_links.feedback(digest), digest_links.web_copy(digest), links.unsubscribe(alice)
    answer = client.post(f"{path_of(links.access(alice))}void/", follow=True)
    assert "All your links are void." in answer.content.decode()
    assert [client.get(link).status_code for link in old] == [410] * 3
    paper = digest.paper_ids[0]
    assert [client.get(copy).status_code, client.get(f"{feedback}?paper={paper}&say=more").status_code] == [404, 404]
    assert [tokens.holder(secret, kind) for kind, secret in secrets.items()] == [None, None]
    assert client.post(leave).status_code == 200
    alice.refresh_from_db()
    assert (alice.status, alice.token_version) == ("unsubscribed", 2)


def test_looking_or_a_foreign_page_makes_nothing_void(alice: Subscriber, client: Client) -> None:
    page = f"{path_of(links.access(alice))}void/"
    assert client.get(page).status_code == 405
    assert Client(enforce_csrf_checks=True).post(page).status_code == 403
    alice.refresh_from_db()
    assert alice.token_version == 1


def test_more_and_less_are_taken_back_in_the_preferences(alice: Subscriber, digest: Digest, client: Client) -> None:
    paper = Paper.objects.get(pk=digest.paper_ids[0])
    old = Feedback.objects.create(subscriber=alice, paper=paper, kind="more", at=MORNING - dt.timedelta(days=90))
    page = f"{path_of(links.access(alice))}said/"
    assert paper.title in client.get(page).content.decode()
    client.post(page, {"take_back": str(old.pk)})
    old.refresh_from_db()
    assert old.undone_at == MORNING
    assert paper.title not in client.get(page).content.decode()
