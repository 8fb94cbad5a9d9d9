"""manage.py prune: delete what is older than the settings keep."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils import timezone

from digest.operations.retention import pruning
from digest.operations.retention.rules import RULES
from subscriptions.management.terminal import TerminalCommand


class Command(TerminalCommand):
    help = "Delete what is older than the KEEP_… settings keep. The worker does the same every hour."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say what would go; change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        counts = pruning.count(now) if options["dry_run"] else pruning.prune(now)
        for rule in RULES:
            kept = f"after {getattr(settings, rule.setting)} days ({rule.setting})" if rule.setting else "at once"
            self.stdout.write(f"{counts[rule.name]:>9,}  {rule.name}, {kept}")
        verb = "Would delete" if options["dry_run"] else "Deleted"
        self.stdout.write(f"{verb} {sum(counts.values()):,} in all.")
