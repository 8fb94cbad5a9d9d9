"""Codes from an app, through the real pages."""

from __future__ import annotations

import base64
import datetime as dt
import io
import re
from collections.abc import Iterator

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice
from pytest_django import Settings

from accounts import views
from auditlog.models import AuditEntry

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

NOW = dt.datetime(2026, 3, 16, 8, 0, tzinfo=dt.UTC)
STEP = dt.timedelta(seconds=30)
CODE, SET_UP, TURN_OFF = "/admin/second-factor/", "/admin/second-factor/set-up/", "/admin/second-factor/turn-off/"


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture(autouse=True)
def operator(settings: Settings, clock: object) -> User:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return User.objects.create_superuser("operator", password="right")


def with_password(client: Client | None = None) -> Client:
    client = client or Client()
    assert client.post("/admin/login/", {"username": "operator", "password": "right"}).status_code == 302
    return client


def code_of(key: str) -> str:
    """What an app shows now for a key."""
    totp = TOTP(base64.b32decode(key.replace(" ", "")))
    totp.time = dt.datetime.now(dt.UTC).timestamp()
    return f"{totp.token():06d}"


def key_on(client: Client) -> str:
    page = BeautifulSoup(client.get(SET_UP).content, "lxml")
    found = page.select_one("main code")
    assert found is not None
    return found.get_text()


def set_up(client: Client) -> tuple[str, list[str]]:
    """The key, and the recovery codes as they were shown."""
    key = key_on(client)
    answer = client.post(SET_UP, {"code": code_of(key), "password": "right"})
    assert answer.status_code == 200
    return key, [one.get_text() for one in BeautifulSoup(answer.content, "lxml").select("main li code")]


def opens_admin(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


def enter(client: Client, code: str) -> int:
    return int(client.post(CODE, {"code": code}).status_code)


def test_without_a_second_factor_a_password_is_enough() -> None:
    assert opens_admin(with_password())


def test_set_up_it_is_asked_for_and_a_code_opens_the_admin(clock: time_machine.Traveller) -> None:
    first = with_password()
    key, _ = set_up(first)
    assert opens_admin(first)
    clock.shift(STEP)
    client = with_password()
    answer = client.get("/admin/digest/source/?a=b")
    assert (answer.status_code, answer["Location"]) == (302, f"{CODE}?next=%2Fadmin%2Fdigest%2Fsource%2F%3Fa%3Db")
    answer = client.post(answer["Location"], {"code": code_of(key)})
    assert (answer.status_code, answer["Location"]) == (302, "/admin/digest/source/?a=b")
    assert opens_admin(client)


def test_another_session_of_the_user_must_enter_a_code_from_then_on() -> None:
    before, client = with_password(), with_password()
    set_up(client)
    assert not opens_admin(before)


@pytest.mark.parametrize("path", ["/admin/", "/admin/auth/user/", "/admin/mail/pause/", TURN_OFF])
def test_half_signed_in_nothing_is_open(path: str) -> None:
    set_up(with_password())
    client = with_password()
    for answer in (client.get(path), client.post(path, {"password": "right"})):
        assert answer.status_code == 302 and answer["Location"].startswith(CODE)
    assert TOTPDevice.objects.exists()


def test_half_signed_in_the_key_is_not_shown_again() -> None:
    set_up(with_password())
    client = with_password()
    assert client.get("/admin/second-factor/qr.svg").status_code == 404
    assert "main code" not in client.get(SET_UP).content.decode()
    assert TOTPDevice.objects.count() == 1


def test_a_code_is_refused_the_second_time(clock: time_machine.Traveller) -> None:
    key, _ = set_up(with_password())
    assert enter(with_password(), code_of(key)) == 422, "the one that set it up"
    clock.shift(STEP)
    assert enter(with_password(), code_of(key)) == 302
    again = with_password()
    assert enter(again, code_of(key)) == 422
    assert not opens_admin(again)


@pytest.mark.parametrize("code", ["000000", "", "abc", "12345678901234567890123", "１２３４５６", "-1", "\0"])
def test_a_wrong_code_is_refused(code: str) -> None:
    set_up(with_password())
    client = with_password()
    assert enter(client, code) == 422
    assert not opens_admin(client)


def test_an_old_code_is_refused(clock: time_machine.Traveller) -> None:
    key, _ = set_up(with_password())
    clock.shift(10 * STEP)
    old = code_of(key)
    clock.shift(10 * STEP)
    assert enter(with_password(), old) == 422


def test_a_recovery_code_works_once() -> None:
    _, codes = set_up(with_password())
    assert len(set(codes)) == 10
    client = with_password()
    assert enter(client, f" {codes[0].upper()} ") == 302
    assert opens_admin(client)
    assert enter(with_password(), codes[0]) == 422
    assert StaticToken.objects.count() == 9


def test_the_recovery_codes_are_shown_once() -> None:
    client = with_password()
    _, codes = set_up(client)
    for path in (SET_UP, CODE, "/admin/"):
        assert codes[0] not in client.get(path, follow=True).content.decode()


def test_setting_up_takes_the_password_and_a_right_code() -> None:
    client = with_password()
    key = key_on(client)
    assert client.post(SET_UP, {"code": code_of(key), "password": "wrong"}).status_code == 422
    assert client.post(SET_UP, {"code": "000000", "password": "right"}).status_code == 422
    assert not TOTPDevice.objects.filter(confirmed=True).exists()
    assert not StaticDevice.objects.exists()
    assert key_on(client) == key


def test_the_qr_code_comes_from_our_own_site_and_holds_the_key() -> None:
    client = with_password()
    page = client.get(SET_UP).content.decode()
    assert 'src="/admin/second-factor/qr.svg"' in page
    assert not re.findall(r'(?:src|href)="https?://', page)
    image = client.get("/admin/second-factor/qr.svg")
    assert image["Content-Type"] == "image/svg+xml" and b"<svg" in image.content
    assert "no-store" in image["Cache-Control"]
    assert TOTPDevice.objects.get().config_url.startswith("otpauth://totp/Paper%20Round%3Aoperator?secret=")


def test_required_it_is_set_up_before_anything_else(settings: Settings) -> None:
    settings.ADMIN_TOTP = "required"
    client = with_password()
    assert client.get("/admin/", follow=True).redirect_chain[-1][0] == SET_UP
    set_up(client)
    assert opens_admin(client)


def test_turning_off_takes_the_password() -> None:
    client = with_password()
    set_up(client)
    assert client.post(TURN_OFF, {"password": "wrong"}).status_code == 422
    assert client.get(TURN_OFF).status_code == 302
    assert TOTPDevice.objects.exists()
    assert client.post(TURN_OFF, {"password": "right"}).status_code == 302
    assert not TOTPDevice.objects.exists() and not StaticToken.objects.exists()
    assert opens_admin(with_password())


def test_codes_are_not_guessed_without_end(clock: time_machine.Traveller, no_redis: None) -> None:
    key, _ = set_up(with_password())
    thief = with_password()
    statuses = [enter(thief, f"{number:06d}") for number in range(views.TRIES)]
    assert statuses[-1] == 429 and set(statuses[:-1]) == {422}
    clock.shift(STEP)
    answer = with_password().post(CODE, {"code": code_of(key)})
    assert answer.status_code == 429 and "Try again in 15 minutes." in answer.content.decode()
    clock.shift(views.TRIES_IN)
    assert enter(with_password(), code_of(key)) == 302


def test_guessing_from_many_addresses_is_limited_but_not_for_a_browser_that_is_known(
    clock: time_machine.Traveller, settings: Settings
) -> None:
    known = with_password()
    key, _ = set_up(known)
    known.cookies.pop("sessionid")
    thief = with_password()
    for number in range(views.ALL_TRIES + 1):
        status = thief.post(CODE, {"code": "000000"}, REMOTE_ADDR=f"198.51.{number}.1").status_code
    assert status == 429
    clock.shift(STEP)
    assert thief.post(CODE, {"code": code_of(key)}, REMOTE_ADDR="192.0.2.1").status_code == 429
    assert (
        known.post("/admin/login/", {"username": "operator", "password": "right"}, REMOTE_ADDR="192.0.2.1").status_code
        == 302
    )
    assert known.post(CODE, {"code": code_of(key)}, REMOTE_ADDR="192.0.2.1").status_code == 302


def test_the_password_alone_makes_no_browser_known() -> None:
    set_up(with_password())
    assert "known_device" not in with_password().cookies


def test_a_new_session_begins_with_the_code() -> None:
    _, codes = set_up(with_password())
    client = with_password()
    before = client.cookies["sessionid"].value
    enter(client, codes[0])
    assert client.cookies["sessionid"].value != before


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_nobody_is_sent_elsewhere_after_the_code(target: str) -> None:
    _, codes = set_up(with_password())
    answer = with_password().post(f"{CODE}?next={target}", {"code": codes[0]})
    assert answer["Location"] == "/admin/"


@pytest.mark.parametrize("path", [CODE, SET_UP, TURN_OFF])
def test_the_pages_are_for_staff_alone(path: str) -> None:
    visitor = Client()
    visitor.force_login(User.objects.create(username="visitor"))
    for client in (Client(), visitor):
        assert client.get(path)["Location"] == "/admin/login/"
        assert client.get("/admin/second-factor/qr.svg").status_code == 404
    assert not TOTPDevice.objects.exists()


def test_a_foreign_page_turns_nothing_off() -> None:
    client = with_password(Client(enforce_csrf_checks=False))
    set_up(client)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    assert strict.post(TURN_OFF, {"password": "right"}).status_code == 403
    assert TOTPDevice.objects.exists()


def test_the_reset_command_removes_it_and_is_recorded(operator: User) -> None:
    set_up(with_password())
    AuditEntry.objects.all().delete()
    out = io.StringIO()
    call_command("reset_second_factor", "operator", stdout=out)
    assert "is removed" in out.getvalue()
    assert opens_admin(with_password())
    assert not StaticToken.objects.exists()
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.target) == ("reset second factor", f"user {operator.pk}")
    for name, says in (("operator", "nothing to reset"), ("nobody", "There is no user")):
        with pytest.raises(CommandError, match=says):
            call_command("reset_second_factor", name)


def test_setting_up_and_turning_off_are_recorded() -> None:
    client = with_password()
    set_up(client)
    client.post(TURN_OFF, {"password": "right"})
    assert set(AuditEntry.objects.values_list("action", flat=True)) == {
        "set up second factor", "turn off second factor",
    }  # fmt: skip


def test_the_admin_shows_nobodys_key() -> None:
    assert not {TOTPDevice, StaticDevice} & set(admin.site._registry)
