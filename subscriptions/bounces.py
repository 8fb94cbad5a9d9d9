"""When an address is given up: a dead mailbox and a complaint at once, a mailbox that keeps refusing by points.

A refusal gives a point, at most one a day; points are halved every four weeks, and at LIMIT the address is
suppressed. So six refusals on six days in a row do it, and ten in ten weeks for weekly mail; a holiday of five days
with a full mailbox does not. A mail that arrived clears the count.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from subscriptions.models import Subscriber, Suppression

HALF_LIFE = dt.timedelta(weeks=4)
LIMIT = 5.0
APART = dt.timedelta(hours=20)  # a day's mail goes out at one hour, and bounces a little sooner or later

Status = Subscriber.Status


def decayed(score: float, since: dt.datetime | None, now: dt.datetime) -> float:
    """What is left of a score as it was at `since`. Pure."""
    if since is None or score <= 0:
        return 0.0
    halvings = max(now - since, dt.timedelta(0)) / HALF_LIFE
    return float(score * 0.5**halvings)


def in_words(score: float, since: dt.datetime | None, now: dt.datetime) -> str:
    """What is counted against a mailbox, for the operator; `score` as it was at `since`. Pure."""
    if since is None:
        return "No refusal is counted."
    left, later = decayed(score, since, now), now + HALF_LIFE
    return (
        f"Last refused on {since:%-d %B %Y}. {left:.1f} of {LIMIT:g} points now, {left / 2:.1f} on {later:%-d %B %Y}: a"
        f" refusal gives a point, one a day at most, points are halved every {HALF_LIFE.days // 7} weeks, and a mail"
        f" reported as delivered clears them. At {LIMIT:g} the address is given up."
    )


def count(reader: Subscriber, points: int, now: dt.datetime) -> bool:
    """Count a refusal by this mailbox. True: it was one too many, and the address is suppressed."""
    with transaction.atomic():
        row = Subscriber.objects.select_for_update(no_key=True).get(pk=reader.pk)
        if row.bounced_at and now - row.bounced_at < APART:
            return False
        score = decayed(row.bounce_score, row.bounced_at, now) + points
        Subscriber.objects.filter(pk=row.pk).update(bounce_score=score, bounced_at=now)
        if score < LIMIT:
            return False
        give_up(row, now)
    return True


def clear(reader: Subscriber) -> None:
    """A mail arrived: the mailbox works."""
    Subscriber.objects.filter(pk=reader.pk, bounced_at__isnull=False).update(bounce_score=0, bounced_at=None)


def give_up(reader: Subscriber, now: dt.datetime) -> None:
    """The mailbox is dead. Its owner can prove the contrary by confirming anew."""
    Suppression.objects.add_address(reader.email, Suppression.Reason.BOUNCED, now)
    reader.stop(Status.BOUNCED, now)


def complained(reader: Subscriber, now: dt.datetime) -> None:
    """The reader called our mail spam: never again, not even if they sign up anew."""
    Suppression.objects.add_address(reader.email, Suppression.Reason.COMPLAINED, now)
    reader.stop(Status.COMPLAINED, now)
