"""What all workers that send must agree on: the gate, what a day has sent, and the buckets of the rates.

Rows and not Redis, which may be emptied at any time: without the database nothing is sent anyway.
"""

from __future__ import annotations

from django.db import models


class MailGate(models.Model):
    """The one gate all mail leaves by, in one row: the operator's switch, the circuit of the mail server, the question
    that waits for the operator.
    """

    class Switch(models.TextChoices):
        RUNNING = "running", "running"
        DRAINING = "draining", "draining: what is claimed goes out, no more is taken"
        PAUSED = "paused", "paused"

    switch = models.CharField(max_length=16, choices=Switch.choices, default=Switch.RUNNING)
    switched_at = models.DateTimeField(null=True, blank=True)

    circuit_since = models.DateTimeField(null=True, blank=True, help_text="Since when the mail server takes nothing.")
    circuit_tries = models.PositiveIntegerField(default=0, help_text="Tries in a row that failed.")
    next_try_at = models.DateTimeField(null=True, blank=True, help_text="When one mail tries whether it is back.")
    circuit_reason = models.TextField(blank=True)

    asked_at = models.DateTimeField(null=True, blank=True, help_text="Since when a large run waits for a word.")
    question = models.TextField(blank=True)
    allowed_until = models.DateTimeField(null=True, blank=True, help_text="Until when large runs may go.")

    def __str__(self) -> str:
        return f"mail gate, {self.switch}"

    @classmethod
    def load(cls) -> MailGate:
        """The row as it is; before anything was ever changed there is none, and mail leaves."""
        return cls.objects.filter(pk=1).first() or cls(pk=1)

    @classmethod
    def rows(cls) -> models.QuerySet[MailGate]:
        """The one row, made when it is missing, for conditional updates."""
        cls.objects.get_or_create(pk=1)
        return cls.objects.filter(pk=1)

    @property
    def is_open(self) -> bool:
        """Whether the circuit is open: the server takes nothing, and the mails wait."""
        return self.circuit_since is not None


class MailDay(models.Model):
    """How many mails left on a day (UTC): for the warm-up plan, and for what is usual."""

    day = models.DateField(unique=True)
    sent = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.day}: {self.sent}"


class RateBucket(models.Model):
    """How many mails may leave now under one rate: a token bucket, filled as time passes."""

    name = models.CharField(max_length=32, unique=True)
    tokens = models.FloatField()
    filled_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}: {self.tokens:.1f}"
