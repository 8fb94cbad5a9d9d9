"""A list that arXiv serves again under a new day: not that day's list."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from digest.models import Listing, Source
from digest.papers.sources.parsed import ParsedEdition

LOOK_BACK = dt.timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Stale:
    """The day that the list says it is of, and what to say of it."""

    day: dt.date
    warning: str


def of(source: Source, parsed: ParsedEdition, now: dt.datetime) -> Stale | None:
    """Whether all that the list calls new stood in one earlier list of the source; None for a list of its day."""
    day = parsed.date or now.date()
    new = {one.arxiv_id for one in parsed.listings if one.announce_type in ("new", "cross") and one.arxiv_id}
    if not new:
        return None
    rows = Listing.objects.filter(
        edition__source=source, edition__date__lt=day, edition__date__gte=day - LOOK_BACK, paper__arxiv_id__in=new
    )
    stood: dict[dt.date, int] = {}
    for date in rows.values_list("edition__date", flat=True):
        stood[date] = stood.get(date, 0) + 1
    earlier = next((date for date, number in sorted(stood.items()) if number == len(new)), None)
    if earlier is None:
        return None
    return Stale(day, f"the list of {day} is that of {earlier} again: it is not used, and {day} is asked for again")
