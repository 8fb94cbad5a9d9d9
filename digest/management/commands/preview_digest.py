"""manage.py preview_digest: one reader's mail, sent to nobody."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from auditlog import audit
from digest.mail.rendering import Press, compose
from digest.management import arguments
from digest.picks.preview import digest_preview
from digest.relevance import match_papers
from subscriptions.management.terminal import TerminalCommand
from subscriptions.models import Subscriber

FORMATS = ("text", "html", "eml")


class Command(TerminalCommand):
    help = "Print one reader's next mail. It is stored nowhere, and its personal links do not work."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument(
            "--date", type=arguments.date, help="as if sent on that day (with --now's time, else its end)"
        )
        parser.add_argument("--now", type=arguments.moment, help="as if sent at that moment (ISO 8601, UTC)")
        parser.add_argument("--format", default="text", help=f"one or more of {','.join(FORMATS)}")

    def handle(self, *args: Any, **options: Any) -> None:
        formats = options["format"].split(",")
        if unknown := set(formats) - set(FORMATS):
            raise CommandError(f"No such format: {', '.join(sorted(unknown))}. There are {', '.join(FORMATS)}.")
        reader = Subscriber.objects.by_address(options["email"]).first()
        if reader is None:
            raise CommandError(f"No reader has the address {options['email']}.")
        audit.record("preview digest", timezone.now(), target=str(reader))
        match_papers.match_new(timezone.now())
        at = self._moment(reader, options)
        # Not on the standard output, which may be a file that a mail program is to open.
        self.stderr.write(f"The mail of {at:%Y-%m-%d %H:%M} UTC, with what is known now.")
        digest = digest_preview.next_digest(reader, at)
        if digest is None:
            raise CommandError(f"Nothing matches: no mail would be sent at {at:%Y-%m-%d %H:%M} UTC.")
        message = compose(digest, at)
        # The eml is what leaves by SMTP, byte for byte.
        parts = {"text": message.body, "html": message.alternatives[0][0], "eml": Press().letter(digest, at).data}
        for name in formats:
            part = parts[name]
            self.stdout.write(part.decode("ascii") if isinstance(part, bytes) else str(part))

    def _moment(self, reader: Subscriber, options: dict[str, Any]) -> dt.datetime:
        """The moment asked for; else when the reader's next mail is due."""
        now: dt.datetime | None = options["now"]
        if options["date"]:
            time = now.timetz() if now else dt.time(23, 59, tzinfo=dt.UTC)
            return dt.datetime.combine(options["date"], time)
        return (now or max(reader.next_digest_at or timezone.now(), timezone.now())).astimezone(dt.UTC)
