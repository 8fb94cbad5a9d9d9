"""What a chunk of subscribers wants and was sent, read as arrays: one row a chunk instead of a row a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models.functions import Length

from digest.models.picks import PICK
from digest.relevance.ranking.arrays import Ints, Rows
from digest.relevance.ranking.packed_columns import (
    Packed,
    PackedBytes,
    PackedTexts,
    among,
    numbers,
    octets,
    places_of,
    texts,
)
from subscriptions.models import InterestLine


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


def sent_to(readers: Sequence[int], digests: Any) -> tuple[Ints, Ints]:
    """(reader, paper id) for each paper that these digests held: the reader by its place in `readers`."""
    rows = digests.filter(subscriber__in=among(readers))
    found = rows.aggregate(
        subscriber=Packed("subscriber_id"), size=Packed(Length("packed_picks")), picks=PackedBytes("packed_picks")
    )
    owners = np.repeat(places_of(numbers(found["subscriber"]), readers), numbers(found["size"]) // PICK.itemsize)
    return owners, np.frombuffer(octets(found["picks"]), PICK)["paper"].astype(np.int64)
