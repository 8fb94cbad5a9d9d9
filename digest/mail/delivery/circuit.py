"""The circuit of the mail server, shared by all workers in one row: a server that takes nothing is left alone for a
while, then one mail tries whether it is back. Waiting burns no mail's tries.
"""

from __future__ import annotations

import datetime as dt
import logging
import random

from django.conf import settings
from django.db.models import F

from digest.models import MailGate

logger = logging.getLogger(__name__)

STREAK = 3  # failures in a row that may each be chance, and together are the server


def trip(gate: MailGate, now: dt.datetime, reason: str, least: dt.timedelta | None = None) -> None:
    """Open the circuit, or, after a trial that failed, wait for longer than the last time.

    Of workers that find out at the same moment one counts. `least` is the wait the server asked for.
    """
    tries = gate.circuit_tries + 1
    first, longest = settings.MAIL_CIRCUIT_WAIT
    wait = max(min(first * 2 ** min(tries - 1, 20), longest), min(least or first, longest * 2))
    same = MailGate.rows().filter(circuit_tries=gate.circuit_tries)
    changed = same.update(
        circuit_since=gate.circuit_since or now,
        circuit_tries=F("circuit_tries") + 1,
        circuit_reason=reason[:1000],
        next_try_at=now + wait * random.uniform(0.75, 1),  # noqa: S311  workers must not knock in step
    )
    if changed:
        logger.warning("The mail server cannot be used (%s): the mails wait, try %d.", reason, tries)


def may_try(gate: MailGate, now: dt.datetime) -> bool:
    """Whether it is time for a trial. A moment further off than any wait can be was set by a clock that was wrong."""
    if gate.next_try_at is None:
        return True
    return not now < gate.next_try_at <= now + max(settings.MAIL_CIRCUIT_WAIT[1] * 2, trial_lease())


def begin_trial(gate: MailGate, now: dt.datetime) -> bool:
    """Take the one trial of this moment. If its worker dies, the next trial comes when a lease is over."""
    same = MailGate.rows().filter(circuit_tries=gate.circuit_tries, next_try_at=gate.next_try_at)
    return bool(same.exclude(circuit_since=None).update(next_try_at=now + trial_lease()))


def trial_lease() -> dt.timedelta:
    first: dt.timedelta = settings.MAIL_CIRCUIT_WAIT[0]
    return max(first, dt.timedelta(seconds=2 * settings.EMAIL_TIMEOUT))


def close(now: dt.datetime) -> None:
    """The server takes mail again."""
    open_ones = MailGate.objects.filter(pk=1).exclude(circuit_since=None)
    if open_ones.update(circuit_since=None, circuit_tries=0, next_try_at=None, circuit_reason=""):
        logger.warning("The mail server takes mail again.")
