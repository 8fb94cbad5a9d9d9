"""Keyed hashes that outlive a change of SECRET_KEY: of suppressed addresses, of counters and of public names."""

from __future__ import annotations

import hmac
from functools import lru_cache

from django.conf import settings
from django.utils.crypto import salted_hmac

from subscriptions import addresses


def suppression_keys() -> list[str]:
    """Return the keys that suppressions may be hashed with, each once. New ones are hashed with the first.

    SECRET_KEY is the first unless SUPPRESSION_KEY is set. It and its fallbacks are always tried: rows may be older
    than SUPPRESSION_KEY.
    """
    keys = [
        settings.SUPPRESSION_KEY,
        settings.SECRET_KEY,
        *settings.SUPPRESSION_KEY_FALLBACKS,
        *settings.SECRET_KEY_FALLBACKS,
    ]
    return list(dict.fromkeys(key for key in keys if key))


def address_hashes(address: str) -> list[str]:
    """Return the address's hash under each of `suppression_keys`."""
    return [address_hash(address, key) for key in suppression_keys()]


def address_hash(address: str, key: str) -> str:
    """Return HMAC-SHA256 of the address's compared form under this key, as 64 hex digits."""
    mac = _keyed(key).copy()
    mac.update(addresses.key(address).encode())
    return mac.hexdigest()


@lru_cache(maxsize=16)
def key_id(key: str) -> str:
    """Return the name by which rows remember their key. It reveals nothing of the key."""
    return salted_hmac("paper-round.suppression-key", "", secret=key, algorithm="sha256").hexdigest()[:12]


def key_ids() -> list[str]:
    """Return the `key_id` of each of `suppression_keys`, in their order."""
    return [key_id(key) for key in suppression_keys()]


def lasting_key() -> str:
    """Return the oldest of SECRET_KEY and its fallbacks, newest first as Django wants them.

    For names that must not change with SECRET_KEY: counters of limits, Message-IDs, ids of feed entries. Nothing is
    authenticated with it.
    """
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS][-1]


@lru_cache(maxsize=16)
def _keyed(key: str) -> hmac.HMAC:
    """Return the hash of nothing yet. Deriving the key takes longer than using it."""
    return salted_hmac("paper-round.suppression", "", secret=key, algorithm="sha256")
