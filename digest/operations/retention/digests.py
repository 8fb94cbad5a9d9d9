"""Digests that may be deleted. Those of the last months guarantee that no paper goes twice to a subscriber."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.db.models import QuerySet

from digest.models import Delivery, Digest, Paper
from digest.operations.retention import batches
from digest.operations.retention.windows import FURTHEST, ago, seen_since

OPEN = (Delivery.Status.WAITING, Delivery.Status.SENDING)
SIZE = 500  # digests, with their picks


def old(now: dt.datetime) -> QuerySet[Digest]:
    """Digests past their age whose mail has left, or failed."""
    past = Digest.objects.filter(issue_date__lt=ago(now, "KEEP_DIGESTS_DAYS").date())
    return past.exclude(delivery__status__in=OPEN)


def find(now: dt.datetime) -> Iterator[list[int]]:
    """Yield the ids of old digests without a paper that any mail could still hold."""
    for batch in batches.find(old(now), SIZE):
        digests = Digest.objects.filter(pk__in=batch).only("packed_picks")
        papers = {digest.pk: set(digest.paper_ids) for digest in digests}
        candidates = _candidates(set().union(*papers.values()), now)
        yield [pk for pk in batch if not papers.get(pk, set()) & candidates]


def delete(batch: list[int], now: dt.datetime) -> int:
    """Delete these digests with their deliveries. Return how many."""
    return batches.delete(old(now), batch)


def _candidates(papers: set[int], now: dt.datetime) -> set[int]:
    """Those of the papers that may be chosen again: a list may name a day that comes long after the paper was sent."""
    since = now - FURTHEST
    recent = seen_since(since) | seen_since(since, "merged_into__")
    return set(Paper.objects.filter(recent, pk__in=papers).values_list("pk", flat=True))
