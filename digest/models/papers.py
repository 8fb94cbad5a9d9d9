"""The papers themselves, and the lists they stand in."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import Min, Q
from django.urls import reverse
from django.utils import timezone

from digest.models.sources import Source
from digest.papers.sources.identifiers import paper_url, safe_url


class PaperQuerySet(models.QuerySet["Paper"]):
    def known(self) -> PaperQuerySet:
        """All papers, without the signposts to those they were merged into."""
        return self.filter(merged_into=None)

    def listed(self, first: dt.date, last: dt.date) -> PaperQuerySet:
        """Papers in the lists of these days, both included, most upvoted first."""
        papers = self.filter(listings__edition__date__range=(first, last))
        return papers.annotate(best_rank=Min("listings__rank")).order_by("-upvotes", "best_rank", "pk")

    def fresh(self, now: dt.datetime, days: int | None = None) -> PaperQuerySet:
        """Papers a mail of this moment may hold: first seen, or first listed, in the last days.

        Seen counts so that a page of an older date, read today, is news today; listed counts so that a
        day of the past can be sent again as it was.
        """
        window = dt.timedelta(days=days or settings.CANDIDATE_DAYS)
        today = now.date()
        news = self.known().filter(is_news=True, withdrawn_on=None)
        seen = Q(first_seen_at__gt=now - window, first_seen_at__lte=now)
        return news.filter(seen | Q(first_listed_on__gt=today - window, first_listed_on__lte=today))


class Paper(models.Model):
    """A paper, once, whatever lists it."""

    title = models.CharField(max_length=1000)
    title_key = models.CharField(max_length=64, db_index=True, editable=False)
    abstract = models.TextField(blank=True)
    authors = models.JSONField(default=list, blank=True)
    arxiv_id = models.CharField("arXiv id", max_length=32, unique=True, null=True, blank=True)
    arxiv_version = models.PositiveSmallIntegerField(null=True, blank=True)
    doi = models.CharField("DOI", max_length=200, unique=True, null=True, blank=True)
    guessed_doi = models.CharField(
        "guessed DOI", max_length=200, blank=True, db_index=True,
        help_text="Read out of a publisher's link: it only helps to find the paper.",
    )  # fmt: skip
    url = models.URLField(max_length=2000, blank=True)
    source_page = models.URLField(
        max_length=2000, blank=True, help_text="The web page of its source, for a paper that has none of its own."
    )
    categories = models.JSONField(default=list, blank=True)
    published_on = models.DateField(null=True, blank=True)
    upvotes = models.PositiveIntegerField(default=0)
    first_seen_at = models.DateTimeField(default=timezone.now, db_index=True)
    first_listed_on = models.DateField(db_index=True)
    changed_at = models.DateTimeField(default=timezone.now)
    matched_at = models.DateTimeField(null=True, blank=True, db_index=True)
    is_news = models.BooleanField(
        default=True, help_text="Off: only ever seen as a new version, or long after it was published."
    )
    replaced_on = models.DateField(null=True, blank=True, help_text="When its latest new version was announced.")
    withdrawn_on = models.DateField(null=True, blank=True, help_text="When a source first said so. Never mailed.")
    merged_into = models.ForeignKey(
        "self", on_delete=models.CASCADE, null=True, blank=True, related_name="merged", editable=False,
        help_text="The paper this one turned out to be.",
    )  # fmt: skip

    objects = PaperQuerySet.as_manager()

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("digest:paper", args=[self.pk])

    @property
    def link(self) -> str:
        """Where to read it: arXiv's abstract page first, else where its source points, else our own page.

        The only address of a paper that anything prints: http or https, and nothing that needs quoting.
        """
        return self.elsewhere or f"{settings.SITE_URL}{self.get_absolute_url()}"

    @property
    def elsewhere(self) -> str:
        """The paper's own page, "" where we know of none on the web: a row may hold what no source was checked for."""
        return paper_url(self.arxiv_id or "", self.doi or "") or safe_url(self.url) or safe_url(self.source_page)

    @property
    def pdf_link(self) -> str:
        """The PDF, "" where we know of none."""
        return f"https://arxiv.org/pdf/{self.arxiv_id}" if self.arxiv_id else ""


class EditionQuerySet(models.QuerySet["Edition"]):
    def with_papers(self) -> EditionQuerySet:
        """Without the days for which a source had nothing."""
        return self.filter(size__gt=0)


class Edition(models.Model):
    """One source's list for one date, as published; without listings where the source had none that day."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="editions")
    date = models.DateField(db_index=True)
    page_hash = models.CharField(
        max_length=64, blank=True, editable=False, help_text="SHA-256 of the page it was last read from."
    )
    size = models.PositiveIntegerField(default=0, editable=False, help_text="How many papers it lists.")
    etag = models.CharField(max_length=200, blank=True, editable=False)
    last_modified = models.CharField(max_length=100, blank=True, editable=False)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    papers = models.ManyToManyField(Paper, through="Listing", related_name="editions")

    objects = EditionQuerySet.as_manager()

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


class UpvoteObservation(models.Model):
    """How many upvotes a listing had at a moment; one row each time the number was another."""

    listing = models.ForeignKey(Listing, on_delete=models.CASCADE, related_name="observations")
    at = models.DateTimeField()
    upvotes = models.PositiveIntegerField()

    class Meta:
        ordering = ["at"]
        constraints = [models.UniqueConstraint(fields=["listing", "at"], name="observation_once_a_moment")]

    def __str__(self) -> str:
        return f"{self.upvotes} at {self.at:%Y-%m-%d %H:%M}"
