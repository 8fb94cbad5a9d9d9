"""A reader's own part of the JSON interface, behind a token."""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from digest.models import Digest, Feedback, Lane, Paper, Pick
from digest.picks.selection.select import select_due
from digest.web.api import own as own_api
from subscriptions import tokens
from subscriptions.models import Secret, Subscriber
from tests.conftest import MORNING, listing, make_reader
from tests.subscriptions.conftest import row

pytestmark = pytest.mark.django_db

ME, DIGESTS, SAVED, FEEDBACK = (f"/api/v1/me/{name}" for name in ("", "digests/", "saved/", "feedback/"))
ALL = [(ME, "get"), (ME, "patch"), (DIGESTS, "get"), (SAVED, "get"), (FEEDBACK, "post"), (FEEDBACK, "delete")]
Ask = Callable[..., HttpResponse]


@pytest.fixture(autouse=True)
def _in_the_morning(counters: None) -> Iterator[None]:
    with time_machine.travel(MORNING, tick=False):
        yield


@pytest.fixture
def token(alice: Subscriber) -> str:
    return tokens.make(alice, Secret.Kind.API, MORNING)


@pytest.fixture
def ask(token: str) -> Ask:
    """Ask as Alice's program does, from which CSRF cookies are not to be had."""
    client = Client(enforce_csrf_checks=True, headers={"Authorization": f"Bearer {token}"})

    def send(method: str, path: str, body: Any = None) -> HttpResponse:
        if body is None:
            return getattr(client, method)(path)
        text = body if isinstance(body, bytes) else json.dumps(body)
        return getattr(client, method)(path, text, content_type="application/json")

    return send


@pytest.fixture
def mailed(alice: Subscriber, papers: list[Paper]) -> Digest:
    select_due(MORNING)
    return Digest.objects.get(subscriber=alice)


def problem(answer: HttpResponse, status: int) -> dict[str, Any]:
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json"), answer.content
    found: dict[str, Any] = json.loads(answer.content)
    assert found["status"] == status and found["detail"].endswith(".")
    return found


def faults(answer: HttpResponse) -> dict[str, dict[str, Any]]:
    """The faults of a refused change, by the place they point at."""
    return {one["pointer"]: one for one in problem(answer, 422)["errors"]}


def test_it_tells_what_is_stored_and_no_address(ask: Ask, alice: Subscriber) -> None:
    answer = ask("get", ME)
    assert json.loads(answer.content) == {
        "lines": ["diffusion", '"chain of thought"', "-survey"],
        "frequency": "daily",
        "weekday": 0,
        "hour": 8,
        "time_zone": "UTC",
        "max_papers": 10,
        "trending_share": 0,
        "empty_mail": False,
        "language": "en",
        "paused_until": None,
        "next_digest_at": "2026-03-16T08:00:00Z",
    }
    assert b"alice" not in answer.content and alice.code.encode() not in answer.content


def test_what_is_named_changes_and_the_rest_stays(ask: Ask, alice: Subscriber) -> None:
    answer = ask("patch", ME, {"lines": ["agents", "", "vision"], "hour": 20})
    assert answer.status_code == 200
    alice.refresh_from_db()
    assert (alice.lines(), alice.hour, alice.frequency, alice.max_papers) == (["agents", "vision"], 20, "daily", 10)
    told = json.loads(answer.content)
    assert (told["lines"], told["next_digest_at"]) == (["agents", "vision"], "2026-03-16T20:00:00Z")


def test_a_change_of_nothing_changes_nothing(ask: Ask, alice: Subscriber) -> None:
    before = row(alice)
    assert ask("patch", ME, {}).status_code == 200
    assert row(alice) == before


def test_a_change_of_the_hour_alone_keeps_the_lines_as_typed(ask: Ask, alice: Subscriber) -> None:
    ask("patch", ME, {"hour": 9})
    assert alice.lines() == ["diffusion", '"chain of thought"', "-survey"]


def test_a_pause_and_its_end(ask: Ask, alice: Subscriber) -> None:
    told = json.loads(ask("patch", ME, {"pause": {"days": 14}, "hour": 7}).content)
    assert told["paused_until"] == "2026-03-30T08:00:00Z"
    assert told["next_digest_at"] == "2026-03-31T07:00:00Z"
    alice.refresh_from_db()
    assert alice.is_paused(MORNING)
    told = json.loads(ask("patch", ME, {"pause": None}).content)
    assert (told["paused_until"], told["next_digest_at"]) == (None, "2026-03-17T07:00:00Z")


def test_a_pause_until_a_day_of_the_readers_clock(ask: Ask) -> None:
    told = json.loads(ask("patch", ME, {"pause": {"until": "2026-04-01"}, "time_zone": "Asia/Kathmandu"}).content)
    assert told["paused_until"] == "2026-03-31T18:15:00Z"


def test_a_bad_line_is_pointed_at_with_its_column_and_a_mend(ask: Ask, alice: Subscriber) -> None:
    before = row(alice)
    found = faults(ask("patch", ME, {"lines": ["vision", "", 'agents "open', "a) b"], "hour": 99}))
    assert set(found) == {"#/lines/2", "#/lines/3", "#/hour"}
    fault = found["#/lines/2"]
    assert (fault["line"], fault["column"], fault["suggestion"]) == (3, 8, 'agents "open"')
    assert fault["detail"].startswith("Line 3, character 8: ")
    assert row(alice) == before


@pytest.mark.parametrize(("wanted", "pointer"), [
    ({"lines": []}, "#/lines"),
    ({"lines": ["  ", ""]}, "#/lines"),
    ({"lines": "diffusion"}, "#/lines"),
    ({"lines": [1]}, "#/lines/0"),
    ({"lines": ["a", None]}, "#/lines/1"),
    ({"lines": ["a\nb"]}, "#/lines/0"),
    ({"lines": ["a\n"]}, "#/lines/0"),
    ({"lines": ["a\u2028b"]}, "#/lines/0"),
    ({"lines": ["a\0b"]}, "#/lines"),
    ({"lines": ["x" * 501]}, "#/lines/0"),
    ({"lines": ["x" * 499] * 21}, "#/lines"),
    ({"lines": [f"word{number}" for number in range(51)]}, "#/lines"),
    ({"frequency": "hourly"}, "#/frequency"),
    ({"frequency": None}, "#/frequency"),
    ({"weekday": 7}, "#/weekday"),
    ({"hour": "8"}, "#/hour"),
    ({"hour": True}, "#/hour"),
    ({"hour": 8.0}, "#/hour"),
    ({"hour": -1}, "#/hour"),
    ({"hour": 10**30}, "#/hour"),
    ({"time_zone": "Mars/Phobos"}, "#/time_zone"),
    ({"time_zone": "\0"}, "#/time_zone"),
    ({"max_papers": 7}, "#/max_papers"),
    ({"trending_share": 99}, "#/trending_share"),
    ({"pause": 14}, "#/pause"),
    ({"pause": {}}, "#/pause"),
    ({"pause": {"days": 8}}, "#/pause/days"),
    ({"pause": {"days": "14"}}, "#/pause/days"),
    ({"pause": {"weeks": 2}}, "#/pause/weeks"),
    ({"pause": {"until": "soon"}}, "#/pause/until"),
    ({"pause": {"until": "2026-03-16"}}, "#/pause/until"),
    ({"pause": {"until": ""}}, "#/pause/until"),
    ({"pause": {"until": None}}, "#/pause/until"),
    ({"email": "x@example.org"}, "#/email"),
    ({"status": "active"}, "#/status"),
    ({"mend": "1"}, "#/mend"),
    ({"a/b~c": 1}, "#/a~1b~0c"),
])  # fmt: skip
def test_a_fault_is_pointed_at_and_changes_nothing(
    wanted: dict[str, Any], pointer: str, ask: Ask, alice: Subscriber
) -> None:
    before = row(alice)
    assert set(faults(ask("patch", ME, {"hour": 9} | wanted))) == {pointer}
    assert row(alice) == before


@pytest.mark.parametrize("body", [
    b" ", b"{", b"[]", b'"x"', b"null", b"\xff", b'{"hour": NaN}', b'{"lines": ["\\ud800"]}', b"[" * 60_000,
    b'{"hour": 1' + b"0" * 5000 + b"}", '{"hour": 9}'.encode("utf-16"),
])  # fmt: skip
@pytest.mark.parametrize(("method", "path"), [("patch", ME), ("post", FEEDBACK)])
def test_what_is_no_json_object_is_refused(method: str, path: str, body: bytes, ask: Ask) -> None:
    assert problem(ask(method, path, body), 400)


def test_a_body_of_another_kind_or_too_long_is_refused(token: str, ask: Ask) -> None:
    client = Client(headers={"Authorization": f"Bearer {token}"})
    problem(client.patch(ME, "hour=9", content_type="application/x-www-form-urlencoded"), 415)
    problem(client.post(FEEDBACK, {"paper": "1"}), 415)
    for length in (own_api.MAX_BODY, 3_000_000):
        problem(ask("patch", ME, b'{"lines": ["' + b"x" * length + b'"]}'), 413)


def test_a_stored_value_outside_the_choices_may_stay(ask: Ask, alice: Subscriber) -> None:
    Subscriber.objects.filter(pk=alice.pk).update(time_zone="US/Pacific", max_papers=12)
    assert ask("patch", ME, {"time_zone": "US/Pacific", "max_papers": 12, "hour": 9}).status_code == 200


def test_what_was_mailed_with_reasons_in_words(ask: Ask, mailed: Digest) -> None:
    told = json.loads(ask("get", DIGESTS).content)
    assert told["count"] == 1
    (digest,) = told["results"]
    assert digest["issue_date"] == "2026-03-16"
    assert [pick["paper"]["id"] for pick in digest["picks"]] == mailed.paper_ids
    why = {pick["paper"]["title"]: pick["why"] for pick in digest["picks"]}
    assert why["Diffusion for Weather"].startswith("“diffusion” matches “Diffusion” in the title and abstract")


def test_digests_come_in_parts_newest_first(ask: Ask, alice: Subscriber, papers: list[Paper]) -> None:
    for day in range(1, 4):
        Digest.objects.create(subscriber=alice, issue_date=dt.date(2026, 2, day), created_at=MORNING, picks=[])
    told = json.loads(ask("get", f"{DIGESTS}?limit=2").content)
    assert [one["issue_date"] for one in told["results"]] == ["2026-02-03", "2026-02-02"]
    path = told["next"].removeprefix("http://127.0.0.1:8000")
    assert [one["issue_date"] for one in json.loads(ask("get", path).content)["results"]] == ["2026-02-01"]
    assert problem(ask("get", f"{DIGESTS}?limit=31"), 422)["parameter"] == "limit"
    assert problem(ask("get", f"{DIGESTS}?since=x"), 400)["parameter"] == "since"


def said(reader: Subscriber) -> set[tuple[int, str]]:
    return set(Feedback.objects.filter(subscriber=reader, undone_at=None).values_list("paper", "kind"))


def test_a_paper_is_saved_listed_and_taken_back(ask: Ask, alice: Subscriber, mailed: Digest) -> None:
    number = mailed.paper_ids[0]
    for _ in range(2):
        assert json.loads(ask("post", FEEDBACK, {"paper": number, "say": "save"}).content)["paper"] == number
    told = json.loads(ask("get", SAVED).content)
    assert [(one["paper"]["id"], one["saved_on"]) for one in told["results"]] == [(number, "2026-03-16")]
    for _ in range(2):
        assert ask("delete", f"{FEEDBACK}?paper={number}&say=save").status_code == 204
    assert json.loads(ask("get", SAVED).content)["results"] == []
    assert Feedback.objects.get(subscriber=alice).undone_at == MORNING


def test_more_and_less_cannot_both_hold(ask: Ask, alice: Subscriber, mailed: Digest) -> None:
    number = mailed.paper_ids[0]
    for say in ("more", "save", "less"):
        assert ask("post", FEEDBACK, {"paper": number, "say": say}).status_code == 200
    assert said(alice) == {(number, "less"), (number, "save")}


def test_only_papers_of_ones_own_mail_are_spoken_of(ask: Ask, alice: Subscriber, mailed: Digest) -> None:
    (other,) = set(Paper.objects.filter(title="Pruning Networks").values_list("pk", flat=True))
    dan = make_reader("dan@example.org", "pruning")
    Digest.objects.create(
        subscriber=dan, issue_date=MORNING.date(), created_at=MORNING, picks=[Pick(other, Lane.INTERESTS, 0, 0)]
    )
    assert set(faults(ask("post", FEEDBACK, {"paper": other, "say": "more"}))) == {"#/paper"}
    Feedback.objects.create(subscriber=dan, paper_id=other, kind="save", at=MORNING)
    assert ask("delete", f"{FEEDBACK}?paper={other}&say=save").status_code == 204
    assert (said(alice), said(dan)) == (set(), {(other, "save")})


@pytest.mark.parametrize(("body", "pointers"), [
    ({}, {"#/paper", "#/say"}),
    ({"paper": "1", "say": "more"}, {"#/paper"}),
    ({"paper": True, "say": "more"}, {"#/paper"}),
    ({"paper": 2**63, "say": "more"}, {"#/paper"}),
    ({"paper": 99999, "say": "more"}, {"#/paper"}),
    ({"paper": 1, "say": "mute"}, {"#/paper", "#/say"}),
    ({"paper": 0, "say": ["more"]}, {"#/paper", "#/say"}),
    ({"paper": 99999, "say": "more", "x": 1}, {"#/x"}),
])  # fmt: skip
def test_what_cannot_be_said_is_pointed_at(body: dict[str, Any], pointers: set[str], ask: Ask) -> None:
    found = set(faults(ask("post", FEEDBACK, body)))
    assert found and found <= pointers


@pytest.mark.parametrize("query", ["", "?paper=1", "?say=more", "?paper=x&say=more", f"?paper={2**70}&say=more"])
def test_what_cannot_be_taken_back_is_named(query: str, ask: Ask) -> None:
    assert problem(ask("delete", FEEDBACK + query), 422)["parameter"] in ("paper", "say")


@pytest.mark.parametrize(("path", "method"), ALL)
@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Bearer x", "Basic YTpi", "Bearer " + "x" * 32, "Bearer é", "x" * 5000]
)
def test_without_a_good_token_nothing_is_told(path: str, method: str, header: str | None, alice: Subscriber) -> None:
    client = Client(headers={} if header is None else {"Authorization": header})
    answer = getattr(client, method)(path)
    problem(answer, 401)
    assert answer["WWW-Authenticate"].startswith('Bearer realm="api"')
    assert ("invalid_token" in answer["WWW-Authenticate"]) == bool(header)


def test_wrong_revoked_left_and_erased_look_alike(alice: Subscriber, token: str) -> None:
    def answer() -> tuple[int, bytes, str]:
        found = Client(headers={"Authorization": f"Bearer {token}"}).get(ME)
        return found.status_code, found.content, str(found.headers)

    wrong = Client(headers={"Authorization": "Bearer nobodys"}).get(ME)
    feed = Client(headers={"Authorization": f"Bearer {tokens.make(alice, Secret.Kind.FEED, MORNING)}"}).get(ME)
    assert answer()[0] == 200
    alice.stop(Subscriber.Status.UNSUBSCRIBED, MORNING)
    left = answer()
    alice.confirm(MORNING)
    tokens.revoke(alice, Secret.Kind.API)
    revoked = answer()
    alice.delete()
    each = {left, revoked, answer(), *((one.status_code, one.content, str(one.headers)) for one in (wrong, feed))}
    assert len(each) == 1


def test_the_token_opens_no_page_and_no_feed(alice: Subscriber, token: str, client: Client) -> None:
    for path in (f"/feeds/mine/{token}.atom", f"/preferences/{token}/", f"/unsubscribe/{token}/"):
        assert client.get(path).status_code == 404
    assert client.get(ME, {"access_token": token}).status_code == 401


@pytest.mark.parametrize(("path", "method"), ALL)
def test_nothing_is_kept_or_open_to_other_sites(path: str, method: str, ask: Ask, client: Client) -> None:
    for answer in (ask(method, path), getattr(client, method)(path), client.options(path), client.put(path)):
        assert {"no-store", "private"} <= set(answer["Cache-Control"].split(", "))
        assert answer["X-Robots-Tag"] == "noindex"
        assert not {name for name in answer.headers if name.startswith("Access-Control-")}
        assert "ETag" not in answer and not answer.cookies


def test_other_methods_are_refused(ask: Ask, client: Client) -> None:
    for path, allowed in ((ME, "GET, HEAD, OPTIONS, PATCH"), (FEEDBACK, "DELETE, OPTIONS, POST")):
        answer = ask("put", path, {})
        assert (problem(answer, 405)["status"], answer["Allow"]) == (405, allowed)
        asked = client.options(path)
        assert (asked.status_code, asked["Allow"], asked.content) == (204, allowed, b"")
    assert (ask("head", ME).status_code, ask("head", ME).content) == (200, b"")


def test_a_token_and_a_network_may_not_ask_without_end(ask: Ask, token: str, client: Client) -> None:
    assert [ask("get", ME).status_code for _ in range(own_api.ASKED + 1)] == [200] * own_api.ASKED + [429]
    answer = ask("get", ME)
    assert (problem(answer, 429)["status"], answer["Retry-After"]) == (429, "600")
    statuses = [client.get(ME).status_code for _ in range(own_api.ASKED)]
    assert set(statuses) == {401, 429} and statuses[-1] == 429


def test_no_log_line_and_no_error_page_holds_the_token(
    ask: Ask, token: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    ask("get", ME)
    ask("patch", ME, {"hour": 99})
    monkeypatch.setattr(own_api, "settings_of", None)
    client = Client(headers={"Authorization": f"Bearer {token}"}, raise_request_exception=False)
    answer = client.get(ME)
    assert answer.status_code == 500
    assert token not in answer.content.decode()
    assert caplog.records and token not in caplog.text


def test_the_number_of_queries_is_fixed(
    ask: Ask, alice: Subscriber, store: Callable[..., list[Paper]], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for day in range(1, 13):
        paper = store(listing(f"Diffusion {day}"))[-1]
        picks = [Pick(paper.pk, Lane.INTERESTS, 100, 0)]
        Digest.objects.create(subscriber=alice, issue_date=dt.date(2026, 1, day), created_at=MORNING, picks=picks)
        Feedback.objects.create(subscriber=alice, paper=paper, kind="save", at=MORNING)
        if day in (1, 12):
            for path, queries in ((ME, 2), (DIGESTS, 4), (SAVED, 3)):
                with django_assert_num_queries(queries):
                    assert ask("get", path).status_code == 200


@pytest.mark.parametrize("depth", [50, 900, 5_000, 15_000])
@pytest.mark.parametrize(("path", "method"), [(ME, "patch"), (FEEDBACK, "post")])
def test_a_body_nested_very_deep_is_refused_in_words(ask: Ask, path: str, method: str, depth: int) -> None:
    for body in (b"[" * depth + b"]" * depth, b'{"lines":' * depth + b"1" + b"}" * depth):
        answer = ask(method, path, body)
        assert answer.status_code in (400, 413, 422)
        assert json.loads(answer.content)["detail"]
