"""A server that means harm, or is broken: each time one clear error, soon, in little memory."""

from __future__ import annotations

import dataclasses
import gzip
import ssl
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from config.environment import private_host
from digest.papers import fetch
from digest.papers.sources.parsed import SourceError
from tests.hostile import Answer, Server, for_ever, head, ok, zeros

MB = 1_000_000
LIMITS = fetch.Limits(size=2 * MB, connect=5, read=5, total=5)
SHORT = fetch.Limits(size=2 * MB, connect=0.4, read=0.2, total=0.4)
PLAIN, CHUNKED = head("HTTP/1.1 200 OK"), head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked")
GZIP = head("HTTP/1.1 200 OK", "Content-Encoding: gzip")
START = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture(autouse=True)
def _nobody_waits(monkeypatch: pytest.MonkeyPatch, settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(fetch.wait_budget, "sleep", lambda seconds: None)


@pytest.fixture
def web(settings) -> Iterator[Server]:
    with Server() as server:
        settings.FETCH_PRIVATE_HOSTS = [private_host(f"127.0.0.1:{server.port}")]
        yield server


def refusal(web: Server, limits: fetch.Limits = LIMITS) -> str:
    with pytest.raises(SourceError) as caught:
        fetch.fetch(web.url, limits=limits)
    message = str(caught.value)
    assert message.startswith(f"{web.url}: ")
    assert "\n" not in message
    assert len(message) < 400
    return message.removeprefix(f"{web.url}: ")


TOO_SLOW = "it was not there within 0.4 s, its server is too slow"
TOO_LARGE = "it sends more than 2 MB: that is no list of papers"
BROKEN = "it could not be fetched"
SLOW: dict[str, tuple[Answer, str]] = {
    "silence": (for_ever(b"", b"", 0.1), "it did not answer in time, tried 3 times"),
    "a drip in the status line": (for_ever(b"HTTP/1.1 ", b"2", 0.05), TOO_SLOW),
    "a drip in the headers": (for_ever(START + b"X: ", b"x", 0.05), TOO_SLOW),
    "a drip of headers": (for_ever(START, b"X: x\r\n", 0.05), TOO_SLOW),
    "a drip in the body": (for_ever(PLAIN, b"x", 0.05), TOO_SLOW),
    "a drip in the chunks": (for_ever(CHUNKED, b"1\r\nx\r\n", 0.05), TOO_SLOW),
    "a drip in a packed body": (for_ever(GZIP + gzip.compress(b"")[:10], b"\0\1\0\xfe\xffx", 0.05), TOO_SLOW),
    "a drip of “please wait”": (for_ever(b"", b"HTTP/1.1 102 Processing\r\n\r\n", 0.05), TOO_SLOW),
    "a pause in the body": (for_ever(PLAIN + b"papers", b"", 0.1), "it did not answer in time, tried 3 times"),
}
HOSTILE: dict[str, tuple[Answer, str]] = {
    # endless
    "an endless body": (for_ever(PLAIN, bytes(65_536)), TOO_LARGE),
    "endless chunks": (for_ever(CHUNKED, b"10000\r\n" + bytes(65_536) + b"\r\n"), TOO_LARGE),
    "an endless header": (for_ever(START + b"X: ", b"x" * 1000), BROKEN),
    "endless headers": (for_ever(START, b"X: " + b"x" * 1000 + b"\r\n"), BROKEN),
    "endless trailers": (for_ever(CHUNKED + b"0\r\n", b"X: " + b"x" * 1000 + b"\r\n"), BROKEN),
    "endless “please wait”": (
        for_ever(b"", b"HTTP/1.1 102 Processing\r\nX: " + b"x" * 9999 + b"\r\n\r\n"),
        "far more than a page",
    ),
    "an endless chunk header": (for_ever(CHUNKED + b"1;", b"x" * 1000), BROKEN),
    "a header of 200 kB": (ok(b"papers", "X: " + "x" * 200_000), BROKEN),
    "packed data that never unpacks": (
        for_ever(GZIP + b"\x1f\x8b\x08\x10\0\0\0\0\0\0", b"a comment " * 1000),
        TOO_LARGE,
    ),
    # bombs
    "a gigabyte of zeros, gzip": (lambda: [GZIP, *zeros(1000)], TOO_LARGE),
    "a gigabyte of zeros, deflate": (
        lambda: [head("HTTP/1.1 200 OK", "Content-Encoding: deflate"), *zeros(1000, 15)],
        TOO_LARGE,
    ),
    "a gigabyte announced": (head("HTTP/1.1 200 OK", "Content-Length: 1000000000"), TOO_LARGE),
    "packed twice": (
        ok(gzip.compress(gzip.compress(b"x")), "Content-Encoding: gzip, gzip"),
        "it is packed as 'gzip, gzip', where only gzip, deflate were asked for",
    ),
    "packed twice, in two headers": (
        ok(gzip.compress(b"x"), "Content-Encoding: gzip", "Content-Encoding: deflate"),
        "it is packed as 'gzip, deflate'",
    ),
    "packed as was not asked for": (ok(b"x", "Content-Encoding: br"), "it is packed as 'br'"),
    # cut off, damaged
    "the connection closed before a word": (b"", BROKEN),
    "the connection closed in the headers": (START + b"X: ", BROKEN),
    "the connection closed in the body": (head("HTTP/1.1 200 OK", "Content-Length: 9") + b"pap", BROKEN),
    "the connection closed in a chunk": (CHUNKED + b"9\r\npap", BROKEN),
    "a packed page cut off": (ok(gzip.compress(b"papers" * 999)[:-9], "Content-Encoding: gzip"), "it is cut off"),
    "a packed page damaged": (ok(gzip.compress(b"papers")[:-8] + bytes(8), "Content-Encoding: gzip"), "it is damaged"),
    "packed, it says": (ok(b"papers", "Content-Encoding: gzip"), "it is damaged where it is packed as gzip"),
    "deflate, it says": (ok(b"papers", "Content-Encoding: deflate"), "it is damaged where it is packed as deflate"),
    # not HTTP
    "garbage": (b"\x00\xff" * 500 + b"\r\n\r\n", BROKEN),
    "another protocol": (b"220 mail.example.org ESMTP\r\n", BROKEN),
    "two lengths": (head("HTTP/1.1 200 OK", "Content-Length: 3", "Content-Length: 6") + b"papers", BROKEN),
    "a length below nothing": (head("HTTP/1.1 200 OK", "Content-Length: -1") + b"papers", BROKEN),
    "a length that is no number": (head("HTTP/1.1 200 OK", "Content-Length: ٣") + b"papers", BROKEN),
    "a chunk of no number": (CHUNKED + b"zz\r\npapers", BROKEN),
    "an upgrade": (head("HTTP/1.1 101 Switching Protocols", "Upgrade: x"), BROKEN),
    "a status of line noise": (ok(status="404 \x1b[2J" + "very " * 99), "it answered 404"),
    # not a page
    "an image": (ok(b"x", "Content-Type: image/png"), "it is 'image/png', not a page, a feed or a list"),
    "a PDF": (ok(b"x", "Content-Type: Application/PDF; x=y"), "it is 'application/pdf', not a page"),
    "an endless video": (
        for_ever(head("HTTP/1.1 200 OK", "Content-Type: video/mp4"), bytes(9999)),
        "it is 'video/mp4'",
    ),
}


ANSWERS = [
    ok(b"papers", 'ETag: "1"', "Content-Type: text/html"),
    ok(gzip.compress(b"papers"), "Content-Encoding: gzip"),
    CHUNKED + b"6\r\npapers\r\n0\r\n\r\n",
    head("HTTP/1.1 302 Found", "Location: http://127.0.0.1/x", "Content-Length: 0"),
    ok(b"no", "Retry-After: Fri, 20 Nov 2026 08:00:00 GMT", "Set-Cookie: a=b; Max-Age=9", status="503 Oh"),
]
settings_of_hypothesis = hypothesis.settings(
    max_examples=150, deadline=None, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture]
)


@pytest.mark.parametrize("name", SLOW)
def test_what_is_slow_ends_when_its_time_is_up(web: Server, name: str) -> None:
    web.answers["/"], says = SLOW[name]
    began = time.monotonic()
    assert says in refusal(web, SHORT)
    assert time.monotonic() - began < SHORT.tries * SHORT.total + 5


def test_no_pause_may_be_longer_than_the_whole(web: Server) -> None:
    web.answers["/"] = for_ever(b"", b"", 0.1)
    began = time.monotonic()
    assert TOO_SLOW in refusal(web, dataclasses.replace(SHORT, read=3))
    assert time.monotonic() - began < 2.9


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_hostile_ends_at_once_in_little_memory(web: Server, name: str) -> None:
    web.answers["/"], says = HOSTILE[name]
    fetch.network.trusted()  # loaded once a process, not for each page
    tracemalloc.start()
    try:
        began = time.monotonic()
        assert says in refusal(web)
        assert time.monotonic() - began < 15
        assert tracemalloc.get_traced_memory()[1] < 2 * LIMITS.size
    finally:
        tracemalloc.stop()


@settings_of_hypothesis
@given(st.data())
def test_whatever_a_server_says_is_a_page_or_one_clear_error(
    web: Server, monkeypatch: pytest.MonkeyPatch, data: st.DataObject
) -> None:
    """Real answers, with bytes changed, taken out and put in. Wherever they lead, it is this machine."""
    monkeypatch.setattr(fetch.guard, "resolve", lambda host, port: ["127.0.0.1"])
    answer = bytearray(data.draw(st.sampled_from(ANSWERS)))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(answer)))
        answer[place : place + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
    web.answers["/"] = bytes(answer)
    try:
        page = fetch.fetch(web.url, limits=SHORT)
    except SourceError as error:
        assert str(error).startswith(web.url)
        assert "\n" not in str(error)
    else:
        assert page and page.content


def test_a_body_of_many_chunks_takes_the_room_of_one(web: Server) -> None:
    web.answers["/"] = for_ever(CHUNKED, b"1\r\nx\r\n" * 1_000)
    tracemalloc.start()
    try:
        refusal(web, fetch.Limits(size=20_000))
        assert tracemalloc.get_traced_memory()[1] < 700_000  # a list of 20,000 parts alone takes more
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("packed", [False, True])
def test_a_page_as_large_as_may_be_is_held_once(web: Server, packed: bool) -> None:
    size = 8 * MB
    web.answers["/"] = lambda: [GZIP, gzip.compress(bytes(size))] if packed else [PLAIN, *[bytes(MB)] * 8]
    tracemalloc.start()
    try:
        page = fetch.fetch(web.url, limits=fetch.Limits(size=size))
        assert page and len(page.content) == size
        assert tracemalloc.get_traced_memory()[1] < 2 * size
    finally:
        tracemalloc.stop()
    assert "it sends more than 8 MB" in refusal(web, fetch.Limits(size=size - 1))


def test_a_flood_of_crumbs_is_not_worked_through(web: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch.body, "MOST_PARTS", 1000)
    web.answers["/"] = for_ever(CHUNKED, b"1\r\nx\r\n" * 1000)
    assert "it comes in crumbs" in refusal(web)


def test_time_lost_in_redirects_counts(web: Server) -> None:
    def slowly() -> Iterator[bytes]:
        time.sleep(0.15)
        yield head("HTTP/1.1 302 Found", "Location: /", "Content-Length: 0")

    web.answers["/"] = slowly
    assert TOO_SLOW in refusal(web, SHORT)
    assert 2 <= len(web.asked) <= 3


def test_a_wrong_length_cuts_the_page_where_it_says(web: Server) -> None:
    web.answers["/"] = head("HTTP/1.1 200 OK", "Content-Length: 3") + b"papers"
    page = fetch.fetch(web.url)
    assert page and page.content == b"pap"


# --- TLS
@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


def secure(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


@pytest.fixture
def _its_authority_is_trusted(authority: trustme.CA, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    fetch.network.trusted.cache_clear()
    yield
    fetch.network.trusted.cache_clear()


def test_a_certificate_of_nobody_we_trust_is_refused(settings, authority: trustme.CA) -> None:
    with Server(tls=secure(authority, "127.0.0.1")) as web:
        settings.FETCH_PRIVATE_HOSTS = [private_host(f"127.0.0.1:{web.port}")]
        assert "its certificate cannot be trusted (unable to get local issuer certificate)" in refusal(web)
        assert web.asked == []


@pytest.mark.usefixtures("_its_authority_is_trusted")
def test_the_certificate_must_hold_the_name_that_was_asked_for(
    settings, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch.guard, "resolve", lambda host, port: ["127.0.0.1"])
    settings.FETCH_PRIVATE_HOSTS = [private_host("127.0.0.0/8")]
    with Server(tls=secure(authority, "papers.example.org")) as web:
        settings.FETCH_PRIVATE_HOSTS = [private_host(f"127.0.0.0/8:{web.port}")]
        web.answers["/"] = ok(b"papers")
        page = fetch.fetch(f"https://papers.example.org:{web.port}/", limits=LIMITS)
        assert page and page.content == b"papers"
        with pytest.raises(SourceError, match=r"certificate cannot be trusted .*other.example.org"):
            fetch.fetch(f"https://other.example.org:{web.port}/", limits=LIMITS)


@pytest.mark.usefixtures("_its_authority_is_trusted")
def test_a_page_that_was_encrypted_is_not_fetched_in_clear(settings, authority: trustme.CA, web: Server) -> None:
    with Server(tls=secure(authority, "127.0.0.1")) as safe:
        settings.FETCH_PRIVATE_HOSTS = [private_host("127.0.0.0/8:" + str(one.port)) for one in (safe, web)]
        safe.answers["/"] = head("HTTP/1.1 302 Found", f"Location: {web.url}/", "Content-Length: 0")
        assert f"it redirects from https to http ({web.url}/)" in refusal(safe)
        assert web.asked == []


def test_a_server_that_never_ends_its_handshake_is_left(web: Server) -> None:
    web.answers["/"] = ok()
    began = time.monotonic()
    with pytest.raises(SourceError, match=r"could not be fetched|not answer in time|not there within"):
        fetch.fetch(web.url.replace("http", "https"), limits=SHORT)  # it waits for the end of a request's headers
    assert time.monotonic() - began < 8
