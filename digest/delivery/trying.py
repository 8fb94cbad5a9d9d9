"""A test mail to one address, by the way digests go."""

from __future__ import annotations

import datetime as dt
import email.utils

from anymail.message import AnymailMessage
from django.conf import settings

from digest.composing import sender_domain
from digest.delivery.ways import Verdict, way_out
from subscriptions.models import Suppression

SUBJECT = "A test mail from {site}"
TEXT = """This is a test mail from {site}, {url}, sent on {now:%Y-%m-%d %H:%M} UTC by its operator.

If you can read it, digests from {sender} can reach you. Its headers say whether SPF, DKIM and DMARC hold.
"""


class Suppressed(Exception):
    """The address asked never to be mailed again, or is dead."""


def send_test(address: str, now: dt.datetime) -> Verdict:
    """What the server said. Neither the switch nor the circuit is asked. Raises NoWay, Suppressed."""
    if reason := Suppression.objects.reason_for(address):
        raise Suppressed(reason)
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
