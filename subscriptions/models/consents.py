"""Whether we may write to an address at all: the reader's yes, and what forbids it."""

from __future__ import annotations

import datetime as dt
import hmac
from collections.abc import Iterable
from functools import lru_cache

from django.conf import settings
from django.db import connection, models
from django.utils.crypto import salted_hmac

from subscriptions import addresses
from subscriptions.models.subscribers import Subscriber


class Consent(models.Model):
    """What a reader agreed to, when and from which page: the proof of double opt-in (GDPR 7(1))."""

    class Kind(models.TextChoices):
        REQUESTED = "requested"
        CONFIRMED = "confirmed"
        WITHDRAWN = "withdrawn"

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="consents")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    at = models.DateTimeField()
    page = models.CharField(max_length=200)
    wording = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d %H:%M}"


class SuppressionManager(models.Manager["Suppression"]):
    def among(self, addresses_asked: Iterable[str]) -> set[str]:
        """Those of the addresses that must not be mailed, in one query."""
        by_hash = {Suppression.hash_of(address): address for address in addresses_asked}
        if not by_hash:
            return set()
        # Hex digits need no quoting; as so many parameters they would cost more than their hashes.
        hashes = "','".join(by_hash)
        with connection.cursor() as cursor:
            table = Suppression._meta.db_table
            cursor.execute(f"SELECT address_hash FROM {table} WHERE address_hash IN ('{hashes}')")  # noqa: S608
            return {by_hash[found] for (found,) in cursor.fetchall()}

    def reason_for(self, address: str) -> str:
        """Why this address must not be mailed; "" when it may."""
        row = self.filter(address_hash=Suppression.hash_of(address)).first()
        return row.reason if row else ""

    def add_address(self, address: str, reason: str, now: dt.datetime) -> None:
        """Never mail this address again. The first reason stays, but a complaint outranks a bounce."""
        row, created = self.get_or_create(
            address_hash=Suppression.hash_of(address), defaults={"reason": reason, "at": now}
        )
        if not created and reason == Suppression.Reason.COMPLAINED:
            self.filter(pk=row.pk).exclude(reason=reason).update(reason=reason, at=now)


class Suppression(models.Model):
    """An address that must never be mailed again, kept as a keyed hash even when the reader is erased."""

    class Reason(models.TextChoices):
        BOUNCED = "bounced"
        COMPLAINED = "complained"
        BY_HAND = "by hand"

    address_hash = models.CharField(max_length=64, unique=True)
    reason = models.CharField(max_length=16, choices=Reason.choices)
    at = models.DateTimeField()

    objects = SuppressionManager()

    def __str__(self) -> str:
        return f"{self.address_hash[:12]}… ({self.reason})"

    @staticmethod
    def hash_of(address: str) -> str:
        """HMAC-SHA256 of the address's compared form under our secret key, 64 hex digits."""
        mac = _keyed(settings.SECRET_KEY).copy()
        mac.update(addresses.key(address).encode())
        return mac.hexdigest()


@lru_cache(maxsize=1)
def _keyed(secret: str) -> hmac.HMAC:
    """Each mail asks for a hash, and deriving the key takes longer than using it."""
    return salted_hmac("paper-round.suppression", "", secret=secret, algorithm="sha256")
