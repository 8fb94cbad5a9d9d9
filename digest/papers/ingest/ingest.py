"""Papers in: ask a source, parse, store, and note how the source is doing.

A page is parsed whole before anything is stored, and stored in one transaction: a page that cannot be read
leaves no trace but its error, and a copy to try again.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from celery.exceptions import SoftTimeLimitExceeded
from django.utils.text import slugify

from digest.models import Edition, Source
from digest.papers import fetch, sandbox
from digest.papers.ingest import failed_pages, reading, stale_list, unread_days
from digest.papers.ingest.addresses import HUGGINGFACE_URL
from digest.papers.ingest.editions import Circumstances, store_empty
from digest.papers.ingest.reading import Unreadable, Wanted
from digest.papers.ingest.storage import Outcome, store
from digest.papers.sources import kinds
from digest.papers.sources.parsed import EmptyEdition, ParsedEdition, SourceError, TryLater

logger = logging.getLogger(__name__)

HUGGINGFACE = "huggingface"
HUGGINGFACE_KINDS = ("text", "huggingface-api", "huggingface-html")
SETTLED = dt.timedelta(days=4)  # a list that was read so long after its day is complete


def huggingface() -> Source:
    """The source every installation begins with."""
    defaults = {
        "name": "Hugging Face Daily Papers",
        "kind": Source.Kind.HUGGINGFACE,
        "url": HUGGINGFACE_URL,
    }
    return Source.objects.get_or_create(slug=HUGGINGFACE, defaults=defaults)[0]


class AlreadyBegun(SourceError):
    """Another worker began to check the source at this moment."""


# --- from a source
def note_cut_off(now: dt.datetime) -> None:
    """Record the checks that never ended as failures of their sources."""
    for source in Source.objects.cut_off(now):
        source.was_cut_off(now)
        logger.warning("%s: %s", source.slug, source.last_error)


def ingest_source(source: Source, now: dt.datetime, date: dt.date | None = None) -> Outcome:
    """Ask a source for what it lists now (or for the list of `date`) and store it.

    One list that cannot be read does not keep the others from being read. Raises the first SourceError, after
    noting it on the source; EmptyEdition when `date` was asked for and has no list; AlreadyBegun.
    """
    if date:
        return _check(source, now, date)
    if not source.begin_check(now):
        raise AlreadyBegun(f"Source “{source.slug}” is being read by another worker: look at it in a minute.")
    try:
        return _check(source, now, None)
    except SourceError:
        raise
    except Exception as error:
        source.failed(_broke_off(error), now)
        raise


def _broke_off(error: Exception) -> str:
    if isinstance(error, SoftTimeLimitExceeded):
        return "The check took too long and was stopped: look at how much the address serves, and how fast."
    return f"The check broke off ({type(error).__name__}): the worker's log has the details."


def _check(source: Source, now: dt.datetime, date: dt.date | None) -> Outcome:
    parts = [Wanted(date)] if date else reading.wanted(source, now)
    total = Outcome(source)
    fault: SourceError | None = None
    has_read = False
    for part in parts:
        try:
            total += _ingest_part(source, part, now)
            has_read = True
        except EmptyEdition as empty:
            if date:
                raise
            has_read = True
            logger.info("%s: %s", source.slug, empty)
        except Unreadable as error:
            if part.date:
                unread_days.note(source, part.date, str(error), now)
                total += Outcome(source, warnings=(_unread(part.date, error),))
            fault = fault or error
        except SourceError as error:
            fault = fault or error
            break  # the server is in trouble or wants to be left alone: it is not asked for more
    if isinstance(fault, Unreadable) and has_read:
        # The other days were read, and this one is asked for again on its own schedule: the source goes on.
        source.succeeded(now, warning="; ".join(total.warnings))
        raise fault
    if fault:
        source.failed(str(fault), now, wait=fault.wait if isinstance(fault, TryLater) else dt.timedelta(0))
        raise fault
    source.succeeded(now, warning="; ".join(total.warnings))
    return total


def _unread(day: dt.date, error: Unreadable) -> str:
    return f"the list of {day} could not be read and is asked for again later: {error}"


def backfill(source: Source, first: dt.date, last: dt.date, now: dt.datetime) -> Iterator[tuple[dt.date, str]]:
    """Store the lists of past days, oldest first; yields each day and what came of it.

    Papers count as seen on their day, so that readers are not mailed old news. Days that are complete are passed
    over: after a break, the same call goes on where it was. Raises SourceError at the first day that fails.
    """
    complete = {
        date
        for date, seen_at in source.editions.values_list("date", "last_seen_at")
        if seen_at.date() >= date + SETTLED
    }
    for day in (first + dt.timedelta(days=number) for number in range((last - first).days + 1)):
        if day in complete:
            yield day, f"{day}: complete already."
            continue
        try:
            yield day, _ingest_part(source, Wanted(day, backfill=True), now).summary
        except EmptyEdition:
            yield day, f"{day}: no list."
        except SourceError as error:
            raise SourceError(f"{error} Stopped at {day}; the same command goes on from there.") from error


def _ingest_part(source: Source, part: Wanted, now: dt.datetime) -> Outcome:
    """Read and store one list; an empty day is noted before EmptyEdition goes on to the caller."""
    edition = Edition.objects.filter(source=source, date=part.date).first() if part.date else None
    try:
        read = reading.read(source, part, edition, now.date())
    except EmptyEdition:
        if part.date:
            unread_days.forget(source, part.date)
        if part.date or source.kind == Source.Kind.ARXIV:  # arXiv's empty feed says: a weekend or a holiday
            store_empty(source, part.date or now.date(), now)
        raise
    except Unreadable as error:
        failed_pages.keep(source, part, error, now)
        raise
    if read is None:
        Edition.objects.filter(pk=edition.pk).update(last_seen_at=now) if edition else None
        return Outcome(source)
    how = Circumstances(
        now=now,
        date=part.date,
        backfill=part.backfill,
        page_hash=read.page_hash,
        etag=read.etag if part.date else "",
        last_modified=read.last_modified if part.date else "",
    )
    if not part.date and source.kind == Source.Kind.ARXIV and (stale := stale_list.of(source, read.parsed, now)):
        unread_days.note(source, stale.day, stale.warning, now)
        return Outcome(source, warnings=(stale.warning,))
    outcome = store(source, read.parsed, how)
    for day in outcome.dates:
        unread_days.forget(source, day)
    if not part.date:
        source.etag, source.last_modified = read.etag, read.last_modified
    return outcome


# --- from a file or a loose address
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
        if path.stat().st_size > kinds.MAX_PAGE:
            raise SourceError(f"{path} has over {kinds.MAX_PAGE // 1_000_000} MB: is it a list of papers? Split it.")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise SourceError(f"{path}: there is no such file; check the path.") from error
    except IsADirectoryError as error:
        raise SourceError(f"{path} is a folder; name one file in it.") from error
    except OSError as error:
        raise SourceError(f"{path} cannot be read ({error.strerror}); check its permissions.") from error


def ingest_page(
    content: bytes | str, *, now: dt.datetime, where: str, source: Source | None = None, date: dt.date | None = None
) -> Outcome:
    """Parse one page that a person handed in, and store it. Raises SourceError, having stored nothing."""
    raw = content.encode() if isinstance(content, str) else content
    try:
        read = sandbox.parse(raw, name=where, url=where if "://" in where else "", seconds=sandbox.HAND_IN_SECONDS)
    except SourceError as error:
        raise SourceError(f"{where}: {error}") from error
    kind, parsed = read.kind, read.edition
    for warning in parsed.warnings:
        logger.warning("%s: %s", where, warning)
    if kind in HUGGINGFACE_KINDS and not (date or parsed.date or parsed.month_day):
        logger.warning("%s: it names no day, so it counts as today's list; --date says another.", where)
    how = Circumstances(now=now, date=date, by_hand=True, page_hash=hashlib.sha256(raw).hexdigest())
    return store(source or _source_of(kind, parsed, where), parsed, how)


def _source_of(kind: str, parsed: ParsedEdition, where: str) -> Source:
    """The source a loose page belongs to: Hugging Face's own kinds, else one named after the feed or the file."""
    if kind in HUGGINGFACE_KINDS:
        return huggingface()
    address = where if "://" in where else ""
    name = parsed.title or urlsplit(where).hostname or Path(where).stem
    slug = slugify(name)[:50].strip("-") or "feed"
    defaults = {"name": name[:200], "kind": Source.Kind.FEED, "url": address[:1000], "is_enabled": False}
    return Source.objects.get_or_create(slug=slug, defaults=defaults)[0]
