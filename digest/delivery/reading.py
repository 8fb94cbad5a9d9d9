"""Mails of a claim, read with no more columns than are needed to compose and send them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, TypeVar

from django.db import connection, models
from django.db.models.base import ModelState

from digest.models import Delivery, Digest
from subscriptions.models import Subscriber, Suppression

AHEAD = 100  # mails read with one query
GOOD_FOR = 5.0  # seconds: a reader may leave, so what was read and not sent by then is read again
MAIL = ("pk", "attempts", "doubts", "digest_id")
DIGEST = ("subscriber_id", "issue_date", "picks", "notice", "is_catch_up")
READER = ("email", "email_key", "code", "token_version", "frequency", "language", "status", "paused_until")
COLUMNS = (*MAIL, *(f"digest__{name}" for name in DIGEST), *(f"digest__subscriber__{name}" for name in READER))

AnyModel = TypeVar("AnyModel", bound=models.Model)


def still_ours(ids: Sequence[int], claim: int) -> list[Delivery]:
    """Those of the mails that this claim still holds, with digest and reader, in the order of `ids`."""
    rows = Delivery.objects.filter(pk__in=ids, status=Delivery.Status.WAITING, claim=claim)
    found = {row[0]: _delivery(row) for row in rows.values_list(*COLUMNS)}
    return [found[pk] for pk in ids if pk in found]


def _delivery(row: tuple[Any, ...]) -> Delivery:
    pk, attempts, doubts, digest_id, *others = row
    of_digest = dict(zip(DIGEST, others, strict=False))
    of_reader = dict(zip(READER, others[len(DIGEST) :], strict=True))
    reader = _bare(Subscriber, {"id": of_digest["subscriber_id"], **of_reader})
    digest = _bare(Digest, {"id": digest_id, **of_digest}, subscriber=reader)
    return _bare(Delivery, {"id": pk, "attempts": attempts, "doubts": doubts, "digest_id": digest_id}, digest=digest)


def _bare(model: type[AnyModel], columns: dict[str, Any], **related: models.Model) -> AnyModel:
    """A stored row of which only these columns were read, as `only()` makes it: another is fetched when asked for.

    Made without the model's __init__, which goes through all columns: that cost more than composing and sending.
    """
    made = model.__new__(model)
    made._state = ModelState()
    made._state.adding, made._state.db = False, connection.alias
    made._state.fields_cache = dict(related)
    made.__dict__.update(columns)
    return made


def split_mailable(rows: Sequence[Delivery], now: dt.datetime) -> tuple[list[Delivery], list[Delivery]]:
    """Those that may be mailed, and those that may not: asked just before sending, a reader may have left since."""
    suppressed = Suppression.objects.among(row.digest.subscriber.email for row in rows)
    fine: list[Delivery] = []
    gone: list[Delivery] = []
    for row in rows:
        reader = row.digest.subscriber
        is_mailable = reader.status == Subscriber.Status.ACTIVE and not reader.is_paused(now)
        (fine if is_mailable and reader.email not in suppressed else gone).append(row)
    return fine, gone
