"""manage.py send_digests: choose and send what is due, in this process."""

from __future__ import annotations

import datetime as dt
from itertools import islice
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from auditlog import audit
from digest.mail import delivery
from digest.mail.delivery import send_control
from digest.mail.rendering.excerpts import shorten
from digest.management import arguments
from digest.models import Delivery, MailGate, Paper
from digest.operations.retention import windows
from digest.picks.selection import dry_run, select
from digest.relevance import match_papers
from subscriptions.addresses import masked
from subscriptions.management.terminal import TerminalCommand
from subscriptions.models import Subscriber

TITLE = 80  # characters


class Command(TerminalCommand):
    help = "Choose and send what is due. With --subscriber: that reader's mail, due or not, once a date."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--date", type=arguments.date, help="as if it were that day (with --now's time, else its end)"
        )
        parser.add_argument("--subscriber", metavar="EMAIL", help="this reader only")
        parser.add_argument("--dry-run", action="store_true", help="say who would get what; change nothing")
        parser.add_argument(
            "--compare",
            action="store_true",
            help="with --dry-run and --date: what the ranking as it is now would change in the digests of that day",
        )
        parser.add_argument(
            "--now", type=arguments.moment, help="as if it were that moment (ISO 8601, UTC), today at the latest"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["compare"] and not (options["dry_run"] and options["date"]):
            raise CommandError("--compare needs --dry-run, and --date for the day to compare with.")
        if options["compare"]:
            self._warn_of_deleted_matches(self._now(options))
            self._compare(options["date"])
            return
        now = self._now(options)
        self._warn_of_deleted_matches(now)
        if not options["dry_run"]:
            self._refuse_the_future(now)
            self._refuse_what_was_deleted(now)
        reader = self._reader(options["subscriber"])
        if options["dry_run"]:
            self._dry_run(now, reader)
            return
        audit.record("send digests", timezone.now(), target=str(reader or ""), detail=f"as of {now:%Y-%m-%d %H:%M} UTC")
        match_papers.match_new(now)
        selected = select.select_chunk(now, reader) if reader else select.select_due(now)
        counts = delivery.deliver_all(now, reader)
        became = ", ".join(f"{number} {status}" for status, number in sorted(counts.items())) or "nothing to send"
        without = selected.readers - selected.mails
        self.stdout.write(f"{_of(selected.readers, 'reader')} due, {without} of them without a new mail; {became}.")
        if counts[Delivery.Status.FAILED]:
            raise CommandError(f"{_of(counts[Delivery.Status.FAILED], 'mail')} failed; the admin's deliveries say why.")
        held = send_control.reasons(MailGate.load(), now)
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

    def _refuse_the_future(self, moment: dt.datetime) -> None:
        """What is sent is recorded as of its moment: one of a later day would take readers off until then."""
        now = timezone.now()
        said = f"{moment.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"
        if moment.astimezone(dt.UTC).date() > now.date():
            raise CommandError(
                f"{said} is to come: mail of that day cannot be sent before, and its readers would get none until then."
                " Add --dry-run to see who would get what, or see one mail: `manage.py preview_digest EMAIL --now T`."
            )
        if moment > now:
            self.stderr.write(f"{said} is to come: readers who are due until then get their mail now.")

    def _refuse_what_was_deleted(self, moment: dt.datetime) -> None:
        """The digests that say which of that day's papers a subscriber had must all be there."""
        first = windows.first_day_to_send(timezone.now())
        if moment.date() < first:
            raise CommandError(
                f"Mail of before {first} cannot be sent: digests of that time may have been deleted"
                " (KEEP_DIGESTS_DAYS), and without them papers would be mailed twice. Add --dry-run to see who would"
                " get what."
            )

    def _warn_of_deleted_matches(self, moment: dt.datetime) -> None:
        first = windows.first_matched_day(timezone.now())
        if moment.date() < first:
            self.stderr.write(
                f"Matches of papers from before {first} may have been deleted (KEEP_MATCHES_DAYS): what is chosen now"
                " may not be what was chosen then."
            )

    def _reader(self, address: str | None) -> Subscriber | None:
        if not address:
            return None
        reader = Subscriber.objects.by_address(address).first()
        if reader is None:
            raise CommandError(f"No reader has the address {address}.")
        if reader.status != Subscriber.Status.ACTIVE:
            raise CommandError(f"{address} is not mailed: {reader.get_status_display()}.")
        return reader

    def _dry_run(self, now: dt.datetime, only: Subscriber | None) -> None:
        if Paper.objects.known().filter(matched_at=None).exists():
            self.stderr.write("Some papers are not matched yet, and cannot be chosen: `manage.py match`.")
        rehearsed = dry_run.due(now, only)
        total = 0
        while chunk := list(islice(rehearsed, select.CHUNK)):
            held = Paper.objects.filter(pk__in={paper for _, one in chunk for paper in one.papers})
            titles = dict(held.values_list("pk", "title"))
            for reader, one in chunk:
                self.stdout.write(f"{masked(reader.email)}: {_of(len(one.papers), 'paper')}")
                for paper in one.papers:
                    self.stdout.write(f"  {shorten(titles[paper], TITLE)}")
            total += len(chunk)
        self.stdout.write(f"{_of(total, 'reader')} would be looked at; nothing was changed.")

    def _compare(self, date: dt.date) -> None:
        same = total = came = went = moved = 0
        for reader, change in dry_run.replay(date):
            total += 1
            if not change:
                same += 1
                continue
            came, went, moved = came + len(change.came), went + len(change.went), moved + len(change.moved)
            words = [
                f"{name} {' '.join(map(str, papers))}"
                for name, papers in (("in", change.came), ("out", change.went), ("moved", change.moved))
                if papers
            ]
            self.stdout.write(f"{masked(reader.email)}: {'; '.join(words)}")
        if not total:
            raise CommandError(f"There are no digests of {date} to compare with.")
        self.stdout.write(
            f"{total} digests of {date}: {same} would be the same, {total - same} would change"
            f" ({came} papers in, {went} out, {moved} moved)."
            " Upvotes and lines are those of today; nothing was changed."
        )


def _of(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"
