"""Who we write to, what they want, and when."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from subscriptions import addresses, schedule
from subscriptions.interests import canonical
from subscriptions.interests.parser import parse
from subscriptions.models.interests import Interest, InterestLine
from subscriptions.time_zones import validate_time_zone


def new_code() -> str:
    """A random name for a reader in links: 96 bits, no meaning."""
    return secrets.token_urlsafe(12)


class SubscriberQuerySet(models.QuerySet["Subscriber"]):
    def mailable(self, now: dt.datetime) -> SubscriberQuerySet:
        """Readers who have confirmed, have not left and are not pausing."""
        return self.filter(Q(paused_until=None) | Q(paused_until__lte=now), status=Subscriber.Status.ACTIVE)

    def due(self, now: dt.datetime) -> SubscriberQuerySet:
        """Readers whose hour has come."""
        return self.mailable(now).filter(next_digest_at__lte=now).order_by("next_digest_at", "pk")

    def by_address(self, address: str) -> SubscriberQuerySet:
        return self.filter(email_key=addresses.key(address))

    def at_address(self, address: str) -> Subscriber:
        """A new reader at this address, not saved yet."""
        return self.model(email=address, email_key=addresses.key(address))


class Subscriber(models.Model):
    """An address, what it wants, when and how often, and whether we may write to it at all."""

    class Status(models.TextChoices):
        PENDING = "pending", "waiting for confirmation"
        ACTIVE = "active"
        UNSUBSCRIBED = "unsubscribed"
        BOUNCED = "bounced"
        COMPLAINED = "complained"

    class Frequency(models.TextChoices):
        DAILY = schedule.DAILY, _("every day")
        WEEKDAYS = schedule.WEEKDAYS, _("Monday to Friday")
        WEEKLY = schedule.WEEKLY, _("once a week")

    class Weekday(models.IntegerChoices):
        MONDAY = 0, _("Monday")
        TUESDAY = 1, _("Tuesday")
        WEDNESDAY = 2, _("Wednesday")
        THURSDAY = 3, _("Thursday")
        FRIDAY = 4, _("Friday")
        SATURDAY = 5, _("Saturday")
        SUNDAY = 6, _("Sunday")

    class Notice(models.TextChoices):
        """A transactional mail that is owed: a column, so that a lost queue loses no mail."""

        NONE = "", "none"
        CONFIRM = "confirm", "confirmation"
        ALREADY = "already", "already subscribed"
        LINK = "link", "the way to the preferences"

    email = models.EmailField("e-mail address")
    email_key = models.CharField(max_length=254, editable=False)
    code = models.CharField(max_length=32, default=new_code, editable=False)
    token_version = models.PositiveIntegerField(default=1, help_text="Raise it to make all older links void.")
    confirm_version = models.PositiveIntegerField(
        default=0, db_default=0, editable=False, help_text="Raised when a confirmation link is used or must not be."
    )
    latest_signup = models.PositiveIntegerField(
        default=0, db_default=0, editable=False,
        help_text="The number of the pending sign-up that the newest confirmation is for; 0: what the row itself says.",
    )  # fmt: skip
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.PENDING)

    frequency = models.CharField(max_length=16, choices=Frequency.choices, default=Frequency.DAILY)
    weekday = models.PositiveSmallIntegerField(
        choices=Weekday.choices, default=Weekday.MONDAY, help_text="0 is Monday; for weekly mail."
    )
    hour = models.PositiveSmallIntegerField(
        default=8, validators=[MaxValueValidator(23)], help_text="In the subscriber's time zone."
    )
    time_zone = models.CharField(
        max_length=64, default="UTC", validators=[validate_time_zone], help_text="An IANA name, such as Europe/Berlin."
    )
    language = models.CharField(
        max_length=8, choices=settings.LANGUAGES, default=settings.LANGUAGE_CODE, db_default=settings.LANGUAGE_CODE,
        help_text="Of the mail and the subscriber's own pages.",
    )  # fmt: skip
    max_papers = models.PositiveSmallIntegerField(
        default=10, validators=[MinValueValidator(1), MaxValueValidator(100)], help_text="The most papers in a mail."
    )
    trending_share = models.PositiveSmallIntegerField(
        default=0, validators=[MaxValueValidator(100)],
        help_text="Percent of a mail for trending papers that match no interest.",
    )  # fmt: skip
    empty_mail = models.BooleanField(
        default=False, db_default=False, help_text="Whether a short mail comes also when nothing matches."
    )
    pasted = models.JSONField(
        default=list, blank=True, editable=False, help_text="Numbers of papers pasted when signing up: likes to be."
    )
    paused_until = models.DateTimeField(null=True, blank=True)
    paused_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Since when; kept until a mail has caught up."
    )
    next_digest_at = models.DateTimeField(null=True, blank=True, editable=False)

    notice = models.CharField(max_length=16, choices=Notice.choices, default=Notice.NONE, blank=True)
    notices_sent = models.PositiveSmallIntegerField(default=0, editable=False)
    last_notice_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    confirmed_at = models.DateTimeField(null=True, blank=True, editable=False)
    bounce_score = models.FloatField(default=0, editable=False, help_text="As it was at `bounced_at`; it decays.")
    bounced_at = models.DateTimeField(null=True, blank=True, editable=False)
    stopped_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="Since when there is no more mail: left, bounced or complained.",
    )

    objects = SubscriberQuerySet.as_manager()

    class Meta:
        # Each mail moves `next_digest_at`, and PostgreSQL then writes the row into every index anew: so there is none
        # that most rows need not be in, and no unique=True, which brings a second one for LIKE. Those who are due are
        # found in their whole order: with the id, or all who share an hour would be sorted for each chunk of them.
        indexes = [
            models.Index(fields=["next_digest_at", "id"], condition=Q(status="active"), name="subscriber_due"),
            models.Index(fields=["notice"], condition=~Q(notice=""), name="subscriber_notice"),
            models.Index(fields=["status"], condition=~Q(status="active"), name="subscriber_not_active"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["email_key"], name="subscriber_once_an_address"),
            models.UniqueConstraint(fields=["code"], name="subscriber_code"),
            models.CheckConstraint(condition=Q(hour__lte=23), name="subscriber_hour"),
            models.CheckConstraint(condition=Q(weekday__lte=6), name="subscriber_weekday"),
            models.CheckConstraint(condition=Q(trending_share__lte=100), name="subscriber_trending_share"),
        ]

    def __str__(self) -> str:
        # Never the address: Django writes this into the admin's history and into error messages.
        return f"subscriber {self.pk}"

    def choose_next_digest_at(self, after: dt.datetime) -> dt.datetime:
        """The reader's next due moment after `after`, in UTC."""
        days = schedule.due_days(self.frequency, self.weekday)
        return schedule.next_due(after, zone=self.time_zone, days=days, hour=self.hour)

    def is_paused(self, now: dt.datetime) -> bool:
        return self.paused_until is not None and self.paused_until > now

    def confirm(self, now: dt.datetime) -> None:
        """The address said yes: mail may go out. Also how somebody who left comes back."""
        self.status = self.Status.ACTIVE
        self.confirmed_at = now
        self.confirm_version += 1  # the link has done its work
        self.notice, self.notices_sent = self.Notice.NONE, 0
        self.paused_until = self.paused_at = None
        self.next_digest_at = self.choose_next_digest_at(now)
        self.bounce_score, self.bounced_at = 0.0, None  # the mailbox has just proved it works
        self.stopped_at = None
        with transaction.atomic():
            self.save(
                update_fields=[
                    "status", "confirmed_at", "notice", "notices_sent", "paused_until", "paused_at", "next_digest_at",
                    "bounce_score", "bounced_at", "stopped_at", "confirm_version",
                ]
            )  # fmt: skip
            Interest.objects.want(self.interest_ids())

    def stop(self, status: Status, now: dt.datetime) -> None:
        """No more mail: the reader left, or the address bounced or complained. Their lines stay until they are
        erased (`digest.operations.retention`), but are no longer matched.

        Reports come in any order: what somebody did is never overwritten by what a mailbox did, nor a complaint by
        anything.
        """
        weaker = ENDS[: ENDS.index(status)]
        changes: dict[str, Any] = {
            "status": status, "next_digest_at": None, "notice": self.Notice.NONE, "notices_sent": 0, "stopped_at": now
        }  # fmt: skip
        if status != self.Status.BOUNCED:  # confirmation links mailed before bring nobody back who left
            changes["confirm_version"] = F("confirm_version") + 1
        with transaction.atomic():
            Subscriber.objects.filter(pk=self.pk).exclude(status__in=set(ENDS) - set(weaker)).update(**changes)
            Interest.objects.release(self.interest_ids())
        self.refresh_from_db(fields=changes)

    def pause(self, until: dt.datetime | None, now: dt.datetime) -> None:
        """No mail before `until`; None resumes."""
        self.paused_until = until
        if until:
            self.paused_at = self.paused_at or now
        self.next_digest_at = self.choose_next_digest_at(until or now)
        self.save(update_fields=["paused_until", "paused_at", "next_digest_at"])

    def interest_ids(self) -> list[int]:
        return list(self.interest_lines.order_by().values_list("interest", flat=True))

    def lines(self) -> list[str]:
        """The interests as the reader typed them, in order."""
        return list(self.interest_lines.order_by("position").values_list("typed", flat=True))

    def set_lines(self, lines: list[str]) -> None:
        """Replace the interests. Raises InterestError for a bad line."""
        nodes = {line: parse(line) for line in dict.fromkeys(lines)}
        with transaction.atomic():
            # Whoever confirms at this moment waits, and then has the new lines matched.
            status = Subscriber.objects.select_for_update(no_key=True).values_list("status", flat=True).get(pk=self.pk)
            made = Interest.objects.take(nodes.values())
            before = set(self.interest_lines.values_list("interest", flat=True))
            rows: dict[int, InterestLine] = {}
            for line, node in nodes.items():
                interest = made[canonical.key(node)]
                row = InterestLine(subscriber=self, interest=interest, typed=line, position=len(rows))
                rows.setdefault(interest.pk, row)
            self.interest_lines.all().delete()
            InterestLine.objects.bulk_create(rows.values())
            if status == self.Status.ACTIVE:
                Interest.objects.want(rows.keys())
        Interest.objects.drop(before - rows.keys())


# How mail ends, the weakest first.
ENDS = (Subscriber.Status.BOUNCED, Subscriber.Status.UNSUBSCRIBED, Subscriber.Status.COMPLAINED)


class Secret(models.Model):
    """What opens one thing of one reader without their link: a feed's address, a program's token.

    Only a keyed hash is stored (subscriptions.tokens). Raising the reader's `token_version` voids it too.
    """

    class Kind(models.TextChoices):
        FEED = "feed", "feed address"
        API = "api", "token for programs"

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="secrets")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    hash = models.CharField(max_length=64, unique=True, editable=False)
    token_version = models.PositiveIntegerField(editable=False)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subscriber", "kind"], name="secret_once_a_kind")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.made_at:%Y-%m-%d}"
