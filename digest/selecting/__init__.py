"""Due readers -> digests, a chunk at a time. One transaction a chunk: claim, choose, store, set the next date.

A worker that dies in the middle leaves nothing behind and the readers still due; two workers never take the
same reader (SKIP LOCKED on PostgreSQL; SQLite has one writer).
"""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from django.db import connection, transaction
from django.db.models import Min, Q
from django.utils.translation import override

from digest.ingest import habits
from digest.models import Digest, Feedback, Listing, Match, Paper
from digest.models.papers import PaperQuerySet
from digest.ranking import Candidate, Day, Hit, Line, Wishes, corpus, rank
from digest.ranking.closeness import is_prose
from digest.ranking.taste import LESS, MORE, PASSED_OVER, Taste
from digest.selecting import boards, choosing, ledger, wanted
from digest.selecting.blocks import Wants
from digest.selecting.boards import Board
from digest.selecting.picking import MAX_LINES, Ints, Rows
from digest.selecting.plans import Plan, Reader, plans
from digest.selecting.standing import Standing
from digest.selecting.telling import NOTHING, Chosen
from digest.selecting.wanted import among
from subscriptions import schedule
from subscriptions.addresses import masked
from subscriptions.models import InterestLine, Subscriber

logger = logging.getLogger(__name__)

CHUNK = 500  # readers; a transaction of well under a second
REMEMBERED = 200  # words of a reader about papers, the latest; the taste of before fades by their number
PASSED_OVER_FOR = dt.timedelta(days=30)
LATE = dt.timedelta(days=1)  # after so long without a look, a mail carries the date of its sending


@dataclass(frozen=True, slots=True)
class Due:
    """A subscriber whose hour has come: the columns a chunk needs, without the rest of the row."""

    pk: int
    email: str
    frequency: str
    weekday: int
    hour: int
    time_zone: str
    max_papers: int
    trending_share: int
    paused_at: dt.datetime | None
    paused_until: dt.datetime | None
    next_digest_at: dt.datetime | None
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
        late = habits.gaps(now)
        readers = _claim(now, only, habits.patience(late))
        if not readers:
            return Selected()
        dates = _issue_dates(readers, now)
        have = set(_having_a_digest(readers, dates))
        new = [reader for reader in readers if reader.pk not in have]
        planned = plans(new, now)
        of_sources = _notices(new, late)
        rows = [
            ledger.Row(
                reader.pk, dates[reader.pk], one.picks, Digest.papers_text(one.papers),
                f"{plan.notice} {of_sources[reader.language]}".strip(), plan.is_catch_up,
            )
            for reader, plan, one in zip(new, planned, choose_all(new, planned, now), strict=True)
        ]  # fmt: skip
        mails = ledger.store(rows, now)
        ledger.set_due(_next_due(readers, now))
        caught_up = [reader.pk for reader in new if reader.paused_at]
        if caught_up:
            Subscriber.objects.filter(pk__in=caught_up).update(paused_at=None)
    for reader, row in zip(new, rows, strict=True):
        if not row.papers:
            logger.info("Nothing matched for %s: no mail.", masked(reader.email))
    return Selected(len(readers), mails)


def _notices(readers: Sequence[Due], late: list[habits.Gap]) -> dict[str, str]:
    """What mails say of late sources, by language."""
    said = {}
    for language in {reader.language for reader in readers}:
        with override(language):
            said[language] = habits.notice(late)
    return said


def _claim(now: dt.datetime, only: Subscriber | None, patience: dt.timedelta) -> list[Due]:
    due = Subscriber.objects.mailable(now).filter(pk=only.pk) if only else Subscriber.objects.due(now - patience)
    if connection.features.has_select_for_update_skip_locked:
        due = due.select_for_update(skip_locked=True)
    return [Due(*row) for row in due.values_list(*Due.__slots__)[:CHUNK]]


def _issue_dates(readers: Sequence[Due], now: dt.datetime) -> dict[int, dt.date]:
    """The reader's own date of the moment the mail was due; of now, when it is out of turn or a day late."""
    known: dict[tuple[dt.datetime | None, str], dt.date] = {}
    dates = {}
    for reader in readers:
        key = (reader.next_digest_at, reader.time_zone)
        if key not in known:
            in_turn = key[0] is not None and now - LATE < key[0] <= now
            known[key] = schedule.issue_date(key[0] if key[0] and in_turn else now, reader.time_zone)
        dates[reader.pk] = known[key]
    return dates


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
    rows = Digest.objects.filter(subscriber__in=among(list(dates)), issue_date__in=set(dates.values()))
    for subscriber_id, issue_date in rows.values_list("subscriber_id", "issue_date"):
        if dates[subscriber_id] == issue_date:
            yield subscriber_id


def choose(readers: Sequence[Reader], now: dt.datetime) -> dict[int, list[dict[str, Any]]]:
    """The picks of each reader (by id) at this moment. Reads only; the number of queries is fixed."""
    chosen = choose_all(readers, plans(readers, now), now)
    return {reader.pk: json.loads(one.picks) for reader, one in zip(readers, chosen, strict=True)}


def choose_all(
    readers: Sequence[Reader], planned: Sequence[Plan], now: dt.datetime, earlier: Q | None = None
) -> list[Chosen]:
    """What each reader gets, as the ledger stores it; those whose mails cover the same days together.

    What their digests held does not come again: all there are, or those that `earlier` finds.
    """
    chosen = [NOTHING] * len(readers)
    for days in sorted({plan.days for plan in planned}):
        which = [place for place, plan in enumerate(planned) if plan.days == days]
        some = [readers[place] for place in which]
        found = _of_days(some, [planned[place] for place in which], now, earlier or Q())
        for place, one in zip(which, found, strict=True):
            chosen[place] = one
    return chosen


def _of_days(readers: Sequence[Reader], planned: Sequence[Plan], now: dt.datetime, earlier: Q) -> list[Chosen]:
    board, standing = boards.at(now, planned[0].days)
    chosen = [NOTHING] * len(readers)
    if not len(board.ids):
        return chosen
    ids = [reader.pk for reader in readers]
    lines = wanted.lines_of(ids)
    had = _had(ids, board, earlier)
    words = said(readers, now)
    alone = {place for place, pk in enumerate(ids) if pk in words}
    alone |= set(np.flatnonzero(np.diff(lines.interests.ends) > MAX_LINES).tolist())
    many = np.array([place for place in range(len(ids)) if place not in alone], np.int64)
    for place, one in zip(many.tolist(), _together(readers, planned, many, lines, had, board, standing), strict=True):
        chosen[place] = one
    if alone:
        some = sorted(alone)
        sent = {ids[place]: set(board.ids[had[1][had[0] == place]].tolist()) for place in some}
        found = one_by_one([readers[place] for place in some], [planned[place] for place in some], now, sent, words)
        for place, picks in zip(some, found, strict=True):
            chosen[place] = Chosen(json.dumps(picks), [pick["paper"] for pick in picks])
    return chosen


def _together(
    readers: Sequence[Reader],
    planned: Sequence[Plan],
    which: Ints,
    lines: wanted.Lines,
    had: tuple[Ints, Ints],
    board: Board,
    standing: Standing,
) -> list[Chosen]:
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
    owners, papers = wanted.sent_to(readers, Digest.objects.filter(earlier, issue_date__gte=since))
    for pk, into in Paper.objects.filter(merged_into__in=among(board.ids.tolist())).values_list("pk", "merged_into"):
        papers[papers == pk] = into or pk
    columns, is_here = board.columns_of(papers)
    return owners[is_here], columns[is_here]


def one_by_one(
    readers: Sequence[Reader],
    planned: Sequence[Plan],
    now: dt.datetime,
    sent: Mapping[int, set[int]],
    words: Mapping[int, dict[int, float]],
) -> list[list[dict[str, Any]]]:
    """The picks of readers whose mails cover the same days, each ranked alone: for those who taught us their taste,
    and as the reference."""
    if not readers:
        return []
    lines, printed = _lines(readers)
    day = read_day({line.interest_id for of_one in lines.values() for line in of_one}, now, planned[0].days)
    known = corpus.at(day.candidates, now)
    day = replace(day, close=known.close(printed), twins=known.twins)
    typed = {pk: [line.typed for line in of_one if not line.is_mute] for pk, of_one in lines.items()}
    tastes: Mapping[int, Taste] = known.tastes(words, typed)
    chosen = []
    for reader, plan in zip(readers, planned, strict=True):
        wishes = Wishes(tuple(lines[reader.pk]), plan.max_papers, reader.trending_share, plan.overflow)
        chosen.append(rank(wishes, day, sent.get(reader.pk, ()), tastes.get(reader.pk)))
    return chosen


def _lines(readers: Sequence[Reader]) -> tuple[dict[int, list[Line]], dict[str, str]]:
    """The lines of each reader, and the printed form of each line that is no mute, by how it was typed."""
    lines: dict[int, list[Line]] = defaultdict(list)
    printed: dict[str, str] = {}
    rows = InterestLine.objects.filter(subscriber__in=[reader.pk for reader in readers])
    rows = rows.order_by("subscriber_id", "position")
    for reader_id, interest_id, typed, is_mute, is_pin, text in rows.values_list(
        "subscriber_id", "interest_id", "typed", "interest__is_mute", "interest__is_pin", "interest__text"
    ):
        lines[reader_id].append(Line(interest_id, typed, is_mute, is_prose(typed), is_pin))
        if not is_mute:
            printed[typed] = text
    return lines, printed


def said(readers: Sequence[Reader], now: dt.datetime) -> dict[int, dict[int, float]]:
    """What each reader said of papers and has not taken back, and what they passed over beside those.

    A digest without a word from its reader may not have been opened: what it held was not passed over.
    """
    words: dict[int, dict[int, float]] = defaultdict(dict)
    rows = Feedback.objects.filter(subscriber__in=among([one.pk for one in readers]), undone_at=None, at__lte=now)
    rows = rows.order_by("-at", "-pk")
    for reader_id, paper_id, kind in rows.values_list("subscriber_id", "paper_id", "kind"):
        if len(words[reader_id]) < REMEMBERED:
            words[reader_id].setdefault(paper_id, LESS if kind == Feedback.Kind.LESS else MORE)
    since = now.date() - PASSED_OVER_FOR
    digests = Digest.objects.filter(subscriber__in=list(words), issue_date__gte=since, created_at__lte=now)
    for reader_id, picks in digests.order_by("-issue_date", "-pk").values_list("subscriber_id", "picks"):
        held = [pick["paper"] for pick in picks]
        if any(words[reader_id].get(paper) for paper in held):
            for paper in held[: 2 * REMEMBERED - len(words[reader_id])]:
                words[reader_id].setdefault(paper, PASSED_OVER)
    return words


def read_day(interest_ids: Iterable[int], now: dt.datetime, days: int | None = None) -> Day:
    """The candidates of this moment, and the hits of these interests on them."""
    fresh = Paper.objects.fresh(now, days)
    hits: dict[int, list[Hit]] = defaultdict(list)
    rows = Match.objects.filter(interest__in=set(interest_ids), paper__in=fresh).order_by("interest_id", "paper_id")
    for interest_id, paper_id, weight, places in rows.values_list("interest_id", "paper_id", "weight", "places"):
        hits[interest_id].append(Hit(paper_id, weight, places))
    return Day(candidates(fresh), hits)


def candidates(fresh: PaperQuerySet) -> dict[int, Candidate]:
    """What ranking knows of these papers, by id."""
    listings = Listing.objects.filter(paper__in=fresh)
    ranks = dict(listings.values("paper").annotate(best=Min("rank")).values_list("paper", "best"))
    return {pk: Candidate(pk, upvotes, ranks.get(pk, 1)) for pk, upvotes in fresh.values_list("pk", "upvotes")}
