"""Through Django's e-mail backend, one by one: the tests' outbox, the console, backends of others."""

from __future__ import annotations

import contextlib
import datetime as dt
import smtplib
from collections.abc import Iterable, Iterator, Sequence

from anymail.message import AnymailMessage
from celery.exceptions import SoftTimeLimitExceeded
from django.core.mail import get_connection

from digest.mail.messages import Order
from digest.mail.rendering import compose
from digest.mail.transports.base import NoWay, Verdict
from digest.mail.transports.rendered import each
from digest.models import Delivery
from subscriptions.outcomes import classify


class DjangoWay:
    def __init__(self) -> None:
        self._backend = get_connection()

    def open(self) -> None:
        try:
            self._backend.open()
        except (OSError, smtplib.SMTPException) as error:
            raise NoWay(classify.text_of(error)) from error

    def close(self) -> None:
        with contextlib.suppress(OSError, smtplib.SMTPException):  # it was gone already
            self._backend.close()

    def compose(self, orders: Sequence[Order], now: dt.datetime) -> dict[int, AnymailMessage]:
        rows = Delivery.objects.select_related("digest__subscriber").in_bulk([order.key for order in orders])
        return each(orders, lambda order: compose(rows[order.key].digest, now))

    def carry(self, message: AnymailMessage) -> AnymailMessage:
        return message

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
