"""The whole service as processes of its own, as an operator runs it: driven over HTTP, SMTP and the command line."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import psycopg

from tests.smtp import parsed

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 40.0
UMASK = 0o022  # that of most shells: what the service writes must be private all the same
AT_START = 120.0  # five processes at once, on a machine that may be busy
# A browser that calls nobody.
QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class Stack:
    """Redis, mail catcher, web and workers on a database of its own; beat only where a test asks for it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._database = ""
        self.env = os.environ | {
            "DATA_DIR": str(folder),
            "PORT": str(self.port),
            "MAIL_CATCHER_PORT": str(free_port()),
            "DATABASE_URL": self._make_database(),
            "FETCH_SOURCES": "0",
            "LOG_LEVEL": "INFO",
            "DJANGO_SETTINGS_MODULE": "config.settings",
        }
        self.processes: list[subprocess.Popen[bytes]] = []

    def _make_database(self) -> str:
        """A fresh database beside the tests' own, where they run on PostgreSQL."""
        url = os.environ["DATABASE_URL"]
        if not url:
            return ""
        self._database = f"stack_{secrets.token_hex(4)}"
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{self._database}"')
        return url.replace("/postgres?", f"/{self._database}?")

    def __enter__(self) -> Self:
        try:
            self._begin()
        except BaseException:
            self.__exit__()  # what did start ends too
            raise
        return self

    def _begin(self) -> None:
        self.manage("migrate", "-v0")
        redis = "from embedded import redis; import os; c = redis.command(); os.execv(c[0], c)"
        self.start("-c", f"import django; django.setup(); {redis}")
        self.start("-m", "django", "catch_mail")
        self.start("-m", "gunicorn", "--config", "config/gunicorn.py", "config.wsgi")
        self.worker()
        wait_until(lambda: (self.folder / "redis.sock").exists(), "Redis to start", AT_START)
        wait_until(lambda: answers(self.port), "the web server to answer", AT_START)

    def __exit__(self, *exc: object) -> None:
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def start(self, *args: str) -> subprocess.Popen[bytes]:
        """A Python process of this service; what it says is in `log`."""
        with self.log.open("ab") as out:
            command = [sys.executable, *args]
            process = subprocess.Popen(command, cwd=ROOT, env=self.env, stdout=out, stderr=out, umask=UMASK)
        self.processes.append(process)
        return process

    def worker(self) -> subprocess.Popen[bytes]:
        options = ["--concurrency", "2", "--loglevel", "INFO", "--without-gossip", "--without-mingle"]
        return self.start("-m", "celery", "--quiet", "-A", "config", "worker", *options)

    @property
    def log(self) -> Path:
        return self.folder / "stack.log"

    def manage(self, *args: str) -> str:
        """A command, to its end; what it printed. Fails with its error."""
        command = [sys.executable, "manage.py", *args]
        done = subprocess.run(command, cwd=ROOT, env=self.env, capture_output=True, text=True, timeout=120, umask=UMASK)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def shell(self, code: str) -> str:
        return self.manage("shell", "-v0", "-c", code)

    def call_task(self, name: str) -> None:
        """What beat does each minute."""
        self.shell(f"from config.celery import app; app.send_task({name!r})")

    def mails(self, to: str = "", subject: str = "") -> list:
        """What the catcher holds, oldest first."""
        found = [parsed(path.read_bytes()) for path in sorted((self.folder / "mail").glob("*.eml"))]
        return [mail for mail in found if to in str(mail["To"]) and subject in str(mail["Subject"])]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def wait_until(holds: Callable[[], object], what: str, timeout: float = PATIENCE) -> None:
    deadline = time.monotonic() + timeout
    while not holds():
        assert time.monotonic() < deadline, f"not within {timeout:.0f} s: {what}"
        time.sleep(0.05)
