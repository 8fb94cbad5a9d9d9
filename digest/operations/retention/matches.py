"""Matches and interests that may be deleted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, QuerySet

from digest.models import Match, Paper
from digest.operations.retention import batches
from digest.operations.retention.windows import ago, seen_since
from digest.relevance import match_papers
from subscriptions.models import Interest


def find_old(now: dt.datetime) -> Iterator[list[int]]:
    """Yield the matches of papers that are out of every window. By paper: few of the old ones still have any."""
    old = Paper.objects.exclude(seen_since(ago(now, "KEEP_MATCHES_DAYS")))
    for papers in batches.find(old.filter(Exists(Match.objects.filter(paper=OuterRef("pk")))), 50):
        yield from batches.split(list(Match.objects.filter(paper__in=papers).values_list("pk", flat=True)))


def unwanted(now: dt.datetime) -> QuerySet[Match]:
    """Matches of interests that no active subscriber has."""
    return Match.objects.filter(interest__wanted_at=None)


def delete_unwanted(batch: list[int], now: dt.datetime) -> int:
    """With the interest locked: whoever wants it at this moment waits, and then has it matched as a new one."""
    with transaction.atomic():
        interests = set(Match.objects.filter(pk__in=batch).values_list("interest", flat=True))
        locked = Interest.objects.filter(pk__in=interests).lock(skip_locked=True)
        return batches.delete(unwanted(now).filter(interest__in=locked), batch)


def find_surplus(now: dt.datetime) -> Iterator[list[int]]:
    """Yield what an interest has above MOST_MATCHES, the oldest papers. Mutes keep all."""
    most = match_papers.MOST_MATCHES
    counts = Match.objects.order_by().values("interest").annotate(count=Count("pk")).filter(count__gt=most)
    crowded = Interest.objects.filter(pk__in=counts.values("interest"), is_mute=False)
    for interest in crowded.order_by("pk"):
        newest_first = Match.objects.filter(interest=interest).order_by("-paper__first_listed_on", "-paper")
        yield from batches.split(list(newest_first.values_list("pk", flat=True)[most:]))


def delete_any(batch: list[int], now: dt.datetime) -> int:
    """For what stays too old or too much, whatever happens meanwhile."""
    return batches.delete(Match.objects.all(), batch)


def unused(now: dt.datetime) -> QuerySet[Interest]:
    """Interests that nobody has, in whatever status."""
    return Interest.objects.filter(wanted_at=None).unused()


def delete_unused(batch: list[int], now: dt.datetime) -> int:
    return Interest.objects.delete_unused(batch, at_once=100)


def settle_interests() -> None:
    """Correct what interests say of whether they are wanted, where a lock or a change by hand left it wrong."""
    for batch in batches.find(Interest.objects.wanted().without_active_subscriber()):
        Interest.objects.release(batch)
    for batch in batches.find(Interest.objects.filter(wanted_at=None).with_active_subscriber()):
        Interest.objects.want(batch)
