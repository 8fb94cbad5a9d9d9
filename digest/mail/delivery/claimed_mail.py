"""Mails of a claim, read with no more columns than are needed to compose and send them, a few windows at a time.

Raw statements and bare rows: written by the ORM, and as instances, reading cost more than composing and sending.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection

from digest.mail.messages import Order
from subscriptions.models import Suppression

AHEAD = 250  # mails read with one query
GOOD_FOR = 5.0  # seconds: a reader may leave, so what was read and not sent by then is read again
ORDERS = """
    SELECT delivery.id, digest.issue_date, digest.packed_picks, digest.packed_reasons,
        digest.notice, digest.is_catch_up,
        reader.email, reader.code, reader.token_version, reader.frequency, reader.language,
        delivery.attempts, delivery.doubts, reader.email_key, reader.id,
        reader.status = 'active' AND (reader.paused_until IS NULL OR reader.paused_until <= %s)
    FROM digest_delivery AS delivery
    JOIN digest_digest AS digest ON digest.id = delivery.digest_id
    JOIN subscriptions_subscriber AS reader ON reader.id = digest.subscriber_id
    WHERE delivery.id IN ({ids}) AND delivery.status = 'waiting' AND delivery.claim = %s
"""


def read(ids: Sequence[int], claim: int, now: dt.datetime) -> tuple[dict[int, Order], list[int]]:
    """Of the mails that this claim still holds, those that may be mailed, by id, and the ids of those that may not:
    asked just before sending, a reader may have left since.
    """
    if not ids:
        return {}, []
    with connection.cursor() as cursor:
        moment: Any = connection.ops.adapt_datetimefield_value(now)
        cursor.execute(ORDERS.format(ids=numbers(ids)), [moment, claim])
        orders = [Order._make(row) for row in cursor.fetchall()]
    if connection.vendor == "sqlite":
        orders = [_typed(order) for order in orders]
    suppressed = Suppression.objects.among([order.email for order in orders])
    fine = {order.key: order for order in orders if order.is_wanted and order.email not in suppressed}
    return fine, [order.key for order in orders if order.key not in fine]


def _typed(order: Order) -> Order:
    """SQLite knows neither dates nor truth."""
    date = dt.date.fromisoformat(str(order.issue_date))
    return order._replace(issue_date=date, is_catch_up=bool(order.is_catch_up))


def numbers(ids: Iterable[int]) -> str:
    """For `IN (...)`: as parameters they would be quoted one by one."""
    return ",".join([str(int(pk)) for pk in ids])
