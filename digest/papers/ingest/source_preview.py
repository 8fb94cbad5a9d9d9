"""A trial of an address: what kind of source it is, and which papers it would bring. Stores nothing.

The trial is what the operator looked at, so it is what is signed and what is saved.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.utils.text import slugify

from digest.models import Paper, Source
from digest.papers.ingest import addresses, merge, source_detection
from digest.papers.ingest.editions import edition_date
from digest.papers.ingest.source_detection import Answer
from digest.papers.ingest.storage import is_news
from digest.papers.sources.identifiers import paper_url, safe_url
from digest.papers.sources.parsed import ParsedListing, SourceError
from digest.papers.sources.plain_text import quoted

SHOWN = 20  # papers
SHOWN_WARNINGS = 5
SHOWN_AUTHORS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialPaper:
    """A paper as the trial page shows it; `known` is the key of the stored paper it is, if any."""

    title: str
    authors: str
    url: str
    published_on: str  # ISO, "" where the source does not say
    announce_type: str
    known: int | None

    @property
    def day(self) -> dt.date | None:
        return dt.date.fromisoformat(self.published_on) if self.published_on else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What an address would bring. All of it goes through JSON unchanged, so that it can be signed."""

    kind: str
    url: str
    title: str = ""  # the source's own name
    date: str = ""  # of the list, ISO
    count: int = 0  # papers on the page that was read
    total: int = 0  # papers in all, where the source says so
    has_more: bool = False  # whether this was only its first page
    new: int = 0  # of `count`, not stored here yet
    news: int = 0  # of `new`, recent enough for a mail
    papers: Sequence[TrialPaper] = ()
    warnings: Sequence[str] = ()
    more_warnings: int = 0
    empty: str = ""  # why a proper list holds nothing
    others: Sequence[str] = ()  # more feeds of the page that was pasted

    @property
    def kind_in_words(self) -> str:
        return str(Source.Kind(self.kind).label)

    @property
    def known(self) -> int:
        return self.count - self.new

    @property
    def day(self) -> dt.date | None:
        return dt.date.fromisoformat(self.date) if self.date else None

    @property
    def name(self) -> str:
        """What to call the source."""
        if self.kind == Source.Kind.HUGGINGFACE:
            return "Hugging Face Daily Papers"
        if self.kind == Source.Kind.ARXIV:
            return f"arXiv {', '.join(addresses.arxiv_names(self.url))}"[:200]
        return (self.title or urlsplit(self.url).hostname or "A source")[:200]

    def as_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def of_json(cls, values: dict[str, Any]) -> Trial:
        return cls(**values | {"papers": [TrialPaper(**paper) for paper in values["papers"]]})


def of(typed: str, now: dt.datetime) -> Trial:
    """Try what was typed. Raises SourceError: one line that says what to do; Duplicate where we have it."""
    meant = addresses.understood(typed)
    _check_form(meant.url)
    source_detection.refuse_duplicate(meant.url)
    answer = source_detection.ask(meant, now.date())
    source_detection.refuse_duplicate(answer.address.url)
    return _described(answer, now)


def check_again(tried: Trial) -> None:
    """Whether what was tried can be saved: its address is still one of its kind and nobody's. Raises SourceError."""
    meant = addresses.understood(tried.url)
    if meant.url != tried.url or meant.kind not in (None, tried.kind) or tried.kind not in Source.Kind.values:
        raise SourceError("The address does not fit its kind any more: try it again.")
    _check_form(tried.url)
    source_detection.refuse_duplicate(tried.url)


def _check_form(url: str) -> None:
    try:
        Source._meta.get_field("url").clean(url, None)
    except ValidationError as error:
        raise SourceError(f"{quoted(url)} is not a web address: {addresses.EXAMPLE}.") from error


def free_slug(name: str) -> str:
    """A slug made of the name that no source has."""
    stem = slugify(name)[:44].strip("-") or "source"
    taken = set(Source.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    return next(slug for number in range(1, len(taken) + 2) if (slug := _numbered(stem, number)) not in taken)


def _numbered(stem: str, number: int) -> str:
    return stem if number == 1 else f"{stem}-{number}"


# --- what came
def _described(answer: Answer, now: dt.datetime) -> Trial:
    kind = answer.address.kind or Source.Kind.FEED
    about = Trial(kind=kind.value, url=answer.address.url, empty=answer.empty, others=answer.others)
    if answer.parsed is None:
        return about
    parsed = answer.parsed
    listed_on = edition_date(parsed, now.date())
    listings, found = parsed.listings, _papers_of(parsed.listings, now, listed_on)
    pairs = list(zip(listings, found, strict=True))
    recent = {
        id(paper)
        for listing, paper in pairs
        if paper.pk is None and not listing.is_withdrawn and is_news(listing, kind, listing.listed_on or listed_on)
    }
    return dataclasses.replace(
        about,
        title=parsed.title,
        date=listed_on.isoformat() if parsed.date or parsed.month_day else "",
        count=len({id(paper) for paper in found}),
        total=parsed.total or 0,
        has_more=bool(parsed.next_token) or (parsed.total or 0) > len(listings),
        new=len({id(paper) for paper in found if paper.pk is None}),
        news=len(recent),
        papers=[_shown(listing, paper) for listing, paper in pairs[:SHOWN]],
        warnings=parsed.warnings[:SHOWN_WARNINGS],
        more_warnings=max(len(parsed.warnings) - SHOWN_WARNINGS, 0),
    )


def _papers_of(listings: Sequence[ParsedListing], now: dt.datetime, listed_on: dt.date) -> list[Paper]:
    """The paper that each listing is: a stored one, or one made for it that is not stored."""
    shelf = merge.Shelf.holding(listings)
    found: list[Paper] = []
    for listing in listings:
        paper, _ = shelf.find(listing)
        if paper is None:
            paper = Paper(first_seen_at=now, first_listed_on=listed_on)
            merge.fill(paper, listing, now=now, listed_on=listed_on)
            shelf.put(paper)
        found.append(paper)
    return found


def _shown(listing: ParsedListing, paper: Paper) -> TrialPaper:
    names = listing.authors
    more = f" and {len(names) - SHOWN_AUTHORS} more" if len(names) > SHOWN_AUTHORS else ""
    return TrialPaper(
        title=listing.title,
        authors=", ".join(name[:60] for name in names[:SHOWN_AUTHORS]) + more,
        url=_link(listing),
        published_on=listing.published_on.isoformat() if listing.published_on else "",
        announce_type=listing.announce_type,
        known=paper.pk,
    )


def _link(listing: ParsedListing) -> str:
    """Where the paper is, "" where the source does not say; never anything but http."""
    return paper_url(listing.arxiv_id or "", listing.doi or "") or safe_url(listing.url)
