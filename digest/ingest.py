"""Papers in: fetch, parse, store. The only place that writes Edition, Listing and Paper.

A page is parsed whole before anything is stored, and stored in one transaction: a page that cannot be read
leaves no trace but its error.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from django.db import connection, transaction
from django.utils.text import slugify

from digest import fetch
from digest.models import Edition, Listing, Paper, Source
from digest.papers import Shelf, fill
from digest.sources import ParsedEdition, ParsedListing, SourceError, kinds

logger = logging.getLogger(__name__)

HUGGINGFACE = "huggingface"
HUGGINGFACE_URL = "https://huggingface.co/api/daily_papers"
MAX_FILE_BYTES = 100_000_000
# Any number will do, so long as everybody who stores papers takes the same one.
_STORE_LOCK = 20_240_527


@dataclass(frozen=True, slots=True)
class Outcome:
    """What reading one page brought."""

    edition: Edition
    listings: int
    new_papers: int
    new_listings: int
    changed_papers: int
    warnings: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """One line for the log and the terminal."""
        if not (self.new_papers or self.new_listings or self.changed_papers):
            return f"{self.edition}: nothing new, all {self.listings} listings were known."
        return (
            f"{self.edition}: {self.listings} listings read, {self.new_listings} new; "
            f"{self.new_papers} new papers, {self.changed_papers} completed."
        )


def huggingface() -> Source:
    """The source every installation begins with."""
    defaults = {
        "name": "Hugging Face Daily Papers",
        "kind": Source.Kind.HUGGINGFACE,
        "url": HUGGINGFACE_URL,
    }
    return Source.objects.get_or_create(slug=HUGGINGFACE, defaults=defaults)[0]


def ingest_source(
    source: Source, now: dt.datetime, date: dt.date | None = None, *, backfill: bool = False
) -> Outcome | None:
    """Fetch a source and store what it lists; None when the page has not changed.

    `date` asks a source that can for the list of that day; with `backfill` the papers count as seen on
    that day, so that readers are not mailed old news. Raises SourceError, after noting it on the source.
    """
    try:
        url = _address(source, date)
        page = fetch.fetch(url, etag="" if date else source.etag, last_modified="" if date else source.last_modified)
        outcome = page and ingest_page(page.content, source=source, now=now, date=date, where=url, backfill=backfill)
    except SourceError as error:
        source.failed(str(error), now)
        raise
    source.succeeded(now)
    if page and not date:
        source.etag, source.last_modified = page.etag, page.last_modified
        source.save(update_fields=["etag", "last_modified"])
    return outcome or None


def _address(source: Source, date: dt.date | None) -> str:
    if not source.url:
        raise SourceError(
            f"Source “{source.slug}” has no address: give it one in the admin, or read a file with --file."
        )
    if not date:
        return source.url
    if source.kind != Source.Kind.HUGGINGFACE:
        raise SourceError(f"Source “{source.slug}” cannot be asked for a date: leave --date and --since out.")
    return f"{source.url}?{urlencode({'date': date.isoformat(), 'limit': 100})}"


def ingest_location(
    location: str, now: dt.datetime, *, date: dt.date | None = None, source: Source | None = None
) -> Outcome:
    """Store what a file or an address lists, once, as of `date` where the page names none."""
    if "://" in location:
        page = fetch.fetch(location)
        assert page is not None  # nothing conditional was asked
        content = page.content
    else:
        content = read_file(Path(location))
    return ingest_page(content, source=source, now=now, date=date, where=location)


def read_file(path: Path) -> bytes:
    """The file's bytes. Raises SourceError with what to do."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise SourceError(f"{path} has over {MAX_FILE_BYTES // 1_000_000} MB: it is no list of papers.")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise SourceError(f"{path}: there is no such file; check the path.") from error
    except IsADirectoryError as error:
        raise SourceError(f"{path} is a folder; name one file in it.") from error
    except OSError as error:
        raise SourceError(f"{path} cannot be read ({error.strerror}); check its permissions.") from error


def ingest_page(
    content: bytes | str,
    *,
    now: dt.datetime,
    where: str,
    source: Source | None = None,
    date: dt.date | None = None,
    backfill: bool = False,
) -> Outcome:
    """Parse one page and store it. Raises SourceError, having stored nothing."""
    try:
        kind = kinds.detect(content)
        parsed = kinds.parse(content, kind)
    except SourceError as error:
        raise SourceError(f"{where}: {error}") from error
    for warning in parsed.warnings:
        logger.warning("%s: %s", where, warning)
    source = source or _source_of(kind, parsed, where)
    raw = content.encode() if isinstance(content, str) else content
    return store(source, parsed, now=now, date=date, page_hash=hashlib.sha256(raw).hexdigest(), backfill=backfill)


def _source_of(kind: str, parsed: ParsedEdition, where: str) -> Source:
    """The source a loose page belongs to: Hugging Face's own kinds, else one named after the feed."""
    if kind != "feed":
        return huggingface()
    address = where if "://" in where else ""
    name = parsed.title or urlsplit(where).hostname or Path(where).stem
    slug = slugify(name)[:50].strip("-") or "feed"
    defaults = {"name": name[:200], "kind": Source.Kind.FEED, "url": address[:1000], "is_enabled": False}
    return Source.objects.get_or_create(slug=slug, defaults=defaults)[0]


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


def store(
    source: Source,
    parsed: ParsedEdition,
    *,
    now: dt.datetime,
    date: dt.date | None = None,
    page_hash: str = "",
    backfill: bool = False,
) -> Outcome:
    """Write one edition, its papers and listings, in one transaction; the same page again changes nothing."""
    with transaction.atomic(), _one_at_a_time():
        edition = _edition(source, parsed, now=now, date=date, page_hash=page_hash)
        seen_at = min(now, dt.datetime.combine(edition.date, dt.time(12), tzinfo=dt.UTC)) if backfill else now
        papers, made, changed = _store_papers(parsed.listings, edition.date, seen_at, now)
        listed = _store_listings(edition, parsed.listings, papers, now)
    outcome = Outcome(edition, len(parsed.listings), made, listed, changed, parsed.warnings)
    logger.info("%s", outcome.summary)
    return outcome


class _one_at_a_time:
    """Only one process stores papers at a time, so that two with the same page store it once.

    SQLite has one writer anyway; PostgreSQL lends a lock that ends with the transaction.
    """

    def __enter__(self) -> None:
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_STORE_LOCK])

    def __exit__(self, *exc: object) -> None:
        pass


def _edition(
    source: Source, parsed: ParsedEdition, *, now: dt.datetime, date: dt.date | None, page_hash: str
) -> Edition:
    dated = date or parsed.date or parsed.month_day
    if not dated and page_hash:
        # A page without a date, read again on another day, is still the same edition.
        known = Edition.objects.filter(source=source, page_hash=page_hash).first()
        if known:
            return known
    edition, _ = Edition.objects.get_or_create(
        source=source,
        date=edition_date(parsed, now.date(), date),
        defaults={"first_seen_at": now, "last_seen_at": now},
    )
    edition.last_seen_at, edition.page_hash = now, page_hash
    edition.save(update_fields=["last_seen_at", "page_hash"])
    return edition


def _store_papers(
    listings: Iterable[ParsedListing], listed_on: dt.date, seen_at: dt.datetime, now: dt.datetime
) -> tuple[list[Paper], int, int]:
    """The paper of each listing, in order, and how many of them are new and how many were completed."""
    listings = list(listings)
    shelf = Shelf.holding(listings)
    papers: list[Paper] = []
    changed: dict[int, Paper] = {}
    for listing in listings:
        paper = shelf.find(listing)
        if paper is None:
            paper = Paper(first_seen_at=seen_at, first_listed_on=listed_on, changed_at=now)
            fill(paper, listing, now)
        elif fill(paper, listing, now, listed_on=listed_on) and paper.pk:
            changed[paper.pk] = paper
        shelf.put(paper)
        papers.append(paper)
    new = list({id(paper): paper for paper in papers if paper.pk is None}.values())
    Paper.objects.bulk_create(new, batch_size=500)
    Paper.objects.bulk_update(changed.values(), PAPER_FIELDS, batch_size=200)
    return papers, len(new), len(changed)


PAPER_FIELDS = [
    "title", "title_key", "abstract", "authors", "arxiv_id", "arxiv_version", "doi", "url", "categories",
    "published_on", "upvotes", "first_listed_on", "changed_at", "matched_at",
]  # fmt: skip


def _store_listings(edition: Edition, listings: Iterable[ParsedListing], papers: list[Paper], now: dt.datetime) -> int:
    """How many listings are new; known ones get today's rank and counts."""
    known = {listing.paper_id: listing for listing in edition.listings.all()}
    new: dict[int, Listing] = {}
    changed: dict[int, Listing] = {}
    for parsed, paper in _first_of_each(listings, papers):
        values = {"rank": parsed.rank, "upvotes": parsed.upvotes, "comments": parsed.comments}
        row = known.get(paper.pk)
        if row is None:
            new[paper.pk] = Listing(
                edition=edition,
                paper=paper,
                url=parsed.url,
                announce_type=parsed.announce_type,
                seen_at=now,
                **values,
            )
        elif any(getattr(row, name) != value for name, value in values.items()):
            for name, value in values.items():
                setattr(row, name, value)
            changed[paper.pk] = row
    Listing.objects.bulk_create(new.values(), batch_size=500)
    Listing.objects.bulk_update(changed.values(), ["rank", "upvotes", "comments"], batch_size=200)
    return len(new)


def _first_of_each(listings: Iterable[ParsedListing], papers: list[Paper]) -> Iterator[tuple[ParsedListing, Paper]]:
    """A page that lists a paper twice means its first place."""
    seen: set[int] = set()
    for parsed, paper in zip(listings, papers, strict=True):
        if paper.pk not in seen:
            seen.add(paper.pk)
            yield parsed, paper
