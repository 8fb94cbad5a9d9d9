"""What was chosen for a reader, what became of its mail, and what the reader said of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from digest.models.papers import Paper
from digest.models.picks import Pick, pack, paper_ids, unpack
from subscriptions.models import Subscriber

LATEST_BY = 1.25  # a wait is at most so many times the last of MAIL_BACKOFF: its jitter


class Digest(models.Model):
    """What was chosen for one subscriber for one issue date.

    Written once and never changed. A digest whose mail could not leave for long is deleted with it when the
    subscriber's next one is written (`digest.picks.selection.supersede`).

    The picks are packed numbers and not rows: ten rows a mail would cost more to write than all the rest of the mail
    (docs/decisions.md). Without a pick nothing matched: there is no Delivery, unless the subscriber asked for a mail
    that says so.
    """

    subscriber = models.ForeignKey(  # the index of the constraint below begins with it
        Subscriber, on_delete=models.CASCADE, related_name="digests", db_index=False
    )
    issue_date = models.DateField(db_index=True)
    created_at = models.DateTimeField(db_index=True)
    packed_picks = models.BinaryField(default=bytes, help_text="Records of `digest.models.picks.PICK`, best first.")
    packed_reasons = models.BinaryField(default=bytes, help_text="Records of `digest.models.picks.REASON`.")
    notice = models.TextField(blank=True, help_text="What the mail says first: a source that is late.")
    is_catch_up = models.BooleanField(
        default=False, db_default=False, help_text="The first after a pause, with the best of the days away."
    )

    class Meta:
        ordering = ["-issue_date", "-pk"]
        constraints = [models.UniqueConstraint(fields=["subscriber", "issue_date"], name="digest_once_a_date")]

    def __str__(self) -> str:
        return f"{self.issue_date} for subscriber {self.subscriber_id}"

    @property
    def picks(self) -> list[Pick]:
        """The picks, best first."""
        return unpack(bytes(self.packed_picks), bytes(self.packed_reasons))

    @picks.setter
    def picks(self, picks: Sequence[Pick]) -> None:
        self.packed_picks, self.packed_reasons = pack(picks)

    @property
    def has_picks(self) -> bool:
        return bool(self.packed_picks)

    @property
    def paper_ids(self) -> list[int]:
        return paper_ids(bytes(self.packed_picks))


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def ready(self, now: dt.datetime) -> DeliveryQuerySet:
        """Mails that wait, whose time has come, and that no living worker has claimed.

        A time further off than the longest wait there is was set by a clock that was wrong: it counts as come.
        """
        time_has_come = Q(not_before__lte=now) | Q(not_before__gt=now + LATEST_BY * settings.MAIL_BACKOFF[-1])
        return self.unclaimed(now).filter(time_has_come, status=Delivery.Status.WAITING).order_by("not_before", "pk")

    def unclaimed(self, now: dt.datetime) -> DeliveryQuerySet:
        """Mails that no living worker holds."""
        return self.filter(Q(claimed_until=None) | _lease_is_over(now))

    def stuck(self, now: dt.datetime) -> DeliveryQuerySet:
        """Mails in "sending" whose lease is over; where no worker lives that holds the claim, nobody can know."""
        return self.filter(_lease_is_over(now), status=Delivery.Status.SENDING)


def _lease_is_over(now: dt.datetime) -> Q:
    """One that ends later than any lease can was taken before the clock was set back."""
    return Q(claimed_until__lte=now) | Q(claimed_until__gt=now + settings.MAIL_LEASE)


class Delivery(models.Model):
    """What became of a digest's mail, in django-anymail's words plus `waiting` and `sending`."""

    class Status(models.TextChoices):
        WAITING = "waiting"
        SENDING = "sending"
        SENT = "sent"
        QUEUED = "queued"
        INVALID = "invalid"
        REJECTED = "rejected"
        FAILED = "failed"
        UNKNOWN = "unknown"
        DEFERRED = "deferred"
        DELIVERED = "delivered"
        BOUNCED = "bounced"
        COMPLAINED = "complained"
        UNSUBSCRIBED = "unsubscribed"

    digest = models.OneToOneField(Digest, on_delete=models.CASCADE, related_name="delivery")
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField()
    claimed_until = models.DateTimeField(null=True, blank=True, help_text="The lease of the worker at it.")
    claim = models.BigIntegerField(null=True, blank=True, editable=False, help_text="Which claim holds it.")
    was_resent = models.BooleanField(default=False, help_text="Sent again because its outcome was unknown.")
    doubts = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="How often the server left it unknown whether it took the mail."
    )
    message_id = models.CharField(max_length=255, blank=True)
    error = models.TextField(blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "deliveries"
        # A mail's row changes three times in a minute, and with its status it is written into every index that it is
        # in: so an index has only the rows that are looked for by it. The queue's has its whole order: many wait since
        # one moment, and none must be sorted to find the first.
        indexes = [
            models.Index(
                fields=["not_before", "id"],
                condition=Q(status__in=["waiting", "sending"]),
                name="delivery_open",
            ),
            models.Index(
                fields=["status"],
                condition=~Q(status__in=["waiting", "sending", "sent", "delivered"]),
                name="delivery_exceptions",
            ),
            models.Index(fields=["message_id"], condition=~Q(message_id=""), name="delivery_of_message"),
        ]

    def __str__(self) -> str:
        return f"{self.digest}: {self.status}"


class Feedback(models.Model):
    """A reader's word about a paper: undone by a time, never by deleting, so that it can be explained."""

    class Kind(models.TextChoices):
        MORE = "more", _("more like this")
        LESS = "less", _("less like this")
        SAVE = "save", _("saved")

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="feedback")
    paper = models.ForeignKey(Paper, on_delete=models.CASCADE, related_name="feedback")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "feedback"
        constraints = [models.UniqueConstraint(fields=["subscriber", "paper", "kind"], name="feedback_once_a_kind")]

    def __str__(self) -> str:
        return f"{self.kind}: {self.paper}"
