"""Digests whose mail never left give way to the next one: after days without mail a reader gets one, not all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import connection

from digest.models import Delivery, Digest
from digest.relevance.ranking.packed_columns import among

AGE = dt.timedelta(hours=12)  # waiting for less is a run under way


def withdraw(readers: Sequence[int], now: dt.datetime) -> dict[int, dt.datetime]:
    """Delete the digests of these readers that have waited long and were never handed over; by reader, since when the
    first of them waited. Their papers may be chosen again. Belongs in the transaction that stores the next ones.

    What a worker holds stays, and so does what was tried once: a server may have taken it. So does what catches up
    after a reader's pause: nothing else remembers those days.
    """
    waiting = Delivery.objects.unclaimed(now).filter(status=Delivery.Status.WAITING, attempts=0, doubts=0)
    old = waiting.filter(digest__is_catch_up=False)
    rows = old.filter(not_before__lt=now - AGE, digest__subscriber__in=among(readers))
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(skip_locked=True, of=("self",))
    found = list(rows.values_list("digest", "digest__subscriber", "not_before"))
    if found:
        Digest.objects.filter(pk__in=among([digest for digest, _, _ in found])).delete()
    return {reader: since for _, reader, since in sorted(found, key=lambda row: row[2], reverse=True)}


def keep_place(since: dict[int, dt.datetime], created_at: dt.datetime) -> None:
    """What was stored in their stead waits since then: the longest due leaves first."""
    for moment in set(since.values()):
        readers = among([reader for reader, its in since.items() if its == moment])
        new = Digest.objects.filter(subscriber__in=readers, created_at=created_at)
        Delivery.objects.filter(digest__in=new).update(not_before=moment)
