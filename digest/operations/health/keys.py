"""Keys: whether every suppression is still under one that is configured."""

from __future__ import annotations

from django.db.models import Count

from digest.operations.health.findings import Finding, ok, problem, warning
from subscriptions import keyed_hashes
from subscriptions.models import Suppression


def suppressions() -> list[Finding]:
    """Count suppressions by key. One whose key is gone has no effect, and a complainer can be imported again."""
    counts = dict(Suppression.objects.values_list("key_id").annotate(rows=Count("pk")))
    unrecorded = counts.pop(Suppression.UNRECORDED, 0)
    current, *older = (counts.pop(key_id, 0) for key_id in keyed_hashes.key_ids())
    found = [_lost(sum(counts.values()))] if counts else []
    found += [_unrecorded(unrecorded)] if unrecorded else []
    return found or [ok(_summary(current, sum(older)))]


def _summary(current: int, older: int) -> str:
    every = f"{current + older:,} suppression{'' if current + older == 1 else 's'}"
    return (
        f"{every}, of which {older:,} still need{'s' * (older == 1)} an older key."
        if older
        else f"{every}, all in effect."
    )


def _lost(rows: int) -> Finding:
    return problem(
        f"Suppressions whose key is not configured: {rows:,}. These addresses can be mailed again.",
        "Put the SECRET_KEY or SUPPRESSION_KEY of that time into SUPPRESSION_KEY_FALLBACKS and restart every process. "
        "If the key is lost, see docs/security.md.",
    )


def _unrecorded(rows: int) -> Finding:
    return warning(
        f"Suppressions that may be under any of your older keys: {rows:,}.",
        "Keep every key of SECRET_KEY_FALLBACKS: each address moves to the current key when it is next met.",
    )
