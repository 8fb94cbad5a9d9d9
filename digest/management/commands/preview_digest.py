"""manage.py preview_digest: one reader's mail, sent to nobody."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from digest import percolation, previewing
from digest.composing import Press, compose
from digest.management import arguments
from subscriptions.models import Subscriber

FORMATS = ("text", "html", "eml")


class Command(BaseCommand):
    help = "Print one reader's next mail. It is stored nowhere, and its personal links do not work."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--date", type=arguments.date, help="as if sent on that day")
        parser.add_argument("--format", default="text", help=f"one or more of {','.join(FORMATS)}")

    def handle(self, *args: Any, **options: Any) -> None:
        formats = options["format"].split(",")
        if unknown := set(formats) - set(FORMATS):
            raise CommandError(f"No such format: {', '.join(sorted(unknown))}. There are {', '.join(FORMATS)}.")
        reader = Subscriber.objects.by_address(options["email"]).first()
        if reader is None:
            raise CommandError(f"No reader has the address {options['email']}.")
        now = timezone.now()
        if options["date"]:
            now = dt.datetime.combine(options["date"], dt.time(23, 59), tzinfo=dt.UTC)
        percolation.match_new(now)
        digest = previewing.next_digest(reader, now)
        if digest is None:
            raise CommandError("Nothing matches: no mail would be sent.")
        message = compose(digest, now)
        # The eml is what leaves by SMTP, byte for byte.
        parts = {"text": message.body, "html": message.alternatives[0][0], "eml": Press().letter(digest, now).data}
        for name in formats:
            part = parts[name]
            self.stdout.write(part.decode("ascii") if isinstance(part, bytes) else str(part))
