"""The only maker of transactional mails: confirmation, and "you are already subscribed"."""

from __future__ import annotations

import datetime as dt
import logging
from typing import Any

import css_inline
from anymail.message import AnymailMessage
from django.conf import settings
from django.core.mail import get_connection
from django.db.models import F
from django.template.loader import get_template

from subscriptions import links
from subscriptions.addresses import masked
from subscriptions.models import Subscriber

logger = logging.getLogger(__name__)


def build(name: str, subscriber: Subscriber, context: dict[str, Any]) -> AnymailMessage:
    """The mail `name`, unsent, from its three files `templates/emails/<name>.{subject.txt,txt,html}`."""
    values = {
        "site_name": settings.SITE_NAME,
        "site_url": settings.SITE_URL,
        "postal_address": settings.POSTAL_ADDRESS,
        "subscriber": subscriber,
        **context,
    }
    subject = get_template(f"emails/{name}.subject.txt", using="text").render(values)
    message = AnymailMessage(
        subject=" ".join(subject.split()),
        body=get_template(f"emails/{name}.txt", using="text").render(values),
        from_email=settings.TRANSACTIONAL_FROM_EMAIL,
        to=[subscriber.email],
        headers={"Auto-Submitted": "auto-generated"},
    )
    html = css_inline.inline(get_template(f"emails/{name}.html", using="html").render(values), keep_style_tags=True)
    message.attach_alternative(html, "text/html")
    message.tags = [name]
    return message


def notice(subscriber: Subscriber) -> AnymailMessage:
    """The transactional mail this reader is owed."""
    if subscriber.notice == Subscriber.Notice.ALREADY:
        return build("already", subscriber, {"preferences": links.preferences(subscriber)})
    return build(
        "confirm",
        subscriber,
        {
            "confirm": links.confirm(subscriber),
            "days": links.CONFIRM_DAYS,
            "lines": subscriber.lines(),
        },
    )


def send_notices(now: dt.datetime, limit: int = 200) -> int:
    """Send the transactional mails that are owed. Returns how many went out.

    Each is taken off before it is sent, so that two workers never send it twice, and owed again if the
    mail server refuses it for now.
    """
    sent = 0
    with get_connection() as connection:
        for reader in Subscriber.objects.exclude(notice="").order_by("pk")[:limit]:
            owed = Subscriber.objects.filter(pk=reader.pk, notice=reader.notice)
            if not owed.update(notice="", notices_sent=F("notices_sent") + 1, last_notice_at=now):
                continue
            message = notice(reader)
            try:
                connection.send_messages([message])
                sent += 1
            except OSError as error:  # every SMTP and HTTP error is one
                Subscriber.objects.filter(pk=reader.pk, notice="").update(
                    notice=reader.notice, notices_sent=F("notices_sent") - 1
                )
                logger.warning("The notice to %s waits: %s", masked(reader.email), error)
                break
    return sent
