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
from digest.papers import PAPER_FIELDS, Shelf, fill, merge
from digest.sources import ParsedEdition, ParsedListing, SourceError

logger = logging.getLogger(__name__)

BATCH = 500  # listings at a time, so that a file of many thousands does not stand in memory twice
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """When and how a page was read.

    `date` is the day that was asked for. With `backfill` the papers count as seen on the day of their list,
    so that readers are not mailed old news. A page that a person hands in is news, however old.
    """

    now: dt.datetime
    date: dt.date | None = None
    backfill: bool = False
    by_hand: bool = False
    page_hash: str = ""
    etag: str = ""
    last_modified: str = ""


def store(source: Source, parsed: ParsedEdition, how: Circumstances) -> Outcome:
    """Write the editions, papers and listings of a page, in one transaction. Raises SourceError."""
    with transaction.atomic():
        _wait_for_others()
        total = Outcome(source, warnings=parsed.warnings)
        for date, listings in _by_day(parsed.listings):
            # Rows that each name their day are a collection of past lists.
            of_day = dataclasses.replace(how, date=date, backfill=True) if date else how
            total += _store_edition(source, parsed, listings, of_day)
    logger.info("%s", total.summary)
    return total


def store_empty(source: Source, date: dt.date, now: dt.datetime) -> None:
    """Note that the source lists nothing for that day. SourceError if it used to list papers."""
    edition, _ = Edition.objects.get_or_create(
        source=source, date=date, defaults={"first_seen_at": now, "last_seen_at": now}
    )
    if edition.size:
        raise SourceError(
            f"{source}: the list of {date:%d %B %Y} held {edition.size} papers at the last look and none now: "
            "they are kept; see whether the source has changed its pages."
        )
    edition.last_seen_at = now
    edition.save(update_fields=["last_seen_at"])


def edition_date(parsed: ParsedEdition, today: dt.date, asked: dt.date | None = None) -> dt.date:
    """The date the list was published under: asked for, else its own, else today.

    "Mar 14" has no year: it is the latest such day that is not in the future.
    """
    if asked or parsed.date:
        return asked or parsed.date or today
    if not parsed.month_day:
        return today
    month, day = parsed.month_day
    for year in range(today.year, today.year - 9, -1):
        try:
            found = dt.date(year, month, day)
        except ValueError:  # 29 February
            continue
        if found <= today:
            return found
    raise SourceError(f"No year has a day {day} in month {month}: give the date with --date.")


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
    edition = _edition(source, parsed, how)
    outcome = Outcome(source, (edition.date,), listings=len(listings))
    writer = _Writer(edition, how)
    for start in range(0, len(listings), BATCH):
        outcome += writer.write(listings[start : start + BATCH])
    edition.last_seen_at, edition.page_hash = how.now, how.page_hash
    edition.etag, edition.last_modified = how.etag, how.last_modified
    edition.size = edition.listings.count()  # a merger may have taken one away
    edition.save(update_fields=["last_seen_at", "page_hash", "etag", "last_modified", "size"])
    return outcome


def _edition(source: Source, parsed: ParsedEdition, how: Circumstances) -> Edition:
    if not (how.date or parsed.date or parsed.month_day) and how.page_hash:
        # A page without a date, read again on another day, is still the same edition.
        known = Edition.objects.filter(source=source, page_hash=how.page_hash).first()
        if known:
            return known
    return Edition.objects.get_or_create(
        source=source,
        date=edition_date(parsed, how.now.date(), how.date),
        defaults={"first_seen_at": how.now, "last_seen_at": how.now},
    )[0]


class _Writer:
    """Writes one edition's listings, and the papers they are, a batch at a time."""

    def __init__(self, edition: Edition, how: Circumstances) -> None:
        self.edition, self.now, self.by_hand = edition, how.now, how.by_hand
        noon = dt.datetime.combine(edition.date, dt.time(12), tzinfo=dt.UTC)
        self.seen_at = min(how.now, noon) if how.backfill else how.now
        self.placed: set[int] = set()  # papers of earlier listings: one that stands twice means its first place

    def write(self, listings: Sequence[ParsedListing]) -> Outcome:
        papers, new, changed = self._store_papers(listings)
        listed = self._store_listings(listings, papers)
        return Outcome(self.edition.source, new_listings=listed, new_papers=new, changed_papers=changed)

    def _store_papers(self, listings: Sequence[ParsedListing]) -> tuple[list[Paper], int, int]:
        """The paper of each listing, in order, and how many of them are new and how many were completed."""
        shelf = Shelf.holding(listings)
        papers: list[Paper] = []
        changed: dict[int, Paper] = {}
        for read in listings:
            paper, twin = shelf.find(read)
            if paper and twin:
                merge(paper, twin, self.now)
                shelf.drop(twin)
                changed.pop(twin.pk, None)
                changed[paper.pk] = paper
            listing = shelf.without_taken_ids(read, paper)
            if paper is None:
                paper = Paper(first_seen_at=self.seen_at, first_listed_on=self.edition.date, is_news=False)
            has_changed = fill(paper, listing, now=self.now, listed_on=self.edition.date)
            if not paper.is_news and self._is_news(listing):
                paper.is_news, paper.first_seen_at, has_changed = True, self.seen_at, True
            if has_changed and paper.pk:
                changed[paper.pk] = paper
            shelf.put(paper)
            papers.append(paper)
        papers = [_survivor(paper) for paper in papers]
        new = list({id(paper): paper for paper in papers if paper.pk is None}.values())
        Paper.objects.bulk_create(new, batch_size=BATCH)
        Paper.objects.bulk_update(changed.values(), PAPER_FIELDS, batch_size=200)
        return papers, len(new), len(changed)

    def _is_news(self, listing: ParsedListing) -> bool:
        return is_news(listing, self.edition.source.kind, self.edition.date, by_hand=self.by_hand)

    def _store_listings(self, listings: Sequence[ParsedListing], papers: Sequence[Paper]) -> int:
        """How many listings are new; known ones get today's rank and counts."""
        known = {row.paper_id: row for row in self.edition.listings.filter(paper__in=papers)}
        elsewhere = self._listed_before(papers)
        new: dict[int, Listing] = {}
        changed: dict[int, Listing] = {}
        counted: list[Listing] = []
        for parsed, paper in self._first_places(listings, papers):
            values = {"rank": parsed.rank, "upvotes": parsed.upvotes, "comments": parsed.comments}
            row = known.get(paper.pk)
            if row is None and paper.pk in elsewhere:
                continue
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
        Listing.objects.bulk_update(changed.values(), ["rank", "upvotes", "comments"], batch_size=200)
        self._observe(counted)
        return len(new)

    def _listed_before(self, papers: Sequence[Paper]) -> set[int]:
        """Papers that an earlier edition lists: a feed holds its entries for weeks, and each is listed once."""
        if self.by_hand or self.edition.source.kind != Source.Kind.FEED:
            return set()
        earlier = Listing.objects.filter(edition__source=self.edition.source, paper__in=papers)
        return set(earlier.exclude(edition=self.edition).values_list("paper_id", flat=True))

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

    def _first_places(
        self, listings: Sequence[ParsedListing], papers: Sequence[Paper]
    ) -> Iterator[tuple[ParsedListing, Paper]]:
        for parsed, paper in zip(listings, papers, strict=True):
            if paper.pk not in self.placed:
                self.placed.add(paper.pk)
                yield parsed, paper


def _survivor(paper: Paper) -> Paper:
    """The paper itself, or the one it was merged into further down the page."""
    while paper.merged_into is not None:
        paper = paper.merged_into
    return paper
