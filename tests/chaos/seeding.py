"""Readers who are all due now: `manage.py shell -c "from tests.chaos.seeding import seed; seed(2000, 40)"`."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from digest import percolation
from subscriptions.models import InterestLine, Subscriber

LINE = "diffusion"


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
    percolation.match_interests(now)
