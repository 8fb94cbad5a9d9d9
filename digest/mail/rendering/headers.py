"""The headers that bulk mail must carry: RFC 2369, 2919, 8058, and a Message-ID that stays."""

from __future__ import annotations

import datetime as dt
import email.utils
from email.utils import parseaddr

from django.conf import settings
from django.core.mail.message import sanitize_address
from django.utils.crypto import salted_hmac

from digest.models import Digest
from subscriptions import links as reader_links
from subscriptions.keyed_hashes import lasting_key
from subscriptions.models import Subscriber

MESSAGE_ID = "paper-round.message-id"  # the salt


def headers(digest: Digest, subscriber: Subscriber, now: dt.datetime) -> dict[str, str]:
    """All but From, To and Subject."""
    return {
        "Message-ID": message_id(digest),
        "Date": email.utils.format_datetime(now),
        "List-Unsubscribe": f"<{reader_links.unsubscribe(subscriber)}>",
        "Content-Language": subscriber.language,  # RFC 3282
        **same_for_all(),
    }


def same_for_all() -> dict[str, str]:
    """Those that are the same in every digest."""
    domain = sender_domain()
    return {
        "List-Id": f"{settings.SITE_NAME} <digest.{domain}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "List-Help": f"<{settings.SITE_URL}/>",
        "Precedence": "bulk",
        "Feedback-ID": f"digest:{domain}",
    }


def message_id(digest: Digest) -> str:
    """The same for each try at the same reader and date, so that a repeat can be recognised."""
    mac = salted_hmac(MESSAGE_ID, named(digest), secret=lasting_key(), algorithm="sha256").hexdigest()
    return message_id_of(digest.issue_date, mac, sender_domain())


def named(digest: Digest) -> str:
    """What the Message-ID is made from."""
    return f"{digest.subscriber.code}/{digest.issue_date.isoformat()}"


def message_id_of(date: dt.date, mac: str, domain: str) -> str:
    return f"<{date.isoformat().replace('-', '')}.{mac[:32]}@{domain}>"


def sender() -> str:
    """From, as it stands on the wire: names in encoded words, domains in ASCII."""
    return sanitize_address(settings.DEFAULT_FROM_EMAIL, "utf-8")


def sender_domain() -> str:
    """The domain our digests come from."""
    return parseaddr(sender())[1].rpartition("@")[2] or "localhost"
