"""Addresses that must never be mailed again, whatever becomes of their rows and of SECRET_KEY."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable, Mapping

from django.db import DatabaseError, connection, models, transaction

from subscriptions import keyed_hashes

logger = logging.getLogger(__name__)


class SuppressionManager(models.Manager["Suppression"]):
    """Finds a row under any key that is configured, and moves it to the current one when it is met."""

    def among(self, addresses_asked: Iterable[str]) -> set[str]:
        """Return those of the addresses that must not be mailed, with one query unless rows must move."""
        asked, keys = list(addresses_asked), keyed_hashes.suppression_keys()
        by_hash = {keyed_hashes.address_hash(address, key): address for key in keys for address in asked}
        if not by_hash:
            return set()
        # Hex digits need no quoting; as so many parameters they would cost more than their hashes.
        hashes = "','".join(by_hash)
        with connection.cursor() as cursor:
            table = Suppression._meta.db_table
            cursor.execute(f"SELECT address_hash, key_id FROM {table} WHERE address_hash IN ('{hashes}')")  # noqa: S608
            found: dict[str, str] = dict(cursor.fetchall())
        self._move({digest: by_hash[digest] for digest, key_id in found.items() if key_id != current_key_id()})
        return {by_hash[digest] for digest in found}

    def for_address(self, address: str) -> models.QuerySet[Suppression]:
        """Return the rows of this address: one, or several where processes had different keys at the same time."""
        return self.filter(address_hash__in=keyed_hashes.address_hashes(address))

    def reason_for(self, address: str) -> str:
        """Return why this address must not be mailed; "" when it may."""
        rows = list(self.for_address(address))
        self._move({row.address_hash: address for row in rows if row.key_id != current_key_id()})
        return max((row.reason for row in rows), key=Suppression.Reason.values.index, default="")

    def add_address(self, address: str, reason: str, now: dt.datetime) -> None:
        """Never mail this address again. The first reason stays, but a complaint outranks all others."""
        if not self.reason_for(address):
            values = {"key_id": current_key_id(), "reason": reason, "at": now}
            self.get_or_create(address_hash=Suppression.hash_of(address), defaults=values)
        if reason == Suppression.Reason.COMPLAINED:
            self.for_address(address).exclude(reason=reason).update(reason=reason, at=now)

    def add_many(self, reasons: Mapping[str, str], now: dt.datetime) -> None:
        """Never mail these addresses again, each for its reason; as `add_address`, with a few queries."""
        known = self.among(reasons)
        for address in known:
            self.add_address(address, reasons[address], now)
        key_id = current_key_id()
        rows = [
            Suppression(address_hash=Suppression.hash_of(address), key_id=key_id, reason=reason, at=now)
            for address, reason in reasons.items()
            if address not in known
        ]
        self.bulk_create(rows, ignore_conflicts=True)

    def under_lost_keys(self) -> models.QuerySet[Suppression]:
        """Return the rows that have no effect: the key they were hashed with is not configured."""
        return self.exclude(key_id__in=[*keyed_hashes.key_ids(), Suppression.UNRECORDED])

    def _move(self, addresses_by_hash: dict[str, str]) -> None:
        """Hash rows anew under the current key. Until that succeeds, they have their effect under their old one."""
        for old_hash, address in addresses_by_hash.items():
            try:
                with transaction.atomic():
                    self._move_one(old_hash, Suppression.hash_of(address))
            except DatabaseError as error:
                logger.warning("A suppression stays under its old key until it is next met: %s", error)

    def _move_one(self, old_hash: str, new_hash: str) -> None:
        row = self.select_for_update(skip_locked=True).filter(address_hash=old_hash).first()
        if row is None:  # another process moves it
            return
        twin = self.exclude(pk=row.pk).filter(address_hash=new_hash).first()
        if twin:
            row.reason = max(row.reason, twin.reason, key=Suppression.Reason.values.index)
            twin.delete()
        row.address_hash, row.key_id = new_hash, current_key_id()
        row.save(update_fields=["address_hash", "key_id", "reason"])


class Suppression(models.Model):
    """An address that must never be mailed again, kept as a keyed hash even when the subscriber is erased."""

    class Reason(models.TextChoices):
        """The later outrank the earlier."""

        BOUNCED = "bounced"
        LEFT = "left elsewhere"
        BY_HAND = "by hand"
        COMPLAINED = "complained"

    UNRECORDED = ""  # the key of rows that are older than the column, where there were several

    address_hash = models.CharField(max_length=64, unique=True)
    key_id = models.CharField(max_length=16, default=UNRECORDED, db_default=UNRECORDED, editable=False)
    reason = models.CharField(max_length=16, choices=Reason.choices)
    at = models.DateTimeField()

    objects = SuppressionManager()

    def __str__(self) -> str:
        return f"{self.address_hash[:12]}… ({self.reason})"

    @property
    def is_under_lost_key(self) -> bool:
        """Whether the row has no effect; see `under_lost_keys`."""
        return self.key_id not in (*keyed_hashes.key_ids(), self.UNRECORDED)

    @staticmethod
    def hash_of(address: str) -> str:
        """Return the hash under which a suppression of this address is stored now."""
        return keyed_hashes.address_hash(address, keyed_hashes.suppression_keys()[0])


def current_key_id() -> str:
    return keyed_hashes.key_ids()[0]
