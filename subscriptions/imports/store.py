"""What becomes of checked rows: subscribers, suppressions, or nothing. A few queries for hundreds of rows."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

from django.db import connection, transaction
from django.db.models import DateTimeField, Model

from subscriptions import addresses, notice_limits, schedule
from subscriptions.imports import values
from subscriptions.imports.sheet import Row, Sheet
from subscriptions.interests import canonical
from subscriptions.interests.language import Node
from subscriptions.interests.parser import parse
from subscriptions.models import Consent, Interest, InterestLine, SignupHour, Subscriber, Suppression

CHUNK = 500
PAGE = "import"  # what the proof of consent names as its origin
WORDING = "Imported by the operator, who states that they hold this subscriber's consent."

Status, Reason = Subscriber.Status, Suppression.Reason
REASONS = {
    Status.UNSUBSCRIBED: Reason.LEFT,
    Status.BOUNCED: Reason.BOUNCED,
    Status.COMPLAINED: Reason.COMPLAINED,
}


class Outcome(StrEnum):
    """What becomes of a row."""

    ACTIVE = "active"  # new, and mailed from the next day on
    PENDING = "pending"  # new, and asked to confirm
    KNOWN = "known"
    SUPPRESSED = "suppressed"  # here, before
    STOPPED = "stopped"  # left or bounced there: suppressed now
    NEVER = "never"  # never subscribed there


@dataclass(frozen=True, slots=True)
class Decision:
    row: Row
    outcome: Outcome
    subscriber: int | None = None  # the key of one who is here by import alone, and left there since


def store(sheet: Sheet, now: dt.datetime, *, confirmed: bool, dry_run: bool = False) -> Iterator[list[Decision]]:
    """Store the rows of a sheet a chunk at a time, yielding what became of each. Belongs in a transaction."""
    rows = list(sheet.rows.values())
    for start in range(0, len(rows), CHUNK):
        decisions = decide(rows[start : start + CHUNK], confirmed=confirmed)
        if not dry_run:
            with transaction.atomic():
                _suppress([one for one in decisions if one.outcome is Outcome.STOPPED], now)
                _subscribe([one for one in decisions if one.outcome in (Outcome.ACTIVE, Outcome.PENDING)], sheet, now)
        yield decisions


def counted(decisions: Sequence[Decision]) -> Counter[str]:
    return Counter(str(one.outcome) for one in decisions)


def decide(rows: Sequence[Row], *, confirmed: bool) -> list[Decision]:
    """Return what becomes of each row; nothing is stored."""
    keys = [addresses.key(row.address) for row in rows]
    known = dict(Subscriber.objects.filter(email_key__in=keys).values_list("email_key", "pk"))
    suppressed = Suppression.objects.among(row.address for row in rows)
    stopped = [known[key] for key, row in zip(keys, rows, strict=True) if row.has_stopped and key in known]
    theirs = _confirmed_here(stopped) if stopped else set()
    return [
        _decision(row, known.get(key), row.address in suppressed, theirs, confirmed=confirmed)
        for key, row in zip(keys, rows, strict=True)
    ]


def _decision(row: Row, pk: int | None, is_suppressed: bool, theirs: set[int], *, confirmed: bool) -> Decision:
    if row.has_stopped:
        if pk in theirs:
            return Decision(row, Outcome.KNOWN)
        if is_suppressed and row.status != Status.COMPLAINED:
            return Decision(row, Outcome.SUPPRESSED)
        return Decision(row, Outcome.STOPPED, pk)
    if is_suppressed:
        return Decision(row, Outcome.SUPPRESSED)
    if pk is not None:
        return Decision(row, Outcome.KNOWN)
    if row.status == values.NEVER:
        return Decision(row, Outcome.NEVER)
    # An export's pending rows are people who never said yes: nobody holds their consent.
    return Decision(row, Outcome.ACTIVE if confirmed and row.status != Status.PENDING else Outcome.PENDING)


def _confirmed_here(pks: Sequence[int]) -> set[int]:
    """Return those who confirmed here themselves: what they do elsewhere does not end that."""
    own = Consent.objects.filter(kind=Consent.Kind.CONFIRMED, origin=Consent.Origin.SUBSCRIBER)
    return set(own.filter(subscriber__in=pks).values_list("subscriber", flat=True))


def _suppress(decisions: Sequence[Decision], now: dt.datetime) -> None:
    """Suppress who left or bounced there, and stop who was imported before that."""
    Suppression.objects.add_many({one.row.address: REASONS[Status(one.row.status)] for one in decisions}, now)
    for one in decisions:
        if one.subscriber is not None:
            Subscriber.objects.get(pk=one.subscriber).stop(Status(one.row.status), now)


def _subscribe(decisions: Sequence[Decision], sheet: Sheet, now: dt.datetime) -> None:
    """Store new subscribers with their lines and consents, and owe confirmations to those who must confirm."""
    if not decisions:
        return
    asked = [one.row.address for one in decisions if one.outcome is Outcome.PENDING]
    may_confirm = notice_limits.may_confirm_each(asked, now)
    made = {one.row.address: _subscriber(one, one.row.address in may_confirm, now) for one in decisions}
    Subscriber.objects.bulk_create(made.values(), ignore_conflicts=True)  # somebody may sign up at this moment
    codes = {subscriber.code: one for one, subscriber in zip(decisions, made.values(), strict=True)}
    stored = dict(Subscriber.objects.filter(code__in=codes).values_list("code", "pk"))
    rows = {pk: codes[code] for code, pk in stored.items()}
    _add_lines(rows)
    moment = DateTimeField().get_db_prep_save(now, connection)
    _insert(Consent, CONSENT, [consent for pk, one in rows.items() for consent in _consents(pk, one, sheet, moment)])
    if may_confirm:
        SignupHour.objects.add(now, confirmations=len(may_confirm))


def _subscriber(decision: Decision, may_confirm: bool, now: dt.datetime) -> Subscriber:
    subscriber = Subscriber.objects.at_address(decision.row.address)
    decision.row.settings.write_to(subscriber)
    if decision.outcome is Outcome.ACTIVE:
        subscriber.status, subscriber.confirmed_at, subscriber.confirm_version = Status.ACTIVE, now, 1
        settings = decision.row.settings
        days = schedule.due_days(settings.frequency, settings.weekday)
        subscriber.next_digest_at = _next_due(now, settings.time_zone, days, settings.hour)
    elif may_confirm:
        subscriber.notice = Subscriber.Notice.CONFIRM
    return subscriber


@lru_cache(maxsize=4096)
def _next_due(now: dt.datetime, zone: str, days: frozenset[int], hour: int) -> dt.datetime:
    return schedule.next_due(now, zone=zone, days=days, hour=hour)


def _add_lines(rows: dict[int, Decision]) -> None:
    """Store the interests of these subscribers, by their keys, and have those of active ones matched."""
    keys = {line: _keyed(line) for one in rows.values() for line in one.row.interests.split("\n")}
    interests = Interest.objects.take(dict(keys.values()).values())
    of_line = {line: interests[key].pk for line, (key, _) in keys.items()}
    lines: list[tuple[object, ...]] = []
    wanted: set[int] = set()
    for pk, one in rows.items():
        mine: dict[int, str] = {}
        for line in one.row.interests.split("\n"):
            mine.setdefault(of_line[line], line)
        lines += [(pk, interest, line, place) for place, (interest, line) in enumerate(mine.items())]
        if one.outcome is Outcome.ACTIVE:
            wanted.update(mine)
    _insert(InterestLine, ("subscriber_id", "interest_id", "typed", "position"), lines)
    Interest.objects.want(wanted)


@lru_cache(maxsize=16_384)  # many want the same
def _keyed(line: str) -> tuple[str, Node]:
    node = parse(line)
    return canonical.key(node), node


def _insert(model: type[Model], columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows: by COPY where the database knows it. bulk_create takes three times as long."""
    table, names = model._meta.db_table, ", ".join(columns)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        return
    one = f"({', '.join(['%s'] * len(columns))})"
    start = f"INSERT INTO {table} ({names}) VALUES "  # noqa: S608
    with connection.cursor() as cursor:
        for first in range(0, len(rows), CHUNK):
            some = rows[first : first + CHUNK]
            cursor.execute(start + ", ".join([one] * len(some)), [value for row in some for value in row])


CONSENT = ("subscriber_id", "kind", "at", "page", "origin", "wording")


def _consents(pk: int, decision: Decision, sheet: Sheet, moment: object) -> Iterator[tuple[object, ...]]:
    """What proves consent: that the operator imported the row, from which service, and what that says of the day."""
    wording = WORDING
    if sheet.service:
        day = f" since {decision.row.since}" if decision.row.since else ""
        wording += f" Subscribed at {sheet.service}{day}."
    elif decision.row.since:
        wording += f" Subscribed since {decision.row.since}."
    kinds = [Consent.Kind.REQUESTED.value]
    if decision.outcome is Outcome.ACTIVE:
        kinds.append(Consent.Kind.CONFIRMED.value)
    for kind in kinds:
        yield pk, kind, moment, PAGE, Consent.Origin.STAFF.value, wording
