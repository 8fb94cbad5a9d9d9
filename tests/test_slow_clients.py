"""Half-sent requests hold no thread: the web server as production starts it, and many clients that never finish."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from config.buffered_worker import MAX_BODY, MAX_HEADERS, Received
from embedded.management.commands.run import programs
from tests.stack import ROOT, free_port, wait_until

HEADERS = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Half"
BODY = b"POST /preview/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 500\r\n\r\ninterests="
CHUNKS = b"POST /preview/ HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"
BLANK = b"\r\n\r\n"
LEFT_OPEN = b"GET /favicon.ico HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
MANY = 150  # a hundred times what eight threads could hold, were each held; within the usual limit of open files
SOON = 5.0  # seconds, of a machine that may be busy with other things; a held server answers none in half a minute


def command() -> list[str]:
    """What the image runs."""
    line = next(line for line in (ROOT / "Dockerfile").read_text().splitlines() if line.startswith("CMD "))
    return json.loads(line.removeprefix("CMD "))


def test_everybody_starts_the_web_server_the_same_way() -> None:
    (web,) = [program for program in programs(8000) if program.name == "web"]
    assert web.command[1:] == ["-m", *command()]
    documented = (ROOT / "docs" / "production.md").read_text()
    assert " ".join(command()) in documented


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder, port = tmp_path_factory.mktemp("web"), free_port()
    env = os.environ | {
        "DATA_DIR": str(folder), "PORT": str(port), "WEB_BIND": f"127.0.0.1:{port}", "DATABASE_URL": "",
        "REDIS_URL": "redis://127.0.0.1:1/0", "DJANGO_SETTINGS_MODULE": "config.settings", "WEB_CONCURRENCY": "1",
    }  # fmt: skip
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=env, check=True)
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([sys.executable, "-m", *command()], cwd=ROOT, env=env, stdout=log, stderr=log)
    try:
        wait_until(lambda: answered(port), "the web server to answer", 120)
        yield port
    finally:
        server.terminate()
        server.wait(30)
        said = Path(folder / "log").read_text()
        assert "Traceback" not in said, said


def answered(port: int, path: str = "/subscribe/") -> float:
    """Seconds until a page came; 0.0 when none did."""
    began = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        return time.monotonic() - began if answer.status == 200 else 0.0
    except OSError:
        return 0.0
    finally:
        connection.close()


@pytest.mark.parametrize(
    "half",
    [HEADERS, BODY, CHUNKS, BLANK, b"", LEFT_OPEN],
    ids=["headers", "body", "chunks", "blank", "no", "left open"],
)
def test_half_sent_requests_hold_up_nobody(port: int, half: bytes) -> None:
    with ExitStack() as stack:
        for _ in range(MANY):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
            client.sendall(half)
        took = [answered(port) for _ in range(3)]
    assert all(0 < one < SOON for one in took), took


def test_more_connections_than_there_is_room_for_drop_the_oldest(port: int) -> None:
    with ExitStack() as stack:
        clients = [stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20)) for _ in range(600)]
        assert 0 < answered(port) < SOON
        clients[0].settimeout(5)
        assert clients[0].recv(1) == b""


def exchange(port: int, *parts: bytes, pause: float = 0.05) -> bytes:
    """Send the parts one after the other; what came until the server closed or was silent for a second."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        for part in parts:
            client.sendall(part)
            time.sleep(pause)
        client.settimeout(4)
        found = b""
        try:
            while more := client.recv(65_536):
                found += more
        except TimeoutError:
            pass
        return found


def test_a_request_in_many_pieces_is_one(port: int) -> None:
    request = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    found = exchange(port, *(request[at : at + 7] for at in range(0, len(request), 7)))
    assert found.startswith(b"HTTP/1.1 503")  # no Redis here
    assert b'"database": true' in found


def test_two_requests_at_once_on_one_connection(port: int) -> None:
    request = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    last = request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    assert exchange(port, request + request + last[:20], last[20:]).count(b'"database": true') == 3


def test_a_body_is_whole_and_waited_for(port: int) -> None:
    """The one-click unsubscribe of RFC 8058, slowly; and a client that asks first whether to send its body."""
    head = b"POST /unsubscribe/x/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: 26\r\n"
    head += b"Content-Type: application/x-www-form-urlencoded\r\n"
    assert b" 404 " in exchange(port, head + b"\r\n", b"List-Unsubscribe=", b"One-Click").splitlines()[0]
    asked = exchange(port, head + b"Expect: 100-continue\r\n\r\n", b"List-Unsubscribe=One-Click", pause=0.5)
    assert asked.startswith(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert b" 404 " in asked


@pytest.mark.parametrize(("request_", "status"), [
    (b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999999\r\n\r\n", 413),
    (b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9999999999999999999999\r\n\r\n", 413),
    (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"x" * (MAX_HEADERS + 1), 431),
    (b"nonsense\r\n\r\n", 400),
])  # fmt: skip
def test_what_is_too_large_or_nothing_is_refused_at_once(port: int, request_: bytes, status: int) -> None:
    assert re.match(rb"HTTP/1.1 %d " % status, exchange(port, request_))


# --- what has arrived of a request
@pytest.mark.parametrize("size", [1, 3, 1_000])
def test_a_request_is_whole_with_its_last_byte(size: int) -> None:
    whole = b"\r\nPOST / HTTP/1.1\r\ncontent-length:  5 \r\nX: y\r\n\r\nabcde"
    received = Received()
    pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
    for piece in pieces[:-1]:
        received.take(piece)
        assert not received.is_whole
    received.take(pieces[-1])
    assert received.is_whole
    assert bytes(received.data) == whole.lstrip()


def test_nobody_waits_for_chunks() -> None:
    received = Received()
    received.take(CHUNKS)
    assert received.is_whole
    assert received.is_chunked


def test_the_largest_body_django_takes_is_taken() -> None:
    received = Received()
    received.take(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % MAX_BODY)
    assert (received.refusal, received.is_whole) == (b"", False)
