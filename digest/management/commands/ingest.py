"""manage.py ingest: papers in, from named or due sources, past days, saved pages, or pages that failed before."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from rich.console import Console
from rich.markup import escape
from rich.progress import track

from auditlog import audit
from digest.management import arguments
from digest.models import Source
from digest.papers.ingest import failed_pages, ingest
from digest.papers.sources.parsed import EmptyEdition, SourceError
from digest.relevance import match_papers
from subscriptions.management.terminal import TerminalCommand
from subscriptions.redaction import redact
from subscriptions.visible import visible


class Command(TerminalCommand):
    help = "Fetch, parse and store papers. Without SOURCE and --file: every source that is due."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", nargs="*", metavar="SOURCE", help="a source's slug, or an address")
        parser.add_argument("--file", action="append", default=[], metavar="PATH", help="a saved page, feed or text")
        parser.add_argument("--date", type=arguments.date, help="the list's date, YYYY-MM-DD")
        parser.add_argument("--since", type=arguments.date, help="back-fill: every day from this one on")
        parser.add_argument("--until", type=arguments.date, help="back-fill: up to this day (default: today)")
        parser.add_argument("--retry", action="store_true", help="read the pages again that could not be read")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        _refuse_contradictions(options)
        audit.record("retry pages" if options["retry"] else "ingest", now, detail=_what(options))
        try:
            if options["retry"]:
                self._retry(options["source"], now)
            elif options["file"]:
                self._files(options, now)
            elif options["since"]:
                self._past_days(options, now)
            else:
                self._sources(options, now)
        except SourceError as error:
            raise CommandError(str(error)) from error
        finally:
            match_papers.match_new(now)

    def _files(self, options: dict[str, Any], now: dt.datetime) -> None:
        source = self._source(options["source"][0]) if options["source"] else None
        for path in options["file"]:
            outcome = ingest.ingest_location(path, now, date=options["date"], source=source)
            self.stdout.write(outcome.summary)

    def _sources(self, options: dict[str, Any], now: dt.datetime) -> None:
        ingest.huggingface()
        ingest.note_cut_off(now)
        names = options["source"] or [source.slug for source in Source.objects.due(now)]
        if not names:
            self.stdout.write("No source is due. Name one to fetch it now.")
        failures = []
        for name in names:
            try:
                self._one(name, options["date"], now)
            except SourceError as error:
                if len(names) == 1:
                    raise
                failures.append(name)
                self.stderr.write(f"{name}: {error}")
        if failures:
            raise CommandError(f"{len(failures)} of {len(names)} sources failed: {', '.join(failures)}.")

    def _one(self, name: str, date: dt.date | None, now: dt.datetime) -> None:
        if "://" in name:
            self.stdout.write(ingest.ingest_location(name, now, date=date).summary)
            return
        try:
            self.stdout.write(ingest.ingest_source(self._source(name), now, date).summary)
        except EmptyEdition as empty:
            self.stdout.write(f"{name}: {empty}")

    def _past_days(self, options: dict[str, Any], now: dt.datetime) -> None:
        last = options["until"] or now.date()
        for name in options["source"]:
            source = self._source(name)
            days = (last - options["since"]).days + 1
            steps = ingest.backfill(source, options["since"], last, now)
            progress = track(
                steps,
                description=visible(escape(source.name)),
                total=days,
                console=Console(stderr=True),
                disable=not self._at_terminal,
            )
            for _, outcome in progress:
                self.stdout.write(outcome)

    @property
    def _at_terminal(self) -> bool:
        return bool(self.stderr.isatty())

    def _retry(self, names: list[str], now: dt.datetime) -> None:
        sources = [self._source(name) for name in names] or list(Source.objects.all())
        unread = tried = 0
        for page, outcome in failed_pages.retry(sources, now):
            tried += 1
            unread += page.pk is not None
            self.stdout.write(f"{page}: {outcome}")
        if unread:
            raise CommandError(f"{unread} of {tried} kept pages still cannot be read; they stay kept.")
        self.stdout.write(f"{tried} kept pages read." if tried else "No page is kept: all that came could be read.")

    def _source(self, slug: str) -> Source:
        source = Source.objects.filter(slug=slug).first()
        if source is None:
            known = ", ".join(Source.objects.values_list("slug", flat=True)) or "none yet"
            raise CommandError(f"There is no source “{slug}”. Known: {known}. For a saved page, use --file {slug}")
        return source


def _what(options: dict[str, Any]) -> str:
    """What the audit log says was read."""
    names = [*options["source"], *options["file"]] or ["every due source"]
    span = [f"{name} {options[name]}" for name in ("date", "since", "until") if options[name]]
    return redact(", ".join([*names, *span]))


def _refuse_contradictions(options: dict[str, Any]) -> None:
    """Options that do not go together are refused before anything is read."""
    first, last = options["since"], options["until"]
    wrong = {
        "--since asks a source for days; with --file, say --date.": first and options["file"],
        "--until needs --since.": last and not first,
        "--since needs a SOURCE.": first and not options["source"],
        "--since and --date are two ways to say when: use one.": first and options["date"],
        f"--until {last} is before --since {first}.": first and last and last < first,
        "--retry reads what is kept: leave --file, --date and --since out.": options["retry"]
        and (options["file"] or options["date"] or first),
    }
    for message, is_so in wrong.items():
        if is_so:
            raise CommandError(message)
