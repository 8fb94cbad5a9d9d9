"""A reader's own Atom feed behind a secret address."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterator

import pytest
import time_machine
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from digest.mail.rendering.labels import why
from digest.models import Digest, Lane, Match, Paper, Pick, Reason, ReasonKind
from digest.picks.selection.select import select_due
from digest.web.feeds import own as own_feed
from subscriptions import tokens
from subscriptions.models import Secret, Subscriber
from subscriptions.redaction import RedactingFormatter
from tests.conftest import MORNING, listing, make_reader
from tests.digest.web.feeds.test_feeds import ATOM, HOSTILE, read, store_rows, tree
from tests.picks import picks_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _in_the_morning(counters: None) -> Iterator[None]:
    with time_machine.travel(MORNING, tick=False):
        yield


def address_of(reader: Subscriber) -> str:
    return f"/feeds/mine/{tokens.make(reader, Secret.Kind.FEED, MORNING)}.atom"


@pytest.fixture
def address(alice: Subscriber, papers: list[Paper]) -> str:
    """Alice's feed, after her first mail."""
    select_due(MORNING)
    return address_of(alice)


def give(reader: Subscriber, papers: list[Paper], date: dt.date) -> Digest:
    """A digest of these papers, found by the subscriber's first line."""
    line = reader.interest_lines.first()
    for paper in papers:
        places = {"words": ["diffusion"], "title": [[0, 4]]}
        Match.objects.get_or_create(interest=line.interest, paper=paper, defaults={"weight": 1, "places": places})
    reason = Reason(ReasonKind.MATCH, line.interest_id, 100)
    picks = [Pick(paper.pk, Lane.INTERESTS, 100, 0, (reason,)) for paper in papers]
    made = dt.datetime.combine(date, dt.time(8), tzinfo=dt.UTC)
    return Digest.objects.create(subscriber=reader, issue_date=date, created_at=made, picks=picks)


def test_it_holds_what_was_mailed_and_says_why(address: str, alice: Subscriber, client: Client) -> None:
    parsed = read(client, address)
    digest = Digest.objects.get(subscriber=alice)
    assert [entry.title for entry in parsed.entries] == [row["paper"].title for row in picks_of(digest)]
    assert len(parsed.entries) >= 2
    by_title = {entry.title: entry for entry in parsed.entries}
    assert "“diffusion” matches “Diffusion” in the title and abstract" in by_title["Diffusion for Weather"].summary
    assert "We forecast rain" in by_title["Diffusion for Weather"].summary
    assert parsed.feed.title == "Paper Round: your papers"


def test_the_newest_issue_comes_first(alice: Subscriber, papers: list[Paper], client: Client) -> None:
    give(alice, papers[:2], dt.date(2026, 3, 14))
    give(alice, papers[2:4], dt.date(2026, 3, 15))
    entries = read(client, address_of(alice)).entries
    assert [entry.title for entry in entries] == [paper.title for paper in (*papers[2:4], *papers[:2])]
    assert entries[0].published == "2026-03-15T08:00:00+00:00"


def test_ids_stay_on_each_fetch_and_with_a_new_address(address: str, alice: Subscriber, client: Client) -> None:
    first = read(client, address)
    Paper.objects.update(upvotes=1, url="https://example.org/x", changed_at=MORNING)
    second = read(client, address_of(alice))
    assert second.feed.id == first.feed.id
    assert [entry.id for entry in second.entries] == [entry.id for entry in first.entries]
    assert all(entry.id.startswith("tag:127.0.0.1,2026-03-16:/mine/") for entry in first.entries)
    secret = address.split("/")[-1].removesuffix(".atom")
    assert secret not in first.feed.id + "".join(entry.id for entry in first.entries)


def test_two_readers_entries_have_two_ids(address: str, alice: Subscriber, client: Client) -> None:
    other = make_reader("dan@example.org", "diffusion")
    give(other, list(Paper.objects.all()), MORNING.date())
    ids = [{entry.id for entry in read(client, one).entries} for one in (address, address_of(other))]
    assert all(ids) and not ids[0] & ids[1]


def test_it_leads_to_nothing_that_is_signed(address: str, alice: Subscriber, client: Client) -> None:
    text = client.get(address).content.decode()
    for word in (alice.code, "alice", "example.org", "/preferences/", "/digest/", "/feedback/", "/unsubscribe/"):
        assert word not in text


def test_a_reader_without_mail_has_an_empty_feed_that_stays_the_same(alice: Subscriber, client: Client) -> None:
    address = address_of(alice)
    first = client.get(address).content
    with time_machine.travel(MORNING + dt.timedelta(hours=1), tick=False):
        assert client.get(address).content == first
    assert tree(first).findall(f"{ATOM}entry") == []


def test_wrong_revoked_and_left_look_alike(address: str, alice: Subscriber, client: Client) -> None:
    api = tokens.make(alice, Secret.Kind.API, MORNING)
    secrets = [f"/feeds/mine/{secret}.atom" for secret in ("x", "x" * 32, "x" * 5000, "%00", "é", api)]
    answers = [client.get(one) for one in secrets]
    tokens.revoke(alice, Secret.Kind.FEED)
    answers.append(client.get(address))
    mended = address_of(alice)
    assert client.get(mended).status_code == 200
    alice.stop(Subscriber.Status.UNSUBSCRIBED, MORNING)
    answers.append(client.get(mended))
    alice.delete()
    answers.append(client.get(mended))
    assert {(answer.status_code, answer.content) for answer in answers} == {
        (404, b"There is no feed at this address.\n")
    }
    assert len({str(answer.headers) for answer in answers}) == 1


def test_it_is_neither_kept_nor_indexed(address: str, client: Client) -> None:
    for answer in (client.get(address), client.head(address), client.get("/feeds/mine/no.atom")):
        assert {"no-store", "private"} <= set(answer["Cache-Control"].split(", "))
        assert answer["X-Robots-Tag"] == "noindex"
        assert answer["Referrer-Policy"] == "same-origin"
        assert not answer.cookies
        assert "Access-Control-Allow-Origin" not in answer
    assert client.post(address).status_code == 405


def test_no_log_line_holds_the_secret(
    address: str, client: Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    console = logging.getLogger().handlers[0]
    lines: list[str] = []
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, RedactingFormatter):
            console = handler
    monkeypatch.setattr(console, "emit", lambda record: lines.append(console.format(record)))
    monkeypatch.setattr(own_feed, "ASKED", 0)
    with caplog.at_level(logging.WARNING, "django.request"):
        assert client.get(address).status_code == 429
    secret = address.split("/")[-1].removesuffix(".atom")
    assert any("Too Many Requests: /feeds/mine/…" in line for line in lines)
    assert secret not in "".join(lines)


def test_an_error_page_holds_no_secret(address: str, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_feed, "DIGESTS", "many")
    client.raise_request_exception = False
    answer = client.get(address)
    assert answer.status_code == 500
    assert address.split("/")[-1] not in answer.content.decode()


def test_one_address_is_not_asked_without_end(address: str, client: Client) -> None:
    asked = [client.get(address).status_code for _ in range(own_feed.ASKED + 1)]
    assert asked == [200] * own_feed.ASKED + [429]
    assert client.get(address)["Retry-After"] == "600"


@pytest.mark.slow
def test_nobody_guesses_addresses_without_end(client: Client) -> None:
    statuses = [client.get(f"/feeds/mine/{number}.atom").status_code for number in range(10 * own_feed.ASKED + 1)]
    assert set(statuses[:-1]) == {404} and statuses[-1] == 429


def test_the_number_of_queries_is_fixed(
    alice: Subscriber,
    store: Callable[..., list[Paper]],
    client: Client,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    address = address_of(alice)
    for day in range(1, 40):
        give(alice, store(listing(f"Diffusion {day}"))[-1:], dt.date(2026, 1, 1) + dt.timedelta(days=day))
        if day in (1, 39):
            with django_assert_num_queries(6):
                entries = read(client, address).entries
    assert len(entries) == own_feed.DIGESTS
    assert entries[0].title == "Diffusion 39"


def test_it_holds_sixty_papers_at_most(alice: Subscriber, client: Client) -> None:
    rows = store_rows([f"Paper {number}" for number in range(70)])
    give(alice, rows, MORNING.date())
    rows[0].delete()
    assert len(read(client, address_of(alice)).entries) == 60


def test_hostile_papers_and_lines_make_well_formed_xml(alice: Subscriber, client: Client) -> None:
    rows = store_rows(HOSTILE, authors=HOSTILE, abstract=HOSTILE[0] + HOSTILE[4])
    give(alice, rows, MORNING.date())
    alice.interest_lines.update(typed=HOSTILE[0])
    for match, words in zip(Match.objects.all(), HOSTILE, strict=True):
        Match.objects.filter(pk=match.pk).update(places={"words": [words]})
    assert len(tree(client.get(address_of(alice)).content).findall(f"{ATOM}entry")) == len(HOSTILE)


@pytest.mark.parametrize(("reasons", "words"), [
    ([], "Trending; it matches none of your interests."),
    ([{"line": "LLM", "words": ["language models"], "title": [[0, 3]]}],
     "“LLM” matches “language models” in the title."),
    ([{"line": "agents", "words": ["agents"], "abstract": [[0, 3]]}, {"kind": "taste", "line": "", "points": 2}],
     "“agents” matches “agents” in the abstract; it is like papers you liked."),
    ([{"kind": "taste", "line": "", "points": -2}, {"kind": "faint", "line": "", "points": 0.1}],
     "It is like papers you asked less of or passed over."),
    ([{"kind": "faint", "line": "", "points": 0.1}], "Other lines of yours, a little."),
])  # fmt: skip
def test_reasons_in_words(reasons: list[dict[str, object]], words: str) -> None:
    assert why(reasons) == words
