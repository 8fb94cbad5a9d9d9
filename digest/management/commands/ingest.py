"""manage.py ingest: papers in, from named or due sources, a date range, a saved page or text."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from rich.progress import track

from digest import ingest, percolation
from digest.management import arguments
from digest.models import Source
from digest.sources import EmptyEdition, SourceError


class Command(BaseCommand):
    help = "Fetch, parse and store papers. Without SOURCE and --file: every source that is due."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", nargs="*", metavar="SOURCE", help="a source's slug, or an address")
        parser.add_argument("--file", action="append", default=[], metavar="PATH", help="a saved page, feed or text")
        parser.add_argument("--date", type=arguments.date, help="the list's date, YYYY-MM-DD")
        parser.add_argument("--since", type=arguments.date, help="every day from this one to --date or today")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        try:
            if options["file"]:
                self._files(options, now)
            else:
                self._sources(options, now)
        except SourceError as error:
            raise CommandError(str(error)) from error
        finally:
            percolation.match_new(now)

    def _files(self, options: dict[str, Any], now: dt.datetime) -> None:
        if options["since"]:
            raise CommandError("--since asks a source for days; with --file, say --date.")
        source = self._source(options["source"][0]) if options["source"] else None
        for path in options["file"]:
            outcome = ingest.ingest_location(path, now, date=options["date"], source=source)
            self.stdout.write(outcome.summary)

    def _sources(self, options: dict[str, Any], now: dt.datetime) -> None:
        ingest.huggingface()
        names = options["source"] or [source.slug for source in Source.objects.due(now)]
        if not names:
            self.stdout.write("No source is due. Name one to fetch it now.")
        failures = []
        for name in names:
            try:
                self._one(name, options, now)
            except SourceError as error:
                if len(names) == 1:
                    raise
                failures.append(name)
                self.stderr.write(f"{name}: {error}")
        if failures:
            raise CommandError(f"{len(failures)} of {len(names)} sources failed: {', '.join(failures)}.")

    def _one(self, name: str, options: dict[str, Any], now: dt.datetime) -> None:
        if "://" in name:
            self.stdout.write(ingest.ingest_location(name, now, date=options["date"]).summary)
            return
        source = self._source(name)
        if options["since"]:
            self._range(source, options["since"], options["date"] or now.date(), now)
            return
        outcome = ingest.ingest_source(source, now, options["date"])
        self.stdout.write(outcome.summary if outcome else f"{source.name}: not changed since the last look.")

    def _range(self, source: Source, first: dt.date, last: dt.date, now: dt.datetime) -> None:
        days = [first + dt.timedelta(days=number) for number in range((last - first).days + 1)]
        for day in track(days, description=source.name, disable=not self.stdout.isatty()):
            try:
                outcome = ingest.ingest_source(source, now, day, backfill=True)
            except EmptyEdition:
                self.stdout.write(f"{day}: no list.")
                continue
            if outcome:
                self.stdout.write(outcome.summary)

    def _source(self, slug: str) -> Source:
        source = Source.objects.filter(slug=slug).first()
        if source is None:
            known = ", ".join(Source.objects.values_list("slug", flat=True)) or "none yet"
            raise CommandError(f"There is no source “{slug}”. Known: {known}. For a saved page, use --file {slug}")
        return source
