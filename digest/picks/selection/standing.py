"""The candidates of a moment, and how they stand by their upvotes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from django.db.models import Count, Max, Min

from digest.models import Listing, Paper
from digest.picks.selection.arrays import Ints
from digest.picks.selection.read_arrays import Packed, numbers
from digest.relevance.ranking.rank import Candidate, Day


@dataclass(frozen=True, slots=True)
class News:
    """The candidates of a moment as read: by id, and what tells whether anything about them changed."""

    ids: Ints
    upvotes: Ints
    ranks: Ints
    stamp: tuple[Any, ...]  # of what is matched and written of them; not of their upvotes
    oldest: dt.date  # when the first of them was first seen or listed


def news(now: dt.datetime, days: int | None = None) -> News:
    """The papers that a mail of this moment may hold. Two queries."""
    fresh = Paper.objects.fresh(now, days).order_by()
    found = fresh.aggregate(
        pk=Packed("pk"), upvotes=Packed("upvotes"), count=Count("matched_at"), matched=Max("matched_at"),
        changed=Max("changed_at"), seen=Min("first_seen_at"), listed=Min("first_listed_on"),
    )  # fmt: skip
    ids = numbers(found["pk"])
    order = np.argsort(ids)
    ids = ids[order]
    ranks = np.ones(len(ids), np.int64)
    listed = Listing.objects.filter(paper__in=fresh).order_by().values("paper").annotate(best=Min("rank"))
    best = np.array(list(listed.values_list("paper", "best")), np.int64).reshape(-1, 2)
    ranks[np.searchsorted(ids, best[:, 0])] = best[:, 1]
    stamp = (ids.tobytes(), found["count"], found["matched"], found["changed"])
    oldest = min(found["seen"].date(), found["listed"]) if len(ids) else now.date()
    return News(ids, numbers(found["upvotes"])[order], ranks, stamp, oldest)


class Standing:
    """The candidates as they stand by their upvotes: what a board need not be made anew for."""

    def __init__(self, of: News) -> None:
        self.of = of
        rows = zip(of.ids.tolist(), of.upvotes.tolist(), of.ranks.tolist(), strict=True)
        self.day = Day({pk: Candidate(pk, upvotes, rank) for pk, upvotes, rank in rows}, {})
        self.columns = np.searchsorted(of.ids, np.array(self.day.papers, np.int64))  # by place
        self.places = np.argsort(self.columns)  # by column
        self.trend = self.day.trend[self.places]  # by column

    def with_twins(self, twins: dict[int, frozenset[int]]) -> Day:
        if self.day.twins is not twins:
            self.day = replace(self.day, twins=twins)
        return self.day

    def is_of(self, other: News) -> bool:
        mine = self.of
        return all(np.array_equal(getattr(mine, name), getattr(other, name)) for name in ("ids", "upvotes", "ranks"))
