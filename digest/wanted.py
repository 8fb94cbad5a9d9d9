"""What readers want, read as arrays: one row a chunk of readers instead of a row a line.

The database packs each column into one value and numpy takes it apart, so that no Python object is made of a line.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from django.db.models import Aggregate, TextField
from numpy.typing import NDArray

from digest.picking import Rows
from subscriptions.models import InterestLine


class Packed(Aggregate):
    """A column of whole numbers as one value; all columns packed in one query are in the same order."""

    name = "packed"
    output_field = TextField()

    def as_postgresql(self, compiler: Any, connection: Any) -> Any:
        return self.as_sql(compiler, connection, template="string_agg(int8send((%(expressions)s)::bigint), ''::bytea)")

    def as_sqlite(self, compiler: Any, connection: Any, **extra_context: Any) -> Any:
        return self.as_sql(compiler, connection, template="group_concat(%(expressions)s)")


def interests_of(readers: Sequence[int]) -> Rows:
    """reader -> ids of the interests, mutes too, in the order of the lines. `readers` are subscribers' ids."""
    packed = InterestLine.objects.filter(subscriber__in=readers).aggregate(
        subscriber=Packed("subscriber_id"), place=Packed("position"), interest=Packed("interest_id")
    )
    subscriber, place, interest = (_numbers(packed[name]) for name in ("subscriber", "place", "interest"))
    ids = np.asarray(readers, np.int64)
    by_id = np.argsort(ids, kind="stable")
    reader = by_id[np.searchsorted(ids, subscriber, sorter=by_id)] if len(ids) else subscriber
    order = np.lexsort((place, reader))
    sizes = np.bincount(reader, minlength=len(ids))
    return Rows(np.concatenate([[0], np.cumsum(sizes)]), interest[order])


def _numbers(packed: Any) -> NDArray[np.int64]:
    if not packed:
        return np.zeros(0, np.int64)
    if isinstance(packed, str):
        return np.fromstring(packed, np.int64, sep=",")
    return np.frombuffer(packed, ">i8").astype(np.int64)
