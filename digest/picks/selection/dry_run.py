"""What would be sent, and what a day would have been with the ranking as it is now. Reads only, a chunk at a time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice

from django.db.models import Q

from digest.models import Digest
from digest.models.picks import paper_ids
from digest.picks.selection.choose import choose_all
from digest.picks.selection.digest_plan import plans
from digest.picks.selection.select import CHUNK, Due
from digest.relevance.ranking.packing import Packed
from subscriptions.models import Subscriber


@dataclass(frozen=True, slots=True)
class Change:
    """What another choice changes in a mail: papers (ids) that come in, that go out, and that stand elsewhere among
    those that stay.
    """

    came: tuple[int, ...]
    went: tuple[int, ...]
    moved: tuple[int, ...]

    @classmethod
    def between(cls, before: Iterable[int], after: Iterable[int]) -> Change:
        old, new = list(before), list(after)
        stayed, stays = [one for one in old if one in set(new)], [one for one in new if one in set(old)]
        return cls(
            tuple(one for one in new if one not in set(old)),
            tuple(one for one in old if one not in set(new)),
            tuple(now for was, now in zip(stayed, stays, strict=True) if was != now),
        )

    def __bool__(self) -> bool:
        return bool(self.came or self.went or self.moved)


def due(now: dt.datetime, only: Subscriber | None = None) -> Iterator[tuple[Due, Packed]]:
    """Each reader who is due, or `only` that one, due or not; and what they would get."""
    readers = Subscriber.objects.mailable(now).filter(pk=only.pk) if only else Subscriber.objects.due(now)
    rows = (Due._make(row) for row in readers.values_list(*Due._fields).iterator(chunk_size=CHUNK))
    while chunk := list(islice(rows, CHUNK)):
        yield from zip(chunk, choose_all(chunk, plans(chunk, now), now), strict=True)


def replay(date: dt.date) -> Iterator[tuple[Due, Change]]:
    """Each reader who has a digest of that date, and what would be another choice at the moment it was made.

    Papers, matches and clicks count as of that moment; upvotes and readers' lines are those of today.
    """
    columns = [f"subscriber__{name}" for name in Due._fields]
    rows = Digest.objects.filter(issue_date=date).order_by("created_at", "pk")
    found = rows.values_list("created_at", "packed_picks", *columns).iterator(chunk_size=CHUNK)
    for at, of_moment in groupby(found, key=lambda row: row[0]):
        while chunk := list(islice(of_moment, CHUNK)):
            readers = [Due._make(row[2:]) for row in chunk]
            earlier = Q(issue_date__lt=date)
            chosen = choose_all(readers, plans(readers, at), at, earlier)
            for (_, picks, *_), reader, one in zip(chunk, readers, chosen, strict=True):
                yield reader, Change.between(paper_ids(bytes(picks)), one.papers)
