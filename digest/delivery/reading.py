"""Mails of a claim, read with no more columns than are needed to compose and send them, a few windows at a time.

Raw statements and bare rows: written by the ORM, and as whole instances, reading cost more than composing and sending.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from django.db import connection, models
from django.db.models.base import ModelState

from digest.models import Delivery, Digest
from subscriptions.models import Subscriber, Suppression

AHEAD = 100  # mails read with one query
GOOD_FOR = 5.0  # seconds: a reader may leave, so what was read and not sent by then is read again
MAILS = """
    SELECT delivery.id, delivery.attempts, delivery.doubts, digest.id, digest.issue_date, digest.picks, digest.notice,
        digest.is_catch_up,
        reader.id, reader.email, reader.email_key, reader.code, reader.token_version, reader.frequency, reader.language,
        reader.status = 'active' AND (reader.paused_until IS NULL OR reader.paused_until <= %s)
    FROM digest_delivery AS delivery
    JOIN digest_digest AS digest ON digest.id = delivery.digest_id
    JOIN subscriptions_subscriber AS reader ON reader.id = digest.subscriber_id
    WHERE delivery.id IN ({ids}) AND delivery.status = 'waiting' AND delivery.claim = %s
"""
READER = ("id", "email", "email_key", "code", "token_version", "frequency", "language")
EMAIL = 9  # its place among the columns

AnyModel = TypeVar("AnyModel", bound=models.Model)


def read(ids: Sequence[int], claim: int, now: dt.datetime) -> tuple[dict[int, Delivery], list[int]]:
    """Of the mails that this claim still holds, those that may be mailed, by id, and the ids of those that may not:
    asked just before sending, a reader may have left since."""
    if not ids:
        return {}, []
    with connection.cursor() as cursor:
        moment: Any = connection.ops.adapt_datetimefield_value(now)
        cursor.execute(MAILS.format(ids=numbers(ids)), [moment, claim])
        rows = cursor.fetchall()
    suppressed = Suppression.objects.among(row[EMAIL] for row in rows)
    alias = connection.alias
    fine: dict[int, Delivery] = {}
    gone: list[int] = []
    for row in rows:
        if row[-1] and row[EMAIL] not in suppressed:
            fine[row[0]] = _delivery(row, alias)
        else:
            gone.append(row[0])
    return fine, gone


def numbers(ids: Iterable[int]) -> str:
    """For `IN (...)`: as parameters they would be quoted one by one."""
    return ",".join([str(int(pk)) for pk in ids])


def _delivery(row: tuple[Any, ...], alias: str) -> Delivery:
    pk, attempts, doubts, digest_id, issue_date, picks, notice, is_catch_up, *columns, _ = row
    reader = _bare(Subscriber, alias, dict(zip(READER, columns, strict=True)))
    if isinstance(issue_date, str):  # SQLite knows no dates
        issue_date = dt.date.fromisoformat(issue_date)
    of_digest = {"id": digest_id, "subscriber_id": reader.id, "issue_date": issue_date, "picks": json.loads(picks),
                 "notice": notice, "is_catch_up": bool(is_catch_up)}  # fmt: skip
    digest = _bare(Digest, alias, of_digest, subscriber=reader)
    of_mail = {"id": pk, "attempts": attempts, "doubts": doubts, "digest_id": digest_id}
    return _bare(Delivery, alias, of_mail, digest=digest)


def _bare(model: type[AnyModel], alias: str, columns: dict[str, Any], **related: models.Model) -> AnyModel:
    """A stored row of which only these columns were read, as `only()` makes it: another is fetched when asked for."""
    made = model.__new__(model)
    made._state = state = ModelState()
    state.adding, state.db, state.fields_cache = False, alias, related
    made.__dict__.update(columns)
    return made
