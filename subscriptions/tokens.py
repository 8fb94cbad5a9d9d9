"""Secrets that open one thing of one reader, until they are revoked: a feed's address, a token for programs.

192 random bits, shown once. The database holds a keyed hash under one salt per kind: whoever reads a backup can ask
for nothing, and a secret of one kind opens nothing of the other.
"""

from __future__ import annotations

import datetime as dt
import secrets

from django.conf import settings
from django.db.models import F
from django.utils.crypto import salted_hmac

from subscriptions.models import Secret, Subscriber

BYTES = 24


def make(reader: Subscriber, kind: str, now: dt.datetime) -> str:
    """A new secret of this kind; the reader's old one stops."""
    secret = secrets.token_urlsafe(BYTES)
    made = {"hash": _hash(secret, kind, settings.SECRET_KEY), "token_version": reader.token_version, "made_at": now}
    Secret.objects.update_or_create(subscriber=reader, kind=kind, defaults=made)
    return secret


def revoke(reader: Subscriber, kind: str) -> None:
    """It opens nothing from now on. Said twice, it is still so."""
    Secret.objects.filter(subscriber=reader, kind=kind).delete()


def holder(secret: str, kind: str) -> Subscriber | None:
    """Whose secret it is; None for a wrong one, a revoked one, and one of a reader who left. One query,
    and one more for the first use after a change of SECRET_KEY.
    """
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    found = Secret.objects.select_related("subscriber").filter(
        hash__in=[_hash(secret, kind, key) for key in keys],
        kind=kind,
        token_version=F("subscriber__token_version"),
        subscriber__status=Subscriber.Status.ACTIVE,
    )
    row = found.first()
    if row is None:
        return None
    current = _hash(secret, kind, settings.SECRET_KEY)
    if row.hash != current:  # so that the old key can go one day, and this secret stays
        Secret.objects.filter(pk=row.pk, hash=row.hash).update(hash=current)
    return row.subscriber


def _hash(secret: str, kind: str, key: str) -> str:
    """HMAC-SHA256, 64 hex digits. A secret is typed by anybody: half a surrogate pair in it is no error."""
    value = secret.encode("utf-8", "replace")
    return salted_hmac(f"paper-round.secret.{kind}", value, secret=key, algorithm="sha256").hexdigest()
