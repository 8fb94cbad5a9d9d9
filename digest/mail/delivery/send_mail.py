"""Chunk after chunk of mails: claim, then window after window compose, commit "sending", hand over, record."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import math
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django.conf import settings
from django.db import transaction

from digest.mail.delivery import circuit, claimed_mail, claims, rate_limits, record, send_control, worker_locks
from digest.mail.delivery.recover_unknown import settle
from digest.mail.delivery.shutdown import is_stopping
from digest.mail.messages import Order
from digest.mail.tracking import events
from digest.mail.transports import KeptWay, NoWay, Verdict, WayOut, way_out
from digest.models import Delivery, MailGate
from subscriptions.models import Subscriber
from subscriptions.outcomes.classify import Meaning, Outcome, Party

Status = Delivery.Status
Result = TypeVar("Result")
LONGEST_PAUSE = 2.0  # seconds a worker waits for its turn under a rate; for a longer wait it gives the chunk back
DOMAIN_WAIT = dt.timedelta(seconds=5)  # what a domain does not take at once is looked at again after so long
UNCOMPOSED = Meaning("could not be composed", Outcome.TEMPORARY, Party.MESSAGE, alarms=True)


def deliver_all(now: dt.datetime, only: Subscriber | None = None) -> Counter[str]:
    """Send what is ready, until nothing is or mail must wait. Counts by status."""
    settle(now)
    if only or not send_control.ask_first(now):
        return deliver_chunks(now, only)
    return Counter()


def deliver_chunks(
    now: dt.datetime,
    only: Subscriber | None = None,
    longest: float = math.inf,
    make_way: Callable[[], WayOut[Any]] = way_out,
) -> Counter[str]:
    """Send what is ready, chunk after chunk over the same connections, until nothing is, mail must wait or so many
    seconds have passed: after one chunk, when `longest` is 0. Counts by status.
    """
    total: Counter[str] = Counter()
    started, passed = time.monotonic(), 0.0
    with contextlib.closing(KeptWay(make_way)) as way:
        while counts := _deliver_chunk(now + dt.timedelta(seconds=passed), only, way):
            total += counts
            passed = time.monotonic() - started
            if counts[Status.WAITING] or passed >= longest:
                break
    return total


def ready_count(now: dt.datetime, helpers: int) -> int:
    """How many mails so many helpers could take now, were there enough; 1 while the server may only be tried."""
    row = MailGate.load()
    if not send_control.may_claim(row, now):
        return 0
    return Delivery.objects.ready(now)[: 1 if row.is_open else helpers * settings.MAIL_CHUNK].count()


def _deliver_chunk(now: dt.datetime, only: Subscriber | None, way: KeptWay) -> Counter[str]:
    """Claim and send at most MAIL_CHUNK mails. Counts by status; empty: nothing was ready, or mail must wait."""
    row = MailGate.load()
    if not send_control.may_claim(row, now):
        return Counter()
    if row.is_open and not (Delivery.objects.ready(now).exists() and circuit.begin_trial(row, now)):
        return Counter()
    name = claims.new_claim()
    with worker_locks.holding(name):
        with transaction.atomic():
            limit = 1 if row.is_open else settings.MAIL_CHUNK
            left = rate_limits.left_of_warm_up(now)
            ids = claims.claim(now, name, limit if left is None else min(limit, left), only)
        return Chunk(ids, name, now, row, way).deliver() if ids else Counter()


class Chunk:
    """Mails of one claim on their way out; `gate` is the row as it was when they were claimed."""

    def __init__(self, ids: Sequence[int], claim: int, now: dt.datetime, gate: MailGate, way: KeptWay) -> None:
        self.queue, self.claim, self.now, self.gate, self.kept = deque(ids), claim, now, gate, way
        self.counts: Counter[str] = Counter()
        self._read: dict[int, Order | None] = {}  # ahead of their window; None: not ours, or not to be mailed
        self._read_at = float("-inf")
        self._put_off: list[int] = []  # their domain takes no more at once
        self._started = time.monotonic()
        self._is_held = False  # mail must wait
        self._streak = 0  # failures in a row that count against the server
        self._has_taken = False

    def deliver(self) -> Counter[str]:
        """To the end of the queue, or to where mail must wait; what is left is given back."""
        try:
            self.way = self.kept.open()
            while self.queue and self._may_go_on():
                self._send_window()
        except NoWay as error:
            circuit.trip(self.gate, self._moment(), str(error), error.wait)
        finally:
            self._give_back()
        return +self.counts

    def _give_back(self) -> None:
        if self.queue:
            self.counts[Status.WAITING] += self._insist(lambda: claims.give_back(self.queue, self.claim))
        if self._put_off:
            later = self._moment() + DOMAIN_WAIT
            self._insist(lambda: claims.give_back(self._put_off, self.claim, later))

    def _moment(self) -> dt.datetime:
        """The time of the chunk's beginning and what has passed since: no clock set meanwhile comes into it."""
        return self.now + dt.timedelta(seconds=time.monotonic() - self._started)

    def _insist(self, work: Callable[[], Result]) -> Result:
        return record.insist(work, lambda: worker_locks.take(self.claim))

    def _may_go_on(self) -> bool:
        """Asked before each window. A slow server takes too long."""
        is_late = time.monotonic() - self._started > settings.MAIL_LEASE.total_seconds() / 2
        return not (self._is_held or is_late or is_stopping())

    def _send_window(self) -> None:
        rows = self._next_rows()
        mails = self.way.compose(rows, self.now)
        is_trial = self.gate.is_open
        marked = claims.mark_sending([row for row in rows if row.key in mails], self.claim, is_trial)
        if not marked and send_control.is_held(is_trial):  # others have paused the run, or met a dead server
            self.queue.extendleft(row.key for row in reversed(rows))
            self._is_held = True
            return
        self._put_back(rows, mails, marked)
        left = {row.key: row for row in marked}
        taken: list[Verdict] = []
        last: Verdict | None = None
        try:
            for last in self.way.send((row.key, mails[row.key]) for row in marked):
                row = left.pop(last.key)
                if last.meaning is None:
                    taken.append(last)
                    self._took()
                else:
                    self._record_failure(row, last)
        finally:
            self._insist(lambda: record.record_sent(taken, self.claim, self.now))
            self.counts[Status.SENT] += len(taken)
        if left:
            self._insist(lambda: claims.unmark(left, self.claim))
            self.queue.extendleft(reversed(left))
        self._judge(last)

    def _next_rows(self) -> list[Order]:
        """The next window: still ours, may be mailed, within the rates."""
        ids = [self.queue.popleft() for _ in range(min(settings.MAIL_WINDOW, len(self.queue)))]
        if time.monotonic() - self._read_at > claimed_mail.GOOD_FOR or not self._read.keys() >= set(ids):
            self._read_ahead(ids)
        rows = [row for pk in ids if (row := self._read[pk])]
        rows, later = claims.at_once(rows)
        self.queue.extend(row.key for row in later)
        may, wait = rate_limits.take(len(rows), self._moment())
        self.queue.extendleft(row.key for row in reversed(rows[may:]))
        if wait > LONGEST_PAUSE:
            self._is_held = True
        elif wait:
            time.sleep(wait)
        return rows[:may]

    def _read_ahead(self, ids: list[int]) -> None:
        """Read these and some that come next: one query for several windows. Who may not be mailed is put down so."""
        ids = ids + list(itertools.islice(self.queue, max(0, claimed_mail.AHEAD - len(ids))))
        found, gone = claimed_mail.read(ids, self.claim, self.now)
        self._read_at = time.monotonic()
        self._read = dict.fromkeys(ids) | found
        if gone:
            record.record_rejected(gone, self.claim)
            self.counts[Status.REJECTED] += len(gone)

    def _put_back(self, rows: Sequence[Order], mails: dict[int, Any], marked: Sequence[Order]) -> None:
        """What could not be composed is tried later; what its domain does not take at once, after the others."""
        if len(marked) == len(rows):
            return
        under_way = {row.key for row in marked}
        for row in rows:
            if row.key not in mails:
                text = "The mail could not be composed; the worker's log says why."
                self._record_failure(row, Verdict(row.key, UNCOMPOSED, text))
            elif row.key not in under_way and marked:
                self.queue.append(row.key)
            elif row.key not in under_way:
                self._put_off.append(row.key)

    def _took(self) -> None:
        if self.gate.is_open and not self._has_taken:
            circuit.close(self.now)
        self._has_taken = True
        self.kept.taken += 1
        self._streak = 0

    def _record_failure(self, row: Order, verdict: Verdict) -> None:
        meaning = verdict.meaning
        assert meaning is not None
        if meaning.outcome is Outcome.NO_SERVER and not self.kept.taken:
            self._insist(lambda: record.record_no_server(row, verdict, self.claim, self.now))
            self.counts[Status.WAITING] += 1
        else:
            self.counts[self._insist(lambda: record.record_failure(row, verdict, self.claim, self.now))] += 1
        if meaning.suppresses or meaning.points:
            self._insist(lambda: self._tell_of_refusal(row, meaning))
        if meaning.counts_against_server:
            self._streak += 1
        elif verdict.meaning is not UNCOMPOSED and self.gate.is_open:
            circuit.close(self.now)  # it speaks of the reader, so it is there

    def _tell_of_refusal(self, row: Order, meaning: Meaning) -> None:
        for reader in Subscriber.objects.filter(digests__delivery=row.key):  # none: erased since
            events.refused(reader, meaning, self.now)

    def _judge(self, last: Verdict | None) -> None:
        """After a window: is it the server? Then all wait. Is it this connection? Then on over another."""
        meaning = last.meaning if last else None
        if last is None or meaning is None or not meaning.counts_against_server:
            return
        # A server that closes after so many mails a connection is not down.
        is_closing = meaning.outcome is Outcome.NO_SERVER and meaning.party is Party.SERVER
        is_down = meaning.opens_circuit and not (is_closing and self.kept.taken)
        if is_down or self.gate.is_open or self._streak >= circuit.STREAK:
            raise NoWay(last.text, meaning.wait)
        if last.ends_connection:
            self.kept.close()
            self.way = self.kept.open()
