"""Mend what was stored before sources were read as they are now: DOIs, links, days, titles. Changes nothing else."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator

from django.db import transaction
from django.db.models import Q

from digest.models import Paper
from digest.papers.ingest.merge import may_be, merge, title_key
from digest.papers.sources.dates import stated_day
from digest.papers.sources.fragments import title_line
from digest.papers.sources.identifiers import arxiv_id_of, doi_of, guessed_doi, safe_url
from digest.papers.sources.parsed import ParsedListing

BATCH = 500
NAMES = {
    "doi": "DOIs that ended in a part of a link, now guesses",
    "arxiv": "DOIs of arXiv's, now arXiv ids",
    "link": "papers without a link, given their source's page",
    "day": "days that stood for none",
    "title": "titles with tags",
    "merged": "papers that stood twice, now one",
}


def repair(now: dt.datetime, *, dry_run: bool = False) -> Counter[str]:
    """Mend all papers, and say how many were mended in which way."""
    counts: Counter[str] = Counter()
    for ids in _batches():
        with transaction.atomic():
            for paper in Paper.objects.filter(pk__in=ids, merged_into=None).select_for_update().order_by("pk"):
                counts.update(_mend(paper, now))
            if dry_run:
                transaction.set_rollback(True)
    return counts


def _batches() -> Iterator[list[int]]:
    ids = list(Paper.objects.known().order_by("pk").values_list("pk", flat=True))
    return (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))


def _mend(paper: Paper, now: dt.datetime) -> list[str]:
    mended = [*_mend_doi(paper, now), *_mend_day(paper), *_mend_title(paper, now)]
    mended += _mend_link(paper)
    if mended:
        paper.save()
    return mended


def _mend_doi(paper: Paper, now: dt.datetime) -> list[str]:
    if not paper.doi:
        return []
    arxiv_id, _ = arxiv_id_of(paper.doi)
    bare = guessed_doi(f"https://publisher.invalid/doi/{paper.doi}") if not arxiv_id else ""
    if not arxiv_id and (bare == paper.doi or not _is_from_link(paper)):
        return []
    paper.doi, paper.guessed_doi = None, bare
    if not arxiv_id:
        paper.url = paper.url or _listed_url(paper)
        return ["doi", *_merged(paper, now)]
    other = Paper.objects.filter(arxiv_id=arxiv_id).exclude(pk=paper.pk).first()
    if other is None:
        paper.arxiv_id = paper.arxiv_id or arxiv_id
        return ["arxiv", *_merged(paper, now)]
    return ["arxiv", *(_take_in(paper, other, now) if not paper.arxiv_id else [])]


def _is_from_link(paper: Paper) -> bool:
    """Whether the DOI, its tail included, was read out of a link."""
    doi = str(paper.doi)
    links = [paper.url, *paper.listings.values_list("url", flat=True)]
    return any(doi in link.lower() for link in links) or doi_of(doi) != doi


def _listed_url(paper: Paper) -> str:
    return next((url for url in paper.listings.values_list("url", flat=True) if safe_url(url)), "")


def _merged(paper: Paper, now: dt.datetime) -> list[str]:
    """Take in the paper of the same title that nothing tells apart from this one now."""
    named = Q(doi=paper.guessed_doi) if paper.guessed_doi else Q(pk=None)
    same = Paper.objects.known().filter(named | Q(title_key=paper.title_key)).exclude(pk=paper.pk)
    for other in same.order_by("pk"):
        known = ParsedListing(
            title=other.title, authors=tuple(other.authors), arxiv_id=other.arxiv_id or "", doi=other.doi or "",
            url=other.url, published_on=other.published_on,
        )  # fmt: skip
        if other.title_key == paper.title_key and may_be(paper, known):
            return _take_in(paper, other, now)
    return []


def _take_in(paper: Paper, other: Paper, now: dt.datetime) -> list[str]:
    paper.save()
    merge(paper, other, now)
    return ["merged"]


def _mend_day(paper: Paper) -> list[str]:
    if paper.published_on is None or stated_day(paper.published_on) == paper.published_on:
        return []
    paper.published_on = None
    paper.is_news = paper.is_news or paper.listings.exclude(announce_type__startswith="replace").exists()
    return ["day"]


def _mend_title(paper: Paper, now: dt.datetime) -> list[str]:
    title = title_line(paper.title, is_literal=bool(paper.arxiv_id))  # TeX
    if title in ("", paper.title):
        return []
    paper.title, paper.title_key, paper.changed_at, paper.matched_at = title, title_key(title), now, None
    return ["title"]


def _mend_link(paper: Paper) -> list[str]:
    if paper.elsewhere:
        return []
    paper.url = _listed_url(paper)
    sources = paper.listings.values_list("edition__source__url", flat=True)
    paper.source_page = next((url for url in sources if safe_url(url)), "") if not paper.url else ""
    return ["link"] if paper.elsewhere else []
