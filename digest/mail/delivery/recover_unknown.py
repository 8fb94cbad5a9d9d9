"""Mails whose worker died between "sending" and the server's answer: nobody can know whether they arrived."""

from __future__ import annotations

import datetime as dt
import logging

from django.conf import settings

from digest.mail.delivery import worker_locks
from digest.models import Delivery

logger = logging.getLogger(__name__)

Status = Delivery.Status
WHY = "the worker died while sending: nobody knows whether it arrived"


def settle(now: dt.datetime) -> int:
    """Send such mails once more under the same Message-ID, or hold them: UNKNOWN_DELIVERIES. How many there were.

    Our own deaths are bounded by the number of tries; a server that leaves us in doubt is asked only twice.
    """
    stuck = list(Delivery.objects.stuck(now))
    if not stuck:
        return 0
    living = worker_locks.held()
    dead = [row for row in stuck if row.claim not in living]
    for row in dead:
        # Only while nobody else has settled it: by now it may be under way again.
        mine = Delivery.objects.filter(pk=row.pk, status=Status.SENDING, claim=row.claim)
        if settings.UNKNOWN_DELIVERIES == "resend" and row.attempts <= len(settings.MAIL_BACKOFF):
            mine.update(status=Status.WAITING, was_resent=True, claim=None, claimed_until=None, error=WHY)
        else:
            mine.update(status=Status.UNKNOWN, claim=None, claimed_until=None, error=WHY)
    if dead:
        logger.warning("%d mails were left in sending by workers that died: settled.", len(dead))
    return len(dead)
