"""Subscribers whose mail cannot be timed."""

from __future__ import annotations

from digest.operations.health.findings import Finding, problem
from subscriptions.models import Subscriber
from subscriptions.schedule import is_usable

NAMED = 10  # ids in a finding


def time_zones() -> list[Finding]:
    """Name active subscribers whose stored time zone this system does not know: their digests are skipped."""
    active = Subscriber.objects.filter(status=Subscriber.Status.ACTIVE)
    unknown = [zone for zone in active.values_list("time_zone", flat=True).distinct() if not is_usable(zone)]
    if not unknown:
        return []
    ids = list(active.filter(time_zone__in=unknown).order_by("pk").values_list("pk", flat=True))
    named = ", ".join(map(str, ids[:NAMED])) + (" …" if len(ids) > NAMED else "")
    return [
        problem(
            f"Subscribers with an unknown time zone, who get no mail: {len(ids)} (id {named}).",
            "Correct the time zone of each in the admin.",
        )
    ]
