"""manage.py import_subscribers: readers from a CSV file, all of them, or those whose rows are good."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction
from django.utils import timezone
from rich.progress import track

from auditlog import audit
from subscriptions.imports import report, sheet, store
from subscriptions.imports.sheet import Options, Sheet
from subscriptions.imports.store import Decision
from subscriptions.management.private_file import private_file
from subscriptions.management.terminal import TerminalCommand
from subscriptions.models import Suppression
from subscriptions.preferences import SETTINGS


class Command(TerminalCommand):
    help = (
        "Add the readers of a CSV file: our own export, one of Mailchimp, listmonk, Keila, Substack, Buttondown or "
        "Ghost, or a spreadsheet's. Its first line names the columns: email, interests, and any of "
        f"{', '.join(SETTINGS)}. Interests stand one a line, or with ; between them. One error, and nothing is stored, "
        "unless --rejected names a file for the rows to correct. New readers are asked to confirm first. Whoever left "
        "or bounced there is suppressed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE.csv", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="say what would become of each row; change nothing")
        parser.add_argument(
            "--confirmed", action="store_true", help="you hold their consent: mail them without asking again"
        )
        parser.add_argument(
            "--rejected", metavar="FILE", type=Path,
            help="import the good rows, and write the others to this file, with what to correct",
        )  # fmt: skip
        parser.add_argument(
            "--interests", metavar="LINES", default="", help="for rows without interests of their own, ; between lines"
        )
        parser.add_argument(
            "--interests-from", metavar="COLUMN", default="", help="take the interests from this column, such as TAGS"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if lost := Suppression.objects.under_lost_keys().count():
            raise CommandError(
                f"{report.of(lost, 'suppression')} cannot be compared with the file, because their key is not "
                "configured. Nothing was stored. Run `manage.py doctor`, which says what to do."
            )
        asked = Options(interests=options["interests"], interests_from=options["interests_from"])
        found = sheet.read(content_of(options["file"]), asked)
        if found.broken or (found.faults and not options["rejected"] and not options["dry_run"]):
            raise CommandError(self._faults(options["file"], found))
        decisions = self._store(found, options)
        counts = store.counted(decisions)
        dry = "Dry run, nothing was stored: " if options["dry_run"] else ""
        self.stdout.write(dry + report.summary(found, counts))
        if said := report.recognised(found):
            self.stdout.write(said)
        self._write_rejected(found, options)
        if options["dry_run"]:
            self._say_each(found, decisions, options)

    def _store(self, found: Sheet, options: dict[str, Any]) -> list[Decision]:
        """Store all rows or, should storing break off, none."""
        now, decisions = timezone.now(), []
        is_quiet = not self.stdout.isatty()
        with transaction.atomic():
            chunks = store.store(found, now, confirmed=options["confirmed"], dry_run=options["dry_run"])
            total = -(-len(found.rows) // store.CHUNK)
            for chunk in track(chunks, description="Readers", total=total, disable=is_quiet):
                decisions += chunk
            if not options["dry_run"]:
                audit.record("import subscribers", now, detail=_what(store.counted(decisions), options))
        return decisions

    def _write_rejected(self, found: Sheet, options: dict[str, Any]) -> None:
        path: Path | None = options["rejected"]
        if path is None or not found.rejected or options["dry_run"]:
            return
        try:
            with private_file(path) as file:
                report.write_rejected(found, file)
        except OSError as error:
            raise CommandError(f"{path} cannot be written ({error.strerror}). The good rows are stored.") from error
        self.stdout.write(f"{report.of(len(found.rejected), 'row')} to correct in {path}: then import that file.")

    def _say_each(self, found: Sheet, decisions: Iterable[Decision], options: dict[str, Any]) -> None:
        for text in report.line_by_line(found, decisions):
            self.stdout.write(text)
        if found.faults and not options["rejected"]:
            raise CommandError(f"{report.of(found.fault_count, 'error')}: an import would store nothing.")

    def _faults(self, path: Path, found: Sheet) -> str:
        lines = [f"{path}: {report.of(found.fault_count, 'error')}, nothing was stored.", *map(str, found.faults)]
        if found.fault_count > len(found.faults):
            lines.append(f"and {found.fault_count - len(found.faults):,} more.")
        return "\n".join(lines)


def content_of(path: Path) -> bytes:
    """The file's bytes, never many more than are allowed. Raises CommandError with what to do."""
    try:
        with path.open("rb") as file:
            return file.read(sheet.MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise CommandError(f"{path}: there is no such file; check the path.") from error
    except OSError as error:
        raise CommandError(f"{path} cannot be read ({error.strerror}); name one CSV file you may read.") from error


def _what(counts: Counter[str], options: dict[str, Any]) -> str:
    """What the audit log says of an import."""
    consent = "consent held elsewhere" if options["confirmed"] else "asked to confirm"
    stopped = f", {counts['stopped']:,} suppressed" if counts["stopped"] else ""
    return f"{counts['active']:,} active, {counts['pending']:,} pending{stopped}; {consent}"
