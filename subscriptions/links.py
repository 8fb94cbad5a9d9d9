"""Signed links that need no password: one function and one salt per purpose.

A token is `code.version:signature`. The code names the reader (random, 96 bits), the version is raised to
make every older link void, the signature (HMAC-SHA256) belongs to one purpose: a token for the web copy
does not unsubscribe. What is mailed to be opened at once expires; unsubscribing never does.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from django.conf import settings
from django.core import signing
from django.urls import reverse

if TYPE_CHECKING:
    from subscriptions.models import Subscriber

CONFIRM, EMAILED, PREFERENCES, UNSUBSCRIBE = "confirm", "emailed", "preferences", "unsubscribe"
CONFIRM_DAYS, EMAILED_DAYS = 7, 1
GOOD_FOR = {CONFIRM: dt.timedelta(days=CONFIRM_DAYS), EMAILED: dt.timedelta(days=EMAILED_DAYS)}  # others: for ever


def absolute(path: str) -> str:
    """The path as an address on our site."""
    return f"{settings.SITE_URL}{path}"


def token_for(subscriber: Subscriber, purpose: str) -> str:
    """A token for this reader and this purpose."""
    text = f"{subscriber.code}.{subscriber.token_version}"
    if purpose in GOOD_FOR:
        return signing.TimestampSigner(salt=f"paper-round.{purpose}").sign(text)
    return signing.Signer(salt=f"paper-round.{purpose}").sign(text)


def read_token(token: str, purpose: str) -> tuple[str, int]:
    """(code, version). Raises signing.BadSignature, or its SignatureExpired for one that was good for some days."""
    salt = f"paper-round.{purpose}"
    if purpose in GOOD_FOR:
        text = signing.TimestampSigner(salt=salt).unsign(token, max_age=GOOD_FOR[purpose])
    else:
        text = signing.Signer(salt=salt).unsign(token)
    code, _, version = text.rpartition(".")
    return code, int(version)


def confirm(subscriber: Subscriber) -> str:
    """Asks "is it you?"; a POST there answers yes."""
    return absolute(reverse("subscriptions:confirm", args=[token_for(subscriber, CONFIRM)]))


def preferences(subscriber: Subscriber) -> str:
    """Everything a reader can change."""
    return absolute(reverse("subscriptions:preferences", args=[token_for(subscriber, PREFERENCES)]))


def emailed(subscriber: Subscriber) -> str:
    """The way to the preferences for somebody who lost it; good for a day."""
    return absolute(reverse("subscriptions:emailed", args=[token_for(subscriber, EMAILED)]))


def unsubscribe(subscriber: Subscriber) -> str:
    """GET asks, POST acts; also the address of RFC 8058's one-click POST."""
    return absolute(reverse("subscriptions:unsubscribe", args=[token_for(subscriber, UNSUBSCRIBE)]))
