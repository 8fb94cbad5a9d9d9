"""manage.py export_subscribers: readers as a CSV file that import_subscribers reads."""

from __future__ import annotations

import csv
import os
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from auditlog import audit
from subscriptions.csv_cells import guarded, interests_cell
from subscriptions.imports.sheet import HEADER
from subscriptions.management.private_file import private_file
from subscriptions.management.terminal import TerminalCommand
from subscriptions.models import Subscriber
from subscriptions.preferences import settings_of
from subscriptions.visible import visible

CHUNK = 1000  # readers in memory at a time


class Command(TerminalCommand):
    help = "Write readers as CSV, with what they want: those who are active, or everybody."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--output", metavar="FILE", type=Path, help="this file, for your eyes only; else the terminal"
        )
        parser.add_argument("--all", action="store_true", help="readers of every status, not only active ones")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path | None = options["output"]
        audit.record(
            "export subscribers", timezone.now(), detail="of every status" if options["all"] else "active ones"
        )
        if path is None:
            try:
                count = write(self.stdout, options["all"])
                self.stdout.flush()  # a small file breaks the pipe only here
            except BrokenPipeError:  # `| head` has seen enough; Python's flush at the end must not complain either
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                sys.exit(1)
            # Standard output is the file: the summary goes beside it.
            self.stderr.write(f"{_of(count)} written.", self.style.NOTICE)
            return
        try:
            with private_file(path) as file:
                count = write(file, options["all"])
        except OSError as error:
            raise CommandError(
                f"{path} cannot be written ({error.strerror}); name a file in a folder of yours."
            ) from error
        self.stdout.write(f"{_of(count)} written to {path}.")


def write(file: Any, everybody: bool) -> int:
    """Write the header and a row a reader. Returns how many there were."""
    readers = Subscriber.objects.order_by("pk").prefetch_related("interest_lines")
    if not everybody:
        readers = readers.filter(status=Subscriber.Status.ACTIVE)
    sheet = csv.writer(file)
    sheet.writerow(HEADER)
    count = 0
    for reader in readers.iterator(chunk_size=CHUNK):
        sheet.writerow(cells(reader))
        count += 1
    return count


def cells(reader: Subscriber) -> list[str]:
    """The reader's row. Only the first two hold what somebody typed freely."""
    lines = [visible(line.typed) for line in reader.interest_lines.all()]
    moments = [moment.isoformat() if moment else "" for moment in (reader.created_at, reader.confirmed_at)]
    return [
        guarded(visible(reader.email)),
        interests_cell(lines),
        *map(str, settings_of(reader).values()),
        reader.status,
        *moments,
    ]


def _of(count: int) -> str:
    return f"{count:,} reader{'' if count == 1 else 's'}"
