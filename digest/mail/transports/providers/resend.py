"""Resend: an Idempotency-Key with each call, kept for 24 hours; up to 100 whole mails a call, all or none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from anymail.backends import resend

from digest.mail.messages import Answer
from digest.mail.transports.providers.calls import (
    Batch,
    Call,
    CallRefused,
    Outgoing,
    dumps,
    key_of,
    payloads,
    post,
    taken,
)
from subscriptions.outcomes.meanings import ODD

MOST, MOST_BYTES = 100, 20_000_000  # the number is documented, the size is not
KEY = "Idempotency-Key"


class EmailBackend(resend.EmailBackend):  # type: ignore[misc]
    """Anymail's, with the mail's Message-ID as its key: said again, it is recognised."""

    def build_message_payload(self, message: Any, defaults: dict[str, Any]) -> Any:
        payload = super().build_message_payload(message, defaults)
        if message_id := message.extra_headers.get("Message-ID"):
            payload.headers[KEY] = message_id[:256]
            payload.data["headers"].pop("Date", None)  # the same key with another mail is refused
        return payload


def send(mails: Sequence[Outgoing], connection: Any) -> list[Answer]:
    made = payloads(mails, connection)
    headers = {**made[0].headers, KEY: key_of(mails)}
    found = post(connection, Call("emails/batch", dumps([one.data for one in made]), headers))
    data = found.get("data") if isinstance(found, dict) else None
    if not isinstance(data, list) or len(data) != len(mails):
        raise CallRefused(ODD, dumps(found))
    return [
        taken(mail, one.get("id") if isinstance(one, dict) else None) for mail, one in zip(mails, data, strict=True)
    ]


BATCH = Batch(MOST, MOST_BYTES, send, is_repeatable=True)
