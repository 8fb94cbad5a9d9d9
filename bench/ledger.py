"""Writing what was chosen for a chunk of readers, its mails and next dates: our statements beside Django's ways."""

from __future__ import annotations

import datetime as dt
import itertools

from django.db import transaction

from bench.measure import Case
from digest.models import Delivery, Digest, Lane, Pick, Reason, ReasonKind
from digest.models.picks import pack
from digest.picks.selection import bulk_write, select
from subscriptions.models import Subscriber

READERS = 2000
CHUNK = select.CHUNK
NOW = dt.datetime(2026, 3, 16, 8, 0, tzinfo=dt.UTC)
REASONS = (Reason(ReasonKind.MATCH, 12345, 310), Reason(ReasonKind.CLOSE, 12346, 43))
PICKS = [Pick(number, Lane.INTERESTS, 361, 8, REASONS) for number in range(10)]
PACKED = pack(PICKS)


def cases() -> list[Case]:
    readers = Subscriber.objects.bulk_create(
        [Subscriber(email=f"ledger{n}@example.org", email_key=f"ledger{n}", code=f"ledger{n}") for n in range(READERS)]
    )
    days = itertools.count()
    chunks = [readers[start : start + CHUNK] for start in range(0, READERS, CHUNK)]

    def ours() -> None:
        date = NOW.date() + dt.timedelta(days=next(days))
        for chunk in chunks:
            rows = [bulk_write.Row(reader.pk, date, *PACKED) for reader in chunk]
            with transaction.atomic():
                bulk_write.store(rows, NOW)

    def bulk_create() -> None:
        date = NOW.date() + dt.timedelta(days=next(days))
        for chunk in chunks:
            digests = [Digest(subscriber=reader, issue_date=date, created_at=NOW, picks=PICKS) for reader in chunk]
            with transaction.atomic():
                Digest.objects.bulk_create(digests)
                Delivery.objects.bulk_create([Delivery(digest=digest, not_before=NOW) for digest in digests])

    def due() -> None:
        for chunk in chunks:
            with transaction.atomic():
                bulk_write.set_due([(reader.pk, NOW) for reader in chunk])

    def bulk_update() -> None:
        for chunk in chunks:
            for reader in chunk:
                reader.next_digest_at = NOW
            with transaction.atomic():
                Subscriber.objects.bulk_update(chunk, ["next_digest_at"])

    store, next_due = "store digests of 10 picks and their mails", "set when readers are due next"
    return [
        Case(store, f"ours, {CHUNK} a statement", ours, READERS, "reader"),
        Case(store, "peer: bulk_create", bulk_create, READERS, "reader", least=5),
        Case(next_due, f"ours, {CHUNK} a statement", due, READERS, "reader"),
        Case(next_due, "peer: bulk_update", bulk_update, READERS, "reader", least=5),
    ]
