"""Mails of a window, composed. One that cannot be is left out, and its reason logged."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TypeVar

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import Error as DatabaseError

from digest.mail.messages import Letter, Order
from digest.mail.rendering import Press
from subscriptions.keyed_hashes import lasting_key

logger = logging.getLogger(__name__)

Mail = TypeVar("Mail")
NOT_ITS_FAULT = (DatabaseError, SoftTimeLimitExceeded)  # nor any other mail's


def letters(orders: Sequence[Order], now: dt.datetime) -> dict[int, Letter]:
    """By delivery id, from parts that this process keeps from chunk to chunk."""
    keys = (settings.SECRET_KEY, lasting_key())
    press = _press(*keys, settings.SITE_URL, settings.SITE_NAME, settings.DEFAULT_FROM_EMAIL)
    try:
        return {letter.key: letter for letter in press.letters(orders, now)}
    except NOT_ITS_FAULT:
        raise
    except Exception:  # of one of them: `each` finds out which, and says it
        return each(orders, lambda order: press.letters([order], now)[0])


def each(orders: Sequence[Order], compose: Callable[[Order], Mail]) -> dict[int, Mail]:
    """By delivery id, one by one."""
    found = {}
    for order in orders:
        try:
            found[order.key] = compose(order)
        except NOT_ITS_FAULT:
            raise
        except Exception:
            logger.exception("Delivery %d could not be composed.", order.key)
    return found


@lru_cache(maxsize=1)
def _press(*taken_as_they_are: str) -> Press:
    """A press takes these settings when it is made."""
    return Press()
