"""Papers that somebody pasted when signing up become likes when the address says yes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.dispatch import receiver

from digest.models import Feedback, Paper
from subscriptions.models import Subscriber
from subscriptions.signup import confirmed


@receiver(confirmed)
def adopt(sender: object, reader: Subscriber, now: dt.datetime, **kwargs: Any) -> None:
    """Note what was pasted, once; a click in a mail that was made since says more and stays."""
    like(reader, reader.pasted, now)
    reader.pasted = []
    reader.save(update_fields=["pasted"])


def like(reader: Subscriber, papers: Iterable[int], now: dt.datetime) -> int:
    """More like each of these, where nothing of the kind was said before. Returns how many are new."""
    known = Paper.objects.known().filter(pk__in=list(papers))
    spoken = reader.feedback.filter(kind__in=(Feedback.Kind.MORE, Feedback.Kind.LESS)).values("paper")
    new = known.exclude(pk__in=spoken)
    rows = [Feedback(subscriber=reader, paper=paper, kind=Feedback.Kind.MORE, at=now) for paper in new]
    Feedback.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)
