"""A way out: composes mails and hands them over. What became of each comes back as a Verdict.

Delivery does the rest: claims, commits "sending" before `send` is called, records what it yields.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import smtplib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

from anymail.message import AnymailMessage
from celery.exceptions import SoftTimeLimitExceeded
from django.core.mail import get_connection
from django.db import Error as DatabaseError

from digest.composing import compose
from digest.letters import Answer
from digest.models import Delivery
from subscriptions import outcomes
from subscriptions.outcomes import Meaning

logger = logging.getLogger(__name__)

Mail = TypeVar("Mail")


class NoWay(Exception):
    """The server or provider takes nothing now. The text says why, `wait` how long it wants to be left alone."""

    def __init__(self, text: str, wait: dt.timedelta | None = None) -> None:
        super().__init__(text)
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one mail: `key` is its delivery's id, `meaning` None when it was taken."""

    key: int
    meaning: Meaning | None = None
    text: str = ""
    message_id: str = ""

    @classmethod
    def of_error(cls, key: int, error: BaseException) -> Self:
        return cls(key, outcomes.read(error), outcomes.text_of(error))

    @classmethod
    def of_answer(cls, answer: Answer) -> Self:
        """For ways that speak SMTP themselves."""
        if answer.is_taken:
            return cls(answer.key, message_id=answer.message_id)
        meaning = outcomes.read_reply(answer.code, answer.text, in_doubt=answer.in_doubt)
        return cls(answer.key, meaning, f"{answer.code or ''} {answer.text}".strip()[:1000])

    @property
    def ends_connection(self) -> bool:
        """Whether nothing more can be handed over without opening the way again."""
        return self.meaning is not None and self.meaning.outcome in (
            outcomes.Outcome.NO_SERVER,
            outcomes.Outcome.UNKNOWN,
        )


class WayOut(Protocol[Mail]):
    def open(self) -> None:
        """Connect. Raises NoWay."""

    def close(self) -> None:
        """Let go of the connection, whatever state it is in. Never raises."""

    def compose(self, rows: Sequence[Delivery], now: dt.datetime) -> dict[int, Mail]:
        """The mails by delivery id, before anything is marked. One that cannot be composed is left out, and logged."""

    def send(self, mails: Iterable[tuple[int, Mail]]) -> Iterator[Verdict]:
        """Hand the mails over, all marked "sending". One verdict each, as it is known.

        A mail without a verdict when this ends was certainly not handed over. It ends early when the connection does.
        """


class DjangoWay:
    """Through Django's e-mail backend, one by one: SMTP, a provider of django-anymail, the tests' outbox."""

    def __init__(self) -> None:
        self._backend = get_connection()

    def open(self) -> None:
        try:
            self._backend.open()
        except (OSError, smtplib.SMTPException) as error:
            raise NoWay(outcomes.text_of(error)) from error

    def close(self) -> None:
        with contextlib.suppress(OSError, smtplib.SMTPException):  # it was gone already
            self._backend.close()

    def compose(self, rows: Sequence[Delivery], now: dt.datetime) -> dict[int, AnymailMessage]:
        found = {}
        for row in rows:
            try:
                found[row.pk] = compose(row.digest, now)
            except (DatabaseError, SoftTimeLimitExceeded):
                raise  # not this mail's fault
            except Exception:
                logger.exception("Delivery %d could not be composed.", row.pk)
        return found

    def send(self, mails: Iterable[tuple[int, AnymailMessage]]) -> Iterator[Verdict]:
        for key, message in mails:
            try:
                self._backend.send_messages([message])
            except SoftTimeLimitExceeded:
                raise
            except Exception as error:
                verdict = Verdict.of_error(key, error)
            else:
                status = getattr(message, "anymail_status", None)
                known = status.message_id if status and isinstance(status.message_id, str) else ""
                verdict = Verdict(key, message_id=known or message.extra_headers["Message-ID"])
            yield verdict
            if verdict.ends_connection:
                return
