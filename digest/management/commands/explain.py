"""manage.py explain: why a paper was, or was not, in a reader's digest."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from digest.mail.rendering.excerpts import Segment
from digest.picks.explanation.explain import explain
from subscriptions.management.terminal import TerminalCommand
from subscriptions.models import Subscriber


class Command(TerminalCommand):
    help = (
        "Say why a paper was, or was not, in a reader's mail, as the page of their preferences says it. "
        "PAPER: an arXiv id, a DOI, an address, our number or a title."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("paper")

    def handle(self, *args: Any, **options: Any) -> None:
        reader = Subscriber.objects.by_address(options["email"]).first()
        if reader is None:
            raise CommandError(f"No reader has the address {options['email']}.")
        found = explain(reader, options["paper"], timezone.now())
        if found.paper is None:
            raise CommandError(" ".join((found.answer, *found.more)))
        self.stdout.write(f"{_plain(found.title)} (paper {found.paper.pk})")
        self.stdout.write("  The reader is told:")  # the sentences say "you" to them
        for sentence in (found.answer, *found.more):
            self.stdout.write(f"  {sentence}")
        for points, voice in found.points:
            self.stdout.write(f"  {points:8.2f}  {voice}")
        if found.score is not None:
            self.stdout.write(f"  {found.score:8.2f}  in all")
        if any(is_marked for _, is_marked in found.abstract):
            self.stdout.write(f"  {_plain(found.abstract)}")


def _plain(pieces: Iterable[Segment]) -> str:
    """A terminal's marks: *so*."""
    return "".join(f"*{text}*" if is_marked else text for text, is_marked in pieces)
