"""Pages from a server that is in order, busy, gone or moved; on real sockets. Hostile ones: test_fetching_hostile."""

from __future__ import annotations

import datetime as dt
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.environment import private_host
from digest.papers import fetch
from digest.papers.sources.parsed import SourceError, TryLater
from tests.hostile import Server, head, ok


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What would have been slept, in seconds."""
    found: list[float] = []
    monkeypatch.setattr(fetch.wait_budget, "sleep", found.append)
    return found


@pytest.fixture
def web(settings, tmp_path: Path, waits: list[float]) -> Iterator[Server]:
    settings.DATA_DIR = tmp_path
    with Server() as server:
        settings.FETCH_PRIVATE_HOSTS = [private_host(f"127.0.0.1:{server.port}")]
        yield server


def page(web: Server, path: str = "/", **more: object) -> fetch.Page:
    found = fetch.fetch(web.url + path, **more)
    assert found is not None
    return found


def refusal(web: Server, path: str = "/", **more: object) -> str:
    """What is said instead of a page; one line that begins with the address."""
    with pytest.raises(SourceError) as caught:
        fetch.fetch(web.url + path, **more)
    message = str(caught.value)
    assert message.startswith(web.url)
    assert "\n" not in message
    return message.removeprefix(web.url + path)


# --- a page
def test_a_page_comes_with_what_to_send_back_next_time(web: Server) -> None:
    web.answers["/"] = ok(
        b"papers", 'ETag: "1"', "Last-Modified: Fri, 20 Nov 2026 08:00:00 GMT", "Content-Type: text/html; charset=x"
    )
    assert page(web) == fetch.Page(
        f"{web.url}/", b"papers", '"1"', "Fri, 20 Nov 2026 08:00:00 GMT", "text/html; charset=x"
    )


def test_we_say_who_we_are_and_what_we_have(web: Server, settings) -> None:
    settings.SITE_URL, settings.SITE_IS_LOCAL = "https://papers.example.org", False
    settings.DEFAULT_FROM_EMAIL = "Päpers <papers@example.org>"
    web.answers["/"] = head("HTTP/1.1 304 Not Modified", 'ETag: "1"')
    assert fetch.fetch(web.url, etag='"1"', last_modified="Fri, 20 Nov 2026 08:00:00 GMT") is None
    (asked,) = web.asked
    assert (
        asked.headers["user-agent"]
        == f"PaperRound/{settings.VERSION} (+https://papers.example.org; papers@example.org)"
    )
    assert asked.headers["if-none-match"] == '"1"'
    assert asked.headers["if-modified-since"] == "Fri, 20 Nov 2026 08:00:00 GMT"
    assert asked.headers["accept-encoding"] == "gzip, deflate"


def test_an_address_that_only_this_machine_knows_is_no_contact(settings) -> None:
    settings.SITE_URL, settings.SITE_IS_LOCAL = "http://127.0.0.1:8000", True
    assert fetch.client.user_agent() == f"PaperRound/{settings.VERSION} (+http://127.0.0.1:8000)"


@pytest.mark.parametrize("header", ["ETag: " + "x" * 201, "ETag: caf\xe9"])
def test_a_validator_we_could_not_send_back_is_dropped(web: Server, header: str) -> None:
    web.answers["/"] = ok(b"papers", header)
    assert page(web).etag == ""


def test_not_modified_is_no_answer_to_a_plain_question(web: Server) -> None:
    web.answers["/"] = head("HTTP/1.1 304 Not Modified")
    assert "it answered 304 Not Modified" in refusal(web)


@pytest.mark.parametrize(
    "answer", [ok(b""), head("HTTP/1.1 204 No Content"), ok(gzip.compress(b"", mtime=0), "Content-Encoding: gzip")]
)
def test_no_content_is_an_error(web: Server, answer: bytes) -> None:
    web.answers["/"] = answer
    assert "204 No Content" in (said := refusal(web)) or "an empty page" in said


def test_a_page_of_http_1_0_ends_with_its_connection(web: Server) -> None:
    web.answers["/"] = b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n" + b"papers" * 50_000
    assert page(web).content == b"papers" * 50_000


def test_a_page_in_chunks_is_put_together(web: Server) -> None:
    web.answers["/"] = head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + b"3\r\npap\r\n3\r\ners\r\n0\r\n\r\n"
    assert page(web).content == b"papers"


BARE = zlib.compressobj(wbits=-15)
PACKED = {
    "gzip": gzip.compress(b"papers" * 100_000, mtime=0),
    "x-gzip": gzip.compress(b"papers" * 100_000, mtime=0),
    "deflate": zlib.compress(b"papers" * 100_000),
    "Deflate": BARE.compress(b"papers" * 100_000) + BARE.flush(),
    "identity": b"papers" * 100_000,
    "GZIP": gzip.compress(b"papers" * 40_000, mtime=0) + gzip.compress(b"papers" * 60_000, mtime=0),
    " gzip ": gzip.compress(b"papers" * 100_000, mtime=0) + b"\0" * 512,
}


@pytest.mark.parametrize("encoding", PACKED)
def test_a_packed_page_is_unpacked(web: Server, encoding: str) -> None:
    web.answers["/"] = ok(PACKED[encoding], f"Content-Encoding: {encoding}")
    assert page(web).content == b"papers" * 100_000


@pytest.mark.parametrize("length", [1, 257, 258, 262_143, 262_144, 262_145, 262_170, 600_000])
@pytest.mark.parametrize(("encoding", "wbits"), [("gzip", 31), ("deflate", 15), ("deflate", -15)])
def test_what_one_step_of_unpacking_holds_back_is_not_lost(web: Server, length: int, encoding: str, wbits: int) -> None:
    packer = zlib.compressobj(1, wbits=wbits)
    web.answers["/"] = ok(packer.compress(bytes(length)) + packer.flush(), f"Content-Encoding: {encoding}")
    assert page(web).content == bytes(length)


# --- where it is
def test_a_redirect_is_followed_to_the_final_address(web: Server) -> None:
    web.answers["/"] = head("HTTP/1.1 302 Found", "Location: /a?b=c", "Content-Length: 0")
    web.answers["/a"] = head("HTTP/1.1 308 Permanent Redirect", f"Location: {web.url}/new", "Content-Length: 0")
    web.answers["/new"] = ok(b"papers")
    found = page(web)
    assert (found.url, found.content) == (f"{web.url}/new", b"papers")
    assert [asked.target for asked in web.asked] == ["/", "/a?b=c", "/new"]


def test_redirects_in_a_circle_end(web: Server) -> None:
    web.answers["/"] = head("HTTP/1.1 302 Found", "Location: /", "Content-Length: 0")
    assert "redirects more than 5 times" in refusal(web)
    assert len(web.asked) == 6


@pytest.mark.parametrize(
    ("location", "says"),
    [
        ("file:///etc/passwd", "begin with http:// or https://"),
        ("ftp://127.0.0.1/pub", "begin with http:// or https://"),
        ("javascript:alert(1)", "could not be fetched (For absolute URLs, path must be empty or begin with '/')"),
        ("http://user:secret@127.0.0.1/", "a user name or a password"),
        (
            "http://127.0.0.1:22/",
            "127.0.0.1 is not on the public internet: check it and, if it is meant, add 127.0.0.1:22 to",
        ),
        ("http://169.254.169.254/latest/meta-data/", "169.254.169.254 is not on the public internet"),
        ("http://[::1]/", "add [::1] to the setting FETCH_PRIVATE_HOSTS"),
        ("http://8.8.8.8:6379/", "port 6379 is not one of the web's"),
        ("http://[::g]/", "could not be fetched"),
    ],
)
def test_a_redirect_is_checked_as_an_address_is(web: Server, location: str, says: str) -> None:
    web.answers["/"] = head("HTTP/1.1 302 Found", f"Location: {location}", "Content-Length: 0")
    said = refusal(web)
    assert says in said
    assert "secret" not in said
    assert len(web.asked) == 1


# --- an error
@pytest.mark.parametrize(
    ("status", "says"),
    [
        ("404 Not Found", "it answered 404 Not Found: it has moved or is gone"),
        ("410 Gone", "it has moved or is gone"),
        ("401 Unauthorized", "it is not public"),
        ("403 Forbidden", "it is not public"),
        ("418 I'm a teapot", "open it in a browser"),
        ("202 Accepted", "it answered 202 Accepted"),
        ("300 Multiple Choices", "it answered 300"),
    ],
)
def test_a_refusal_is_final(web: Server, status: str, says: str, waits: list[float]) -> None:
    web.answers["/"] = ok(b"no", status=status)
    assert says in refusal(web)
    assert (len(web.asked), waits) == (1, [])


def test_a_failure_that_passes_is_tried_again(web: Server, waits: list[float]) -> None:
    web.answers["/"] = [ok(b"no", status="500 Oh"), ok(b"no", status="503 Oh"), ok(b"papers")]
    assert page(web).content == b"papers"
    assert len(web.asked) == 3


def test_three_tries_are_all_and_the_waits_between_them_grow(web: Server, waits: list[float], monkeypatch) -> None:
    monkeypatch.setattr(fetch.host_lock, "REST", 0)
    monkeypatch.setattr(fetch.retry.random, "uniform", lambda low, high: high)
    web.answers["/"] = ok(b"no", status="502 Bad Gateway")
    assert "it answered 502 Bad Gateway, tried 3 times" in refusal(web)
    assert len(web.asked) == 3
    assert waits == [4, 8]


def test_the_waits_are_random_from_nothing_to_the_whole() -> None:
    found = [fetch.retry.backoff(1) for _ in range(500)]
    assert 0 <= min(found) < 0.4 < 3.6 < max(found) <= 4


def test_nobody_there_is_tried_again_and_said(web: Server, waits: list[float]) -> None:
    web.__exit__()
    said = refusal(web)
    assert "could not be fetched ([Errno 111] Connection refused), tried 3 times" in said


def moment(seconds: float) -> str:
    return (dt.datetime(2026, 11, 20, 8, tzinfo=dt.UTC) + dt.timedelta(seconds=seconds)).strftime(
        "%a, %d %b %Y %H:%M:%S GMT"
    )


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
@pytest.mark.parametrize("wanted", ["2", moment(2)])
def test_a_short_retry_after_is_waited_for(web: Server, waits: list[float], status: str, wanted: str) -> None:
    busy = ok(b"no", f"Retry-After: {wanted}", f"Date: {moment(0)}", status=status)
    web.answers["/"] = [busy, ok(b"papers")]
    assert page(web).content == b"papers"
    assert waits[0] == 2


@pytest.mark.parametrize(
    ("wanted", "seconds"),
    [("100000", 86_400), ("3600", 3600), ("31", 60), (moment(7200), 7200), (moment(1e8), 86_400), ("9" * 50, 86_400)],
)
def test_a_long_retry_after_is_left_to_later(web: Server, wanted: str, seconds: int, waits: list[float]) -> None:
    web.answers["/"] = ok(b"no", f"Retry-After: {wanted}", f"Date: {moment(0)}", status="429 Too Many Requests")
    with pytest.raises(TryLater, match="429 Too Many Requests and asks us to wait") as caught:
        fetch.fetch(web.url)
    assert caught.value.wait == dt.timedelta(seconds=seconds)
    assert (len(web.asked), waits) == (1, [])


@pytest.mark.parametrize("wanted", ["soon", "-5", "0", "2.5", "1e3", "²", "", moment(-60), "Fri, 99 Nov 2026", "1 2"])
def test_a_retry_after_that_makes_no_sense_is_as_none(web: Server, wanted: str, waits: list[float]) -> None:
    busy = b"HTTP/1.1 503 Oh\r\nContent-Length: 0\r\nDate: " + moment(0).encode()
    web.answers["/"] = [busy + f"\r\nRetry-After: {wanted}\r\n\r\n".encode("latin-1", "replace"), ok(b"papers")]
    assert page(web).content == b"papers"
    assert waits[0] <= 4


def test_what_a_host_asks_of_one_it_asks_of_all(web: Server) -> None:
    web.answers["/"] = ok(b"no", "Retry-After: 5000", status="429 Too Many Requests")
    web.answers["/other"] = ok(b"papers")
    with pytest.raises(TryLater):
        fetch.fetch(web.url)
    with pytest.raises(TryLater, match=r"127.0.0.1 wants to be left alone") as caught:
        fetch.fetch(f"{web.url}/other")
    assert (
        3500 < caught.value.wait.total_seconds() <= 3600
    )  # other addresses of the host are held up for an hour at most
    assert [asked.target for asked in web.asked] == ["/"]


def test_a_task_outlives_the_longest_fetch(settings) -> None:
    longest = fetch.LIMITS.patience + fetch.LIMITS.retry_for + 2 * fetch.LIMITS.total
    assert longest < settings.CELERY_TASK_SOFT_TIME_LIMIT


# --- what is said of an address
@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("https://user:secret@a.org/x", "https://a.org/x"),
        ("user:secret@a.org/x", "a.org/x"),
        ("https://a.org/x?date=2026-01-01&api_key=abc#part", "https://a.org/x?date=2026-01-01&api_key=…"),
        ("https://a.org/?author=Li&resumptionToken=1&t=" + "x" * 25, "https://a.org/?author=Li&resumptionToken=…&t=…"),
        ("https://a.org/" + "x" * 300, "https://a.org/" + "x" * 185 + "…"),
        ("https://a.org/\n\x1b[31mred", "https://a.org/ [31mred"),
    ],
)
def test_an_address_is_shown_short_and_without_secrets(url: str, says: str) -> None:
    assert fetch.client.shown(url) == says
    assert len(says) <= 200


@pytest.mark.parametrize(
    "url",
    [
        "",
        "papers",
        "file:///etc/passwd",
        "http://",
        "http://[::1",
        "http://a b/",
        "http://\x00/",
        "https://" + "a" * 64 + ".org/",
    ],
)
def test_what_is_no_address_is_one_clear_line(url: str, settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    with pytest.raises(SourceError) as caught:
        fetch.fetch(url)
    assert "\n" not in str(caught.value)
