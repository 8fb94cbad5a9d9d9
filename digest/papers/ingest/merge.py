"""When two listings are the same paper, and what one may add to the other.

Papers merge by arXiv id (without version), then DOI, then normalised title; a title alone does not merge
papers that carry different ids, or whose authors share no name ("Editorial" is many papers). Where neither names
ids or authors, or the title is short, another link or day means another paper. A guessed DOI decides nothing.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import re
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from django.db.models import F, Q

from digest.models import Edition, Feedback, Listing, Match, Paper
from digest.papers.sources.parsed import ParsedListing
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
            for paper in Paper.objects.filter(same, merged_into=None).order_by("pk"):
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

    def drop(self, paper: Paper) -> None:
        """Forget a paper that was merged into another."""
        for names in (self._by_arxiv, self._by_doi):
            for name in [name for name, known in names.items() if known is paper]:
                del names[name]
        for papers in self._by_title.values():
            papers[:] = [known for known in papers if known is not paper]

    def find(self, listing: ParsedListing) -> tuple[Paper | None, Paper | None]:
        """The paper this listing is, and a second one when the listing shows that two of them are the same.

        The first is the older one: readers may have been sent it.
        """
        found = [self._by_arxiv.get(listing.arxiv_id), self._by_doi.get(listing.doi)]
        named = [paper for paper in found if paper is not None]
        if not named:
            same_title = self._by_title.get(title_key(listing.title), [])
            return next((paper for paper in same_title if may_be(paper, listing)), None), None
        if len(named) == 2 and named[0] is not named[1] and _are_one(*named):
            older, newer = sorted(named, key=lambda paper: paper.pk or float("inf"))
            return older, newer if newer.pk else None
        return named[0], None

    def without_taken_ids(self, listing: ParsedListing, paper: Paper | None) -> ParsedListing:
        """The listing less an id that belongs to a paper other than its own: sources make mistakes."""
        arxiv_id = listing.arxiv_id if self._by_arxiv.get(listing.arxiv_id, paper) is paper else ""
        doi = listing.doi if self._by_doi.get(listing.doi, paper) is paper else ""
        if (arxiv_id, doi) == (listing.arxiv_id, listing.doi):
            return listing
        return dataclasses.replace(listing, arxiv_id=arxiv_id, doi=doi)


def _are_one(first: Paper, second: Paper) -> bool:
    """Whether nothing speaks against two papers being the same: each has what the other lacks."""
    return not (first.arxiv_id and second.arxiv_id) and not (first.doi and second.doi)


def may_be(paper: Paper, listing: ParsedListing) -> bool:
    """Whether a paper of the same title can be the listing's."""
    if paper.arxiv_id and listing.arxiv_id and paper.arxiv_id != listing.arxiv_id:
        return False
    if paper.doi and listing.doi and paper.doi != listing.doi:
        return False
    ours = {_surname(name) for name in paper.authors}
    theirs = {_surname(name) for name in listing.authors}
    if ours and theirs:
        return bool(ours & theirs) and (_is_telling(listing.title) or _same_place(paper, listing))
    if _is_telling(listing.title) and (
        ours or paper.arxiv_id or paper.doi or theirs or listing.arxiv_id or listing.doi
    ):
        return True
    return _same_place(paper, listing)


def _is_telling(title: str) -> bool:
    """Whether a title is one paper's: "Editorial" and "Preface to the workshop" are many papers'."""
    return sum(1 for _ in words.split(title)) >= _TELLING


def _same_place(paper: Paper, listing: ParsedListing) -> bool:
    """Whether link and day, where both say them, speak for one paper; of two days, the link decides."""
    if paper.url and listing.url:
        return link_key(paper.url) == link_key(listing.url)
    return not (paper.published_on and listing.published_on) or paper.published_on == listing.published_on


def link_key(url: str) -> str:
    """Equal for links to one page: http or https, with www or without, whatever counts its visitors."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    query = "&".join(part for part in parts.query.split("&") if not _COUNTS_VISITORS.match(part))
    return f"{(parts.hostname or '').removeprefix('www.')}{parts.path.rstrip('/')}?{query}"


_TELLING = 4  # words
_COUNTS_VISITORS = re.compile(r"(?:utm_|rss=|af=|dgcid=|fc=|ff=|from=|source=|ref=|campaign)", re.IGNORECASE)


def _surname(name: str) -> str:
    """The longest word of a name: order and initials differ between sources."""
    return max((word for word, _, _ in words.split(name)), key=len, default=name)


def fill(paper: Paper, listing: ParsedListing, *, now: dt.datetime, listed_on: dt.date) -> bool:
    """Take from the listing what the paper lacks; never blank or shorten anything. True if it changed.

    A paper whose words changed loses `matched_at`: it is matched again.
    """
    before = {name: getattr(paper, name) for name in _WATCHED}
    paper.title = paper.title or listing.title
    paper.title_key = paper.title_key or title_key(listing.title)
    if not paper.abstract or _continues(paper.abstract, listing.abstract):
        paper.abstract = listing.abstract
    if len(listing.authors) > len(paper.authors) and _begins_with(listing.authors, paper.authors):
        paper.authors = list(listing.authors)
    paper.categories = paper.categories or list(listing.categories)
    paper.arxiv_id = paper.arxiv_id or listing.arxiv_id or None
    paper.doi = paper.doi or listing.doi or None
    paper.guessed_doi = "" if paper.doi else paper.guessed_doi or listing.guessed_doi[:200]
    _note_version(paper, listing, listed_on)
    paper.url = paper.url or listing.url
    day = listing.published_on
    if day and day <= listed_on + _AHEAD:  # issues are dated months ahead, years are a mistake
        paper.published_on = paper.published_on or day
    # Sources that copy each other lag behind: the most that was seen is the nearest to the truth.
    paper.upvotes = max(paper.upvotes, listing.upvotes or 0)
    paper.first_listed_on = min(paper.first_listed_on, listed_on)
    if any(getattr(paper, name) != before[name] for name in _MATCHED):
        paper.changed_at, paper.matched_at = now, None
    return any(getattr(paper, name) != value for name, value in before.items())


_AHEAD = dt.timedelta(days=550)
_MATCHED = ("title", "abstract", "authors", "categories")
_WATCHED = (
    *_MATCHED, "arxiv_id", "arxiv_version", "doi", "guessed_doi", "url", "source_page", "published_on", "upvotes",
    "first_listed_on", "replaced_on", "withdrawn_on",
)  # fmt: skip
PAPER_FIELDS = [*_WATCHED, "title_key", "first_seen_at", "is_news", "changed_at", "matched_at"]


def _note_version(paper: Paper, listing: ParsedListing, listed_on: dt.date) -> None:
    """The latest version, when it was announced, and whether the paper was taken back."""
    is_newer = bool(listing.arxiv_version) and (listing.arxiv_version or 0) > (paper.arxiv_version or 0)
    if is_newer and listing.arxiv_id == paper.arxiv_id:
        paper.arxiv_version = listing.arxiv_version
    if listing.announce_type.startswith("replace"):
        paper.replaced_on = max(paper.replaced_on or listed_on, listed_on)
    if listing.is_withdrawn:
        paper.withdrawn_on = paper.withdrawn_on or listed_on
    elif is_newer:
        paper.withdrawn_on = None  # a version after the withdrawal brings it back


def _begins_with(longer: Sequence[str], shorter: Sequence[str]) -> bool:
    """Whether the shorter list of names is the longer one cut off; an empty one is."""
    return [_surname(name) for name in longer[: len(shorter)]] == [_surname(name) for name in shorter]


def merge(kept: Paper, other: Paper, now: dt.datetime) -> None:
    """Two papers turned out to be one: everything of the other becomes the kept one's. Inside a transaction.

    The other stays as a signpost: links in old mails go on to work, and whoever was sent it is not sent this one.
    The caller saves `kept`.
    """
    twice = Listing.objects.filter(paper=other, edition__in=kept.editions.all())
    Edition.objects.filter(pk__in=list(twice.values_list("edition", flat=True))).update(size=F("size") - 1)
    twice.delete()
    Listing.objects.filter(paper=other).update(paper=kept)
    for row in Feedback.objects.filter(paper=other):
        if not Feedback.objects.filter(paper=kept, subscriber=row.subscriber_id, kind=row.kind).exists():
            Feedback.objects.filter(pk=row.pk).update(paper=kept)
    Match.objects.filter(paper=other).delete()
    Paper.objects.filter(merged_into=other).update(merged_into=kept)
    arxiv_id, doi = other.arxiv_id, other.doi
    other.merged_into, other.arxiv_id, other.doi, other.matched_at = kept, None, None, now
    other.save()  # before the kept one takes over the ids, which are unique
    kept.arxiv_id, kept.doi = kept.arxiv_id or arxiv_id, kept.doi or doi
    kept.arxiv_version = kept.arxiv_version or other.arxiv_version
    for name in _TAKEN_OVER:
        if not getattr(kept, name):
            setattr(kept, name, getattr(other, name))
    kept.upvotes = max(kept.upvotes, other.upvotes)
    kept.first_listed_on = min(kept.first_listed_on, other.first_listed_on)
    kept.is_news = kept.is_news or other.is_news
    kept.changed_at, kept.matched_at = now, None


_TAKEN_OVER = (
    *("abstract", "authors", "categories", "guessed_doi", "url", "source_page", "published_on", "replaced_on"),
    "withdrawn_on",
)


def _continues(short: str, long: str) -> bool:
    """Whether `long` is the whole of an abstract that `short` was cut from."""
    beginning = short.rstrip(" .…")[:-1]
    return len(long) > len(short) and long.startswith(beginning)
