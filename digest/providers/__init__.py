"""Letters out through a provider's HTTP interface: many a call where it takes whole mails so, else one by one.

Each letter has its own answer. A call that is refused for one letter's sake is repeated one by one, so that one
reader's fate is never another's; one that shows the provider to be down ends the rest untried.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from django.conf import settings

from digest.letters import Answer, Letter
from digest.providers import brevo, mailgun, postmark, resend
from digest.providers.calls import Batch, LetterMessage, refusal, refused, taken
from subscriptions import outcomes, providers
from subscriptions.outcomes import Outcome, Party
from subscriptions.outcomes.meanings import ODD, THROTTLED

BATCHES: dict[str, Batch] = {
    "brevo": brevo.BATCH,
    "mailgun": mailgun.BATCH,
    "postmark": postmark.BATCH,
    "resend": resend.BATCH,
}


def batch_size() -> int:
    """How many letters one call carries with the provider in the settings: so many are in doubt when it breaks."""
    batch = _batch()
    return batch.most if batch else 1


def send_batch(letters: Sequence[Letter], connection: Any) -> list[Answer]:
    """Hand letters over, in as few calls as the provider's limits allow. An answer each, in the same order.

    `connection` is the backend of the settings, opened by the caller (django.core.mail.get_connection). Never raises
    for what a provider says or fails to say.
    """
    batch = _batch()
    answers: list[Answer] = []
    for part in _parts(letters, batch):
        if answers and _is_down(answers[-1]):
            return answers + [_untried(letter, answers[-1]) for letter in letters[len(answers) :]]
        said = _hand_over(part, connection, batch)
        if batch and batch.is_repeatable and all(answer.in_doubt for answer in said):
            said = _hand_over(part, connection, batch)  # the same call with the same key: now we know
        answers += said
    return answers


def _batch() -> Batch | None:
    """The provider's batch interface; held to one letter a call where the operator wants a key for each."""
    provider = providers.current()
    batch = BATCHES.get(provider.slug) if provider else None
    return batch if batch is None or settings.PROVIDER_BATCHES else batch._replace(most=1)


def _parts(letters: Sequence[Letter], batch: Batch | None) -> Iterator[Sequence[Letter]]:
    """Within the provider's limits of number and bytes. In JSON a letter takes at most half as much again."""
    most, most_bytes = (batch.most, batch.most_bytes) if batch else (1, 0)
    start = size = 0
    for number, letter in enumerate(letters):
        needed = len(letter.data) * 3 // 2
        if number > start and (number - start >= most or size + needed > most_bytes):
            yield letters[start:number]
            start, size = number, 0
        size += needed
    if start < len(letters):
        yield letters[start:]


def _hand_over(letters: Sequence[Letter], connection: Any, batch: Batch | None) -> list[Answer]:
    return _call(letters, connection, batch) if batch and len(letters) > 1 else [_send_one(letters[0], connection)]


def _call(letters: Sequence[Letter], connection: Any, batch: Batch) -> list[Answer]:
    messages = [LetterMessage(letter) for letter in letters]
    try:
        return batch.send(messages, connection)
    except Exception as error:
        meaning, text = outcomes.read(error), outcomes.text_of(error)
    if meaning.party in (Party.ADDRESS, Party.MESSAGE):
        return [_send_one(letter, connection) for letter in letters]
    if meaning.party is Party.SERVER and meaning.outcome is Outcome.TEMPORARY and meaning.what != THROTTLED.what:
        # A key would make a repeat harmless, but this key is the whole call's, and these letters may not meet again.
        meaning = replace(meaning, outcome=Outcome.UNKNOWN)
    return [refused(letter, meaning, text) for letter in letters]


def _send_one(letter: Letter, connection: Any) -> Answer:
    message = LetterMessage(letter)
    try:
        connection.send_messages([message])
    except Exception as error:
        return refusal(letter, error)
    status = message.anymail_status
    if not status.status or not status.status <= {"sent", "queued"}:
        return refused(letter, ODD, f"{status.status}: {status.esp_response!r}")
    return taken(message, status.message_id)


def _is_down(answer: Answer) -> bool:
    return not answer.is_taken and answer.meaning.opens_circuit


def _untried(letter: Letter, last: Answer) -> Answer:
    """Certainly not handed over: it waits for what the last one met to pass."""
    return Answer(letter.key, 421, f"not tried: {last.text}"[:1000], said=last.meaning.for_untried())
