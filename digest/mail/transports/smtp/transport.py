"""Through the SMTP server of the settings: letters from the press, signed where we sign, over a session that goes on
to the next letter while the last is being answered. See digest.mail.transports.smtp.
"""

from __future__ import annotations

import datetime as dt
import smtplib
from collections.abc import Iterable, Iterator, Sequence
from email.utils import parseaddr

from anymail.message import AnymailMessage
from django.conf import settings
from django.core.mail.message import sanitize_address
from django.utils import timezone

from digest.mail.messages import Answer, Letter, Order
from digest.mail.transports import rendered, smtp
from digest.mail.transports.base import NoWay, Verdict
from digest.mail.transports.smtp import dkim
from subscriptions.outcomes import classify


class SmtpWay:
    """Over MAIL_CONNECTIONS connections at a time, from window to window the same ones."""

    def __init__(self) -> None:
        self._line: smtp.Session | smtp.Pool | None = None
        self._signer = dkim.configured()

    def open(self) -> None:
        silence = settings.EMAIL_TIMEOUT
        patience = smtp.Patience(silence, silence, silence)
        try:
            first = smtp.Session(smtp.connect(), patience)  # where it does not answer, nobody else need try
        except (OSError, smtplib.SMTPException) as error:
            raise NoWay(classify.text_of(error)) from error
        if settings.MAIL_CONNECTIONS == 1:
            self._line = first
        else:
            first.close()
            self._line = smtp.Pool(smtp.connect, settings.MAIL_CONNECTIONS, patience=patience)

    def close(self) -> None:
        if self._line:
            self._line.close()
            self._line = None

    def compose(self, orders: Sequence[Order], now: dt.datetime) -> dict[int, Letter]:
        found = rendered.letters(orders, now)
        return {key: self._signed(letter, now) for key, letter in found.items()} if self._signer else found

    def carry(self, message: AnymailMessage) -> Letter:
        data = message.message().as_bytes(linesep="\r\n")
        sender = parseaddr(sanitize_address(message.from_email, "utf-8"))[1]
        return self._signed(Letter(0, sender, sanitize_address(message.to[0], "utf-8"), data), timezone.now())

    def send(self, mails: Iterable[tuple[int, Letter]]) -> Iterator[Verdict]:
        """After a verdict that ends the connection no letter more is begun; what becomes of those begun is said."""
        assert self._line
        begun: dict[int, Letter] = {}
        is_ended, unsent = False, None

        def letters() -> Iterator[Letter]:
            for key, letter in mails:
                if is_ended or unsent:
                    return
                begun[key] = letter
                yield letter

        for answer in self._line.send(letters()):
            letter = begun.pop(answer.key)
            if answer.code == 0 and not answer.in_doubt:
                unsent = unsent or Verdict.of_answer(answer)  # why none of these was handed over, said once
            elif answer.is_taken:
                yield Verdict(answer.key, message_id=letter.message_id)
            else:
                verdict = _refused(answer)
                is_ended = is_ended or verdict.ends_connection
                yield verdict
        if unsent and not is_ended:
            yield unsent

    def _signed(self, letter: Letter, now: dt.datetime) -> Letter:
        return letter._replace(data=self._signer.sign(letter.data, now)) if self._signer else letter


def _refused(answer: Answer) -> Verdict:
    """A refusal of our own address is true of every mail, whatever its code says of one."""
    if answer.text.endswith(smtp.AT_SENDER):
        meaning = classify.read_sender_reply(answer.code, answer.text)
        return Verdict(answer.key, meaning, f"{answer.code} {answer.text}"[:1000])
    return Verdict.of_answer(answer)
