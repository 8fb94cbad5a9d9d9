"""What every way out has in common: how it is asked, and the Verdict it gives of each mail."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol, Self, TypeVar

from anymail.message import AnymailMessage

from digest.mail.messages import Answer, Order
from subscriptions.outcomes import classify
from subscriptions.outcomes.classify import Meaning

Mail = TypeVar("Mail")


class NoWay(Exception):
    """The server or provider takes nothing now. The text says why, `wait` how long it wants to be left alone."""

    def __init__(self, text: str, wait: dt.timedelta | None = None) -> None:
        super().__init__(text)
        self.wait = wait


class Verdict(NamedTuple):
    """What became of one mail: `key` is its delivery's id, `meaning` None when it was taken."""

    key: int
    meaning: Meaning | None = None
    text: str = ""
    message_id: str = ""

    @classmethod
    def of_error(cls, key: int, error: BaseException) -> Self:
        return cls(key, classify.read(error), classify.text_of(error))

    @classmethod
    def of_answer(cls, answer: Answer) -> Self:
        """For ways that speak with the server themselves. A provider's own words say more than their code."""
        if answer.is_taken:
            return cls(answer.key, message_id=answer.message_id)
        code = "" if answer.said or not answer.code else f"{answer.code} "
        return cls(answer.key, answer.meaning, f"{code}{answer.text}".strip()[:1000])

    @property
    def ends_connection(self) -> bool:
        """Whether nothing more can be handed over without opening the way again."""
        return self.meaning is not None and self.meaning.outcome in (
            classify.Outcome.NO_SERVER,
            classify.Outcome.UNKNOWN,
        )


class WayOut(Protocol[Mail]):
    def open(self) -> None:
        """Connect. Raises NoWay."""

    def close(self) -> None:
        """Let go of the connection, whatever state it is in. Never raises."""

    def compose(self, orders: Sequence[Order], now: dt.datetime) -> dict[int, Mail]:
        """The mails by delivery id, before anything is marked. One that cannot be composed is left out, and logged."""

    def send(self, mails: Iterable[tuple[int, Mail]]) -> Iterator[Verdict]:
        """Hand the mails over, all marked "sending". One verdict each, as it is known.

        A mail without a verdict when this ends was certainly not handed over. It ends early when the connection does.
        """

    def carry(self, message: AnymailMessage) -> Mail:
        """A message that was made elsewhere, as `send` takes it."""
