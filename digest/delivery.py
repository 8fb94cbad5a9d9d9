"""Claim, send, record, settle: the promise of delivery.

A delivery goes waiting -> sending -> sent. "sending" is committed before its bytes leave, the outcome
after. A worker that dies leaves claimed rows, taken up again when the lease ends, and at most WINDOW rows
in "sending", which `settle` sends once more under the same Message-ID or holds for the operator.
"""

from __future__ import annotations

import datetime as dt
import logging
import smtplib
from collections import Counter
from collections.abc import Iterable

from django.conf import settings
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection, transaction
from django.db.models import F

from digest.composing import compose, message_id
from digest.models import Delivery
from subscriptions import outcomes
from subscriptions.models import Subscriber, Suppression
from subscriptions.outcomes import Outcome

logger = logging.getLogger(__name__)

CHUNK = 50  # mails a claim
WINDOW = 5  # mails marked "sending" at a time: the most a killed worker leaves in doubt
# Longer than a whole chunk takes when each mail runs into the server's time-out.
LEASE = dt.timedelta(minutes=30)
MAX_ATTEMPTS = 6
BACKOFF = tuple(dt.timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240))
SERVER_PAUSE = dt.timedelta(minutes=1)

Status = Delivery.Status


class ServerDown(Exception):
    """The mail server takes nothing now: the rest of the chunk waits."""


def deliver_all(now: dt.datetime, only: Subscriber | None = None) -> Counter[str]:
    """Send what is ready, chunk after chunk, until nothing is or the server is down. Counts by status."""
    settle(now)
    total: Counter[str] = Counter()
    while counts := deliver_chunk(now, only):
        total += counts
        if counts[Status.WAITING]:
            break
    return total


def deliver_chunk(now: dt.datetime, only: Subscriber | None = None) -> Counter[str]:
    """Claim and send at most CHUNK mails over one connection. Counts by status; empty: nothing was ready."""
    claimed = _claim(now, only)
    counts: Counter[str] = Counter()
    if not claimed:
        return counts
    backend = get_connection()
    try:
        backend.open()
        for start in range(0, len(claimed), WINDOW):
            counts += _send_window(claimed[start : start + WINDOW], backend, now)
    except (OSError, smtplib.SMTPException, ServerDown) as error:
        left = _give_back(claimed, now, str(error))
        counts[Status.WAITING] += left
        logger.warning("The mail server cannot be used (%s): %d mails wait.", error, left)
    finally:
        _close(backend)
    return counts


def _claim(now: dt.datetime, only: Subscriber | None) -> list[int]:
    """Take a lease on mails that are ready; two workers never get the same one."""
    with transaction.atomic():
        ready = Delivery.objects.ready(now)
        if only:
            ready = ready.filter(digest__subscriber=only)
        if connection.features.has_select_for_update_skip_locked:
            ready = ready.select_for_update(skip_locked=True)
        ids = list(ready.values_list("pk", flat=True)[:CHUNK])
        Delivery.objects.filter(pk__in=ids).update(claimed_until=now + LEASE)
    return ids


def _send_window(ids: Iterable[int], backend: BaseEmailBackend, now: dt.datetime) -> Counter[str]:
    """Compose, commit "sending", send, commit what became of each."""
    counts: Counter[str] = Counter()
    messages = []
    ours = _still_ours(ids, now)
    suppressed = Suppression.objects.among(delivery.digest.subscriber.email for delivery in ours)
    for delivery in ours:
        if _may_mail(delivery.digest.subscriber, suppressed, now):
            messages.append((delivery, compose(delivery.digest, now)))
        else:
            _record(delivery, Status.REJECTED, now, "the reader left, paused or was suppressed before it was sent")
            counts[Status.REJECTED] += 1
    pks = [delivery.pk for delivery, _ in messages]
    Delivery.objects.filter(pk__in=pks).update(status=Status.SENDING, attempts=F("attempts") + 1)
    handed_over = 0
    try:
        for delivery, message in messages:
            handed_over += 1
            status = _send(delivery, message, backend, now)
            counts[status] += 1
    finally:
        # What was never handed over is not in doubt: it waits.
        untouched = [delivery.pk for delivery, _ in messages[handed_over:]]
        Delivery.objects.filter(pk__in=untouched).update(status=Status.WAITING, attempts=F("attempts") - 1)
    return counts


def _still_ours(ids: Iterable[int], now: dt.datetime) -> list[Delivery]:
    rows = Delivery.objects.filter(pk__in=list(ids), status=Status.WAITING, claimed_until=now + LEASE)
    return list(rows.select_related("digest__subscriber").order_by("not_before", "pk"))


def _may_mail(reader: Subscriber, suppressed: set[str], now: dt.datetime) -> bool:
    """Asked again just before sending: a reader may have left since."""
    is_mailable = reader.status == Subscriber.Status.ACTIVE and not reader.is_paused(now)
    return is_mailable and reader.email not in suppressed


def _send(delivery: Delivery, message: object, backend: BaseEmailBackend, now: dt.datetime) -> str:
    """Hand one mail over and record what became of it. Raises ServerDown when no other would get through."""
    try:
        backend.send_messages([message])  # type: ignore[list-item]
    except Exception as error:
        return _failed(delivery, error, backend, now)
    status = getattr(message, "anymail_status", None)
    found = status.message_id if status and isinstance(status.message_id, str) else message_id(delivery.digest)
    _record(delivery, Status.SENT, now, message_id=found)
    return Status.SENT


def _failed(delivery: Delivery, error: Exception, backend: BaseEmailBackend, now: dt.datetime) -> str:
    outcome, text = outcomes.of(error), outcomes.text_of(error)
    delivery.attempts += 1
    if outcome is Outcome.NO_SERVER:
        # It refused before taking the mail: this one waits with the rest, and the try does not count.
        Delivery.objects.filter(pk=delivery.pk).update(status=Status.WAITING, attempts=F("attempts") - 1, error=text)
        raise ServerDown(text)
    if outcome is Outcome.UNKNOWN:
        _close(backend)
        status = _doubtful(delivery, text, now)
        backend.open()
        return status
    if outcome is Outcome.TEMPORARY and delivery.attempts < MAX_ATTEMPTS:
        _wait(delivery, text, now)
        return "retried"
    _record(delivery, Status.FAILED, now, text)
    return Status.FAILED


def _wait(delivery: Delivery, text: str, now: dt.datetime) -> None:
    """Back to waiting, for longer each time; a little apart from each other, the same for the same row."""
    jitter = 1 + (delivery.pk * 2_654_435_761 % 1000) / 4000
    wait = BACKOFF[min(delivery.attempts, len(BACKOFF)) - 1] * jitter
    Delivery.objects.filter(pk=delivery.pk).update(
        status=Status.WAITING, claimed_until=None, not_before=now + wait, error=text
    )


def _doubtful(delivery: Delivery, text: str, now: dt.datetime) -> str:
    """The server may or may not have it. Once more under the same Message-ID, or held: as set."""
    if settings.UNKNOWN_DELIVERIES == "resend" and not delivery.was_resent:
        Delivery.objects.filter(pk=delivery.pk).update(
            status=Status.WAITING,
            was_resent=True,
            claimed_until=None,
            not_before=now + BACKOFF[0],
            error=text,
        )
        return "retried"
    _record(delivery, Status.UNKNOWN, now, text)
    return Status.UNKNOWN


def _record(delivery: Delivery, status: str, now: dt.datetime, error: str = "", message_id: str = "") -> None:
    """The outcome. A provider's event may have come first: it is not overwritten."""
    Delivery.objects.filter(pk=delivery.pk, status__in=[Status.SENDING, Status.WAITING]).update(
        status=status,
        error=error,
        message_id=message_id,
        claimed_until=None,
        sent_at=now if status == Status.SENT else None,
    )


def _give_back(ids: list[int], now: dt.datetime, error: str) -> int:
    """What this chunk did not send waits for the server to come back."""
    rows = Delivery.objects.filter(pk__in=ids, status=Status.WAITING, claimed_until=now + LEASE)
    return rows.update(claimed_until=None, not_before=now + SERVER_PAUSE, error=error[:1000])


def settle(now: dt.datetime) -> int:
    """Settle mails whose worker died while sending. Returns how many there were."""
    stuck = list(Delivery.objects.stuck(now))
    for delivery in stuck:
        status = _doubtful(delivery, "the worker died while sending: nobody knows whether it arrived", now)
        logger.warning("Delivery %d was left in sending: %s.", delivery.pk, status)
    return len(stuck)


def _close(backend: BaseEmailBackend) -> None:
    try:
        backend.close()
    except (OSError, smtplib.SMTPException):
        logger.debug("The connection to the mail server was gone before it could be closed.")
