"""Forgetting subscribers, at once and whole (GDPR 17). What must not be mailed again stays as a keyed hash only."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from subscriptions import local_mailbox
from subscriptions.models import Interest, InterestLine, MailRequest, Subscriber
from subscriptions.models.subscribers import SubscriberQuerySet

logger = logging.getLogger(__name__)

BATCH = 20  # subscribers a transaction: each may have a year of digests


def erase(subscriber: Subscriber) -> None:
    """Delete the subscriber and everything about them: lines, consents, digests, waiting mails, feedback, what the
    admin's history says of them, and mail that the embedded catcher stored.

    Interests are shared by all who typed them: those that nobody else has go too, and the others are printed as
    somebody else typed them.
    """
    erase_all(Subscriber.objects.filter(pk=subscriber.pk))
    logger.info("A subscriber was erased.")


def erase_all(subscribers: SubscriberQuerySet) -> int:
    """Erase these subscribers, a batch at a time. Return how many.

    Each row is locked and looked at again first: somebody who confirms at this moment stays.
    """
    erased: list[str] = []
    last = 0
    while pks := list(subscribers.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        erased += _erase_batch(subscribers.filter(pk__in=pks))
        last = pks[-1]
    local_mailbox.delete_to(erased)
    return len(erased)


def _erase_batch(subscribers: SubscriberQuerySet) -> list[str]:
    """Return the addresses that were erased."""
    with transaction.atomic():
        locked = list(subscribers.select_for_update().order_by("pk").values_list("pk", "email"))
        pks = [pk for pk, _ in locked]
        interests = list(InterestLine.objects.filter(subscriber__in=pks).values_list("interest", flat=True).distinct())
        Interest.objects.reprint(pks)
        _forget_history(pks)
        for _, email in locked:
            MailRequest.objects.filter(address__iexact=email).delete()
        Subscriber.objects.filter(pk__in=pks).delete()
    Interest.objects.drop(interests)
    return [email for _, email in locked]


def _forget_history(pks: Sequence[int]) -> None:
    """The entries stay, so that it is known what staff did; the address goes."""
    kind = ContentType.objects.get_for_model(Subscriber)
    entries = LogEntry.objects.filter(content_type=kind, object_id__in=list(map(str, pks)))
    entries.update(object_repr="an erased subscriber", change_message="")
