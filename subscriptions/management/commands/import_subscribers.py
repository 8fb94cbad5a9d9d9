"""manage.py import_subscribers: readers from a CSV file, all of them or none."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction
from django.utils import timezone
from rich.progress import track

from auditlog import audit
from subscriptions import addresses, csv_import, signup
from subscriptions.csv_import import Row, Sheet
from subscriptions.management.terminal import TerminalCommand
from subscriptions.models import Consent, Subscriber, Suppression
from subscriptions.preferences import SETTINGS

CHUNK = 500
PAGE = "import"  # what the proof of consent names as its origin
WORDING = "Imported by the operator, who states that they hold this reader's consent."
# Rows of readers who had stopped elsewhere: an import never mails them again.
STOPPED = (Subscriber.Status.UNSUBSCRIBED, Subscriber.Status.BOUNCED, Subscriber.Status.COMPLAINED)


class Command(TerminalCommand):
    help = (
        "Add the readers of a CSV file. Its first line names the columns: email and interests, and any of "
        f"{', '.join(SETTINGS)}. Interests stand one a line, or with ; between them. One error, and "
        "nothing is stored. New readers are asked to confirm first."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE.csv", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="check and count; change nothing")
        parser.add_argument(
            "--confirmed", action="store_true", help="you hold their consent: mail them without asking again"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        if lost := Suppression.objects.under_lost_keys().count():
            raise CommandError(
                f"{_of(lost, 'suppression')} cannot be compared with the file, because their key is not configured. "
                "Nothing was stored. Run `manage.py doctor`, which says what to do."
            )
        sheet = csv_import.read(content_of(options["file"]))
        if sheet.faults:
            raise CommandError(self._faults(options["file"], sheet))
        counts = Counter(repeated=sheet.repeats)
        rows = list(sheet.rows.values())
        with transaction.atomic():
            for start in track(range(0, len(rows), CHUNK), description="Readers", disable=not self.stdout.isatty()):
                chunk = rows[start : start + CHUNK]
                counts += take(chunk, now, confirmed=options["confirmed"], dry_run=options["dry_run"])
            if not options["dry_run"]:
                audit.record("import subscribers", now, detail=_what(counts, options))
        self.stdout.write(self._summary(counts, options))

    def _faults(self, path: Path, sheet: Sheet) -> str:
        lines = [f"{path}: {_of(sheet.fault_count, 'error')}, nothing was stored.", *map(str, sheet.faults)]
        if sheet.fault_count > len(sheet.faults):
            lines.append(f"and {sheet.fault_count - len(sheet.faults):,} more.")
        return "\n".join(lines)

    def _summary(self, counts: Counter[str], options: dict[str, Any]) -> str:
        parts = [f"{_of(counts['active'] + counts['pending'], 'new reader')}"]
        if counts["pending"]:
            parts.append(f"{counts['pending']:,} of them asked to confirm with the worker's next look")
        parts.append(f"{counts['known']:,} known already and left as they are")
        parts.append(f"{counts['suppressed']:,} suppressed")
        for word, text in (("stopped", "stopped before"), ("repeated", "repeated in the file")):
            parts += [f"{counts[word]:,} {text}"] if counts[word] else []
        return ("Dry run, nothing was stored: " if options["dry_run"] else "") + ", ".join(parts) + "."


def content_of(path: Path) -> bytes:
    """The file's bytes, never many more than are allowed. Raises CommandError with what to do."""
    try:
        with path.open("rb") as file:
            return file.read(csv_import.MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise CommandError(f"{path}: there is no such file; check the path.") from error
    except OSError as error:
        raise CommandError(f"{path} cannot be read ({error.strerror}); name one CSV file you may read.") from error


def take(rows: list[Row], now: dt.datetime, *, confirmed: bool, dry_run: bool) -> Counter[str]:
    """Store the readers who are new. Counts by what became of each row."""
    keys = [addresses.key(row.address) for row in rows]
    known = set(Subscriber.objects.filter(email_key__in=keys).values_list("email_key", flat=True))
    suppressed = Suppression.objects.among(row.address for row in rows)
    counts: Counter[str] = Counter()
    for key, row in zip(keys, rows, strict=True):
        if row.address in suppressed:
            counts["suppressed"] += 1
        elif key in known:
            counts["known"] += 1
        elif row.status in STOPPED:
            counts["stopped"] += 1
        else:
            # An export's pending rows are people who never said yes: nobody holds their consent.
            may_mail = confirmed and row.status != Subscriber.Status.PENDING
            counts["active" if may_mail else "pending"] += 1
            if not dry_run:
                add(row, now, confirmed=may_mail)
    return counts


def add(row: Row, now: dt.datetime, *, confirmed: bool) -> None:
    """One new reader, who owes us a yes unless the operator holds it."""
    by_staff: dict[str, Any] = {"page": PAGE, "now": now, "wording": WORDING, "origin": Consent.Origin.STAFF}
    signup.sign_up(row.address, row.preferences, **by_staff)
    if confirmed:
        signup.confirm(Subscriber.objects.by_address(row.address).get(), **by_staff)


def _what(counts: Counter[str], options: dict[str, Any]) -> str:
    """What the audit log says of an import."""
    consent = "consent held elsewhere" if options["confirmed"] else "asked to confirm"
    return f"{counts['active']:,} active, {counts['pending']:,} pending; {consent}"


def _of(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"
