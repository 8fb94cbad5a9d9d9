"""A reader's feed address and token for programs: made, shown once, kept as a hash, revoked."""

from __future__ import annotations

import datetime as dt
import logging
import re
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test import Client
from gunicorn.config import Config

from config.access_log import Log
from subscriptions import links, tokens
from subscriptions.models import Secret, Subscriber
from subscriptions.redaction import RedactingFormatter, redact
from tests.conftest import MORNING
from tests.subscriptions.conftest import path_of

FEED, API = Secret.Kind.FEED, Secret.Kind.API


@pytest.fixture
def page(alice: Subscriber, counters: None) -> str:
    return f"{path_of(links.access(alice))}secrets/"


def shown(text: str) -> str:
    """The one secret on a page."""
    (found,) = re.findall(r"<code>(?:\S+/feeds/mine/)?([\w-]{32})(?:\.atom)?</code>", text)
    return str(found)


def test_the_preferences_lead_there(alice: Subscriber, page: str, client: Client) -> None:
    assert f'href="{page}"' in client.get(links.access(alice)).content.decode()


@pytest.mark.parametrize("kind", [FEED, API])
def test_it_is_shown_once_and_kept_as_a_hash(kind: str, alice: Subscriber, page: str, client: Client) -> None:
    secret = shown(client.post(page, {"make": kind}).content.decode())
    assert tokens.holder(secret, kind) == alice
    row = Secret.objects.get()
    assert (row.kind, len(row.hash)) == (kind, 64)
    again = client.get(page).content.decode()
    assert secret not in again and row.hash not in again
    assert "Make a new one: the old stops" in again and "Turn it off" in again
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM subscriptions_secret")
        assert secret not in str(cursor.fetchall())


def test_a_new_one_stops_the_old_at_once(alice: Subscriber, page: str, client: Client) -> None:
    old, new = (shown(client.post(page, {"make": FEED}).content.decode()) for _ in range(2))
    assert old != new
    assert tokens.holder(old, FEED) is None
    assert tokens.holder(new, FEED) == alice


def test_turned_off_it_opens_nothing(alice: Subscriber, page: str, client: Client) -> None:
    secret = shown(client.post(page, {"make": API}).content.decode())
    for _ in range(2):
        assert "Make a token" in client.post(page, {"revoke": API}).content.decode()
    assert tokens.holder(secret, API) is None


def test_a_secret_opens_its_own_kind_only(alice: Subscriber) -> None:
    feed, api = (tokens.make(alice, kind, MORNING) for kind in (FEED, API))
    assert tokens.holder(feed, API) is tokens.holder(api, FEED) is None


def test_who_has_left_holds_none(alice: Subscriber, page: str, client: Client) -> None:
    secret = tokens.make(alice, FEED, MORNING)
    alice.stop(Subscriber.Status.UNSUBSCRIBED, MORNING)
    assert tokens.holder(secret, FEED) is None
    assert "<code>" not in (text := client.post(page, {"make": API}).content.decode())
    assert "Make" not in text
    assert not Secret.objects.filter(kind=API).exists()


def test_who_is_erased_leaves_none(alice: Subscriber) -> None:
    secret = tokens.make(alice, FEED, MORNING)
    alice.delete()
    assert not Secret.objects.exists()
    assert tokens.holder(secret, FEED) is None


def test_a_raised_version_voids_them_as_it_voids_the_links(alice: Subscriber) -> None:
    secret = tokens.make(alice, API, MORNING)
    Subscriber.objects.filter(pk=alice.pk).update(token_version=2)
    assert tokens.holder(secret, API) is None


def test_a_changed_key_of_the_site_keeps_them(alice: Subscriber, bob: Subscriber, settings: object) -> None:
    """One that is used meanwhile moves to the new key."""
    Subscriber.objects.update(status=Subscriber.Status.ACTIVE)
    used, unused = (tokens.make(subscriber, FEED, MORNING) for subscriber in (alice, bob))
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"
    assert tokens.holder(used, FEED) == alice
    settings.SECRET_KEY_FALLBACKS = []
    assert tokens.holder(used, FEED) == alice
    assert tokens.holder(unused, FEED) is None


@pytest.mark.parametrize("fields", [{}, {"make": "x"}, {"make": ""}, {"revoke": "password"}, {"make": "\0"}])
def test_what_is_no_kind_makes_nothing(fields: dict[str, str], page: str, client: Client) -> None:
    assert client.post(page, fields).status_code == 422
    assert not Secret.objects.exists()


def test_looking_makes_nothing(page: str, client: Client) -> None:
    assert client.get(page, {"make": "feed"}).status_code == client.head(page).status_code == 200
    assert not Secret.objects.exists()


def test_a_foreign_page_makes_nothing(page: str, strict: Client) -> None:
    assert strict.post(page, {"make": "feed"}).status_code == 403
    assert not Secret.objects.exists()


def test_the_page_with_the_secret_is_neither_kept_nor_told(page: str, client: Client) -> None:
    answer = client.post(page, {"make": "feed"})
    assert {"no-store", "private"} <= set(answer["Cache-Control"].split(", "))
    assert answer["X-Robots-Tag"] == "noindex"
    assert answer["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("purpose", [links.CONFIRM, links.UNSUBSCRIBE])
def test_a_link_of_another_purpose_makes_nothing(purpose: str, alice: Subscriber, client: Client) -> None:
    answer = client.post(f"/preferences/{links.token_for(alice, purpose)}/secrets/", {"make": "feed"})
    assert answer.status_code == 404
    assert not Secret.objects.exists()


def test_nobody_makes_them_without_end(page: str, client: Client) -> None:
    assert [client.post(page, {"make": "feed"}).status_code for _ in range(31)] == [200] * 30 + [429]


@pytest.mark.parametrize("path", ["/feeds/mine/{}.atom", "/preferences/{}/", "/digest/{}/?x=1", "/unsubscribe/{}/"])
def test_a_log_line_has_no_secret(path: str) -> None:
    record = logging.LogRecord("django.request", logging.WARNING, "", 0, "%s: %s", ("Not Found", path), None)
    record.args = ("Not Found", path.format("Abc_-" * 7))
    line = RedactingFormatter().format(record)
    assert "Abc" not in line
    assert line.startswith(f"Not Found: {path.split('{')[0]}…")


def test_other_addresses_stay_in_the_log() -> None:
    for path in ("/papers/2026-03-16/", "/admin/digest/delivery/", "/subscribe/check-your-inbox/"):
        assert redact(f"GET {path} 100%") == f"GET {path} 100%"


def test_the_servers_log_of_requests_has_no_secret() -> None:
    secret = "Abc_-" * 7
    environ = {
        "REQUEST_METHOD": "GET", "RAW_URI": f"/feeds/mine/{secret}.atom", "PATH_INFO": f"/feeds/mine/{secret}.atom",
        "SERVER_PROTOCOL": "HTTP/1.1", "QUERY_STRING": "", "HTTP_REFERER": f"http://x/preferences/{secret}/",
    }  # fmt: skip
    answer, asked = SimpleNamespace(status="404 Not Found", headers=[], sent=3), SimpleNamespace(headers=[])
    atoms = Log(Config()).atoms(answer, asked, environ, dt.timedelta(seconds=1))
    assert secret not in str(atoms)
    assert atoms["r"] == "GET /feeds/mine/… HTTP/1.1"
