"""The proxy of docker-compose.yml for real, in front of a web server that tells what reached it."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.compose import resolved
from tests.deploy.sandbox import Sandbox
from tests.deploy.tools import tool
from tests.stack import ROOT

pytestmark = pytest.mark.processes

CADDYFILE = ROOT / "deploy" / "caddy" / "Caddyfile"
DOMAIN = "papers.localhost"
LOCAL, PLAIN = 8001, 8080  # the port without a domain, and with one the port for http


class Upstream(ThreadingHTTPServer):
    """Answers 200 to everything and keeps the requests that arrived."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(("127.0.0.1", 8000), Recorder, bind_and_activate=False)
        self.socket.close()
        self.socket = sandbox.listen(8000)
        self.server_name, self.server_port = "web", 8000
        self.arrived: list[str] = []  # the addresses of requests that have begun
        self.seen: list[tuple[str, dict[str, str]]] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Recorder(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.arrived.append(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        complete = len(body) == int(self.headers.get("Content-Length", 0))
        line = f"{self.command} {self.path}{'' if complete else ' (incomplete)'}"
        self.server.seen.append((line, dict(self.headers)))
        if not complete:
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_HEAD = do_GET

    def log_message(self, *args: object) -> None:
        pass


class Proxy:
    """Caddy with the variables that the compose file gives it."""

    def __init__(self, sandbox: Sandbox, environment: dict[str, str], port: int) -> None:
        self.sandbox, self.port = sandbox, port
        env = caddy_env(sandbox.folder) | environment
        sandbox.start("caddy", [tool("caddy"), "run", "--config", str(CADDYFILE)], env, sandbox.folder)
        sandbox.wait_for(port, "caddy")

    def ask(self, method: str, path: str, body: str | None = None, **headers: str) -> HTTPResponse:
        connection = HTTPConnection(DOMAIN)
        connection.sock = self.sandbox.connect(self.port)
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        answer.read()
        return answer


def caddy_env(folder: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "XDG_DATA_HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
    }


def environment(folder: Path, domain: str) -> dict[str, str]:
    found: dict[str, str] = resolved(folder, DOMAIN=domain)["services"]["caddy"]["environment"]
    return found


@contextmanager
def proxied(folder: Path, domain: str, port: int) -> Iterator[tuple[Proxy, Upstream]]:
    with Sandbox(folder, ["web"]) as sandbox:
        upstream = Upstream(sandbox)
        try:
            yield Proxy(sandbox, environment(folder, domain), port), upstream
        finally:
            upstream.shutdown()
            upstream.server_close()


@pytest.fixture(scope="module")
def with_domain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Proxy, Upstream]]:
    with proxied(tmp_path_factory.mktemp("domain"), DOMAIN, PLAIN) as both:
        yield both


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Proxy, Upstream]]:
    with proxied(tmp_path_factory.mktemp("local"), "", LOCAL) as both:
        yield both


@pytest.mark.parametrize("domain", ["", "papers.example.org"])
def test_caddy_finds_the_file_valid(tmp_path: Path, domain: str) -> None:
    env = caddy_env(tmp_path) | environment(tmp_path, domain)
    words = [tool("caddy"), "validate", "--config", str(CADDYFILE)]
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_the_file_is_formatted() -> None:
    words = [tool("caddy"), "fmt", "--diff", str(CADDYFILE)]
    assert subprocess.run(words, capture_output=True, timeout=60).returncode == 0


@pytest.mark.parametrize("domain", ["", "papers.example.org"])
def test_every_port_has_the_same_limits(tmp_path: Path, domain: str) -> None:
    """Caddy applies only the most specific of its blocks of limits, so they are written twice."""
    env = caddy_env(tmp_path) | environment(tmp_path, domain)
    words = [tool("caddy"), "adapt", "--config", str(CADDYFILE)]
    adapted = json.loads(subprocess.run(words, env=env, capture_output=True, check=True, timeout=60).stdout)
    servers: dict[str, Any] = adapted["apps"]["http"]["servers"]
    names = ("read_timeout", "read_header_timeout", "write_timeout", "idle_timeout", "max_header_bytes")
    assert len({tuple(server.get(name) for name in names) for server in servers.values()}) == 1
    assert all(server.get(name) for server in servers.values() for name in names)


@pytest.mark.parametrize("which", ["local", "with_domain"])
def test_a_request_reaches_the_web_server_only_once_it_is_complete(which: str, request: pytest.FixtureRequest) -> None:
    proxy, upstream = request.getfixturevalue(which)
    body = b"List-Unsubscribe=One-Click"
    head = f"POST /unsubscribe/slow/ HTTP/1.1\r\nHost: {DOMAIN}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    connection = proxy.sandbox.connect(proxy.port)
    connection.sendall(head + body[:10])
    time.sleep(0.5)
    assert proxy.ask("HEAD", "/quick").status in (200, 308)
    assert "/unsubscribe/slow/" not in upstream.arrived
    connection.sendall(body[10:])
    assert connection.recv(100).startswith(b"HTTP/1.1 200")
    assert [line for line, _ in upstream.seen if "slow" in line] == ["POST /unsubscribe/slow/"]
    connection.close()


@pytest.mark.parametrize("which", ["local", "with_domain"])
def test_a_body_above_the_limit_is_refused(which: str, request: pytest.FixtureRequest) -> None:
    proxy, upstream = request.getfixturevalue(which)
    assert proxy.ask("POST", "/unsubscribe/large/", "a" * 2_621_441).status == 413
    assert "POST /unsubscribe/large/" not in [line for line, _ in upstream.seen]
    assert proxy.ask("POST", "/unsubscribe/just/", "a" * 2_621_440).status == 200


def test_a_body_that_stops_at_the_limit_holds_no_thread(local: tuple[Proxy, Upstream]) -> None:
    proxy, upstream = local
    connection = proxy.sandbox.connect(proxy.port)
    connection.sendall(
        f"POST /unsubscribe/stops/ HTTP/1.1\r\nHost: {DOMAIN}\r\nContent-Length: 2700000\r\n\r\n".encode()
    )
    connection.sendall(b"a" * 2_621_440)
    time.sleep(1)
    assert "/unsubscribe/stops/" not in upstream.arrived
    connection.close()


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_pages_move_to_https(with_domain: tuple[Proxy, Upstream], method: str) -> None:
    answer = with_domain[0].ask(method, "/search?q=a%20b", Host=DOMAIN)
    assert (answer.status, answer.headers["Location"]) == (308, f"https://{DOMAIN}/search?q=a%20b")


def test_the_one_click_post_does_not(with_domain: tuple[Proxy, Upstream]) -> None:
    answer = with_domain[0].ask("POST", "/unsubscribe/token/", "List-Unsubscribe=One-Click")
    assert (answer.status, answer.headers["Location"]) == (200, None)


@pytest.mark.parametrize("path", ["/subscribe/", "/admin/login/", "/webhooks/postmark/tracking/"])
def test_other_forms_are_refused_over_http(with_domain: tuple[Proxy, Upstream], path: str) -> None:
    proxy, upstream = with_domain
    assert proxy.ask("POST", path, "password=secret").status == 403
    assert not [line for line, _ in upstream.seen if path in line]


def seen(both: tuple[Proxy, Upstream], path: str, **headers: str) -> dict[str, str]:
    """Return the headers with which a request arrives."""
    proxy, upstream = both
    proxy.ask("POST", f"/unsubscribe/{path}/", "", **headers)
    return next(found for line, found in reversed(upstream.seen) if path in line)


FORGED = {"X_Forwarded_For": "198.51.100.7, 203.0.113.9", "X_Forwarded_Proto": "https"}


def test_the_public_port_believes_no_header(with_domain: tuple[Proxy, Upstream]) -> None:
    arrived = seen(with_domain, "forged", **FORGED)
    assert (arrived["X-Forwarded-For"], arrived["X-Forwarded-Proto"]) == ("127.0.0.1", "http")


def test_a_proxy_on_this_machine_names_the_visitor(local: tuple[Proxy, Upstream]) -> None:
    """What stands left of the last address may be forged by the visitor."""
    arrived = seen(local, "through-nginx", **FORGED)
    assert (arrived["X-Forwarded-For"], arrived["X-Forwarded-Proto"]) == ("203.0.113.9", "https")


def test_without_another_proxy_the_visitor_is_this_machine(local: tuple[Proxy, Upstream]) -> None:
    arrived = seen(local, "direct")
    assert (arrived["X-Forwarded-For"], arrived["X-Forwarded-Proto"]) == ("127.0.0.1", "http")
    assert arrived["Host"] == DOMAIN


def test_an_error_is_logged_without_the_token(tmp_path: Path) -> None:
    with Sandbox(tmp_path, []) as sandbox:  # nobody knows a host named web
        proxy = Proxy(sandbox, environment(tmp_path, ""), LOCAL)
        assert proxy.ask("GET", "/preferences/a-token/", Cookie="session").status == 502
        log = sandbox.log("caddy").read_text()
    assert "dial tcp" in log or "lookup web" in log
    assert "a-token" not in log
    assert "session" not in log
