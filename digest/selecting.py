"""Due readers -> digests, a chunk at a time. One transaction a chunk: claim, choose, store, set the next date.

A worker that dies in the middle leaves nothing behind and the readers still due; two workers never take the
same reader (SKIP LOCKED on PostgreSQL; SQLite has one writer).
"""

from __future__ import annotations

import datetime as dt
import logging
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection, transaction
from django.db.models import Min

from digest import corpus
from digest.closeness import is_prose
from digest.ingest import habits
from digest.models import Delivery, Digest, Feedback, Listing, Match, Paper
from digest.models.papers import PaperQuerySet
from digest.ranking import Candidate, Day, Hit, Line, Wishes, rank
from digest.taste import LESS, MORE, PASSED_OVER
from subscriptions import schedule
from subscriptions.addresses import masked
from subscriptions.models import InterestLine, Subscriber

logger = logging.getLogger(__name__)

CHUNK = 200  # readers; a transaction of well under a second
REMEMBERED = 200  # words of a reader about papers, the latest; the taste of before fades by their number
PASSED_OVER_FOR = dt.timedelta(days=30)
LATE = dt.timedelta(days=1)  # after so long without a look, a mail carries the date of its sending


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
        chosen = choose(readers, now)
        dates = {reader.pk: _issue_date(reader, now) for reader in readers}
        have = set(_having_a_digest(readers, dates))
        digests = [
            Digest(
                subscriber=reader,
                issue_date=dates[reader.pk],
                created_at=now,
                picks=chosen[reader.pk],
                notice=habits.notice(late),
            )
            for reader in readers
            if reader.pk not in have
        ]
        Digest.objects.bulk_create(digests)
        deliveries = [Delivery(digest=digest, not_before=now) for digest in digests if digest.picks]
        Delivery.objects.bulk_create(deliveries)
        for reader in readers:
            reader.next_digest_at = reader.choose_next_digest_at(now)
        Subscriber.objects.bulk_update(readers, ["next_digest_at"])
    for digest in digests:
        if not digest.picks:
            logger.info("Nothing matched for %s: no mail.", masked(digest.subscriber.email))
    return Selected(len(readers), len(deliveries))


def _claim(now: dt.datetime, only: Subscriber | None, patience: dt.timedelta) -> list[Subscriber]:
    due = Subscriber.objects.mailable(now).filter(pk=only.pk) if only else Subscriber.objects.due(now - patience)
    if connection.features.has_select_for_update_skip_locked:
        due = due.select_for_update(skip_locked=True)
    return list(due[:CHUNK])


def _issue_date(reader: Subscriber, now: dt.datetime) -> dt.date:
    """The reader's own date of the moment the mail was due; of now, when it is out of turn or a day late."""
    due_at = reader.next_digest_at
    in_turn = due_at is not None and now - LATE < due_at <= now
    return schedule.issue_date(due_at if due_at and in_turn else now, reader.time_zone)


def _having_a_digest(readers: list[Subscriber], dates: dict[int, dt.date]) -> Iterable[int]:
    rows = Digest.objects.filter(subscriber__in=readers, issue_date__in=set(dates.values()))
    for subscriber_id, issue_date in rows.values_list("subscriber_id", "issue_date"):
        if dates[subscriber_id] == issue_date:
            yield subscriber_id


def choose(readers: list[Subscriber], now: dt.datetime) -> dict[int, list[dict[str, Any]]]:
    """The picks of each reader (by id) at this moment. Reads only; the number of queries is fixed."""
    lines, printed = _lines(readers)
    day = read_day({line.interest_id for of_one in lines.values() for line in of_one}, now)
    known = corpus.at(day.candidates, now)
    day = replace(day, close=known.close(printed), twins=known.twins)
    sent = _already_sent(readers, day)
    typed = {pk: [line.typed for line in of_one if not line.is_mute] for pk, of_one in lines.items()}
    tastes = known.tastes(said(readers, now), typed)
    chosen = {}
    for reader in readers:
        wishes = Wishes(tuple(lines[reader.pk]), reader.max_papers, reader.trending_share)
        chosen[reader.pk] = rank(wishes, day, sent[reader.pk], tastes.get(reader.pk))
    return chosen


def _lines(readers: list[Subscriber]) -> tuple[dict[int, list[Line]], dict[str, str]]:
    """The lines of each reader, and the printed form of each line that is no mute, by how it was typed."""
    lines: dict[int, list[Line]] = defaultdict(list)
    printed: dict[str, str] = {}
    rows = InterestLine.objects.filter(subscriber__in=readers).order_by("subscriber_id", "position")
    for reader_id, interest_id, typed, is_mute, is_pin, text in rows.values_list(
        "subscriber_id", "interest_id", "typed", "interest__is_mute", "interest__is_pin", "interest__text"
    ):
        lines[reader_id].append(Line(interest_id, typed, is_mute, is_prose(typed), is_pin))
        if not is_mute:
            printed[typed] = text
    return lines, printed


def said(readers: list[Subscriber], now: dt.datetime) -> dict[int, dict[int, float]]:
    """What each reader said of papers and has not taken back, and what they passed over beside those.

    A digest without a word from its reader may not have been opened: what it held was not passed over.
    """
    words: dict[int, dict[int, float]] = defaultdict(dict)
    rows = Feedback.objects.filter(subscriber__in=readers, undone_at=None, at__lte=now).order_by("-at", "-pk")
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


def read_day(interest_ids: Iterable[int], now: dt.datetime) -> Day:
    """The candidates of this moment, and the hits of these interests on them."""
    fresh = Paper.objects.fresh(now)
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


def _already_sent(readers: list[Subscriber], day: Day) -> dict[int, set[int]]:
    """The candidates that each reader's earlier digests held."""
    sent: dict[int, set[int]] = {reader.pk: set() for reader in readers}
    # No digest can hold a paper from before we first saw it or its list: older ones need not be read.
    oldest = Paper.objects.filter(pk__in=day.candidates).aggregate(
        seen=Min("first_seen_at"), listed=Min("first_listed_on")
    )
    if not oldest["seen"]:
        return sent
    since = min(oldest["seen"].date(), oldest["listed"]) - dt.timedelta(days=1)
    merged = Paper.objects.filter(merged_into__in=day.candidates)
    now_known_as = {pk: into for pk, into in merged.values_list("pk", "merged_into") if into}
    rows = Digest.objects.filter(subscriber__in=readers, issue_date__gte=since)
    for subscriber_id, picks in rows.values_list("subscriber_id", "picks"):
        sent[subscriber_id].update(now_known_as.get(pick["paper"], pick["paper"]) for pick in picks)
    return sent
