"""From a source's rows to listings: the same rules for every kind.

A row that cannot be a listing is passed over and said so; a page of which nothing is left is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from digest.sources import ParsedListing, SourceError

Row = TypeVar("Row")

MAX_LISTINGS = 10_000
MAX_WARNINGS = 50


class PassedOver(Exception):
    """A row that cannot be a listing, and why, in a few words."""


def collected(
    rows: Sequence[Row], read: Callable[[Row, int], ParsedListing], noun: str
) -> tuple[tuple[ParsedListing, ...], tuple[str, ...]]:
    """The listings that `read(row, rank)` makes of the rows, and a warning for each row it passed over."""
    if len(rows) > MAX_LISTINGS:
        raise SourceError(
            f"the page holds {len(rows):,} papers, more than {MAX_LISTINGS:,}: is it one day's list? Split it"
        )
    listings: list[ParsedListing] = []
    warnings: list[str] = []
    for rank, row in enumerate(rows, start=1):
        try:
            listings.append(read(row, rank))
        except PassedOver as reason:
            warnings.append(f"{noun} {rank} passed over: {reason}")
    if not listings:
        first = warnings[0] if warnings else "it is empty"
        raise SourceError(f"the page lists {len(rows)} things, none a paper ({first}): is it the right page?")
    return tuple(listings), _bounded(warnings)


def _bounded(warnings: list[str]) -> tuple[str, ...]:
    if len(warnings) <= MAX_WARNINGS:
        return tuple(warnings)
    return (*warnings[:MAX_WARNINGS], f"and {len(warnings) - MAX_WARNINGS} more passed over")
