"""Where papers come from, how each source is doing, and the pages that could not be read."""

from __future__ import annotations

import datetime as dt

from django.db import models
from django.db.models import Q

MAX_FAILURES = 10
# A check that began longer ago and has no result is over: its worker was killed. Longer than any task may take.
LONGEST_CHECK = dt.timedelta(minutes=20)
CUT_OFF_COUNTS = 4  # failures: what kills workers is paused at the third time


class SourceQuerySet(models.QuerySet["Source"]):
    def due(self, now: dt.datetime) -> SourceQuerySet:
        """Sources with an address whose next check has come."""
        checkable = self.filter(is_enabled=True, error_count__lt=MAX_FAILURES).exclude(url="")
        return checkable.filter(Q(next_check_at=None) | Q(next_check_at__lte=now)).order_by("next_check_at")

    def cut_off(self, now: dt.datetime) -> SourceQuerySet:
        """Sources whose last check never came to an end."""
        return self.filter(check_began_at__lt=now - LONGEST_CHECK)


class Source(models.Model):
    """Where papers come from: Hugging Face Daily Papers, any feed, files somebody saved."""

    class Kind(models.TextChoices):
        """How it is asked, not what its pages look like: every page says that itself."""

        HUGGINGFACE = "huggingface", "Hugging Face Daily Papers"
        ARXIV = "arxiv", "arXiv's announcements"
        OAI = "oai", "OAI-PMH archive"
        FEED = "feed", "feed, or a file at an address"

    slug = models.SlugField(unique=True, help_text="Its name in `source:` interests and on the command line.")
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=32, choices=Kind.choices, default=Kind.FEED)
    url = models.URLField(max_length=1000, blank=True, help_text="Empty: only saved files are read into it.")
    is_enabled = models.BooleanField(default=True)
    check_every = models.DurationField(default=dt.timedelta(hours=1))
    next_check_at = models.DateTimeField(null=True, blank=True, db_index=True)
    check_began_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="Of a check without result.")
    last_checked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_success_at = models.DateTimeField(null=True, blank=True, editable=False)
    error_count = models.PositiveSmallIntegerField(default=0, editable=False)
    last_error = models.TextField(blank=True, editable=False)
    last_warning = models.TextField(blank=True, editable=False, help_text="What the last good check passed over.")
    etag = models.CharField(max_length=200, blank=True, editable=False)
    last_modified = models.CharField(max_length=100, blank=True, editable=False)

    objects = SourceQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    @property
    def is_paused(self) -> bool:
        """Whether so many failures in a row stopped the checks."""
        return self.error_count >= MAX_FAILURES

    @property
    def has_days(self) -> bool:
        """Whether it can be asked for the list of one day."""
        return self.kind != self.Kind.FEED

    def begin_check(self, now: dt.datetime) -> bool:
        """Note that a check begins and move the next one, before anything is read; False where another just did.

        A worker that is killed while it reads leaves a source that waits for its time, not one that is due at once.
        """
        next_check_at = now + max(self.check_every, LONGEST_CHECK)
        same = Source.objects.filter(pk=self.pk, next_check_at=self.next_check_at)
        if not same.update(next_check_at=next_check_at, check_began_at=now):
            return False
        self.next_check_at, self.check_began_at = next_check_at, now
        return True

    def succeeded(self, now: dt.datetime, warning: str = "") -> None:
        """A check went well: the streak of failures ends."""
        self.last_checked_at = self.last_success_at = now
        self.error_count, self.last_error, self.last_warning = 0, "", warning[:2000]
        self.next_check_at, self.check_began_at = now + self.check_every, None
        self.save(update_fields=[*_CHECKED, "last_success_at", "last_warning", "etag", "last_modified"])

    def failed(self, error: str, now: dt.datetime, wait: dt.timedelta = dt.timedelta(0), *, counts: int = 1) -> None:
        """A check went wrong: the next one comes later each time, none after ten in a row.

        `wait` is what the server itself asked for, at least; the failure weighs as much as `counts` ordinary ones.
        """
        self.last_checked_at, self.check_began_at = now, None
        self.error_count = min(self.error_count + counts, MAX_FAILURES)
        self.last_error = error[:2000]
        backoff = min(dt.timedelta(minutes=5) * 2 ** (self.error_count - 1), dt.timedelta(hours=12))
        self.next_check_at = now + max(backoff, wait)
        self.save(update_fields=_CHECKED)

    def was_cut_off(self, now: dt.datetime) -> None:
        """Record that the check which began at `check_began_at` never ended."""
        assert self.check_began_at is not None
        began = f"{self.check_began_at:%Y-%m-%d %H:%M} UTC"
        error = (
            f"The check of {began} never ended: the worker that read the page was killed or ran out of memory or time. "
            "Look at what the address serves, and at the worker's log."
        )
        self.failed(error, now, counts=CUT_OFF_COUNTS)


_CHECKED = ["check_began_at", "last_checked_at", "error_count", "last_error", "next_check_at"]


class UnreadDay(models.Model):
    """A day whose list could not be read: asked for again on its own schedule, whatever becomes of other days."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="unread_days")
    date = models.DateField()
    error = models.TextField()
    tries = models.PositiveSmallIntegerField(default=1)
    next_try_at = models.DateTimeField()

    class Meta:
        ordering = ["date"]
        constraints = [models.UniqueConstraint(fields=["source", "date"], name="unread_day_once")]

    def __str__(self) -> str:
        return f"{self.source.name}, {self.date:%d %B %Y}: {self.error}"


class KeptPage(models.Model):
    """A page that could not be read, as it was served, so that it can be read after a mend."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="kept_pages")
    url = models.CharField(max_length=2000)
    date = models.DateField(null=True, blank=True, help_text="The day that was asked for, if one was.")
    is_backfill = models.BooleanField(default=False)
    content = models.BinaryField(help_text="Packed with zlib.")
    content_hash = models.CharField(max_length=64)
    error = models.TextField()
    fetched_at = models.DateTimeField()

    class Meta:
        ordering = ["-fetched_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["source", "content_hash"], name="kept_page_once")]

    def __str__(self) -> str:
        return f"{self.url}, {self.fetched_at:%Y-%m-%d %H:%M}"
