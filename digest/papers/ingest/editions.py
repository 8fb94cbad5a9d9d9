"""Which edition a page is: whose list, of which day."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from digest.models import Edition, Source
from digest.papers.sources.parsed import ParsedEdition, SourceError

STALE = 7  # days; a feed that names an older day as its own does not keep its date


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


def edition_of(source: Source, parsed: ParsedEdition, how: Circumstances) -> Edition:
    if not (how.date or parsed.date or parsed.month_day) and how.page_hash:
        # A page without a date, read again on another day, is still the same edition.
        known = Edition.objects.filter(source=source, page_hash=how.page_hash).first()
        if known:
            return known
    return Edition.objects.get_or_create(
        source=source,
        date=edition_date(parsed, how.now.date(), how.date or _own_date(parsed, how)),
        defaults={"first_seen_at": how.now, "last_seen_at": how.now},
    )[0]


def _own_date(parsed: ParsedEdition, how: Circumstances) -> dt.date | None:
    """The page's own date; today for a feed that has named the same day for ever, or one to come."""
    if how.by_hand or parsed.date is None:
        return parsed.date
    today = how.now.date()
    return parsed.date if today - dt.timedelta(days=STALE) <= parsed.date <= today else today


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


def store_empty(source: Source, date: dt.date, now: dt.datetime) -> None:
    """Note that the source lists nothing for that day. SourceError if it used to list papers."""
    edition, _ = Edition.objects.get_or_create(
        source=source, date=date, defaults={"first_seen_at": now, "last_seen_at": now}
    )
    if edition.size and source.kind != Source.Kind.ARXIV:  # whose feed empties at the end of its day
        raise SourceError(
            f"{source}: the list of {date:%d %B %Y} held {edition.size} papers at the last look and none now: "
            "they are kept; see whether the source has changed its pages."
        )
    edition.last_seen_at = now
    edition.save(update_fields=["last_seen_at"])
