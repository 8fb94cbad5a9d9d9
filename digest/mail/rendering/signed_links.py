"""Signatures and links by the thousand: what `links`, `subscriptions.links` and `headers` make, at a tenth of the cost.

django.core.signing derives its key anew for each signature. Here it is derived once for each purpose; a test holds
these links and those of `links` the same.
"""

from __future__ import annotations

import hashlib
from binascii import b2a_base64
from typing import NamedTuple

from django.conf import settings
from django.urls import reverse

from digest import links
from digest.mail.messages import Order
from digest.mail.rendering.headers import MESSAGE_ID, message_id_of, sender_domain
from subscriptions.keyed_hashes import lasting_key
from subscriptions.links import PREFERENCES, UNSUBSCRIBE, absolute

_STAND_IN = "TOKEN"
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


class Seal:
    """HMAC-SHA256 (RFC 2104) as Django's `salted_hmac` makes it."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, salt: str, secret: str) -> None:
        key = hashlib.sha256((salt + secret).encode()).digest().ljust(64, b"\0")
        self._inner = hashlib.sha256(bytes(octet ^ 0x36 for octet in key))
        self._outer = hashlib.sha256(bytes(octet ^ 0x5C for octet in key))

    def digest(self, text: str) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(text.encode())
        outer.update(inner.digest())
        return outer.digest()


class Address:
    """A kind of signed link: `of(name)` is the whole address, signed as by Django's Signer."""

    __slots__ = ("_after", "_before", "_seal")

    def __init__(self, view: str, salt: str) -> None:
        self._before, self._after = absolute(reverse(view, args=[_STAND_IN])).split(_STAND_IN)
        self._seal = Seal(f"{salt}signer", settings.SECRET_KEY)

    def of(self, name: str) -> str:
        mac = b2a_base64(self._seal.digest(name), newline=False).translate(_URL_SAFE)[:43].decode("ascii")
        return f"{self._before}{name}:{mac}{self._after}"


class Links(NamedTuple):
    """What is one reader's own in one mail."""

    web_copy: str
    feedback: str
    preferences: str
    unsubscribe: str
    message_id: str


class Desk:
    """Makes the links of one mail after the other."""

    def __init__(self) -> None:
        self._web_copy = Address("digest:web_copy", links.DIGEST)
        self._feedback = Address("digest:feedback", links.FEEDBACK)
        self._preferences = Address("subscriptions:preferences", f"paper-round.{PREFERENCES}")
        self._unsubscribe = Address("subscriptions:unsubscribe", f"paper-round.{UNSUBSCRIBE}")
        self._message_id, self._domain = Seal(MESSAGE_ID, lasting_key()), sender_domain()

    def links(self, order: Order) -> Links:
        """Their names are those of `links.name_of`, `headers.named` and `subscriptions.links`."""
        token, date = f"{order.code}.{order.token_version}", order.issue_date.isoformat()
        name = f"{token}.{date.replace('-', '')}"
        mac = self._message_id.digest(f"{order.code}/{date}").hex()
        return Links(
            self._web_copy.of(name),
            self._feedback.of(name),
            self._preferences.of(token),
            self._unsubscribe.of(token),
            message_id_of(order.issue_date, mac, self._domain),
        )
