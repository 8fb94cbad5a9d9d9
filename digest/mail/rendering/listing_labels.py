"""Where and when a paper was listed, and what it is there: new, updated, or listed from another field."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext, gettext_noop

from digest.models import Listing, Paper

NEW, UPDATED, CROSS_LISTED = gettext_noop("New"), gettext_noop("Updated"), gettext_noop("Cross-listed")
SOURCES = 2  # named beside a paper


@dataclass(frozen=True, slots=True)
class Listed:
    """`what` is NEW, UPDATED or CROSS_LISTED; `on` the day it was so announced."""

    what: str
    on: dt.date
    sources: tuple[str, ...] = ()
    more: int = 0  # sources that are not named

    @property
    def said(self) -> str:
        """What it is there, in the language spoken now."""
        return gettext(self.what)

    @property
    def is_updated(self) -> bool:
        return self.what == UPDATED


def listed(papers: Iterable[Paper]) -> dict[int, Listed]:
    """By paper id. One query."""
    rows: dict[int, list[tuple[dt.date, str, str]]] = defaultdict(list)
    by_id = {paper.pk: paper for paper in papers}
    found = Listing.objects.filter(paper__in=by_id).order_by("edition__date", "edition__source__name")
    columns = ("paper_id", "edition__date", "edition__source__name", "announce_type")
    for paper_id, date, source, announced in found.values_list(*columns):
        rows[paper_id].append((date, source, announced))
    return {pk: listing_of(paper, rows[pk]) for pk, paper in by_id.items()}


def listing_of(paper: Paper, rows: list[tuple[dt.date, str, str]]) -> Listed:
    """From the paper's (date, source, announce type), oldest first."""
    names = list(dict.fromkeys(name for _, name, _ in rows))
    sources, more = tuple(names[:SOURCES]), max(len(names) - SOURCES, 0)
    if paper.replaced_on and paper.replaced_on >= paper.first_listed_on:
        return Listed(UPDATED, paper.replaced_on, sources, more)
    is_crossed = bool(rows) and all(kind.startswith("cross") for *_, kind in rows)
    return Listed(CROSS_LISTED if is_crossed else NEW, paper.first_listed_on, sources, more)
