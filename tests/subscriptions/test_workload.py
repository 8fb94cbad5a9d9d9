"""What public requests may compute, together and each network by itself."""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from digest.picks.suggestions.suggest import MOST_PASTED
from subscriptions import links, request_size, workload
from subscriptions.interest_form import MAX_TYPED
from subscriptions.models import Subscriber
from tests.subscriptions.conftest import answers

COMPUTING = {
    "/preview/": {"interests": "diffusion", "frequency": "daily", "hour": "8", "time_zone": "UTC"},
    "/preview/mail/": {"interests": "diffusion", "frequency": "daily", "hour": "8", "time_zone": "UTC"},
    "/live/": {"interests": "diffusion"},
    "/suggest/": {"paste": "We forecast rain with a diffusion model."},
    "/search?q=diffusion": None,
    "/feeds/search.atom?q=diffusion": None,
    "/api/v1/papers/?q=diffusion": None,
}
# Names of the addresses that look something up, show a page or store a row. A new address goes here, or computes
# under `workload` and is named in COMPUTING (or, behind a token, in
# `test_what_computes_behind_a_token_is_charged_too`).
CHEAP = {
    "admin", "api_editions", "api_index", "api_me", "api_me_digests", "api_me_feedback", "api_me_saved", "api_nothing",
    "api_paper", "api_schema", "archive", "ask_for_link", "bibtex", "calendar", "check_inbox", "confirm", "data",
    "embed", "emailed", "erase", "favicon", "feed_mine", "feed_papers", "feedback", "gallery", "healthz",
    "interests_help", "link_sent", "mailbox", "mandrill_webhook", "message", "metrics", "month", "paper", "part",
    "pause", "preferences", "ris", "said", "saved", "saved_bib", "saved_ris", "secrets", "source", "subscribe", "today",
    "unsubscribe", "void_links", "web_copy", "webhook", "week",
}  # fmt: skip
BOUNDED = {"preview", "preview_mail", "live", "suggest", "search", "feed_search", "api_papers", "suggest_for", "why"}


def ask(client: Client, address: str) -> int:
    body = COMPUTING[address]
    return client.post(address, body).status_code if body else client.get(address).status_code


def names(patterns: list[URLPattern | URLResolver]) -> Iterator[str]:
    for one in patterns:
        if isinstance(one, URLResolver):
            if one.pattern.regex.pattern != "^admin/":
                yield from names(one.url_patterns)
        else:
            yield one.name or one.callback.__name__


def test_every_public_address_is_known_to_compute_or_not() -> None:
    assert set(names(get_resolver().url_patterns)) <= CHEAP | BOUNDED, "say of the new address whether it computes"


@contextlib.contextmanager
def all_turns_taken() -> Iterator[None]:
    with contextlib.ExitStack() as held:
        for _ in range(workload.PER_PROCESS):
            held.enter_context(workload._turn())
        yield


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workload, "WAIT", 0.05)


@pytest.mark.parametrize("address", COMPUTING)
def test_when_too_many_compute_the_next_is_asked_to_try_again(
    address: str, client: Client, db: None, impatient: None
) -> None:
    assert ask(client, address) == 200
    with all_turns_taken():
        body = COMPUTING[address]
        answer = client.post(address, body) if body else client.get(address)
        assert answer.status_code == 503
        assert answer["Retry-After"] == "5"
    assert ask(client, address) == 200


def test_what_does_not_compute_is_answered_meanwhile(client: Client, alice: Subscriber, impatient: None) -> None:
    with all_turns_taken():
        assert client.get("/healthz").status_code == 200
        assert client.get("/").status_code == 200
        assert client.post("/subscribe/", answers()).status_code == 302
        assert client.post(links.unsubscribe(alice)).status_code == 200
    alice.refresh_from_db()
    assert alice.status == Subscriber.Status.UNSUBSCRIBED


def test_requests_that_wait_leave_threads_for_others() -> None:
    with contextlib.ExitStack() as held:
        for _ in range(workload.PER_PROCESS + workload.WAITING):
            assert workload._in_line.acquire(blocking=False)
            held.callback(workload._in_line.release)
        with pytest.raises(workload.Refused), workload._turn():
            pass


def hold(folder: Path, ready: Any, end: Any) -> None:
    django_settings.DATA_DIR = folder
    with contextlib.ExitStack() as held:
        for _ in range(workload.PER_MACHINE):
            held.enter_context(workload._turn_of_machine(0))
        ready.set()
        end.wait(20)


def test_processes_of_one_machine_share_the_turns(tmp_path: Path, settings: Any, impatient: None) -> None:
    settings.DATA_DIR = tmp_path
    context = multiprocessing.get_context("fork")
    ready, end = context.Event(), context.Event()
    other = context.Process(target=hold, args=(tmp_path, ready, end))
    other.start()
    try:
        assert ready.wait(20)
        with pytest.raises(workload.Refused), workload._turn():
            pass
    finally:
        other.kill()  # as a crash: the locks go with it
        other.join()
    with workload._turn():
        pass


@pytest.mark.parametrize("cache", ["up", "down"])
def test_a_network_has_so_much_time_for_all_that_computes(
    cache: str, client: Client, db: None, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    if cache == "down":
        request.getfixturevalue("no_redis")
    assert [ask(client, address) for address in COMPUTING] == [200] * len(COMPUTING)
    monkeypatch.setattr(workload, "NETWORK_SECONDS", 0)  # all is used up by what was asked
    assert [ask(client, address) for address in COMPUTING] == [429] * len(COMPUTING)
    assert client.get("/search").status_code == 200
    assert client.post("/subscribe/", answers()).status_code == 302


@pytest.mark.parametrize("address", ["/suggest/", "/preview/", "/live/", "/subscribe/", "/subscribe/embed/", "/"])
def test_more_than_a_form_holds_is_refused_unread(address: str, client: Client, db: None) -> None:
    text = "model\n" * 450_000
    answer = client.post(address, {"interests": text, "paste": "diffusion"})
    assert answer.status_code == 413
    assert "too much text" in answer.content.decode()
    assert len(answer.content) < 10_000


def test_the_largest_form_is_taken(client: Client, db: None) -> None:
    body = urlencode({"interests": "模" * MAX_TYPED, "paste": "模" * MOST_PASTED})
    assert len(body) < request_size.MAX_FORM
    answer = client.post("/suggest/", body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 200


@pytest.mark.parametrize("page", ["suggest/", "why/?paper=x"])
def test_what_computes_behind_a_token_is_charged_too(
    page: str, alice: Subscriber, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workload, "NETWORK_SECONDS", -1)  # all of it is used up
    address = links.access(alice).removeprefix(django_settings.SITE_URL) + page
    answer = client.get(address) if "?" in page else client.post(address, {"paste": "diffusion"})
    assert (answer.status_code, answer["Retry-After"]) == (429, str(workload.WINDOW))
