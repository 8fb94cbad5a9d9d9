"""Every command and health check of docker-compose.yml, run word for word as plain processes that share a network."""

from __future__ import annotations

import json
import os
import shutil
import ssl
import tempfile
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any, Self

import pytest

from tests import inherited
from tests.deploy.compose import command_line, health_check, resolved
from tests.deploy.sandbox import Sandbox
from tests.deploy.tools import path_of_servers, tool
from tests.stack import ROOT, wait_until

pytestmark = pytest.mark.processes

DOMAIN = "papers.localhost"  # Caddy makes certificates for such names itself
NOBODY = "65534"
LONG_RUNNING = ("web", "worker", "papers", "beat", "caddy")
CHECKED = ("postgres", "redis", *LONG_RUNNING)


class Deployment:
    """The services of the compose file, without containers."""

    def __init__(self, folder: Path) -> None:
        folder.chmod(0o755)  # PostgreSQL refuses root and must still reach its files
        self.folder = folder
        self.services = resolved(folder, DOMAIN=DOMAIN)["services"]
        self.sandbox = Sandbox(folder, self.services)
        self.data = folder / "data"
        self.data.mkdir(mode=0o700)
        # The paths inside the images, and where they are here.
        self.places = {"/data": str(self.data), "/etc/caddy/Caddyfile": str(ROOT / "deploy" / "caddy" / "Caddyfile")}

    def __enter__(self) -> Self:
        self.sandbox.__enter__()
        try:
            self._begin()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self.sandbox.__exit__()

    def _begin(self) -> None:
        self._start_postgres()
        self.start("redis")
        self.sandbox.wait_for(6379, "redis")
        self.migration = self.sandbox.run(self.command("migrate"), self.env("migrate"), ROOT)
        assert self.migration.returncode == 0, self.migration.stderr
        for name in LONG_RUNNING:
            self.start(name)
        self.sandbox.wait_for(8000, "web")
        self.sandbox.wait_for(8443, "caddy")

    def _start_postgres(self) -> None:
        """Do what the image's entrypoint does: make the cluster of POSTGRES_USER, then serve it."""
        environment = self.services["postgres"]["environment"]
        cluster, password = self.folder / "pg", self.folder / "password"
        password.write_text(environment["POSTGRES_PASSWORD"])
        cluster.mkdir()
        shutil.chown(cluster, int(NOBODY), int(NOBODY))
        drop = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        make = ["initdb", "-D", str(cluster), "-U", environment["POSTGRES_USER"], "-A", "scram-sha-256"]
        done = self.sandbox.run([*drop, *make, f"--pwfile={password}"], self.env("postgres"), self.folder)
        assert done.returncode == 0, done.stderr
        serve = [*drop, "postgres", "-D", str(cluster), "-k", str(cluster)]
        self.sandbox.start("postgres", serve, self.env("postgres"), self.folder)
        self.sandbox.wait_for(5432, "postgres")
        name = environment["POSTGRES_DB"]
        make = ["createdb", "-h", "127.0.0.1", "-U", environment["POSTGRES_USER"], name]
        env = self.env("postgres") | {"PGPASSWORD": environment["POSTGRES_PASSWORD"]}
        wait_until(lambda: self.sandbox.run(make, env, self.folder).returncode == 0, "the database to be made")

    def command(self, name: str) -> list[str]:
        return [self.places.get(word, word) for word in command_line(self.services[name])]

    def env(self, name: str) -> dict[str, str]:
        """Return the service's variables of the compose file, and those that every container has."""
        given = self.services[name].get("environment") or {}
        given = {key: self.places.get(value, value) for key, value in given.items()}
        host = {"HOSTNAME": name, "HOME": str(self.folder), "PATH": f"{path_of_servers()}:{os.environ['PATH']}"}
        caddy = {"XDG_DATA_HOME": str(self.folder / "caddy"), "XDG_CONFIG_HOME": str(self.folder / "caddy")}
        return host | given | (caddy if name == "caddy" else {})

    def start(self, name: str) -> None:
        words = self.command(name)
        if name in ("worker", "papers"):  # a container's host name is its own; here they share the machine's
            words += ["--hostname", f"celery@{name}"]
        cwd = ROOT if name in ("web", "worker", "papers", "beat") else self.folder
        self.sandbox.start(name, words, self.env(name), cwd)

    def check(self, name: str) -> bool:
        """Return whether the service's health check passes."""
        words = health_check(self.services[name])
        assert words
        return self.sandbox.run(words, self.env(name), ROOT).returncode == 0


@pytest.fixture(scope="module")
def deployment() -> Iterator[Deployment]:
    tool("caddy")
    private = os.umask(inherited.UMASK)  # containers start with the usual one, and our settings made ours strict
    try:
        with tempfile.TemporaryDirectory(prefix="paper-round-deploy-") as name, Deployment(Path(name)) as running:
            yield running
    finally:
        os.umask(private)


@pytest.mark.parametrize("name", CHECKED)
def test_the_health_check_passes(deployment: Deployment, name: str) -> None:
    try:
        wait_until(lambda: deployment.check(name), f"{name} to be healthy", 90)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{deployment.sandbox.log(name).read_text()[-3000:]}") from None


def test_the_health_checks_can_fail(deployment: Deployment) -> None:
    services = deployment.services
    for name in ("postgres", "redis", "web", "caddy"):
        words = health_check(services[name])
        assert words
        env = deployment.env(name) | {"HOSTNAME": "gone"}
        outside = ["unshare", "--net", *words]  # where nothing listens
        assert deployment.sandbox.run(outside, env, ROOT).returncode != 0, name
    gone = deployment.env("worker") | {"HOSTNAME": "gone"}
    words = health_check(services["worker"])
    assert words
    assert deployment.sandbox.run(words, gone, ROOT).returncode != 0
    words = health_check(services["beat"])
    assert words
    nothing = deployment.env("beat") | {"DATA_DIR": str(deployment.folder / "caddy")}
    assert deployment.sandbox.run(words, nothing, ROOT).returncode != 0


def test_what_the_service_writes_is_private(deployment: Deployment) -> None:
    wait_until(lambda: deployment.check("beat"), "beat to write its schedule", 90)
    files = [path for path in deployment.data.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if path.stat().st_mode & 0o077]


def test_mail_and_papers_have_workers_of_their_own(deployment: Deployment) -> None:
    wait_until(lambda: deployment.check("worker") and deployment.check("papers"), "both workers", 90)
    words = ["celery", "-A", "config", "inspect", "active_queues", "--timeout", "10", "--json"]
    answer = json.loads(deployment.sandbox.run(words, deployment.env("worker"), ROOT).stdout)
    queues = {node: {queue["name"] for queue in found} for node, found in answer.items()}
    assert queues["celery@papers"] == {"papers"}
    assert "mail" in queues["celery@worker"]
    assert "papers" not in queues["celery@worker"]


def connect(deployment: Deployment, *, tls: bool = True) -> Any:
    """Connect to Caddy's port for http or https, believing its own authority only."""
    plain = deployment.sandbox.connect(8443 if tls else 8080)
    if not tls:
        return plain
    root = deployment.folder / "caddy" / "caddy" / "pki" / "authorities" / "local" / "root.crt"
    return ssl.create_default_context(cafile=str(root)).wrap_socket(plain, server_hostname=DOMAIN)


def through_caddy(deployment: Deployment, method: str, path: str, *, tls: bool = True, body: str = "") -> HTTPResponse:
    connection = HTTPConnection(DOMAIN)
    connection.sock = connect(deployment, tls=tls)
    connection.request(method, path, body, {"Content-Type": "application/x-www-form-urlencoded"} if body else {})
    answer = connection.getresponse()
    answer.read()
    return answer


def test_pages_are_served_over_tls_and_demand_it(deployment: Deployment) -> None:
    answer = through_caddy(deployment, "GET", "/")
    assert answer.status == 200
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    plain = through_caddy(deployment, "GET", "/papers/?page=2", tls=False)
    assert (plain.status, plain.headers["Location"]) == (308, f"https://{DOMAIN}/papers/?page=2")


def test_one_click_unsubscribing_is_never_redirected(deployment: Deployment) -> None:
    """RFC 8058: the mail client posts once. The token is unknown, so the site itself answers 404."""
    for tls in (True, False):
        answer = through_caddy(deployment, "POST", "/unsubscribe/unknown/", tls=tls, body="List-Unsubscribe=One-Click")
        assert (answer.status, answer.headers["Location"]) == (404, None)
        assert answer.headers["Content-Security-Policy"]  # the site's answer, not the proxy's


def test_half_sent_requests_hold_up_nobody(deployment: Deployment) -> None:
    """Forty forms whose end never comes: more than the web server has threads."""
    head = f"POST /subscribe/ HTTP/1.1\r\nHost: {DOMAIN}\r\nContent-Length: 1000\r\n".encode()
    head += b"Content-Type: application/x-www-form-urlencoded\r\nCookie: csrftoken=" + b"a" * 32 + b"\r\n\r\nemail="
    slow = [connect(deployment) for _ in range(40)]
    try:
        for connection in slow:
            connection.sendall(head)
        for _ in range(5):
            assert through_caddy(deployment, "GET", "/healthz").status == 200
    finally:
        for connection in slow:
            connection.close()
