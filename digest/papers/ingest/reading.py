"""Asking a source: which addresses, in which order, and what to fall back on. Reads the network, stores nothing.

Hugging Face is asked for each of the last days, because its lists and upvotes fill in late; its page stands in
for its API. arXiv's announcements hold one day, so days that were missed are asked of its search interface. An
OAI-PMH archive is asked day by day. A feed, or a file at an address, is what it is.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from digest.models import Edition, Source
from digest.papers import fetch, sandbox
from digest.papers.ingest import unread_days
from digest.papers.sources import arxiv, huggingface_api, oai
from digest.papers.sources.parsed import EmptyEdition, ParsedEdition, SourceError, TryLater

READ_AGAIN = 3  # days before today
LOOK_BACK = 30  # days at most that a source which was down is asked for
MAX_PAGES = 200  # of one list
API = "huggingface-api"  # an empty list of another shape is no weekend, but a change


class Unreadable(SourceError):
    """A page that was fetched and cannot be read."""

    def __init__(self, message: str, page: fetch.Page) -> None:
        super().__init__(message)
        self.page = page


@dataclass(frozen=True, slots=True)
class Wanted:
    """One list to ask for: of a day, or (None) whatever the source shows now."""

    date: dt.date | None
    backfill: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """A list as read, and what to send along next time."""

    parsed: ParsedEdition
    page_hash: str
    etag: str = ""
    last_modified: str = ""


def wanted(source: Source, now: dt.datetime) -> list[Wanted]:
    """What a check of the source asks for, oldest first. Days that could not be read have their own schedule."""
    if source.kind == Source.Kind.FEED:
        return [Wanted(None)]
    today, unread = now.date(), unread_days.known(source)
    days = {*(day for day in _missed(source, today) if day not in unread), *unread_days.due(source, now)}
    ordinary = READ_AGAIN if source.kind == Source.Kind.HUGGINGFACE else 1
    if source.kind != Source.Kind.ARXIV:
        days -= {today - dt.timedelta(days=ago) for ago in range(ordinary + 1)}
    missed = [Wanted(day, backfill=True) for day in sorted(days)]
    if source.kind == Source.Kind.ARXIV:
        return [*missed, Wanted(None)]
    again = READ_AGAIN if source.kind == Source.Kind.HUGGINGFACE else 1
    return [*missed, *(Wanted(today - dt.timedelta(days=ago)) for ago in range(again, -1, -1))]


def _missed(source: Source, today: dt.date) -> Iterator[dt.date]:
    """The days since the last success that an ordinary check does not read again."""
    if source.last_success_at is None:
        return
    # arXiv's announcements go on until the next ones, a day later.
    ordinary = READ_AGAIN if source.kind == Source.Kind.HUGGINGFACE else 1
    day = max(source.last_success_at.date(), today - dt.timedelta(days=LOOK_BACK))
    while day < today - dt.timedelta(days=ordinary):
        yield day
        day += dt.timedelta(days=1)


def read(source: Source, want: Wanted, edition: Edition | None, today: dt.date) -> Reading | None:
    """The list, or None when the server says it has not changed since `edition` was read.

    Raises EmptyEdition where there is rightly nothing, Unreadable (with the page) and other SourceErrors.
    """
    if not source.url:
        raise SourceError(
            f"Source “{source.slug}” has no address: give it one in the admin, or read a file with --file."
        )
    if want.date is None:
        return _page(source.url, etag=source.etag, last_modified=source.last_modified)
    match source.kind:
        case Source.Kind.HUGGINGFACE:
            return _huggingface(source.url, want.date, edition, today)
        case Source.Kind.ARXIV:
            return _arxiv_day(source.url, want.date)
        case Source.Kind.OAI:
            return _archive_day(source.url, want.date)
    raise SourceError(f"Source “{source.slug}” cannot be asked for a date: leave --date and --since out.")


def parsed(page: fetch.Page, kind: str | None = None) -> ParsedEdition:
    """The page's list, of this kind of page or the kind its content shows. Raises Unreadable, EmptyEdition."""
    try:
        return sandbox.parse(page.content, kind, url=page.url).edition
    except EmptyEdition:
        raise
    except SourceError as error:
        raise Unreadable(f"{fetch.shown(page.url)}: {error}", page) from error


def _page(url: str, kind: str | None = None, *, etag: str = "", last_modified: str = "") -> Reading | None:
    page = fetch.fetch(url, etag=etag, last_modified=last_modified)
    if page is None:
        return None
    return Reading(parsed(page, kind), _hash(page.content), page.etag, page.last_modified)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


# --- Hugging Face
def _huggingface(url: str, date: dt.date, edition: Edition | None, today: dt.date) -> Reading | None:
    """The day's list from the API or, where that fails or shows nothing on a working day, from the page."""
    try:
        return _huggingface_api(url, date, edition)
    except TryLater:
        raise
    except SourceError as error:
        if isinstance(error, EmptyEdition) and (date >= today or date.weekday() >= 5):
            raise
        try:
            reading = _whole_page(huggingface_api.page_url(url, date), "huggingface-html")
            _check_date(reading.parsed, date)
        except SourceError:
            raise error from None
        note = f"the page of {date} was read, because the API failed: {error}"
        warnings = (note, *reading.parsed.warnings)
        return dataclasses.replace(reading, parsed=dataclasses.replace(reading.parsed, warnings=warnings))


def _huggingface_api(url: str, date: dt.date, edition: Edition | None) -> Reading | None:
    # A list of several pages has no one tag: it is always read whole.
    known = edition if edition and edition.size < huggingface_api.PAGE else None
    tags = {"etag": known.etag, "last_modified": known.last_modified} if known else {}
    first = _page(huggingface_api.day_url(url, date), API, **tags)
    if first is None:
        return None
    _check_date(first.parsed, date)
    pages = [first]
    while len(pages[-1].parsed.listings) >= huggingface_api.PAGE and len(pages) < MAX_PAGES:
        try:
            page = _whole_page(huggingface_api.day_url(url, date, _length(pages)), API)
        except EmptyEdition:
            break
        if _names(page) <= _names(pages[-1]):
            break  # a server that knows nothing of pages gives the first one again
        pages.append(page)
    return _one(pages)


def _check_date(edition: ParsedEdition, date: dt.date) -> None:
    if edition.date not in (None, date):
        raise SourceError(f"the list of {date} was asked for, and one of {edition.date} came: it is not used")


# --- arXiv, and archives
def _arxiv_day(url: str, date: dt.date) -> Reading:
    """All that arXiv's search interface holds of the feed's categories, submitted on that day."""
    pages = [_whole_page(arxiv.day_url(url, date))]
    total = pages[0].parsed.total or 0
    for start in range(arxiv.PAGE, min(total, MAX_PAGES * arxiv.PAGE), arxiv.PAGE):
        pages.append(_whole_page(arxiv.day_url(url, date, start)))
    return _one(pages)


def _archive_day(url: str, date: dt.date) -> Reading:
    """All records of an OAI-PMH archive that were made or changed on that day."""
    pages: list[Reading] = []
    address = oai.day_url(url, date)
    for _ in range(MAX_PAGES):
        try:
            pages.append(_whole_page(address))
            token = pages[-1].parsed.next_token
        except EmptyEdition as empty:  # a page of nothing but deleted records is a page
            if not empty.next_token and not pages:
                raise
            token = empty.next_token
        if not token:
            break
        address = oai.token_url(url, token)
    return _one(pages)


def _whole_page(url: str, kind: str | None = None) -> Reading:
    page = _page(url, kind)
    assert page is not None  # nothing conditional was asked
    return page


def _length(pages: Sequence[Reading]) -> int:
    return sum(len(page.parsed.listings) for page in pages)


def _names(page: Reading) -> set[str]:
    return {listing.arxiv_id or listing.title for listing in page.parsed.listings}


def _one(pages: Sequence[Reading]) -> Reading:
    """Pages of one list as one; ranks go on from page to page."""
    if len(pages) == 1:
        return pages[0]
    listings = [listing for page in pages for listing in page.parsed.listings]
    ranked = tuple(dataclasses.replace(listing, rank=rank) for rank, listing in enumerate(listings, 1))
    warnings = tuple(warning for page in pages for warning in page.parsed.warnings)
    whole = dataclasses.replace(pages[0].parsed, listings=ranked, warnings=warnings, next_token="")
    return Reading(whole, _hash("".join(page.page_hash for page in pages).encode()))
