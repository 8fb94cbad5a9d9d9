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

import numpy as np
from django.db import connection, transaction
from django.db.models import Q, TextField
from django.db.models.functions import Cast
from django.utils.translation import override

from digest.models import Delivery, Digest, Paper, Pick
from digest.models.picks import pack
from digest.papers.ingest import source_schedule
from digest.picks.selection import boards, bulk_write, choosing, read_arrays, supersede
from digest.picks.selection.alone import one_by_one, said
from digest.picks.selection.arrays import MAX_LINES, Ints, Rows
from digest.picks.selection.blocks import Wants
from digest.picks.selection.boards import Board
from digest.picks.selection.digest_plan import Plan, Reader, plans
from digest.picks.selection.packing import NOTHING, Packed
from digest.picks.selection.read_arrays import among
from digest.picks.selection.standing import Standing
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
        claimed = _claim(now, only, source_schedule.patience(late))
        if not claimed:
            return Selected()
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
    return Selected(len(readers), mails)


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
    same, would cost as much as to read all else."""
    rows = Subscriber.objects.mailable(now).filter(pk=only.pk) if only else Subscriber.objects.due(now - patience)
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(skip_locked=True)
    columns = rows.values_list(*Due._fields, Cast("next_digest_at", TextField()))
    return [(Due._make(row[:-1]), row[-1]) for row in columns[:CHUNK]]


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


def choose(readers: Sequence[Reader], now: dt.datetime, *, live: bool = False) -> dict[int, list[Pick]]:
    """The picks of each reader (by id) at this moment. Reads only; the number of queries is fixed.

    `live`: each is ranked alone, and lines that are not matched are asked now: for a subscriber who is not active.
    """
    chosen = choose_all(readers, plans(readers, now), now, live=live)
    return {reader.pk: one.unpack() for reader, one in zip(readers, chosen, strict=True)}


def choose_all(
    readers: Sequence[Reader],
    planned: Sequence[Plan],
    now: dt.datetime,
    earlier: Q | None = None,
    *,
    live: bool = False,
) -> list[Packed]:
    """What each reader gets, as the ledger stores it; those whose mails cover the same days together.

    What their digests held does not come again: all there are, or those that `earlier` finds.
    """
    chosen = [NOTHING] * len(readers)
    for days in sorted({plan.days for plan in planned}):
        which = [place for place, plan in enumerate(planned) if plan.days == days]
        some = [readers[place] for place in which]
        found = _of_days(some, [planned[place] for place in which], now, earlier or Q(), live)
        for place, one in zip(which, found, strict=True):
            chosen[place] = one
    return chosen


def _of_days(
    readers: Sequence[Reader], planned: Sequence[Plan], now: dt.datetime, earlier: Q, live: bool
) -> list[Packed]:
    board, standing = boards.at(now, planned[0].days)
    chosen = [NOTHING] * len(readers)
    if not len(board.ids):
        return chosen
    ids = [reader.pk for reader in readers]
    lines = read_arrays.lines_of(ids)
    had = _had(ids, board, earlier)
    words = said(readers, now)
    alone = {place for place, pk in enumerate(ids) if live or pk in words}
    alone |= set(np.flatnonzero(np.diff(lines.interests.ends) > MAX_LINES).tolist())
    many = np.array([place for place in range(len(ids)) if place not in alone], np.int64)
    for place, one in zip(many.tolist(), _together(readers, planned, many, lines, had, board, standing), strict=True):
        chosen[place] = one
    if alone:
        some = sorted(alone)
        sent = {ids[place]: set(board.ids[had[1][had[0] == place]].tolist()) for place in some}
        of_alone, their_plans = [readers[place] for place in some], [planned[place] for place in some]
        found = one_by_one(of_alone, their_plans, now, sent, words, live=live)
        for place, picks in zip(some, found, strict=True):
            chosen[place] = Packed(*pack(picks))
    return chosen


def _together(
    readers: Sequence[Reader],
    planned: Sequence[Plan],
    which: Ints,
    lines: read_arrays.Lines,
    had: tuple[Ints, Ints],
    board: Board,
    standing: Standing,
) -> list[Packed]:
    """Those readers of the chunk whose picks are sums over their lines."""
    some = lines.interests.take(which)
    items = Rows(lines.interests.ends, np.arange(len(lines.typed))).take(which).items
    rows = board.rows_of(some.items, [lines.typed[item] for item in items.tolist()])
    most, share = choosing.lanes(
        [planned[place].max_papers for place in which.tolist()],
        [readers[place].trending_share for place in which.tolist()],
    )
    overflow = np.array([planned[place].overflow for place in which.tolist()], np.int64)
    new_place = np.full(len(readers), -1)
    new_place[which] = np.arange(len(which))
    owners = new_place[had[0]]
    order = np.argsort(owners[owners >= 0], kind="stable")
    pairs = owners[owners >= 0][order], had[1][owners >= 0][order]
    return choosing.choose(board, standing, Wants(Rows(some.ends, rows), most, share, overflow, pairs))


def _had(readers: Sequence[int], board: Board, earlier: Q) -> tuple[Ints, Ints]:
    """Pairs (reader, column): the candidates that earlier digests held."""
    # No digest can hold a paper from before we first saw it or its list: older ones need not be read.
    since = board.oldest - dt.timedelta(days=1)
    owners, papers = read_arrays.sent_to(readers, Digest.objects.filter(earlier, issue_date__gte=since))
    for pk, into in Paper.objects.filter(merged_into__in=among(board.ids.tolist())).values_list("pk", "merged_into"):
        papers[papers == pk] = into or pk
    columns, is_here = board.columns_of(papers)
    return owners[is_here], columns[is_here]
