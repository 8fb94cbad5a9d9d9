"""manage.py evaluate: how good the ranking is on judged sets, beside today's usual methods."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import OperationalError

from digest.relevance.evaluation import protocols, report
from digest.relevance.evaluation.baselines import has_learners
from digest.relevance.evaluation.files import SetError
from digest.relevance.evaluation.sets import read
from subscriptions.management.terminal import TerminalCommand


class Command(TerminalCommand):
    help = (
        "Measure the ranking on judged sets (folders; docs/ranking.md says which files). "
        "The usual methods run beside it; the same files give the same table."
    )
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="the folder of a judged set")
        parser.add_argument("--dailies", type=Path, help="the papers by day of a stream: a file, or its folder")
        parser.add_argument("--json", type=Path, metavar="FILE", help="write the table there too")

    def handle(self, *args: Any, **options: Any) -> None:
        if not has_learners():
            self.stderr.write("scikit-learn (the dev extra) is not installed: no logistic regression, no SVM.")
        if options["json"] and (options["json"].is_dir() or not options["json"].parent.is_dir()):
            raise CommandError(f"{options['json']} is no file in a folder: the table cannot be written there.")
        try:
            sets = [read(path, options["dailies"]) for path in options["paths"]]
        except SetError as error:
            raise CommandError(str(error)) from error
        tables: dict[str, list[dict[str, Any]]] = {}
        began = time.process_time()
        for path, judged in zip(options["paths"], sets, strict=True):
            try:
                table = report.rows(protocols.play(judged))
            except OperationalError as error:
                raise CommandError(f"The database cannot be asked for ts_rank_cd: {str(error).strip()}") from error
            if not table:
                self.stderr.write(f"{judged.name}: nothing to rank; no day with a paper liked has two papers or more.")
            name = judged.name if judged.name not in tables else str(path)
            tables[name] = [asdict(row) for row in table]
            for line in report.as_text(judged.name, table):
                self.stdout.write(line)
        if options["json"]:
            options["json"].write_text(json.dumps(tables, indent=1), encoding="utf-8")
        self.stdout.write(f"{len(sets)} sets in {time.process_time() - began:.0f} s of CPU.")
