"""Through a provider's HTTP interface: many mails a call where it takes them so, one by one with a key otherwise."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterable, Iterator, Sequence

import requests
from anymail.message import AnymailMessage
from django.core.mail import get_connection

from digest.mail.messages import Letter, Order
from digest.mail.transports import rendered
from digest.mail.transports.base import NoWay, Verdict
from digest.mail.transports.providers.http_batches import send_batch
from subscriptions.outcomes import classify


class ProviderWay:
    """A window is divided into calls: MAIL_WINDOW bounds how many mails one call carries."""

    def __init__(self) -> None:
        self._backend = get_connection()

    def open(self) -> None:
        try:
            self._backend.open()
        except Exception as error:  # a key that is missing, or whatever a provider's library says
            raise NoWay(classify.text_of(error)) from error

    def close(self) -> None:
        with contextlib.suppress(OSError, requests.RequestException):  # it was gone already
            self._backend.close()

    def compose(self, orders: Sequence[Order], now: dt.datetime) -> dict[int, Letter]:
        return rendered.letters(orders, now)

    def carry(self, message: AnymailMessage) -> AnymailMessage:
        return message

    def send(self, mails: Iterable[tuple[int, Letter | AnymailMessage]]) -> Iterator[Verdict]:
        for answer in send_batch(mails, self._backend):
            yield Verdict.of_answer(answer)
