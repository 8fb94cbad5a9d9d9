"""From a source's rows to listings: the same rules for every kind.

A row that cannot be a listing is passed over and said so; a page of which nothing is left is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sized
from typing import TypeVar

from digest.papers.sources.parsed import ParsedListing, SourceError

Row = TypeVar("Row")

MAX_LISTINGS = 10_000  # of one day's page
MAX_RECORDS = 100_000  # of a file, which may hold years
MAX_WARNINGS = 50


class PassedOver(Exception):
    """A row that cannot be a listing, and why, in a few words; `place` where its number does not say where it is."""

    def __init__(self, reason: str, place: str = "") -> None:
        super().__init__(reason)
        self.place = place


def collected(
    rows: Iterable[Row], read: Callable[[Row, int], ParsedListing], noun: str, limit: int = MAX_LISTINGS
) -> tuple[tuple[ParsedListing, ...], tuple[str, ...]]:
    """The listings that `read(row, rank)` makes of the rows, and a warning for each row it passed over.

    The rows may be read one by one as they are asked for; more than `limit` of them are an error.
    """
    if isinstance(rows, Sized) and len(rows) > limit:
        raise _too_many(f"{len(rows):,}", limit)
    listings: list[ParsedListing] = []
    warnings: list[str] = []
    count = passed_over = 0
    for count, row in enumerate(rows, start=1):
        if count > limit:
            raise _too_many("over", limit)
        try:
            listings.append(read(row, count))
        except PassedOver as reason:
            passed_over += 1
            if passed_over <= MAX_WARNINGS:
                warnings.append(f"{reason.place or f'{noun} {count}'} passed over: {reason}")
    if not listings:
        first = warnings[0] if warnings else "it is empty"
        things = "1 thing" if count == 1 else f"{count} things"
        raise SourceError(f"the page lists {things}, none a paper ({first}): is it the right page?")
    if passed_over > MAX_WARNINGS:
        warnings.append(f"and {passed_over - MAX_WARNINGS} more passed over")
    return tuple(listings), tuple(warnings)


def _too_many(number: str, limit: int) -> SourceError:
    if number == "over":
        return SourceError(f"the page holds more than {limit:,} papers: split it")
    return SourceError(f"the page holds {number} papers, more than {limit:,}: is it one day's list? Split it")
