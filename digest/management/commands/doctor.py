"""manage.py doctor: what is misconfigured or unhealthy, and what to do."""

from __future__ import annotations

import sys
from collections import Counter
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from digest.operations.health import checks
from digest.operations.health.findings import Finding, Level
from subscriptions.management.terminal import TerminalCommand

MARKS = {Level.OK: "✓", Level.WARNING: "!", Level.PROBLEM: "✗"}


class Command(TerminalCommand):
    help = "Say what is misconfigured or unhealthy, and what to do. Changes nothing. Exit code 1: there is a problem."
    requires_system_checks: list[str] = []  # they are among the findings; they must not keep us from the others

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--fast", action="store_true", help="ask neither the mail server nor DNS")

    def handle(self, *args: Any, **options: Any) -> None:
        counts: Counter[Level] = Counter()
        for finding in checks.examine(timezone.now, fast=options["fast"]):
            counts[finding.level] += 1
            self._say(finding)
        fine, warnings, problems = (counts[level] for level in Level)
        self.stdout.write(f"{fine} ok, {_of(warnings, 'warning')}, {_of(problems, 'problem')}.")
        if problems:
            sys.exit(1)

    def _say(self, finding: Finding) -> None:
        paint = {Level.OK: self.style.SUCCESS, Level.WARNING: self.style.WARNING, Level.PROBLEM: self.style.ERROR}
        self.stdout.write(f"{paint[finding.level](MARKS[finding.level])} {printable(finding.what)}")
        if finding.do:
            self.stdout.write(f"  {printable(finding.do)}")


def printable(text: str) -> str:
    """On one line and without escape sequences: a source's or a server's words may be in it."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def _of(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
