"""Tables, papers, and readers who are all due now: `python -m tests.chaos.seeding READERS GONE_EVERY`."""

from __future__ import annotations

import datetime as dt
import sys

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.utils import timezone  # noqa: E402

from digest.relevance import match_papers  # noqa: E402
from subscriptions.models import InterestLine, Subscriber  # noqa: E402
from tests.stack import ROOT  # noqa: E402

SAMPLE = ROOT / "digest" / "papers" / "sample" / "edition.json"
LINE = "diffusion"  # few enough papers for one mail


def seed(count: int, gone_every: int) -> None:
    """One reader in `gone_every` has an address that the server refuses for good."""
    now = timezone.now()
    readers = []
    for number in range(count):
        name = "gone" if number % gone_every == 0 else "reader"
        reader = Subscriber.objects.at_address(f"{name}{number}@example.org")
        reader.status = Subscriber.Status.ACTIVE
        reader.confirmed_at = now - dt.timedelta(days=9)
        reader.next_digest_at = now
        readers.append(reader)
    Subscriber.objects.bulk_create(readers)
    readers[0].set_lines([LINE])
    first = InterestLine.objects.get(subscriber=readers[0])
    InterestLine.objects.bulk_create(
        InterestLine(subscriber=reader, interest=first.interest, typed=LINE, position=0) for reader in readers[1:]
    )
    match_papers.match_interests(now)


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    call_command("ingest", "--file", str(SAMPLE), verbosity=0)
    seed(int(sys.argv[1]), int(sys.argv[2]))
