"""Readers who called a mail of ours spam, against the mails that left.

Gmail and Yahoo ask bulk senders to stay under 0.1 % and never to reach 0.3 %. Gmail reports no single complaint, so
what is known here is less than what there is: a reason to stop early.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Sum

from digest.models import MailDay
from subscriptions.models import Suppression

DAYS = 7
LEAST = 3  # below so many it may be chance: one complaint in 200 mails is 0.5 %
PERIOD = dt.timedelta(days=DAYS)


@dataclass(frozen=True, slots=True)
class Complaints:
    """How many there were, and how many mails left in the same days."""

    number: int
    mails: int

    @property
    def percent(self) -> float:
        return 100 * self.number / max(self.mails, self.number, 1)

    def are_over(self, limit: float) -> bool:
        """Whether they pass a limit in percent; 0 is no limit."""
        return bool(limit) and self.number >= LEAST and self.percent > limit

    def __str__(self) -> str:
        return f"{self.number:,} of {self.mails:,} mails ({self.percent:.2f} %)"


def since(moment: dt.datetime) -> Complaints:
    """Those told after the moment, and the mails of its day (UTC) and later.

    Counted by suppressions: they outlive the reader, and hold a complaint once however often it is reported.
    """
    told = Suppression.objects.filter(reason=Suppression.Reason.COMPLAINED, at__gt=moment).count()
    mails = MailDay.objects.filter(day__gte=moment.date()).aggregate(all=Sum("sent"))["all"] or 0
    return Complaints(told, mails)
