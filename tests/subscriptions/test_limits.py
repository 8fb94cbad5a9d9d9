"""How often one network may ask."""

from __future__ import annotations

import pytest
import time_machine
from django.db import OperationalError
from django.test import Client, RequestFactory

from subscriptions import limits
from subscriptions.limits import client_network
from subscriptions.models import RateCount
from tests.conftest import MORNING
from tests.subscriptions.conftest import answers

MOST = 20  # sign-ups an hour, see views.subscribe


def tries(client: Client, count: int, **extra: str) -> list[int]:
    """The answers' statuses; what a machine sends costs nothing and counts all the same."""
    return [client.post("/subscribe/", answers(website="x"), **extra).status_code for _ in range(count)]


def test_the_twenty_first_try_has_to_wait(client: Client, db: None) -> None:
    assert tries(client, MOST) == [302] * MOST
    answer = client.post("/subscribe/", answers())
    assert (answer.status_code, answer["Retry-After"]) == (429, "3600")
    assert "Please wait" in answer.content.decode()


def test_after_an_hour_it_goes_on(client: Client, db: None) -> None:
    with time_machine.travel(MORNING, tick=False) as clock:
        tries(client, MOST + 5)
        clock.shift(3599)
        assert tries(client, 1) == [429]
        clock.shift(2)
        assert tries(client, 1) == [302]


def test_looking_is_never_limited(client: Client, db: None) -> None:
    tries(client, MOST + 1)
    assert client.get("/subscribe/").status_code == 200


def test_a_forged_header_changes_nothing(client: Client, db: None) -> None:
    for number in range(MOST):
        tries(client, 1, HTTP_X_FORWARDED_FOR=f"203.0.{number}.7")
    assert tries(client, 1, HTTP_X_FORWARDED_FOR="198.51.100.9") == [429]


def test_searches_are_limited_wherever_they_are_asked(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SEARCHES", 3)
    ways = ["/search?q=kettle", "/feeds/search.atom?q=kettle", "/api/v1/papers/?q=kettle"]
    assert [client.get(way).status_code for way in ways] == [200] * 3
    answers = [client.get(way) for way in ways]
    assert [(answer.status_code, answer["Retry-After"]) for answer in answers] == [(429, "600")] * 3
    assert "Please wait" in answers[0].content.decode()
    assert answers[2].json()["detail"] == "Too many searches: wait 10 minutes."
    for other in ("/search", "/", "/api/v1/papers/", "/feeds/papers.atom"):
        assert client.get(other).status_code == 200


def test_another_network_is_not_held_up(client: Client, db: None) -> None:
    tries(client, MOST + 1, REMOTE_ADDR="203.0.113.7")
    assert tries(client, 1, REMOTE_ADDR="203.0.113.200") == [429]
    assert tries(client, 1, REMOTE_ADDR="203.0.114.7") == [302]


def test_unsubscribing_is_never_limited(client: Client, db: None) -> None:
    statuses = {client.post("/unsubscribe/x/").status_code for _ in range(MOST * 3)}
    assert statuses == {404}


def test_without_redis_the_database_counts(
    no_redis: None, client: Client, db: None, caplog: pytest.LogCaptureFixture
) -> None:
    with time_machine.travel(MORNING, tick=False) as clock:
        assert tries(client, MOST + 2) == [302] * MOST + [429] * 2
        clock.shift(3601)
        assert tries(client, 1) == [302]
    assert "counted in the database" in caplog.text


def test_a_durable_limit_survives_an_emptied_cache(db: None) -> None:
    over = [limits.is_over("mail", "ada", 2, 60, durable=True) for _ in range(2)]
    limits.cache.clear()
    assert [*over, limits.is_over("mail", "ada", 2, 60, durable=True)] == [False, False, True]


@pytest.mark.parametrize("down", ["cache", "none"])
def test_a_cost_counts_as_so_many(down: str, request: pytest.FixtureRequest, db: None) -> None:
    if down == "cache":
        request.getfixturevalue("no_redis")
    assert [limits.is_over("work", "ada", 10, 60, cost=4) for _ in range(3)] == [False, False, True]
    assert limits.is_over("work", "bob", 10, 60, cost=11)


def test_when_nothing_can_count_the_request_is_refused(
    no_redis: None, monkeypatch: pytest.MonkeyPatch, db: None
) -> None:
    def fail(*_: object) -> int:
        raise OperationalError("no database")

    monkeypatch.setattr(RateCount.objects, "add", fail)
    assert limits.is_over("signup", "ada", 20, 60)


def test_a_counter_names_no_network() -> None:
    limits.is_over("signup", "203.0.113.0/24", 20, 60)
    keys = list(limits.cache._cache)
    assert len(keys) == 1
    assert "203.0" not in keys[0]


@pytest.mark.parametrize("trusted, remote, header, network", [
    (0, "203.0.113.7", "", "203.0.113.0/24"),
    (0, "203.0.113.7", "198.51.100.9", "203.0.113.0/24"),
    (1, "10.0.0.1", "198.51.100.9", "198.51.100.0/24"),
    (1, "10.0.0.1", "6.6.6.6, 198.51.100.9", "198.51.100.0/24"),
    (2, "10.0.0.1", "6.6.6.6, 198.51.100.9, 10.0.0.2", "198.51.100.0/24"),
    (2, "10.0.0.1", "198.51.100.9", "10.0.0.0/24"),
    (1, "10.0.0.1", "", "10.0.0.0/24"),
    (1, "10.0.0.1", "not an address", "unknown"),
    (1, "10.0.0.1", "198.51.100.9:4711", "198.51.100.0/24"),
    (1, "10.0.0.1", "[2001:db8:1:2::3]:4711", "2001:db8:1::/48"),
    (1, "10.0.0.1", "[2001:db8:1:2::3]", "2001:db8:1::/48"),
    (0, "2001:db8:1:2::3", "", "2001:db8:1::/48"),
    (0, "::ffff:203.0.113.7", "", "203.0.113.0/24"),
    (0, "fe80::1%eth0", "", "fe80::/48"),
    (0, "", "", "unknown"),
])  # fmt: skip
def test_the_network_is_what_our_own_proxies_saw(
    trusted: int, remote: str, header: str, network: str, settings: object, rf: RequestFactory
) -> None:
    settings.TRUSTED_PROXIES = trusted
    request = rf.post("/", REMOTE_ADDR=remote, headers={"X-Forwarded-For": header} if header else {})
    assert client_network(request) == network
