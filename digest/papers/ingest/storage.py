"""Parsed lists -> rows. The only place that writes Edition, Listing, Paper and UpvoteObservation.

What was read is stored whole or not at all, and reading it again changes nothing.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db import connection, transaction

from digest.models import Edition, Listing, Paper, Source, UpvoteObservation
from digest.papers.ingest.editions import Circumstances, edition_of
from digest.papers.ingest.merge import PAPER_FIELDS, Shelf, fill, merge
from digest.papers.sources.identifiers import safe_url
from digest.papers.sources.parsed import ParsedEdition, ParsedListing

logger = logging.getLogger(__name__)

BATCH = 500  # listings at a time, so that a file of many thousands does not stand in memory twice
Pair = tuple[ParsedListing, Paper]
NEWS_DAYS = 30  # a paper published longer ago is no news, unless Hugging Face lists it today
# Any number will do, so long as everybody who stores papers takes the same one.
_STORE_LOCK = 20_240_527


@dataclass(frozen=True, slots=True)
class Outcome:
    """What reading a source, or a part of it, brought."""

    source: Source
    dates: tuple[dt.date, ...] = ()  # the editions that were read, oldest first
    listings: int = 0
    new_listings: int = 0
    new_papers: int = 0
    changed_papers: int = 0
    warnings: tuple[str, ...] = ()

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(
            self.source,
            tuple(sorted({*self.dates, *other.dates})),
            self.listings + other.listings,
            self.new_listings + other.new_listings,
            self.new_papers + other.new_papers,
            self.changed_papers + other.changed_papers,
            self.warnings + other.warnings,
        )

    @property
    def summary(self) -> str:
        """One line for the log and the terminal."""
        if not self.dates:
            return f"{self.source}: not changed since the last look."
        first, last = f"{self.dates[0]:%d %B %Y}", f"{self.dates[-1]:%d %B %Y}"
        name = f"{self.source}, {first}" + (f" to {last} ({len(self.dates)} lists)" if first != last else "")
        if not (self.new_papers or self.new_listings or self.changed_papers):
            return f"{name}: nothing new, all {self.listings:,} listings were known."
        return (
            f"{name}: {self.listings:,} listings read, {self.new_listings:,} new; "
            f"{self.new_papers:,} new papers, {self.changed_papers:,} completed."
        )


def store(source: Source, parsed: ParsedEdition, how: Circumstances) -> Outcome:
    """Write the editions, papers and listings of a page, in one transaction. Raises SourceError."""
    with transaction.atomic():
        _wait_for_others()
        total = Outcome(source, warnings=parsed.warnings)
        days = _by_day(parsed.listings)
        for date, listings in days:
            # Rows that name several days are a collection of past lists.
            of_day = dataclasses.replace(how, date=date, backfill=how.backfill or len(days) > 1) if date else how
            total += _store_edition(source, parsed, listings, of_day)
    logger.info("%s", total.summary)
    return total


def is_news(listing: ParsedListing, kind: str, listed_on: dt.date, *, by_hand: bool = False) -> bool:
    """Whether this listing makes a paper news: a new version does not, nor an old paper that a feed holds."""
    if listing.announce_type.startswith("replace"):
        return False
    if by_hand or kind == Source.Kind.HUGGINGFACE or listing.published_on is None:
        return True
    return listing.published_on > listed_on - dt.timedelta(days=NEWS_DAYS)


def _wait_for_others() -> None:
    """One process stores papers at a time, so that two with the same page store it once.

    SQLite has one writer anyway; PostgreSQL lends a lock that ends with the transaction.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_STORE_LOCK])


def _by_day(listings: Sequence[ParsedListing]) -> list[tuple[dt.date | None, list[ParsedListing]]]:
    """The listings by the day of the list that each names; a page whose rows name none is one day."""
    days: dict[dt.date | None, list[ParsedListing]] = defaultdict(list)
    for listing in listings:
        days[listing.listed_on].append(listing)
    return sorted(days.items(), key=lambda item: item[0] or dt.date.min)


def _store_edition(
    source: Source, parsed: ParsedEdition, listings: Sequence[ParsedListing], how: Circumstances
) -> Outcome:
    edition = edition_of(source, parsed, how)
    outcome = Outcome(source, (edition.date,), listings=len(listings))
    writer = _Writer(edition, how, parsed.home or source.url)
    for start in range(0, len(listings), BATCH):
        outcome += writer.write(listings[start : start + BATCH])
    edition.last_seen_at, edition.page_hash = how.now, how.page_hash
    edition.etag, edition.last_modified = how.etag, how.last_modified
    edition.size = edition.listings.count()  # a merger may have taken one away
    edition.save(update_fields=["last_seen_at", "page_hash", "etag", "last_modified", "size"])
    return outcome


class _Writer:
    """Writes one edition's listings, and the papers they are, a batch at a time."""

    def __init__(self, edition: Edition, how: Circumstances, home: str = "") -> None:
        self.home = safe_url(home)
        self.edition, self.now, self.by_hand = edition, how.now, how.by_hand
        noon = dt.datetime.combine(edition.date, dt.time(12), tzinfo=dt.UTC)
        self.seen_at = min(how.now, noon) if how.backfill else how.now
        self.is_rolling = edition.source.kind == Source.Kind.FEED and not how.by_hand
        self.placed: set[int] = set()  # papers of earlier listings: one that stands twice means its first place

    def write(self, listings: Sequence[ParsedListing]) -> Outcome:
        pairs, new, changed = self._store_papers(listings)
        listed = self._store_listings(pairs)
        return Outcome(self.edition.source, new_listings=listed, new_papers=new, changed_papers=changed)

    def _store_papers(self, listings: Sequence[ParsedListing]) -> tuple[list[Pair], int, int]:
        """The listings with their papers, in order, and how many of these are new and how many were completed."""
        shelf = Shelf.holding(listings)
        changed: dict[int, Paper] = {}
        found = [(listing, self._paper(shelf, listing, changed)) for listing in listings]
        pairs = [(listing, _survivor(paper)) for listing, paper in found if paper]
        new = list({id(paper): paper for _, paper in pairs if paper.pk is None}.values())
        Paper.objects.bulk_create(new, batch_size=BATCH)
        Paper.objects.bulk_update(changed.values(), PAPER_FIELDS, batch_size=200)
        return pairs, len(new), len(changed)

    def _paper(self, shelf: Shelf, read: ParsedListing, changed: dict[int, Paper]) -> Paper | None:
        """The listing's paper, with what the listing adds; None for an archive's note that one we never had is gone."""
        paper, twin = shelf.find(read)
        if paper and twin:
            merge(paper, twin, self.now)
            shelf.drop(twin)
            changed.pop(twin.pk, None)
            changed[paper.pk] = paper
        if paper is None and read.is_withdrawn and not read.authors:
            return None
        listing = shelf.without_taken_ids(read, paper)
        paper = paper or Paper(first_seen_at=self.seen_at, first_listed_on=self.edition.date, is_news=False)
        has_changed = fill(paper, listing, now=self.now, listed_on=self.edition.date)
        if not paper.elsewhere and self.home:
            paper.source_page, has_changed = self.home, True
        if not paper.is_news and self._is_news(listing):
            paper.is_news, paper.first_seen_at, has_changed = True, self.seen_at, True
        if has_changed and paper.pk:
            changed[paper.pk] = paper
        shelf.put(paper)
        return paper

    def _is_news(self, listing: ParsedListing) -> bool:
        return is_news(listing, self.edition.source.kind, self.edition.date, by_hand=self.by_hand)

    def _store_listings(self, pairs: Sequence[Pair]) -> int:
        """How many listings are new; known ones get today's rank and counts."""
        papers = [paper for _, paper in pairs]
        known = {row.paper_id: row for row in self.edition.listings.filter(paper__in=papers)}
        earlier = self._listed_earlier(papers)
        new: dict[int, Listing] = {}
        changed: dict[int, Listing] = {}
        counted: list[Listing] = []
        for parsed, paper in self._first_places(pairs):
            values = {"rank": parsed.rank, "upvotes": parsed.upvotes, "comments": parsed.comments}
            row = known.get(paper.pk)
            if row is None and paper.pk in earlier and self.is_rolling:
                continue  # a feed holds its entries for weeks, and each is listed once
            if row is None:
                row = new[paper.pk] = self._listing(parsed, paper)
                counted.append(row)
            elif any(getattr(row, name) != value for name, value in values.items()):
                if row.upvotes != parsed.upvotes:
                    counted.append(row)
                for name, value in values.items():
                    setattr(row, name, value)
                changed[paper.pk] = row
        Listing.objects.bulk_create(new.values(), batch_size=BATCH)
        # `source:` interests may find what another source has listed now.
        again = Paper.objects.filter(pk__in=new.keys() - earlier, matched_at__isnull=False)
        again.update(matched_at=None, changed_at=self.now)
        Listing.objects.bulk_update(changed.values(), ["rank", "upvotes", "comments"], batch_size=200)
        self._observe(counted)
        return len(new)

    def _listed_earlier(self, papers: Sequence[Paper]) -> set[int]:
        """Papers that another edition of this source lists."""
        listings = Listing.objects.filter(edition__source=self.edition.source, paper__in=papers)
        return set(listings.exclude(edition=self.edition).values_list("paper_id", flat=True))

    def _listing(self, parsed: ParsedListing, paper: Paper) -> Listing:
        return Listing(
            edition=self.edition,
            paper=paper,
            rank=parsed.rank,
            upvotes=parsed.upvotes,
            comments=parsed.comments,
            announce_type=parsed.announce_type,
            url=parsed.url,
            seen_at=self.now,
        )

    def _observe(self, listings: Sequence[Listing]) -> None:
        observations = [
            UpvoteObservation(listing=listing, at=self.now, upvotes=listing.upvotes)
            for listing in listings
            if listing.upvotes is not None
        ]
        UpvoteObservation.objects.bulk_create(observations, batch_size=BATCH, ignore_conflicts=True)

    def _first_places(self, pairs: Sequence[Pair]) -> Iterator[Pair]:
        for parsed, paper in pairs:
            if paper.pk not in self.placed:
                self.placed.add(paper.pk)
                yield parsed, paper


def _survivor(paper: Paper) -> Paper:
    """The paper itself, or the one it was merged into further down the page."""
    while paper.merged_into is not None:
        paper = paper.merged_into
    return paper
