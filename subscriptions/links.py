"""Signed links that need no password: one function and one salt per purpose.

A token is `code.version:signature`. The code names the reader (random, 96 bits), the version is raised to
make every older link void, the signature (HMAC-SHA256) belongs to one purpose: a token for the web copy
does not unsubscribe. What is mailed to be opened at once expires; unsubscribing never does.

A digest may be forwarded, so none of its links opens the preferences: its preferences link leads to a page that mails
the subscriber a link of one day (EMAILED), and that one opens the preferences (ACCESS) for two hours.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from django.conf import settings
from django.core import signing
from django.urls import reverse

if TYPE_CHECKING:
    from subscriptions.models import Subscriber

ACCESS, CONFIRM, EMAILED, PREFERENCES, UNSUBSCRIBE = "access", "confirm", "emailed", "preferences", "unsubscribe"
CONFIRM_DAYS, EMAILED_DAYS, ACCESS_HOURS = 7, 1, 2
UNDO_DAYS = 7  # how long a link in a mail takes back what it did
UNDO = dt.timedelta(days=UNDO_DAYS)
GOOD_FOR = {
    ACCESS: dt.timedelta(hours=ACCESS_HOURS),
    CONFIRM: dt.timedelta(days=CONFIRM_DAYS),
    EMAILED: dt.timedelta(days=EMAILED_DAYS),
}  # the others: for ever


def absolute(path: str) -> str:
    """The path as an address on our site."""
    return f"{settings.SITE_URL}{path}"


def token_for(subscriber: Subscriber, purpose: str) -> str:
    """A token for this reader and this purpose."""
    text = f"{subscriber.code}.{subscriber.token_version}"
    if purpose == CONFIRM:
        text += f".{subscriber.confirm_version}"  # a link confirms one sign-up, once
        if subscriber.latest_signup:
            text += f".{subscriber.latest_signup}"
    if purpose in GOOD_FOR:
        return signing.TimestampSigner(salt=f"paper-round.{purpose}").sign(text)
    return signing.Signer(salt=f"paper-round.{purpose}").sign(text)


def read_token(token: str, purpose: str) -> tuple[str, int]:
    """(code, token version). Raises signing.BadSignature, or its SignatureExpired."""
    code, version, *_ = _parts(token, purpose)
    return code, version


def confirmed_by(token: str) -> tuple[int, int]:
    """Return the confirm version of a confirmation link, and the number of the pending sign-up that it confirms.

    Raises as `read_token`.
    """
    return _parts(token, CONFIRM)[2:]


def _parts(token: str, purpose: str) -> tuple[str, int, int, int]:
    """(code, token version, confirm version, sign-up); the last two are 0 where the token has none."""
    salt = f"paper-round.{purpose}"
    if purpose in GOOD_FOR:
        text = signing.TimestampSigner(salt=salt).unsign(token, max_age=GOOD_FOR[purpose])
    else:
        text = signing.Signer(salt=salt).unsign(token)
    code, *versions = text.split(".")
    token_version, confirm_version, signup = (*map(int, versions), 0, 0)[:3]
    return code, token_version, confirm_version, signup


def confirm(subscriber: Subscriber) -> str:
    """Asks "is it you?"; a POST there answers yes."""
    return absolute(reverse("subscriptions:confirm", args=[token_for(subscriber, CONFIRM)]))


def preferences(subscriber: Subscriber) -> str:
    """The lasting link in digests: a page that mails the subscriber the way in, and reveals nothing."""
    return absolute(reverse("subscriptions:preferences", args=[token_for(subscriber, PREFERENCES)]))


def access(subscriber: Subscriber) -> str:
    """Everything a subscriber can see and change, for two hours; never written into a mail."""
    return absolute(reverse("subscriptions:preferences", args=[token_for(subscriber, ACCESS)]))


def emailed(subscriber: Subscriber) -> str:
    """The way to the preferences for somebody who lost it; good for a day."""
    return absolute(reverse("subscriptions:emailed", args=[token_for(subscriber, EMAILED)]))


def unsubscribe(subscriber: Subscriber) -> str:
    """GET asks, POST acts; also the address of RFC 8058's one-click POST."""
    return absolute(reverse("subscriptions:unsubscribe", args=[token_for(subscriber, UNSUBSCRIBE)]))
