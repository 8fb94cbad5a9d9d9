"""What sign-ups for a known address ask for, apart from its row until the click on their own link."""

from __future__ import annotations

from django.db import models

from subscriptions.models.subscribers import Subscriber


class PendingSignup(models.Model):
    """A sign-up for an address that has a row already. Anybody can type an address, so the row stays as it is.

    There is one for each confirmation that is owed or was mailed: `number` is part of that mail's link.
    """

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="pending_signups")
    number = models.PositiveIntegerField()
    preferences = models.JSONField(help_text="The lines and settings that were asked for.")
    pasted = models.JSONField(default=list, help_text="Ids of papers to mark as liked on confirmation.")
    asked_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subscriber", "number"], name="pending_signup_number")]

    def __str__(self) -> str:
        return f"sign-up {self.number} of {self.asked_at:%Y-%m-%d %H:%M}"
