"""Reading what readers want: packed into one row, or a row a line as it was, beside picking for the same readers."""

from __future__ import annotations

import numpy as np
from django.db import connection

from bench import corpus, picking
from bench.measure import Case
from digest.picks.selection.picking import pick
from digest.picks.selection.wanted import interests_of
from subscriptions.models import Interest, InterestLine, Subscriber

READERS, CHUNK = 4000, 1000


def cases() -> list[Case]:
    _, hits, trend, popular = picking.day()
    wanted = corpus.readers(READERS, popular)
    readers = Subscriber.objects.bulk_create(
        [Subscriber(email=f"load{n}@example.org", email_key=f"load{n}", code=f"load{n}") for n in range(READERS)]
    )
    used = np.unique(wanted.items).tolist()
    made = Interest.objects.bulk_create([Interest(key=f"{n:064}", text="x") for n in used])
    interest_of = dict(zip(used, made, strict=True))
    InterestLine.objects.bulk_create(
        [
            InterestLine(subscriber=readers[owner], interest=interest_of[item], typed="x", position=place)
            for owner, item, place in zip(wanted.owners(), wanted.items.tolist(), wanted.places(), strict=True)
        ],
        batch_size=2000,
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    chunks = [[one.pk for one in readers[start : start + CHUNK]] for start in range(0, READERS, CHUNK)]

    def packed() -> None:
        for chunk in chunks:
            interests_of(chunk)

    def a_row_a_line() -> None:
        for chunk in chunks:
            rows = InterestLine.objects.filter(subscriber__in=chunk).order_by("subscriber_id", "position")
            list(rows.values_list("subscriber_id", "interest_id", "typed", "interest__is_mute"))

    group = f"read what {READERS:,} readers want"
    return [
        Case(group, "picking for them", lambda: pick(wanted, hits, trend), READERS, "reader"),
        Case(group, "packed into one row a chunk", packed, READERS, "reader", most=1),
        Case(group, "a row a line", a_row_a_line, READERS, "reader"),
    ]
