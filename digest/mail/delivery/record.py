"""What became of mails, into rows: one UPDATE for all that a window had taken, exceptions one by one."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import orjson
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction

from digest.mail.delivery.claimed_mail import numbers
from digest.mail.messages import Order
from digest.mail.transports import Verdict
from digest.models import Delivery
from digest.models.digests import LATEST_BY
from subscriptions.outcomes.classify import Outcome

logger = logging.getLogger(__name__)

Status = Delivery.Status
Result = TypeVar("Result")

RETRIED = "retried"  # beside the statuses, in the counts of a chunk: it waits for its next try
PATIENCE = 60.0  # seconds, or half a lease: by then a database that restarts must be back, or outcomes are forgotten
# The mails of a window and the day's count in one statement, so that neither is there without the other. An event of
# the provider's may have come first: its status is not overwritten.
SENT_ON_POSTGRES = """
    WITH done AS (
        UPDATE digest_delivery
        SET status = CASE WHEN status = 'sending' THEN 'sent' ELSE status END,
            message_id = given.message_id, sent_at = %(now)s, error = '', claimed_until = NULL, claim = NULL
        FROM json_to_recordset(%(given)s) AS given (pk bigint, message_id text)
        WHERE digest_delivery.id IN ({ids}) -- the same as below, but so that no table is read whole
            AND digest_delivery.id = given.pk AND digest_delivery.claim = %(claim)s
        RETURNING 1
    )
    INSERT INTO digest_mailday AS today (day, sent) SELECT %(day)s, count(*) FROM done
    ON CONFLICT (day) DO UPDATE SET sent = today.sent + EXCLUDED.sent
"""
SENT_ON_SQLITE = """
    UPDATE digest_delivery
    SET status = CASE WHEN status = 'sending' THEN 'sent' ELSE status END,
        message_id = %s, sent_at = %s, error = '', claimed_until = NULL, claim = NULL
    WHERE id = %s AND claim = %s
"""
COUNTED_ON_SQLITE = """
    INSERT INTO digest_mailday (day, sent) VALUES (%s, %s) ON CONFLICT (day) DO UPDATE SET sent = sent + EXCLUDED.sent
"""


def insist(work: Callable[[], Result], again: Callable[[], None] | None = None) -> Result:
    """Do the work, again and again while the database restarts; `again` is called on each new connection.

    An outcome that is known must not be forgotten because of it. Raises what the database says when patience ends,
    and at once inside a transaction, which cannot be taken up again.
    """
    deadline = time.monotonic() + max(PATIENCE, settings.MAIL_LEASE.total_seconds() / 2)
    while True:
        try:
            return work()
        except (OperationalError, InterfaceError):
            if connection.in_atomic_block or time.monotonic() > deadline:
                raise
            logger.warning("The database went away; trying again to record what was sent.")
        while True:
            time.sleep(0.2)
            connection.close()
            try:
                if again:
                    again()
                break
            except (OperationalError, InterfaceError):
                if time.monotonic() > deadline:
                    raise


def record_sent(verdicts: Sequence[Verdict], claim: int, now: dt.datetime) -> None:
    """All of a window that were taken, and the day's count of them."""
    if not verdicts:
        return
    if connection.vendor == "postgresql":
        given = [{"pk": verdict.key, "message_id": verdict.message_id[:255]} for verdict in verdicts]
        values: dict[str, Any] = {
            "given": orjson.dumps(given).decode(), "claim": claim, "now": now, "day": now.date(),
        }  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute(SENT_ON_POSTGRES.format(ids=numbers(verdict.key for verdict in verdicts)), values)
        return
    moment = connection.ops.adapt_datetimefield_value(now)
    with transaction.atomic(), connection.cursor() as cursor:
        rows = [(verdict.message_id[:255], moment, verdict.key, claim) for verdict in verdicts]
        cursor.executemany(SENT_ON_SQLITE, rows)
        cursor.execute(COUNTED_ON_SQLITE, [now.date().isoformat(), cursor.rowcount])


def record_failure(row: Order, verdict: Verdict, claim: int, now: dt.datetime) -> str:
    """One that was not taken, or of which nobody knows. Returns its new status, or RETRIED."""
    meaning = verdict.meaning
    assert meaning is not None
    attempts = row.attempts + 1
    if meaning.outcome is Outcome.UNKNOWN:
        return _doubtful(row, verdict.text, claim, now)
    if meaning.may_retry and attempts <= len(settings.MAIL_BACKOFF):
        wait = backoff(row.key, attempts, meaning.wait)
        _update(row, claim, status=Status.WAITING, not_before=now + wait, error=verdict.text)
        return RETRIED
    _update(row, claim, status=Status.FAILED, error=verdict.text)
    return str(Status.FAILED)


def _doubtful(row: Order, text: str, claim: int, now: dt.datetime) -> str:
    """The server may or may not have it. Once more under the same Message-ID, or held: as set."""
    if settings.UNKNOWN_DELIVERIES == "resend" and not row.doubts:
        wait = backoff(row.key, 1)
        _update(row, claim, status=Status.WAITING, was_resent=True, doubts=1, not_before=now + wait, error=text)
        return RETRIED
    _update(row, claim, status=Status.UNKNOWN, error=text)
    return str(Status.UNKNOWN)


def record_no_server(row: Order, verdict: Verdict, claim: int, now: dt.datetime) -> None:
    """The server took nothing at all: the try does not count. Another mail tries next, in case this one is why."""
    _update(row, claim, status=Status.WAITING, attempts=row.attempts, not_before=now + backoff(row.key, 1),
            error=verdict.text)  # fmt: skip


def record_rejected(pks: Sequence[int], claim: int) -> None:
    """Those that may not be mailed any more."""
    why = "the reader left, paused or was suppressed before it was sent"
    ours = Delivery.objects.filter(pk__in=pks, status=Status.WAITING, claim=claim)
    ours.update(status=Status.REJECTED, error=why, claimed_until=None, claim=None)


def _update(row: Order, claim: int, **values: object) -> None:
    rows = Delivery.objects.filter(pk=row.key, status__in=[Status.SENDING, Status.WAITING], claim=claim)
    rows.update(claimed_until=None, claim=None, **values)


def backoff(pk: int, attempts: int, least: dt.timedelta | None = None) -> dt.timedelta:
    """Longer each time, never longer than the last of MAIL_BACKOFF, whatever a server asks for; a little apart from
    each other, the same for the same row.
    """
    jitter = 1 + (pk * 2_654_435_761 % 1000) / 1000 * (LATEST_BY - 1)
    steps = settings.MAIL_BACKOFF
    wait: dt.timedelta = max(steps[min(attempts, len(steps)) - 1], min(least or dt.timedelta(0), steps[-1]))
    return wait * jitter
