"""Due readers -> digests, a chunk at a time. One transaction a chunk: claim, choose, store, set the next date.

A worker that dies in the middle leaves nothing behind and the readers still due; two workers never take the
same reader (SKIP LOCKED on PostgreSQL; SQLite has one writer).
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import TextField
from django.db.models.functions import Cast
from django.utils.translation import override

from digest.models import Delivery, Digest
from digest.papers.ingest import source_schedule
from digest.picks.selection import bulk_write, supersede
from digest.picks.selection.choose import choose_all
from digest.picks.selection.digest_plan import plans
from digest.relevance.ranking.packed_columns import among
from subscriptions import schedule
from subscriptions.addresses import masked
from subscriptions.models import Subscriber

logger = logging.getLogger(__name__)

CHUNK = 2_000  # readers; half a second on two cores, and a second for a worker's first
LATE = dt.timedelta(days=1)  # after so long without a look, a mail carries the date of its sending


class Due(NamedTuple):
    """A subscriber whose hour has come: the columns a chunk needs, without the rest of the row."""

    pk: int
    email: str
    frequency: str
    weekday: int
    hour: int
    time_zone: str
    max_papers: int
    trending_share: int
    empty_mail: bool
    paused_at: dt.datetime | None
    paused_until: dt.datetime | None
    language: str


@dataclass(frozen=True, slots=True)
class Selected:
    """What became of one chunk: readers taken, of whom so many get a mail."""

    readers: int = 0
    mails: int = 0

    def __add__(self, other: Selected) -> Selected:
        return Selected(self.readers + other.readers, self.mails + other.mails)


def select_due(now: dt.datetime) -> Selected:
    """Choose for all who are due, chunk after chunk."""
    total = Selected()
    while (chunk := select_chunk(now)).readers:
        total += chunk
    return total


def select_chunk(now: dt.datetime, only: Subscriber | None = None) -> Selected:
    """Choose for at most CHUNK readers who are due; `only` that one, due or not."""
    with transaction.atomic():
        late = source_schedule.gaps(now)
        claimed, skipped = _set_aside(_claim(now, only, source_schedule.patience(late)), now)
        if not claimed:
            return Selected(skipped)
        dates = _issue_dates(claimed, now)
        readers = [reader for reader, _ in claimed]
        have = set(_having_a_digest(readers, dates))
        new = [reader for reader in readers if reader.pk not in have]
        waiting = supersede.withdraw([reader.pk for reader in new], now)
        planned = plans(new, now, waiting)
        of_sources = _notices(new, late)
        rows = [
            bulk_write.Row(
                reader.pk, dates[reader.pk], *one,
                f"{plan.notice} {of_sources[reader.language]}".strip(), plan.is_catch_up,
            )
            for reader, plan, one in zip(new, planned, choose_all(new, planned, now), strict=True)
        ]  # fmt: skip
        mails = bulk_write.store(rows, now) + _tell_of_nothing(new, rows, now)
        supersede.keep_place(waiting, now)
        bulk_write.set_due(_next_due(readers, now))
        caught_up = [reader.pk for reader in new if reader.paused_at]
        if caught_up:
            Subscriber.objects.filter(pk__in=caught_up).update(paused_at=None)
    for reader, row in zip(new, rows, strict=True):
        if not row.picks and not reader.empty_mail:
            logger.info("Nothing matched for %s: no mail.", masked(reader.email))
    return Selected(len(readers) + skipped, mails)


def _tell_of_nothing(readers: Sequence[Due], rows: Sequence[bulk_write.Row], now: dt.datetime) -> int:
    """A waiting mail for each of the empty digests just stored whose reader asked for one. Returns how many."""
    told = [reader.pk for reader, row in zip(readers, rows, strict=True) if reader.empty_mail and not row.picks]
    if not told:
        return 0
    empty = Digest.objects.filter(subscriber__in=told, created_at=now, packed_picks=b"", delivery=None)
    mails = [Delivery(digest=digest, not_before=now) for digest in empty.only("pk")]
    return len(Delivery.objects.bulk_create(mails))


def _notices(readers: Sequence[Due], late: list[source_schedule.Gap]) -> dict[str, str]:
    """What mails say of late sources, by language."""
    said = {}
    for language in {reader.language for reader in readers}:
        with override(language):
            said[language] = source_schedule.notice(late)
    return said


def _claim(now: dt.datetime, only: Subscriber | None, patience: dt.timedelta) -> list[tuple[Due, str | None]]:
    """With each, when they were due, as the database writes it: to read all those moments, of which very many are the
    same, would cost as much as to read all else.
    """
    rows = Subscriber.objects.mailable(now).filter(pk=only.pk) if only else Subscriber.objects.due(now - patience)
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(skip_locked=True)
    columns = rows.values_list(*Due._fields, Cast("next_digest_at", TextField()))
    return [(Due._make(row[:-1]), row[-1]) for row in columns[:CHUNK]]


def _set_aside(claimed: list[tuple[Due, str | None]], now: dt.datetime) -> tuple[list[tuple[Due, str | None]], int]:
    """Drop subscribers whose stored time zone is unknown, and try them again in a day. Return the rest, and how many.

    No form accepts one, but a row written by hand, or a zone that a newer system no longer has, must not stop a chunk.
    """
    unknown = {zone for zone in {due.time_zone for due, _ in claimed} if not schedule.is_usable(zone)}
    if not unknown:
        return claimed, 0
    aside = [due.pk for due, _ in claimed if due.time_zone in unknown]
    for pk in aside:
        logger.error("Subscriber %d has an unknown time zone and gets no mail: correct it in the admin.", pk)
    bulk_write.set_due([(pk, now + dt.timedelta(days=1)) for pk in aside])
    return [row for row in claimed if row[0].time_zone not in unknown], len(aside)


def _issue_dates(claimed: Sequence[tuple[Due, str | None]], now: dt.datetime) -> dict[int, dt.date]:
    """The reader's own date of the moment the mail was due; of now, when it is out of turn or a day late."""
    known: dict[tuple[str | None, str], dt.date] = {}
    dates = {}
    for reader, written in claimed:
        key = (written, reader.time_zone)
        if key not in known:
            due = _moment(written) if written else None
            in_turn = due is not None and now - LATE < due <= now
            known[key] = schedule.issue_date(due if due and in_turn else now, reader.time_zone)
        dates[reader.pk] = known[key]
    return dates


def _moment(written: str) -> dt.datetime:
    """As a database writes it: PostgreSQL with the zone of the connection, SQLite in UTC without saying so."""
    moment = dt.datetime.fromisoformat(written)
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _next_due(readers: Sequence[Due], now: dt.datetime) -> list[tuple[int, dt.datetime]]:
    """When each is due after this: many share their zone, days and hour."""
    known: dict[tuple[str, str, int, int], dt.datetime] = {}
    moments = []
    for reader in readers:
        key = (reader.time_zone, reader.frequency, reader.weekday, reader.hour)
        if key not in known:
            days = schedule.due_days(reader.frequency, reader.weekday)
            known[key] = schedule.next_due(now, zone=reader.time_zone, days=days, hour=reader.hour)
        moments.append((reader.pk, known[key]))
    return moments


def _having_a_digest(readers: Sequence[Due], dates: dict[int, dt.date]) -> Iterable[int]:
    # Asked for the very dates, a database would read all digests of the day, for each chunk.
    first, last = min(dates.values()), max(dates.values())
    rows = Digest.objects.filter(subscriber__in=among(list(dates)), issue_date__range=(first, last))
    for subscriber_id, issue_date in rows.values_list("subscriber_id", "issue_date"):
        if dates[subscriber_id] == issue_date:
            yield subscriber_id
