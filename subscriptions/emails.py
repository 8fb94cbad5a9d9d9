"""The only maker of transactional mails: confirmation, "you are already subscribed", and the lost link."""

from __future__ import annotations

import datetime as dt
import logging
from email.utils import make_msgid, parseaddr
from typing import Any

import css_inline
from anymail.exceptions import AnymailError
from anymail.message import AnymailMessage
from django.conf import settings
from django.core.mail import get_connection
from django.db.models import F
from django.template.loader import get_template
from django.utils.translation import override

from subscriptions import links
from subscriptions.addresses import masked
from subscriptions.models import Subscriber
from subscriptions.outcomes import classify
from subscriptions.outcomes.classify import Outcome

logger = logging.getLogger(__name__)


class ServerUnusable(Exception):
    """The mail server takes nothing now: the other notices wait."""


def build(name: str, subscriber: Subscriber, context: dict[str, Any]) -> AnymailMessage:
    """The mail `name` in the reader's language, unsent, from its three files
    `templates/emails/<name>.{subject.txt,txt,html}`.
    """
    with override(subscriber.language):
        return _build(name, subscriber, context)


def _build(name: str, subscriber: Subscriber, context: dict[str, Any]) -> AnymailMessage:
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
        headers={
            "Auto-Submitted": "auto-generated",
            "Message-ID": make_msgid(domain=_sender_domain()),
            "Content-Language": subscriber.language,
        },
    )
    html = css_inline.inline(get_template(f"emails/{name}.html", using="html").render(values), keep_style_tags=True)
    message.attach_alternative(html, "text/html")
    message.tags = [name]
    return message


def _sender_domain() -> str:
    return parseaddr(settings.TRANSACTIONAL_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"


def notice(subscriber: Subscriber) -> AnymailMessage:
    """The transactional mail this reader is owed."""
    if subscriber.notice == Subscriber.Notice.ALREADY:
        return build("already", subscriber, {"link": links.emailed(subscriber), "days": links.EMAILED_DAYS})
    if subscriber.notice == Subscriber.Notice.LINK:
        return build("link", subscriber, {"link": links.emailed(subscriber), "days": links.EMAILED_DAYS})
    # Nothing of what was typed: a stranger may have typed it, to have us carry it to somebody.
    return build("confirm", subscriber, {"confirm": links.confirm(subscriber), "days": links.CONFIRM_DAYS})


def send_notices(now: dt.datetime, limit: int = 200) -> int:
    """Send the transactional mails that are owed. Returns how many went out.

    Each is taken off before it is sent, so that two workers never send it twice, and owed again if the mail
    server refuses it for now. What becomes of one address never holds up the others.
    """
    owed = Subscriber.objects.exclude(notice="").order_by(F("last_notice_at").asc(nulls_first=True), "pk")
    sent = 0
    try:
        with get_connection() as connection:
            for reader in owed[:limit]:
                sent += _send_notice(reader, connection, now)
    except ServerUnusable as error:
        logger.warning("The mail server cannot be used (%s): notices wait.", error)
    except OSError as error:  # while connecting; its text may hold an address
        logger.warning("The mail server cannot be reached (%s): notices wait.", type(error).__name__)
    return sent


def _send_notice(reader: Subscriber, connection: Any, now: dt.datetime) -> bool:
    """Send the one that is owed, unless another worker has. Raises ServerUnusable when no other would get through."""
    row = Subscriber.objects.filter(pk=reader.pk)
    taken = {"notice": "", "notices_sent": F("notices_sent") + 1, "last_notice_at": now}
    if not row.filter(notice=reader.notice).update(**taken):
        return False
    try:
        connection.send_messages([notice(reader)])
        return True
    except (OSError, AnymailError, UnicodeError) as error:
        outcome = classify.of(error)
        if outcome is not Outcome.PERMANENT:
            row.filter(notice="").update(notice=reader.notice, notices_sent=F("notices_sent") - 1)
        if outcome in (Outcome.NO_SERVER, Outcome.UNKNOWN):
            raise ServerUnusable(type(error).__name__) from error
        # The server's own words may hold the address: the log gets the meaning.
        logger.warning("The notice to %s was refused: %s.", masked(reader.email), outcome.value)
        return False
