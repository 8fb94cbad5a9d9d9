"""manage.py demo: the main job once, from a list of papers to three readers' mails. `make demo` calls it."""

from __future__ import annotations

import os
import socket
import sys
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from digest.papers.sample.sample import PATH
from digest.papers.sources.parsed import SourceError
from embedded import demo
from embedded.instance import CannotStart, Lock
from subscriptions.management.terminal import TerminalCommand

# Whatever this shell or .env names is somebody's real service: a demo must not touch it. Empty means unset.
NOT_OURS = (
    "DATABASE_URL",
    "REDIS_URL",
    "EMAIL_URL",
    "SITE_URL",
    "PORT",
    "ALLOWED_HOSTS",
    "SECRET_KEY",
    "SUPPRESSION_KEY",
)


class Command(TerminalCommand):
    help = (
        "Ingest SOURCE, sign up three readers, mail them through real workers and a local mail catcher, and say "
        "who got what and why. Everything happens in a data folder of its own and ends with the command."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "source",
            nargs="?",
            default=str(PATH),
            help="a file or an address: a saved listing as text, a papers page, the daily-papers JSON, a feed "
            "(default: the bundled sample)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if os.environ.get("PAPER_ROUND_DEMO") != "1":
            start_apart(options["source"])
        try:
            with Lock(settings.DATA_DIR, "the demo"):
                demo.play(options["source"], say=lambda line="": self.stdout.write(line))
        except (SourceError, CannotStart, demo.DemoError) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            sys.exit(130)


def start_apart(source: str) -> None:
    """Begin again as a process whose settings point at the demo's own folder, port and services."""
    environment = dict(os.environ)
    environment |= dict.fromkeys(NOT_OURS, "")
    environment |= {name: "" for name in environment if name.startswith("ANYMAIL_")}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        environment["MAIL_CATCHER_PORT"] = str(probe.getsockname()[1])
    environment |= {
        "PAPER_ROUND_DEMO": "1",
        "DATA_DIR": str(settings.DATA_DIR / "demo"),
        "FETCH_SOURCES": "0",
        "FETCH_PRIVATE_HOSTS": ",".join(filter(None, (os.environ.get("FETCH_PRIVATE_HOSTS"), on_this_machine(source)))),
    }
    os.execve(sys.executable, [sys.executable, *sys.argv], environment)  # noqa: S606


def on_this_machine(source: str) -> str:
    """The entry of FETCH_PRIVATE_HOSTS for an address of this very machine, "" for any other.

    Whoever starts a demo of one means it. In the service itself it takes the setting.
    """
    try:
        parts = urlsplit(source)
        is_here = parts.hostname in ("127.0.0.1", "localhost", "::1") and parts.scheme in ("http", "https")
    except ValueError:  # the fetch says what is wrong with it
        return ""
    return parts.netloc.rpartition("@")[2] if is_here else ""
