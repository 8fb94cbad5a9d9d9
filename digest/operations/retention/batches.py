"""Rows found and deleted a batch at a time, each in a short transaction of its own.

A batch that another transaction holds is left to the next run, so nothing waits, and a run may be killed, repeated or
met by another run at any time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

SIZE = 1_000  # rows


def find(rows: QuerySet[Any], size: int = SIZE) -> Iterator[list[Any]]:
    """Yield the keys of these rows in ascending order. Rows may be deleted, or stay, between two batches."""
    ordered = rows.order_by("pk").values_list("pk", flat=True)
    batch = list(ordered[:size])
    while batch:
        yield batch
        batch = list(ordered.filter(pk__gt=batch[-1])[:size])


def split(keys: Sequence[Any]) -> Iterator[list[Any]]:
    """Yield these keys a batch at a time."""
    for start in range(0, len(keys), SIZE):
        yield list(keys[start : start + SIZE])


def delete(rows: QuerySet[Any], keys: Sequence[Any]) -> int:
    """Delete those of these rows that `rows` still finds once they are locked. Return how many."""
    every = rows.model._base_manager
    with transaction.atomic():
        free = every.filter(pk__in=keys).order_by("pk").select_for_update(skip_locked=True)
        locked = list(free.values_list("pk", flat=True))
        still = list(rows.order_by().filter(pk__in=locked).values_list("pk", flat=True))
        every.filter(pk__in=still).delete()
    return len(still)
