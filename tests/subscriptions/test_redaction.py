"""No secret and no address gets into a log, however it is encoded."""

from __future__ import annotations

import datetime as dt
import io
import logging
import random
import sys
from types import SimpleNamespace
from urllib.parse import unquote

import pytest
from django.conf import settings
from django.core.servers.basehttp import WSGIRequestHandler
from gunicorn.config import Config
from hypothesis import example, given
from hypothesis import strategies as st

from config.access_log import Log
from digest import links as digest_links
from digest.models import Digest
from subscriptions import links
from subscriptions.models import Subscriber
from subscriptions.redaction import MAX_DECODINGS, RedactingFormatter, redact

PREFIXES = [
    "/confirm/", "/preferences/", "/link/", "/unsubscribe/", "/digest/", "/feedback/", "/feeds/mine/",
]  # fmt: skip
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
SECRETS = st.text(LETTERS, min_size=32, max_size=60)
ADDRESSES = st.builds(
    "{}@{}.example.org".format,
    st.text("abcdefghijklmnopqrstuvwxyz0123456789.+-_", min_size=2, max_size=30),
    st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=20),
)


def wholly_decoded(text: str) -> str:
    while (decoded := unquote(text)) != text:
        text = decoded
    return text


def encoded(text: str, rounds: int, seed: int) -> str:
    """The text with some of its characters percent-encoded, several times over, in either case of hex digits."""
    chance = random.Random(seed)
    for number in range(rounds):
        forms = ["", "02x", "02X"] if number < 2 else [""]
        chosen = [chance.choice(forms) or "02X" * (sign == "%") for sign in text]
        text = "".join(f"%{ord(sign):{form}}" if form else sign for sign, form in zip(text, chosen, strict=True))
    return text


@st.composite
def lines_with(draw: st.DrawFn, secrets: st.SearchStrategy[str], templates: list[str]) -> tuple[str, str]:
    secret = draw(secrets)
    path = draw(st.sampled_from(templates)).format(secret)
    rounds, seed = draw(st.integers(0, MAX_DECODINGS + 2)), draw(st.integers(0, 2**32))
    return secret, f'GET {encoded(path, rounds, seed)} HTTP/1.1" 200 -'


@given(lines_with(SECRETS, [f"{prefix}{{}}/" for prefix in PREFIXES] + ["https://x.org/preferences/{}?a=b"]))
@example(("A" * 32, f"GET /preferences%2f{'A' * 32}"))
@example(("A" * 32, f"GET %252Fconfirm%252F{'%2541' * 32}"))
def test_no_token_survives_in_any_encoding(found: tuple[str, str]) -> None:
    secret, line = found
    assert secret not in wholly_decoded(redact(line))


@given(
    lines_with(ADDRESSES, ["/admin/?q={}", "/anything/{}", "/x?email={}&y=1", "mailto:{}", "<{}>", "{}", "/x/?z={}#a"])
)
@example(("ada@x.example.org", "GET /admin/subscriptions/subscriber/?q=ada%40x.example.org&p=1"))
def test_no_address_survives_in_any_encoding(found: tuple[str, str]) -> None:
    address, line = found
    assert address not in wholly_decoded(redact(line))


@given(st.text())
def test_redacting_twice_changes_nothing_and_opens_no_new_line(text: str) -> None:
    once = redact(text)
    assert redact(once) == once
    assert once.splitlines() == [] or len(once.splitlines()) <= len(text.splitlines()) + 1


def test_a_decoded_word_brings_no_line_end_into_the_log() -> None:
    line = redact("GET /x?email=ada%40example.org&y=%0d%0aFORGED%20LINE")
    assert "\n" not in line and "\r" not in line and "ada" not in line


@pytest.mark.parametrize(
    ("line", "clean"),
    [
        ("/admin/subscriptions/subscriber/?q=ada%40example.org", "/admin/subscriptions/subscriber/?…"),
        ("/admin/search/?s=ada", "/admin/search/?…"),
        ("/search?q=illness&page=2", "/search?q=…&page=2"),
        ("https://x.org/admin/?status=active", "https://x.org/admin/?…"),
        ("No reader has the address ada@example.org.", "No reader has the address a***@example.org."),
        ("Ada (mailto:ada@example.org)", "Ada (mailto:a***@example.org)"),
        ("/preferences%2FAAAAAAAAAAAAAAAAAAAAAAAA%2fpause/", "/preferences/…/pause/"),
        ("/PREFERENCES//AAAAAAAAAAAAAAAAAAAAAAAA/", "/PREFERENCES//…/"),
        ("token AbCdEfGhIjKlMnOp.12:AbCdEfGhIjKlMnOpQrStUvWxYz-_ seen", "token … seen"),
    ],
)
def test_what_a_line_looks_like_afterwards(line: str, clean: str) -> None:
    assert redact(line) == clean


@pytest.mark.parametrize(
    "line",
    [
        "GET /papers/2026-03-16/ 100%", "GET /admin/digest/delivery/", "GET /paper/7/?from=a%20b", "12:30:01 50% done",
        "Retry in 30 s: connection refused", "GET /static/paper-round.css?v=1",
    ],
)  # fmt: skip
def test_other_lines_stay_as_they_are(line: str) -> None:
    assert redact(line) == line


def test_a_signed_token_is_hidden_wherever_it_stands(alice: Subscriber) -> None:
    purposes = (links.ACCESS, links.CONFIRM, links.EMAILED, links.PREFERENCES, links.UNSUBSCRIBE)
    tokens = [links.token_for(alice, purpose) for purpose in purposes]
    digest = Digest(subscriber=alice, issue_date=dt.date(2026, 3, 16))
    tokens += [
        link.rstrip("/").rpartition("/")[2] for link in (digest_links.web_copy(digest), digest_links.feedback(digest))
    ]
    for token in tokens:
        assert alice.code not in redact(f"The token {token} is void, {token}: why?")
        assert alice.code not in redact(f"GET /x/;/{token}/?next=%2Fy%2f{token} HTTP/1.1")


def test_a_traceback_is_redacted_too() -> None:
    try:
        raise ValueError("ada@example.org is no address\nnor is bob@example.org")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "", 0, "For %s", ("eve@example.org",), sys.exc_info())
    text = RedactingFormatter().format(record)
    assert "Traceback" in text
    for name in ("ada@", "bob@", "eve@"):
        assert name not in text


def own_handlers(name: str) -> list[logging.Handler]:
    """The handlers that the settings gave a logger; pytest adds its own."""
    return [one for one in logging.getLogger(name).handlers if type(one) is logging.StreamHandler]


def test_every_handler_of_the_settings_redacts() -> None:
    handlers = settings.LOGGING["handlers"]
    assert {settings.LOGGING["formatters"][one["formatter"]]["()"] for one in handlers.values()} == {
        "subscriptions.redaction.RedactingFormatter"
    }
    for name in ("django", "django.request", "django.server"):
        assert all(isinstance(one.formatter, RedactingFormatter) for one in own_handlers(name)), name
    assert own_handlers("django.server")


def test_the_development_server_logs_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    (handler,) = own_handlers("django.server")
    out = io.StringIO()
    monkeypatch.setattr(handler, "stream", out)
    asked = WSGIRequestHandler.__new__(WSGIRequestHandler)
    asked.request = None
    asked.log_message('"%s" %s %s', "GET /admin/?q=ada%40example.org HTTP/1.1", "200", "12")
    assert "GET /admin/?… HTTP/1.1" in out.getvalue()
    assert "ada" not in out.getvalue()


def gunicorn_atoms(**environ: str) -> dict[str, object]:
    values = {
        "REQUEST_METHOD": "GET", "RAW_URI": "/", "PATH_INFO": "/", "SERVER_PROTOCOL": "HTTP/1.1", "QUERY_STRING": "",
        **environ,
    }  # fmt: skip
    answer, asked = SimpleNamespace(status="200 OK", headers=[], sent=3), SimpleNamespace(headers=[])
    found: dict[str, object] = Log(Config()).atoms(answer, asked, values, dt.timedelta(seconds=1))
    return found


def test_gunicorn_logs_neither_search_nor_referrer_nor_agent_in_clear() -> None:
    search = "/admin/subscriptions/subscriber/?q=ada%40example.org"
    atoms = gunicorn_atoms(
        RAW_URI=search,
        QUERY_STRING="q=ada%40example.org",
        HTTP_REFERER=f"https://papers.example.org{search}",
        HTTP_USER_AGENT="bot/1.0 (+ada@example.org; ada%2540example.org)",
    )
    assert "ada" not in str(atoms)
    assert atoms["r"] == "GET /admin/subscriptions/subscriber/?… HTTP/1.1"
    assert atoms["f"] == "https://papers.example.org/admin/subscriptions/subscriber/?…"
    assert atoms["q"] == "…"


def test_gunicorns_error_log_is_redacted() -> None:
    log = Log(Config())
    assert all(isinstance(one.formatter, RedactingFormatter) for one in log.error_log.handlers)
    assert log.error_log.handlers
