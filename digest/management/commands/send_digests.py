"""manage.py send_digests: choose and send what is due, in this process."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from digest import delivery, percolation, selecting
from digest.delivery import gate
from digest.management import arguments
from digest.models import Delivery, MailGate
from subscriptions.addresses import masked
from subscriptions.models import Subscriber


class Command(BaseCommand):
    help = "Choose and send what is due. With --subscriber: that reader's mail, due or not, once a date."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--date", type=arguments.date, help="as if it were that day (with --now's time, else its end)"
        )
        parser.add_argument("--subscriber", metavar="EMAIL", help="this reader only")
        parser.add_argument("--dry-run", action="store_true", help="say who would get what; change nothing")
        parser.add_argument("--now", type=arguments.moment, help="as if it were that moment (ISO 8601, UTC)")

    def handle(self, *args: Any, **options: Any) -> None:
        now = self._now(options)
        reader = self._reader(options["subscriber"])
        percolation.match_new(now)
        if options["dry_run"]:
            self._dry_run([reader] if reader else list(Subscriber.objects.due(now)), now)
            return
        selected = selecting.select_chunk(now, reader) if reader else selecting.select_due(now)
        counts = delivery.deliver_all(now, reader)
        became = ", ".join(f"{number} {status}" for status, number in sorted(counts.items())) or "nothing to send"
        self.stdout.write(
            f"{selected.readers} readers due, {selected.readers - selected.mails} of them without a new mail; {became}."
        )
        if counts[Delivery.Status.FAILED]:
            raise CommandError(f"{counts[Delivery.Status.FAILED]} mails failed; the admin's deliveries say why.")
        held = gate.reasons(MailGate.load(), now)
        if held and Delivery.objects.ready(now).exists():
            raise CommandError(f"The mails wait. {' '.join(held.values())} See `manage.py mail status`.")
        if counts[Delivery.Status.WAITING]:
            raise CommandError("The mails wait for the next look. See `manage.py mail status`.")

    def _now(self, options: dict[str, Any]) -> dt.datetime:
        now: dt.datetime = options["now"] or timezone.now()
        if options["date"]:
            time = now.timetz() if options["now"] else dt.time(23, 59, tzinfo=dt.UTC)
            return dt.datetime.combine(options["date"], time)
        return now

    def _reader(self, address: str | None) -> Subscriber | None:
        if not address:
            return None
        reader = Subscriber.objects.by_address(address).first()
        if reader is None:
            raise CommandError(f"No reader has the address {address}.")
        if reader.status != Subscriber.Status.ACTIVE:
            raise CommandError(f"{address} is not mailed: {reader.get_status_display()}.")
        return reader

    def _dry_run(self, readers: list[Subscriber], now: dt.datetime) -> None:
        for start in range(0, len(readers), selecting.CHUNK):
            chunk = readers[start : start + selecting.CHUNK]
            for pk, picks in selecting.choose(chunk, now).items():
                reader = next(reader for reader in chunk if reader.pk == pk)
                self.stdout.write(f"{masked(reader.email)}: {len(picks)} papers")
        self.stdout.write(f"{len(readers)} readers would be looked at; nothing was changed.")
