"""Stored papers, taken apart for matching."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Prefetch

from digest.models import Edition, Paper
from digest.models.papers import PaperQuerySet
from digest.relevance.matching.match import Document

BATCH = 500  # papers read at a time


def document(paper: Paper) -> Document:
    """The stored paper, taken apart. Prefetch `editions__source` when there are many."""
    return Document(
        paper.pk,
        paper.title,
        paper.abstract,
        paper.authors,
        paper.categories,
        {edition.source.slug for edition in paper.editions.all()},
    )


def with_sources(papers: PaperQuerySet) -> Iterator[Document]:
    """Documents of a queryset of papers, their sources read in one query a batch."""
    queryset = papers.prefetch_related(Prefetch("editions", Edition.objects.select_related("source")))
    for paper in queryset.iterator(chunk_size=BATCH):
        yield document(paper)
