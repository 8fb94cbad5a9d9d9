"""Mails out through a provider's HTTP interface: many a call where it takes whole mails so, else one by one.

Each mail has its own answer. A call that is refused for one mail's sake is repeated one by one, so that one reader's
fate is never another's; where the provider turns out to be down, the rest is not tried.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from anymail.message import AnymailMessage
from django.conf import settings

from digest.mail.messages import Answer, Letter
from digest.mail.transports.providers import brevo, mailgun, postmark, resend
from digest.mail.transports.providers.calls import Batch, CallRefused, Outgoing, refused, taken
from subscriptions import providers
from subscriptions.outcomes import classify
from subscriptions.outcomes.classify import Outcome, Party
from subscriptions.outcomes.meanings import ODD, THROTTLED

BATCHES: dict[str, Batch] = {
    "brevo": brevo.BATCH,
    "mailgun": mailgun.BATCH,
    "postmark": postmark.BATCH,
    "resend": resend.BATCH,
}


def batch_size() -> int:
    """How many mails one call carries with the provider in the settings: so many are in doubt when it breaks."""
    batch = _batch()
    return batch.most if batch else 1


def send_batch(mails: Iterable[tuple[int, Letter | AnymailMessage]], connection: Any) -> Iterator[Answer]:
    """Hand mails over, each with its key, in as few calls as the provider's limits allow.

    `connection` is the backend of the settings, opened by the caller (django.core.mail.get_connection). One answer
    each, in order, as it is known. Ends early where no other mail would get through: what has no answer then was
    certainly not handed over. Never raises for what a provider says or fails to say.
    """
    batch = _batch()
    for part in _parts((Outgoing.of(key, mail) for key, mail in mails), batch):
        answers = _hand_over(part, connection, batch)
        if batch and batch.is_repeatable and all(answer.in_doubt for answer in answers):
            answers = _hand_over(part, connection, batch)  # the same call with the same key: now we know
        yield from answers
        if not answers[-1].is_taken and answers[-1].meaning.opens_circuit:
            return


def _batch() -> Batch | None:
    """The provider's batch interface; held to one mail a call where the operator wants a key for each."""
    provider = providers.current()
    batch = BATCHES.get(provider.slug) if provider else None
    return batch if batch is None or settings.PROVIDER_BATCHES else batch._replace(most=1)


def _parts(mails: Iterable[Outgoing], batch: Batch | None) -> Iterator[list[Outgoing]]:
    """Within the provider's limits of number and bytes."""
    most, most_bytes = (batch.most, batch.most_bytes) if batch else (1, 0)
    part: list[Outgoing] = []
    size = 0
    for mail in mails:
        if part and (len(part) >= most or size + mail.size > most_bytes):
            yield part
            part, size = [], 0
        part.append(mail)
        size += mail.size
    if part:
        yield part


def _hand_over(mails: Sequence[Outgoing], connection: Any, batch: Batch | None) -> list[Answer]:
    return _call(mails, connection, batch) if batch and len(mails) > 1 else [_send_one(mails[0], connection)]


def _call(mails: Sequence[Outgoing], connection: Any, batch: Batch) -> list[Answer]:
    try:
        return batch.send(mails, connection)
    except CallRefused as error:
        meaning, text = error.meaning, str(error)
    except Exception as error:
        meaning, text = classify.read(error), classify.text_of(error)
    if meaning.party in (Party.ADDRESS, Party.MESSAGE):
        return [_send_one(mail, connection) for mail in mails]
    if meaning.party is Party.SERVER and meaning.outcome is Outcome.TEMPORARY and meaning.what != THROTTLED.what:
        # A key would make a repeat harmless, but this key is the whole call's, and these mails may not meet again.
        meaning = replace(meaning, outcome=Outcome.UNKNOWN)
    return [refused(mail, meaning, text) for mail in mails]


def _send_one(mail: Outgoing, connection: Any) -> Answer:
    try:
        connection.send_messages([mail.message])
    except Exception as error:
        return refused(mail, classify.read(error), classify.text_of(error))
    status = mail.message.anymail_status
    if not status.status or not status.status <= {"sent", "queued"}:
        return refused(mail, ODD, f"{status.status}: {status.esp_response!r}")
    return taken(mail, status.message_id)
