"""What visitors ask for by typing an address, kept until a worker has handled it, and how often that happens."""

from __future__ import annotations

import datetime as dt

from django.db import connection, models


class MailRequest(models.Model):
    """A sign-up or a request for a link. The page stores one row for any address, so its time tells nothing."""

    class Kind(models.TextChoices):
        SIGN_UP = "sign-up"
        LINK = "link", "preferences link"

    kind = models.CharField(max_length=8, choices=Kind.choices)
    address = models.CharField(max_length=320)
    details = models.JSONField(default=dict, help_text="The arguments of the sign-up.")
    requested_at = models.DateTimeField()
    failures = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.kind} of {self.requested_at:%Y-%m-%d %H:%M}"


class SignupHourManager(models.Manager["SignupHour"]):
    def add(self, now: dt.datetime, *, requests: int = 0, confirmations: int = 0) -> None:
        """Add to the counts of the current hour, in one statement."""
        hour = models.DateTimeField().get_db_prep_save(start_of_hour(now), connection)
        table = SignupHour._meta.db_table
        statement = f"""
            INSERT INTO {table} AS stored (hour, requests, confirmations) VALUES (%s, %s, %s)
            ON CONFLICT (hour) DO UPDATE SET
                requests = stored.requests + excluded.requests,
                confirmations = stored.confirmations + excluded.confirmations
        """  # noqa: S608
        with connection.cursor() as cursor:
            cursor.execute(statement, [hour, requests, confirmations])


class SignupHour(models.Model):
    """How many sign-ups arrived in one hour (UTC), and how many confirmations they led to."""

    hour = models.DateTimeField(primary_key=True)
    requests = models.PositiveIntegerField(default=0)
    confirmations = models.PositiveIntegerField(default=0)

    objects = SignupHourManager()

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}h: {self.requests} sign-ups, {self.confirmations} confirmations"


def start_of_hour(moment: dt.datetime) -> dt.datetime:
    """Return the beginning of the hour, in UTC."""
    return moment.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)
