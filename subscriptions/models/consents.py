"""The reader's yes: the proof that we may write to an address."""

from __future__ import annotations

from django.db import models

from subscriptions.models.subscribers import Subscriber


class Consent(models.Model):
    """What a reader agreed to, when and from which page: the proof of double opt-in (GDPR 7(1))."""

    class Kind(models.TextChoices):
        REQUESTED = "requested"
        CONFIRMED = "confirmed"
        WITHDRAWN = "withdrawn"

    class Origin(models.TextChoices):
        SUBSCRIBER = "subscriber"
        STAFF = "staff"

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="consents")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    at = models.DateTimeField()
    page = models.CharField(max_length=200)
    origin = models.CharField(
        max_length=16, choices=Origin.choices, default=Origin.SUBSCRIBER, db_default=Origin.SUBSCRIBER.value,
        help_text="Who recorded it: staff where they import consent given elsewhere.",
    )  # fmt: skip
    wording = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d %H:%M}"
