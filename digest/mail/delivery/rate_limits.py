"""How many mails may leave now: rates across all workers, and the warm-up plan of a new sender."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from digest.models import Delivery, MailDay, RateBucket

BURST = 20  # a bucket holds a twentieth of its rate
Status = Delivery.Status


@dataclass(frozen=True, slots=True)
class Rate:
    """`count` mails in `seconds`, held for every stretch of so many seconds, wherever it begins."""

    name: str
    count: int
    seconds: int

    @property
    def capacity(self) -> int:
        return max(1, self.count // BURST)

    @property
    def refill(self) -> float:
        """Tokens a second. A full bucket and what flows in during `seconds` are `count` together."""
        return (self.count - self.capacity + 1) / self.seconds

    def filled(self, tokens: float, since: float) -> float:
        """What the bucket holds `since` seconds later; a clock that was set back fills nothing."""
        return min(float(self.capacity), tokens + max(since, 0.0) * self.refill)

    def wait(self, tokens: float) -> float:
        """Seconds until it holds one."""
        return max(0.0, (1 - tokens) / self.refill)


def rates() -> list[Rate]:
    """As the settings name them, in one order for all workers."""
    return [Rate(name, count, seconds) for name, (count, seconds) in sorted(settings.MAIL_RATE.items())]


def take(wanted: int, now: dt.datetime) -> tuple[int, float]:
    """How many of the mails wanted may leave now under every rate, and, where none may, in how many seconds one may."""
    limits = rates()
    if not limits or not wanted:
        return wanted, 0.0
    with transaction.atomic():
        for rate in limits:
            new = {"tokens": rate.capacity, "filled_at": now}
            RateBucket.objects.get_or_create(name=rate.name, defaults=new)
        rows = RateBucket.objects.select_for_update().filter(name__in=[rate.name for rate in limits])
        buckets = {row.name: row for row in rows.order_by("name")}
        for rate in limits:
            row = buckets[rate.name]
            row.tokens = rate.filled(row.tokens, (now - row.filled_at).total_seconds())
        may = min(wanted, *(int(row.tokens + 1e-9) for row in buckets.values()))
        for row in buckets.values():
            row.tokens, row.filled_at = row.tokens - may, now
            row.save(update_fields=["tokens", "filled_at"])
    wait = max(rate.wait(buckets[rate.name].tokens) for rate in limits)
    return may, 0.0 if may else wait


@dataclass(frozen=True, slots=True)
class WarmUp:
    """Where a warm-up plan is: the day of the plan counted from 1, how many it allows, how many of them have left."""

    day: int
    days: int
    allowed: int
    sent: int


def warm_up(now: dt.datetime) -> WarmUp | None:
    """Today in the plan; None without one, or when it is done. A day counts on which mail left, in UTC."""
    plan = settings.MAIL_WARM_UP
    if not plan:
        return None
    before = MailDay.objects.filter(day__lt=now.date(), sent__gt=0).count()
    if before >= len(plan):
        return None
    sent = MailDay.objects.filter(day=now.date()).values_list("sent", flat=True).first() or 0
    return WarmUp(before + 1, len(plan), plan[before], sent)


def left_of_warm_up(now: dt.datetime) -> int | None:
    """How many mails the plan still allows to be claimed today; None: as many as there are.

    What is in other workers' hands is taken as sent. Call it in the transaction that claims.
    """
    today = warm_up(now)
    if today is None:
        return None
    # The day's row is what workers queue up at, so that no two count the same remainder.
    MailDay.objects.get_or_create(day=now.date())
    sent = MailDay.objects.select_for_update().get(day=now.date()).sent
    held = Delivery.objects.filter(status__in=[Status.WAITING, Status.SENDING], claimed_until__gt=now).count()
    return max(0, today.allowed - sent - held)
