"""Guessing is limited; nobody can lock the operator out."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from accounts import lockout

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

HERE, STRANGER = "203.0.113.7", "198.51.100.9"
NOW = dt.datetime(2026, 3, 16, 8, 0, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture(autouse=True)
def operator(settings: Settings) -> User:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.TRUSTED_PROXIES = 1
    return User.objects.create_superuser("operator", password="right")


def sign_in(
    password: str, address: str, *, client: Client | None = None, forged: str = "", name: str = "operator"
) -> int:
    """The status of a try through the proxy, which appends the address it sees to what the client claims."""
    hops = f"{forged}, {address}" if forged else address
    answer = (client or Client()).post(
        "/admin/login/",
        {"username": name, "password": password},
        headers={"X-Forwarded-For": hops},
        REMOTE_ADDR="10.0.0.1",
    )
    return answer.status_code


def flood(tries: int = lockout.FRESH_TRIES) -> list[int]:
    """The statuses of tries that each come from a network of their own."""
    return [sign_in("wrong", f"198.{18 + number // 256}.{number % 256}.1") for number in range(tries)]


def test_five_failures_lock_the_address_and_say_for_how_long() -> None:
    with time_machine.travel(NOW, tick=False):
        assert [sign_in("wrong", STRANGER) for _ in range(5)] == [200] * 4 + [429]
        answer = Client().post(
            "/admin/login/", {"username": "operator", "password": "right"}, headers={"X-Forwarded-For": STRANGER}
        )
    assert answer.status_code == 429
    assert "Too many attempts" in answer.content.decode()
    assert "Try again in 60 minutes." in answer.content.decode()
    assert answer["Retry-After"] == "3600"


def test_a_stranger_does_not_lock_the_operator_out() -> None:
    for _ in range(6):
        sign_in("wrong", STRANGER)
    assert sign_in("right", HERE) == 302


@pytest.mark.parametrize("forged", [HERE, f"{HERE}, {HERE}", "::1", "nonsense"])
def test_a_forged_header_neither_hides_the_stranger_nor_hits_the_operator(forged: str) -> None:
    statuses = [sign_in("wrong", STRANGER, forged=forged) for _ in range(5)]
    assert statuses == [200] * 4 + [429]
    assert set(AccessAttempt.objects.values_list("ip_address", flat=True)) == {STRANGER}
    assert sign_in("right", HERE) == 302


def test_without_a_trusted_proxy_no_header_is_believed(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = 0
    assert [sign_in("wrong", f"192.0.2.{number}") for number in range(5)] == [200] * 4 + [429]


def test_the_addresses_of_one_ipv6_network_are_one_client() -> None:
    assert [sign_in("wrong", f"2001:db8:1:2::{number:x}") for number in range(1, 6)] == [200] * 4 + [429]
    assert sign_in("right", "2001:db8:1:3::1") == 302


def test_further_tries_do_not_extend_the_wait() -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        for _ in range(5):
            sign_in("wrong", HERE)
        for _ in range(50):
            clock.shift(MINUTE)
            assert sign_in("wrong", HERE) == 429
        clock.shift(11 * MINUTE)
        assert sign_in("right", HERE) == 302


def test_a_success_forgets_the_failures_before_it() -> None:
    for _ in range(2):
        assert [sign_in("wrong", HERE) for _ in range(4)] == [200] * 4
        assert sign_in("right", HERE) == 302


@pytest.mark.parametrize("addresses", ["198.51.100.{}", "2001:db8:1:{}::1"])
def test_the_addresses_of_one_network_slow_down_each_other_and_nobody_else(addresses: str) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        free = lockout.NETWORK_TRIES + lockout.TRIES
        statuses = [sign_in("wrong", addresses.format(number)) for number in range(1, free + 4)]
        assert statuses == [200] * free + [429] * 3
        assert sign_in("right", HERE) == 302
        clock.shift(2 * MINUTE)
        assert sign_in("right", addresses.format(200)) == 302


def test_very_many_networks_are_slowed_down_and_the_next_minute_is_open() -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        assert flood(lockout.FRESH_TRIES + 5) == [200] * lockout.FRESH_TRIES + [429] * 5
        assert sign_in("right", HERE) == 429
        clock.shift(2 * MINUTE)
        assert sign_in("right", HERE) == 302


def test_a_browser_that_signed_in_before_is_not_slowed_down() -> None:
    known = Client()
    assert sign_in("right", HERE, client=known) == 302
    known.cookies.pop("sessionid")
    flood()
    assert sign_in("right", HERE) == 429
    assert sign_in("right", HERE, client=known) == 302


def test_a_known_browser_is_known_for_one_user_only_and_still_locked_at_its_address() -> None:
    User.objects.create_superuser("other", password="right")
    known = Client()
    sign_in("right", HERE, client=known, name="other")
    cookie = known.cookies["known_device"]
    assert cookie["httponly"] and cookie["path"] == "/admin/" and cookie["samesite"] == "Strict"
    known.cookies.pop("sessionid")
    flood()
    assert sign_in("right", HERE, client=known) == 429
    assert [sign_in("wrong", HERE, client=known, name="other") for _ in range(5)] == [200] * 4 + [429]


def test_a_failed_sign_in_makes_no_browser_known() -> None:
    client = Client()
    sign_in("wrong", HERE, client=client)
    assert "known_device" not in client.cookies
    client.cookies["known_device"] = "operator"
    flood()
    assert sign_in("right", HERE, client=client) == 429


def test_it_works_while_redis_is_down(no_redis: None) -> None:
    assert [sign_in("wrong", STRANGER) for _ in range(5)] == [200] * 4 + [429]
    assert sign_in("right", HERE) == 302
    flood()
    assert sign_in("right", "192.0.2.77") == 429


def test_an_address_that_cannot_be_read_is_limited_too() -> None:
    assert [sign_in("wrong", "nonsense") for _ in range(5)] == [200] * 4 + [429]
