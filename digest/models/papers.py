"""Where papers come from, and the papers themselves."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

MAX_FAILURES = 10


class SourceQuerySet(models.QuerySet["Source"]):
    def due(self, now: dt.datetime) -> SourceQuerySet:
        """Sources with an address whose next check has come."""
        checkable = self.filter(is_enabled=True, error_count__lt=MAX_FAILURES).exclude(url="")
        return checkable.filter(Q(next_check_at=None) | Q(next_check_at__lte=now)).order_by("next_check_at")


class Source(models.Model):
    """Where papers come from: Hugging Face Daily Papers, any feed, files somebody saved."""

    class Kind(models.TextChoices):
        HUGGINGFACE = "huggingface", "Hugging Face Daily Papers"
        FEED = "feed", "RSS or Atom feed"

    slug = models.SlugField(unique=True, help_text="Its name in `source:` interests and on the command line.")
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=32, choices=Kind.choices, default=Kind.FEED)
    url = models.URLField(max_length=1000, blank=True, help_text="Empty: only saved files are read into it.")
    is_enabled = models.BooleanField(default=True)
    check_every = models.DurationField(default=dt.timedelta(hours=1))
    next_check_at = models.DateTimeField(null=True, blank=True, db_index=True)
    last_checked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_success_at = models.DateTimeField(null=True, blank=True, editable=False)
    error_count = models.PositiveSmallIntegerField(default=0, editable=False)
    last_error = models.TextField(blank=True, editable=False)
    etag = models.CharField(max_length=200, blank=True, editable=False)
    last_modified = models.CharField(max_length=100, blank=True, editable=False)

    objects = SourceQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    @property
    def is_paused(self) -> bool:
        """Whether so many failures in a row stopped the checks."""
        return self.error_count >= MAX_FAILURES

    def succeeded(self, now: dt.datetime) -> None:
        """A check went well: the streak of failures ends."""
        self.last_checked_at = self.last_success_at = now
        self.error_count, self.last_error = 0, ""
        self.next_check_at = now + self.check_every
        self.save(update_fields=["last_checked_at", "last_success_at", "error_count", "last_error", "next_check_at"])

    def failed(self, error: str, now: dt.datetime) -> None:
        """A check went wrong: the next one comes later each time, none after ten in a row."""
        self.last_checked_at = now
        self.error_count = min(self.error_count + 1, MAX_FAILURES)
        self.last_error = error[:2000]
        wait = min(dt.timedelta(minutes=5) * 2 ** (self.error_count - 1), dt.timedelta(hours=12))
        self.next_check_at = now + wait
        self.save(update_fields=["last_checked_at", "error_count", "last_error", "next_check_at"])


class PaperQuerySet(models.QuerySet["Paper"]):
    def fresh(self, now: dt.datetime, days: int | None = None) -> PaperQuerySet:
        """Papers a mail of this moment may hold: first seen, or first listed, in the last days.

        Seen counts so that a page of an older date, read today, is news today; listed counts so that a
        day of the past can be sent again as it was.
        """
        window = dt.timedelta(days=days or settings.CANDIDATE_DAYS)
        today = now.date()
        seen = Q(first_seen_at__gt=now - window, first_seen_at__lte=now)
        return self.filter(seen | Q(first_listed_on__gt=today - window, first_listed_on__lte=today))


class Paper(models.Model):
    """A paper, once, whatever lists it."""

    title = models.CharField(max_length=1000)
    title_key = models.CharField(max_length=64, db_index=True, editable=False)
    abstract = models.TextField(blank=True)
    authors = models.JSONField(default=list, blank=True)
    arxiv_id = models.CharField("arXiv id", max_length=32, unique=True, null=True, blank=True)
    arxiv_version = models.PositiveSmallIntegerField(null=True, blank=True)
    doi = models.CharField("DOI", max_length=200, unique=True, null=True, blank=True)
    url = models.URLField(max_length=2000, blank=True)
    categories = models.JSONField(default=list, blank=True)
    published_on = models.DateField(null=True, blank=True)
    upvotes = models.PositiveIntegerField(default=0)
    first_seen_at = models.DateTimeField(default=timezone.now, db_index=True)
    first_listed_on = models.DateField(db_index=True)
    changed_at = models.DateTimeField(default=timezone.now)
    matched_at = models.DateTimeField(null=True, blank=True, db_index=True)

    objects = PaperQuerySet.as_manager()

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("digest:paper", args=[self.pk])

    @property
    def link(self) -> str:
        """Where to read it: arXiv's abstract page first, else where its source points, else our own page."""
        if self.arxiv_id:
            return f"https://arxiv.org/abs/{self.arxiv_id}"
        if self.doi:
            return f"https://doi.org/{self.doi}"
        return self.url or f"{settings.SITE_URL}{self.get_absolute_url()}"

    @property
    def pdf_link(self) -> str:
        """The PDF, "" where we know of none."""
        return f"https://arxiv.org/pdf/{self.arxiv_id}" if self.arxiv_id else ""


class Edition(models.Model):
    """One source's list for one date, as published."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="editions")
    date = models.DateField(db_index=True)
    page_hash = models.CharField(
        max_length=64, blank=True, editable=False, help_text="SHA-256 of the page it was last read from."
    )
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    papers = models.ManyToManyField(Paper, through="Listing", related_name="editions")

    class Meta:
        ordering = ["-date"]
        constraints = [models.UniqueConstraint(fields=["source", "date"], name="edition_once_a_date")]

    def __str__(self) -> str:
        return f"{self.source.name}, {self.date:%d %B %Y}"


class Listing(models.Model):
    """A paper's place in an edition."""

    edition = models.ForeignKey(Edition, on_delete=models.CASCADE, related_name="listings")
    paper = models.ForeignKey(Paper, on_delete=models.CASCADE, related_name="listings")
    rank = models.PositiveIntegerField(help_text="From 1.")
    upvotes = models.PositiveIntegerField(null=True, blank=True)
    comments = models.PositiveIntegerField(null=True, blank=True)
    announce_type = models.CharField(max_length=16, default="new", help_text="arXiv's words.")
    url = models.URLField(max_length=2000, blank=True)
    seen_at = models.DateTimeField()

    class Meta:
        ordering = ["rank"]
        constraints = [models.UniqueConstraint(fields=["edition", "paper"], name="listing_once_an_edition")]

    def __str__(self) -> str:
        return f"{self.rank}. {self.paper.title}"
