"""When two listings are the same paper, and what one may add to the other.

Papers merge by arXiv id (without version), then DOI, then normalised title; a title alone does not merge
papers that carry different ids, or whose authors share no name ("Editorial" is many papers).
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable

from django.db.models import Q

from digest.models import Paper
from digest.sources import ParsedListing
from subscriptions.interests import words

_BATCH = 300


def title_key(title: str) -> str:
    """64 hex digits, equal for titles that differ in case, accents, hyphens, spaces or punctuation."""
    folded = "".join(word for word, _, _ in words.split(title)) or "".join(title.split()).casefold()
    return hashlib.sha256(folded.encode()).hexdigest()


class Shelf:
    """The stored papers that a page's listings may be, found by each of their names."""

    def __init__(self) -> None:
        self._by_arxiv: dict[str, Paper] = {}
        self._by_doi: dict[str, Paper] = {}
        self._by_title: dict[str, list[Paper]] = {}

    @classmethod
    def holding(cls, listings: Iterable[ParsedListing]) -> Shelf:
        """A shelf with every stored paper that shares an id or a title with a listing."""
        shelf, listings = cls(), list(listings)
        for start in range(0, len(listings), _BATCH):
            batch = listings[start : start + _BATCH]
            same = Q(title_key__in=[title_key(listing.title) for listing in batch])
            same |= Q(arxiv_id__in=[listing.arxiv_id for listing in batch if listing.arxiv_id])
            same |= Q(doi__in=[listing.doi for listing in batch if listing.doi])
            for paper in Paper.objects.filter(same).order_by("pk"):
                shelf.put(paper)
        return shelf

    def put(self, paper: Paper) -> None:
        if paper.arxiv_id:
            self._by_arxiv.setdefault(paper.arxiv_id, paper)
        if paper.doi:
            self._by_doi.setdefault(paper.doi, paper)
        same_title = self._by_title.setdefault(paper.title_key, [])
        if not any(other is paper or (paper.pk and other.pk == paper.pk) for other in same_title):
            same_title.append(paper)

    def find(self, listing: ParsedListing) -> Paper | None:
        """The paper this listing is, if it is known."""
        if listing.arxiv_id and listing.arxiv_id in self._by_arxiv:
            return self._by_arxiv[listing.arxiv_id]
        if listing.doi and listing.doi in self._by_doi:
            return self._by_doi[listing.doi]
        same_title = self._by_title.get(title_key(listing.title), [])
        return next((paper for paper in same_title if _may_be(paper, listing)), None)


def _may_be(paper: Paper, listing: ParsedListing) -> bool:
    """Whether a paper of the same title can be the listing's."""
    if paper.arxiv_id and listing.arxiv_id and paper.arxiv_id != listing.arxiv_id:
        return False
    if paper.doi and listing.doi and paper.doi != listing.doi:
        return False
    ours = {_surname(name) for name in paper.authors}
    theirs = {_surname(name) for name in listing.authors}
    return not ours or not theirs or bool(ours & theirs)


def _surname(name: str) -> str:
    """The longest word of a name: order and initials differ between sources."""
    return max((word for word, _, _ in words.split(name)), key=len, default=name)


def fill(paper: Paper, listing: ParsedListing, now: dt.datetime, listed_on: dt.date | None = None) -> bool:
    """Take from the listing what the paper lacks; never blank or shorten anything. True if it changed.

    A paper whose words changed loses `matched_at`: it is matched again.
    """
    before = {name: getattr(paper, name) for name in _WATCHED}
    paper.title = paper.title or listing.title
    paper.title_key = paper.title_key or title_key(listing.title)
    if not paper.abstract or _continues(paper.abstract, listing.abstract):
        paper.abstract = listing.abstract
    paper.authors = paper.authors or list(listing.authors)
    paper.categories = paper.categories or list(listing.categories)
    paper.arxiv_id = paper.arxiv_id or listing.arxiv_id or None
    paper.doi = paper.doi or listing.doi or None
    if listing.arxiv_version and listing.arxiv_id == paper.arxiv_id:
        paper.arxiv_version = max(paper.arxiv_version or 0, listing.arxiv_version)
    paper.url = paper.url or listing.url
    paper.published_on = paper.published_on or listing.published_on
    if listing.upvotes is not None:
        paper.upvotes = listing.upvotes
    if listed_on:
        paper.first_listed_on = min(paper.first_listed_on, listed_on)
    if any(getattr(paper, name) != before[name] for name in _MATCHED):
        paper.changed_at, paper.matched_at = now, None
    return any(getattr(paper, name) != value for name, value in before.items())


_MATCHED = ("title", "abstract", "authors", "categories")
_WATCHED = (
    *_MATCHED,
    "arxiv_id",
    "arxiv_version",
    "doi",
    "url",
    "published_on",
    "upvotes",
    "first_listed_on",
)


def _continues(short: str, long: str) -> bool:
    """Whether `long` is the whole of an abstract that `short` was cut from."""
    beginning = short.rstrip(" .…")[:-1]
    return len(long) > len(short) and long.startswith(beginning)
