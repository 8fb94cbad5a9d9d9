"""Brevo: up to 1,000 versions of a mail a call, all or none, and an idempotency key that is kept for half an hour."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from anymail.backends import brevo

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

MOST, MOST_BYTES = 100, 18_000_000  # the number allowed is 1,000, the size of a call is not documented
KEY = "idempotencyKey"  # among the mail's headers, and a UUID
_NAMES = uuid.uuid5(uuid.NAMESPACE_URL, "https://paper-round.invalid/letters")
# Asked for beside the versions, and never to be seen: nobody's links may reach another.
_NOBODYS = {"subject": "-", "htmlContent": "<p>-</p>", "textContent": "-"}
_OF_VERSION = ("to", "subject", "htmlContent", "headers")


class EmailBackend(brevo.EmailBackend):  # type: ignore[misc]
    """Anymail's, with a key made of the mail's Message-ID."""

    def build_message_payload(self, message: Any, defaults: dict[str, Any]) -> Any:
        payload = super().build_message_payload(message, defaults)
        if message_id := message.extra_headers.get("Message-ID"):
            payload.data["headers"][KEY] = str(uuid.uuid5(_NAMES, message_id))
        return payload


def send(mails: Sequence[Outgoing], connection: Any) -> list[Answer]:
    made = [one.data for one in payloads(mails, connection)]
    versions = [{name: one[name] for name in _OF_VERSION if name in one} for one in made]
    for version, one in zip(versions, made, strict=True):
        version["textContent"] = one.get("textContent", "")
        version["headers"] = {name: text for name, text in one["headers"].items() if name != KEY}
    shared = {name: made[0][name] for name in ("sender", "tags", "replyTo") if name in made[0]}
    shared |= _NOBODYS | {"messageVersions": versions, "headers": {KEY: str(uuid.uuid5(_NAMES, key_of(mails)))}}
    headers = payloads(mails[:1], connection)[0].headers
    found = post(connection, Call("smtp/email", dumps(shared), headers))
    ids = found.get("messageIds") if isinstance(found, dict) else None
    if not isinstance(ids, list) or len(ids) != len(mails):
        raise CallRefused(ODD, dumps(found))
    return [taken(mail, one) for mail, one in zip(mails, ids, strict=True)]


BATCH = Batch(MOST, MOST_BYTES, send)
