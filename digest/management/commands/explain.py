"""manage.py explain: why a paper was, or was not, in a reader's digest."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from digest.documents import document
from digest.ingest.merging import title_key
from digest.models import Digest, Paper
from digest.queries import Query
from digest.selecting import choose
from subscriptions.models import Subscriber


class Command(BaseCommand):
    help = "Say why a paper was, or was not, in a reader's mail. PAPER: our number, an arXiv id, a DOI or a title."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("paper")

    def handle(self, *args: Any, **options: Any) -> None:
        reader = Subscriber.objects.by_address(options["email"]).first()
        if reader is None:
            raise CommandError(f"No reader has the address {options['email']}.")
        paper = self._paper(options["paper"])
        self.stdout.write(f"{paper.title} (paper {paper.pk})")
        self._lines(reader, paper)
        self._history(reader, paper)

    def _paper(self, text: str) -> Paper:
        number = int(text) if text.isdecimal() else 0
        for found in (
            Paper.objects.filter(arxiv_id=text),
            Paper.objects.filter(doi=text.lower()),
            Paper.objects.filter(pk=number),
            Paper.objects.filter(title_key=title_key(text)),
        ):
            if paper := found.first():
                return paper
        raise CommandError(f"No paper is known by “{text}”: try its arXiv id, its DOI or its whole title.")

    def _lines(self, reader: Subscriber, paper: Paper) -> None:
        taken_apart = document(paper)
        for line in reader.interest_lines.select_related("interest"):
            query = Query.of(line.interest_id, line.interest.node())
            found = query.find(taken_apart)
            verb = ("mutes it" if found else "does not mute it") if query.mutes else (
                f"matches it, weight {found.weight:.2f}" if found else "does not match it"
            )  # fmt: skip
            self.stdout.write(f"  “{line.typed}” {verb}")

    def _history(self, reader: Subscriber, paper: Paper) -> None:
        now = timezone.now()
        for digest in Digest.objects.filter(subscriber=reader):
            for place, pick in enumerate(digest.picks, start=1):
                if pick["paper"] == paper.pk:
                    self.stdout.write(
                        f"Sent: number {place} of the mail of {digest.issue_date}, {pick['points']} points."
                    )
                    return
        if not Paper.objects.fresh(now).filter(pk=paper.pk).exists():
            self.stdout.write("Not sent: it is not among the papers of the last days.")
            return
        picks = choose([reader], now)[reader.pk]
        places = {pick["paper"]: place for place, pick in enumerate(picks, start=1)}
        if paper.pk in places:
            self.stdout.write(f"Not sent yet: it would be number {places[paper.pk]} of the next mail.")
        else:
            self.stdout.write(f"Not sent: it is not among the {len(picks)} papers of the next mail.")
