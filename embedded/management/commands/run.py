"""`manage.py run`: everything on this machine, in one terminal. `make run` calls it."""

from __future__ import annotations

import http.client
import io
import os
import sys
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connections
from rich.console import Console
from rich.panel import Panel

from embedded import first_run, redis
from embedded.instance import CannotStart, Lock, check_port
from embedded.supervisor import Program, Supervisor
from subscriptions.management.terminal import TerminalCommand

INTERRUPTED = 130  # what a shell calls a command that Ctrl-C ended before it was done


class Command(TerminalCommand):
    help = "Sets up the database, then runs web server, worker, beat, and the embedded Redis and mail catcher."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            port = settings.PORT
            address = f"http://127.0.0.1:{port}"
            with Lock(Path(settings.DATA_DIR), address):
                self._run(port, address)
        except (CannotStart, redis.EmbeddedRedisError) as error:
            sys.exit(str(error))
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)

    def _run(self, port: int, address: str) -> None:
        supervisor = Supervisor(
            programs(port), settings.DATA_DIR, settings.BASE_DIR, banner=lambda: banner(port, address)
        )
        supervisor.reap()
        check_port(port, "the web server's", f"PORT={port + 1 if port < 65535 else 8000} make run")
        if settings.EMBEDDED_MAIL:
            catcher = settings.MAIL_CATCHER_PORT
            advice = f"MAIL_CATCHER_PORT={catcher + 1 if catcher < 65535 else 1025} make run"
            check_port(catcher, "the mail catcher's", advice)
        if settings.EMBEDDED_REDIS:
            redis.check()
        first_run.prepare(self.stdout.write)
        connections.close_all()  # the supervisor lives for days and needs no database
        supervisor.run()


def programs(port: int) -> list[Program]:
    """What runs, in the order of its start: the parts that others need come first."""
    env = {"DJANGO_SETTINGS_MODULE": str(settings.SETTINGS_MODULE), "PORT": str(port), "WEB_BIND": ""}
    if not os.environ.get("LOG_LEVEL"):
        env["LOG_LEVEL"] = "INFO"  # what was sent, and what was not and why, is worth a line
    web = "gunicorn --config config/gunicorn.py config.wsgi"
    celery = "celery --quiet -A config"
    worker = f"{celery} worker --loglevel INFO --without-gossip --without-mingle"
    # Only root is told so, and in a container, or a sandbox, everybody is.
    as_worker = env | unwarned("You're running the worker with superuser")
    found = [
        # Nothing is collected here: whitenoise finds the files in the apps.
        Program("web", module(web), env | unwarned("No directory at")),
        Program("worker", module(f"{worker} -Q mail -n mail@%h --concurrency 2"), as_worker),
        Program("papers", module(f"{worker} -Q papers -n papers@%h --concurrency 1"), as_worker),
        Program("beat", module(f"{celery} beat --loglevel WARNING"), env),
    ]
    if settings.EMBEDDED_MAIL:
        found.insert(0, Program("mail", module("django catch_mail"), env))
    if settings.EMBEDDED_REDIS:
        found.insert(0, Program("redis", redis.command(), env, ready=redis.is_ready, hush=redis.CHATTER))
    return found


def module(words: str) -> list[str]:
    """A module of this Python as a command; its arguments hold no spaces."""
    return [sys.executable, "-m", *words.split()]


def unwarned(start: str) -> dict[str, str]:
    """The environment in which a warning that starts so is not shown."""
    asked = os.environ.get("PYTHONWARNINGS")
    return {"PYTHONWARNINGS": f"{asked},ignore:{start}" if asked else f"ignore:{start}"}


def answers(port: int) -> bool:
    """Whether the web server answers a request, whatever it says."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/")
        connection.getresponse().read()
        return True
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def banner(port: int, address: str) -> str:
    """Where everything is; waits until there is something to see."""
    while not answers(port):
        time.sleep(0.2)
    lines = [f"The first page  {address}/"]
    if settings.EMBEDDED_MAIL and settings.SITE_IS_LOCAL:
        lines.append(f"All mail sent   {address}/mailbox/")
    lines.append(f"The admin       {address}/admin/")
    hint = first_run.admin_hint()
    connections.close_all()
    if hint:
        lines.append(f"                {hint}")
    lines += ["", "Ctrl-C ends everything"]
    return framed(settings.SITE_NAME, lines)


def framed(title: str, lines: list[str]) -> str:
    """The lines in a box on a terminal; as they are where a program reads them."""
    if not sys.stdout.isatty():
        return "\n".join([f"{title} is up.", *lines])
    out = io.StringIO()
    width = max(len(line) for line in lines) + 6
    console = Console(file=out, force_terminal=True, width=width, highlight=True, markup=False)
    console.print(Panel("\n".join(lines), title=f"{title} is up", border_style="green", padding=(1, 2)))
    return out.getvalue().rstrip("\n")
