"""What a chunk of readers wants and has had, read as arrays: one row a chunk instead of a row a line.

The database packs each column into one value and numpy takes it apart, so that no Python object is made of a number.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import connection
from django.db.models import Aggregate, TextField
from django.db.models.expressions import RawSQL
from django.db.models.functions import Length
from numpy.typing import NDArray

from digest.models.picks import PICK
from digest.picks.selection.arrays import Ints, Rows
from subscriptions.models import InterestLine


class Packed(Aggregate):
    """A column of whole numbers as one value; all columns packed in one query are in the same order."""

    name = "packed"
    output_field = TextField()

    def as_postgresql(self, compiler: Any, connection: Any) -> Any:
        return self.as_sql(compiler, connection, template="string_agg(int8send((%(expressions)s)::bigint), ''::bytea)")

    def as_sqlite(self, compiler: Any, connection: Any, **extra_context: Any) -> Any:
        return self.as_sql(compiler, connection, template="group_concat(%(expressions)s)")


class PackedFloats(Aggregate):
    """A column of floats as one value, exactly."""

    name = "packed_floats"
    output_field = TextField()

    def as_postgresql(self, compiler: Any, connection: Any) -> Any:
        return self.as_sql(compiler, connection, template="string_agg(float8send(%(expressions)s), ''::bytea)")

    def as_sqlite(self, compiler: Any, connection: Any, **extra_context: Any) -> Any:
        template = "group_concat(printf(%%s, %(expressions)s))"
        sql, params = self.as_sql(compiler, connection, template=template)
        return sql, ("%!.17g", *params)


class PackedBytes(Aggregate):
    """A column of bytes, all values behind each other."""

    name = "packed_bytes"
    output_field = TextField()

    def as_postgresql(self, compiler: Any, connection: Any) -> Any:
        return self.as_sql(compiler, connection, template="string_agg(%(expressions)s, ''::bytea)")

    def as_sqlite(self, compiler: Any, connection: Any, **extra_context: Any) -> Any:
        return self.as_sql(compiler, connection, template="group_concat(hex(%(expressions)s), '')")


class PackedTexts(Aggregate):
    """A column of text as one JSON array."""

    name = "packed_texts"
    output_field = TextField()

    def as_postgresql(self, compiler: Any, connection: Any) -> Any:
        return self.as_sql(compiler, connection, template="json_agg(%(expressions)s)::text")

    def as_sqlite(self, compiler: Any, connection: Any, **extra_context: Any) -> Any:
        return self.as_sql(compiler, connection, template="json_group_array(%(expressions)s)")


@dataclass(frozen=True, slots=True)
class Lines:
    """reader -> ids of the interests, mutes too, in the order of the lines; beside each, how it was typed."""

    interests: Rows
    typed: list[str]


def lines_of(readers: Sequence[int]) -> Lines:
    """The lines of these subscribers (ids)."""
    found = _lines(readers).aggregate(
        subscriber=Packed("subscriber_id"), place=Packed("position"), interest=Packed("interest_id"),
        typed=PackedTexts("typed"),
    )  # fmt: skip
    ends, order = _by_reader(found, readers)
    typed = texts(found["typed"])
    return Lines(Rows(ends, numbers(found["interest"])[order]), [typed[place] for place in order.tolist()])


def _lines(readers: Sequence[int]) -> Any:
    return InterestLine.objects.filter(subscriber__in=among(readers))


def _by_reader(found: dict[str, Any], readers: Sequence[int]) -> tuple[Ints, Ints]:
    """Where each reader's lines end, and the order in which they then stand."""
    reader = places_of(numbers(found["subscriber"]), readers)
    sizes = np.bincount(reader, minlength=len(readers))
    return np.concatenate([[0], np.cumsum(sizes)]), np.lexsort((numbers(found["place"]), reader))


def among(ids: Sequence[int]) -> RawSQL:
    """These ids for an `__in`, as one parameter: Django looks at each of many."""
    if connection.vendor == "postgresql":
        return RawSQL("SELECT unnest(%s::bigint[])", [f"{{{','.join(map(str, ids))}}}"])
    return RawSQL("SELECT value FROM json_each(%s)", [f"[{','.join(map(str, ids))}]"])


def sent_to(readers: Sequence[int], digests: Any) -> tuple[Ints, Ints]:
    """(reader, paper id) for each paper that these digests held: the reader by its place in `readers`."""
    rows = digests.filter(subscriber__in=among(readers))
    found = rows.aggregate(
        subscriber=Packed("subscriber_id"), size=Packed(Length("packed_picks")), picks=PackedBytes("packed_picks")
    )
    owners = np.repeat(places_of(numbers(found["subscriber"]), readers), numbers(found["size"]) // PICK.itemsize)
    return owners, np.frombuffer(octets(found["picks"]), PICK)["paper"].astype(np.int64)


def places_of(ids: Ints, among: Sequence[int] | Ints) -> Ints:
    """Where each of the ids stands in `among`, which holds all of them."""
    known = np.asarray(among, np.int64)
    by_id = np.argsort(known, kind="stable")
    return by_id[np.searchsorted(known, ids, sorter=by_id)] if len(known) else np.zeros(0, np.int64)


def numbers(packed: Any) -> Ints:
    """What `Packed` packed."""
    if not packed:
        return np.zeros(0, np.int64)
    if isinstance(packed, str):
        return np.fromstring(packed, np.int64, sep=",")
    return np.frombuffer(packed, ">i8").astype(np.int64)


def floats(packed: Any) -> NDArray[np.float64]:
    """What `PackedFloats` packed."""
    if not packed:
        return np.zeros(0)
    if isinstance(packed, str):
        return np.fromstring(packed, np.float64, sep=",")
    return np.frombuffer(packed, ">f8").astype(np.float64)


def octets(packed: Any) -> bytes:
    """What `PackedBytes` packed."""
    return bytes.fromhex(packed) if isinstance(packed, str) else bytes(packed or b"")


def texts(packed: str | None) -> list[str]:
    """What `PackedTexts` packed."""
    found: list[str] = json.loads(packed) if packed else []
    return found
