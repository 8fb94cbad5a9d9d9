"""Postmark: up to 500 whole mails a call, 50 MB, each with its own answer in the same order. No idempotency key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from digest.mail.messages import Answer
from digest.mail.transports.providers.calls import (
    Batch,
    Call,
    CallRefused,
    Outgoing,
    dumps,
    payloads,
    post,
    refused,
    taken,
)
from subscriptions.outcomes.classify import read_answer
from subscriptions.outcomes.meanings import ODD

# Fewer than allowed: so many are in doubt when a call breaks.
MOST, MOST_BYTES = 100, 45_000_000


def send(mails: Sequence[Outgoing], connection: Any) -> list[Answer]:
    made = payloads(mails, connection)
    headers = {**made[0].headers, "X-Postmark-Server-Token": made[0].server_token}
    found = post(connection, Call("email/batch", dumps([one.data for one in made]), headers))
    if not isinstance(found, list) or len(found) != len(mails):
        raise CallRefused(read_answer("Postmark", 422, found) if isinstance(found, dict) else ODD, dumps(found))
    return [_answer(mail, one) for mail, one in zip(mails, found, strict=True)]


def _answer(mail: Outgoing, one: Any) -> Answer:
    if not isinstance(one, dict):
        return refused(mail, ODD, dumps(one))
    if one.get("ErrorCode") == 0:
        return taken(mail, one.get("MessageID"))
    return refused(mail, read_answer("Postmark", 422, one), f"{one.get('ErrorCode')} {one.get('Message')}")


BATCH = Batch(MOST, MOST_BYTES, send)
