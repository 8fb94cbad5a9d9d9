"""The papers a mail of one moment may hold, as arrays: a column a paper, by ascending id."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from django.db.models import Count, Max, Min

from digest.models import Listing, Paper
from digest.models.papers import PaperQuerySet
from digest.relevance.ranking.arrays import Ints
from digest.relevance.ranking.packed_columns import Packed, numbers
from digest.relevance.ranking.scale import Scale, hundredths


class Candidate(NamedTuple):
    """`upvotes` as of now, `rank` the paper's best place in any list."""

    paper_id: int
    upvotes: int = 0
    rank: int = 1


class Candidates:
    """`stamp` changes when a paper comes, goes, or is matched or written anew, not with upvotes. `oldest` is the day on
    which the first of them was first seen or listed.
    """

    def __init__(
        self, ids: Ints, upvotes: Ints, ranks: Ints, stamp: tuple[Any, ...] = (), oldest: dt.date = dt.date.min
    ) -> None:
        self.ids, self.upvotes, self.ranks, self.stamp, self.oldest = ids, upvotes, ranks, stamp, oldest

    @classmethod
    def of(cls, candidates: Iterable[Candidate]) -> Candidates:
        rows = np.array(sorted(candidates), np.int64).reshape(-1, 3)
        return cls(*rows.T)

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def columns(self) -> Ints:
        """The columns in the order that decides between equal points: upvotes, best rank, id."""
        order: Ints = np.lexsort((self.ids, self.ranks, -self.upvotes))
        return order

    @cached_property
    def places(self) -> Ints:
        """The place of each column in that order."""
        places: Ints = np.argsort(self.columns)
        return places

    def trend(self, scale: Scale) -> Ints:
        """Hundredths of points of each column, by its upvotes against the most upvotes."""
        votes = np.log1p(self.upvotes)
        most = votes.max(initial=0.0)
        return hundredths(scale.trend * votes / most) if most else np.zeros(len(self.ids), np.int64)

    def columns_of(self, papers: Ints) -> tuple[Ints, Any]:
        """The column of each paper (id), and whether it has one."""
        if not len(self.ids):
            return np.zeros(len(papers), np.int64), np.zeros(len(papers), bool)
        columns = np.minimum(np.searchsorted(self.ids, papers), len(self.ids) - 1)
        return columns, self.ids[columns] == papers


def read(now: dt.datetime, days: int | None = None) -> Candidates:
    """Read the papers that a mail of this moment may hold, of the last `days` (None: the setting's). Two queries."""
    fresh: PaperQuerySet = Paper.objects.fresh(now, days).order_by()
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
    return Candidates(ids, numbers(found["upvotes"])[order], ranks, stamp, oldest)
