"""A test mail to one address, by the way digests go."""

from __future__ import annotations

import datetime as dt
import email.utils

from anymail.message import AnymailMessage
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from digest.mail.rendering import sender_domain
from digest.mail.transports import NoWay, Verdict, way_out
from subscriptions.models import Suppression

SUBJECT = "A test mail from {site}"
TEXT = """This is a test mail from {site}, {url}, sent on {now:%Y-%m-%d %H:%M} UTC by its operator.

If you can read it, digests from {sender} can reach you. Its headers say whether SPF, DKIM and DMARC hold.
"""


class NotSent(Exception):
    """A test mail that did not go, and why, in one line."""


def send_test(address: str, now: dt.datetime) -> str:
    """The Message-ID under which the server took it. Neither the switch nor the circuit is asked. Raises NotSent."""
    try:
        validate_email(address)
        if reason := Suppression.objects.reason_for(address):
            raise NotSent(f"{address} is suppressed ({reason}): nothing was sent.")
        verdict = _send(address, now)
    except ValidationError as error:
        raise NotSent(f"{address} is not an e-mail address.") from error
    except NoWay as error:
        raise NotSent(f"The mail server cannot be used: {error}. See `manage.py doctor`.") from error
    if verdict.meaning is not None:
        raise NotSent(f"Not taken: {verdict.text} ({verdict.meaning.what}, {verdict.meaning.party.value}).")
    return verdict.message_id


def _send(address: str, now: dt.datetime) -> Verdict:
    names = {"site": settings.SITE_NAME, "url": settings.SITE_URL, "now": now, "sender": settings.DEFAULT_FROM_EMAIL}
    message = AnymailMessage(
        subject=SUBJECT.format(**names),
        body=TEXT.format(**names),
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[address],
        headers={
            "Message-ID": email.utils.make_msgid(domain=sender_domain()),
            "Date": email.utils.format_datetime(now),
        },
    )
    message.tags = ["test"]
    way = way_out()
    way.open()
    try:
        (verdict,) = way.send([(0, way.carry(message))])
    finally:
        way.close()
    return verdict
