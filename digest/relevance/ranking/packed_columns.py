"""Whole columns read as arrays: the database packs a column into one value and numpy takes it apart.

No Python object is made of a number.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from django.db import connection
from django.db.models import Aggregate, TextField
from django.db.models.expressions import RawSQL
from numpy.typing import NDArray

from digest.relevance.ranking.arrays import Ints


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


def among(ids: Sequence[int]) -> RawSQL:
    """These ids for an `__in`, as one parameter: Django looks at each of many."""
    if connection.vendor == "postgresql":
        return RawSQL("SELECT unnest(%s::bigint[])", [f"{{{','.join(map(str, ids))}}}"])
    return RawSQL("SELECT value FROM json_each(%s)", [f"[{','.join(map(str, ids))}]"])


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
