"""manage.py match: match papers against all interests."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from digest.management import arguments
from digest.relevance import match_papers
from subscriptions.management.terminal import TerminalCommand


class Command(TerminalCommand):
    help = "Match papers and interests that are not matched yet."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--since", type=arguments.date, help="match again all papers listed from that day on")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        stored = match_papers.match_papers(now, options["since"]) if options["since"] else 0
        stored += match_papers.match_new(now)
        self.stdout.write(f"{stored} matches stored." if stored else "Nothing new to match.")
