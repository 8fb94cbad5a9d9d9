"""Signed links that need no password: one function and one salt per purpose.

A token is `code.version:signature`. The code names the reader (random, 96 bits), the version is raised to
make every older link void, the signature (HMAC-SHA256) belongs to one purpose: a token for the web copy
does not unsubscribe. Confirming expires; unsubscribing never does.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from django.conf import settings
from django.core import signing
from django.urls import reverse

if TYPE_CHECKING:
    from subscriptions.models import Subscriber

CONFIRM, PREFERENCES, UNSUBSCRIBE = "confirm", "preferences", "unsubscribe"
CONFIRM_DAYS = 7


def absolute(path: str) -> str:
    """The path as an address on our site."""
    return f"{settings.SITE_URL}{path}"


def token_for(subscriber: Subscriber, purpose: str) -> str:
    """A token for this reader and this purpose."""
    text = f"{subscriber.code}.{subscriber.token_version}"
    if purpose == CONFIRM:
        return signing.TimestampSigner(salt=f"paper-round.{purpose}").sign(text)
    return signing.Signer(salt=f"paper-round.{purpose}").sign(text)


def read_token(token: str, purpose: str) -> tuple[str, int]:
    """(code, version). Raises signing.BadSignature, or its SignatureExpired for an old confirmation."""
    salt = f"paper-round.{purpose}"
    if purpose == CONFIRM:
        age = dt.timedelta(days=CONFIRM_DAYS)
        text = signing.TimestampSigner(salt=salt).unsign(token, max_age=age)
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


def unsubscribe(subscriber: Subscriber) -> str:
    """GET asks, POST acts; also the address of RFC 8058's one-click POST."""
    return absolute(reverse("subscriptions:unsubscribe", args=[token_for(subscriber, UNSUBSCRIBE)]))
