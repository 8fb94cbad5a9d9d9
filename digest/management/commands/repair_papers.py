"""manage.py repair_papers: mend papers stored before sources were read as they are now."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from auditlog import audit
from digest.papers.ingest.repair import NAMES, repair
from subscriptions.management.terminal import TerminalCommand


class Command(TerminalCommand):
    help = "Mend stored papers: DOIs read out of links, arXiv's DOIs, missing links, days that stand for none, tags."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say what would be mended; change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        counts = repair(now, dry_run=options["dry_run"])
        if not options["dry_run"]:
            audit.record("repair papers", now, detail=f"{sum(counts.values()):,} mended")
        for name, words in NAMES.items():
            self.stdout.write(f"{counts[name]:>9,}  {words}")
        verb = "Would mend" if options["dry_run"] else "Mended"
        self.stdout.write(f"{verb} {sum(counts.values()):,} in all.")
