"""Interest lines proposed from what somebody pasted or liked, each with what it would have brought. Reads only."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from digest.models import Feedback, Match, Paper
from digest.papers.sources import bibtex, ris
from digest.papers.sources.identifiers import named_in
from digest.papers.sources.parsed import ParsedListing, SourceError
from digest.picks.preview.digest_preview import PREVIEW_DAYS, line_counts
from digest.picks.preview.interest_counts import Rate
from digest.picks.suggestions.keyphrases import best, heard, uses
from digest.relevance.match_papers import RECENT_DAYS
from digest.relevance.ranking import candidates, corpus
from subscriptions.edit_interests import MAX_LINES
from subscriptions.interests import canonical
from subscriptions.interests.parser import InterestError, parse
from subscriptions.models import Subscriber

MOST_PASTED = 50_000  # characters: an abstract has 1,500, an entry of BibTeX with one 2,500
MOST_PAPERS = 200  # found by id
PROPOSED = 8
TRIED = 3 * PROPOSED  # lines counted, of which the best are proposed
FOUND = 100  # of the papers that a reader's lines found, the best
AUTHOR_OF = 3  # papers somebody must have written, of those pasted, to be proposed
LINE_WORDS = 8  # a longer line is a sentence
_ENTRIES = 300


@dataclass(frozen=True, slots=True)
class Pasted:
    """What a pasted text holds: papers that are named in it (entries, identifiers), lines of interest, and prose."""

    listings: tuple[ParsedListing, ...] = ()
    lines: tuple[str, ...] = ()
    prose: str = ""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A line, what it finds, and whether it is worth ticking beforehand."""

    line: str
    rate: Rate

    @property
    def is_good(self) -> bool:
        return self.rate.papers > 0 and not self.rate.is_wide


@dataclass(frozen=True, slots=True)
class Suggestions:
    """What came of a text: lines to choose from, papers of ours that it names, and how many it names that we lack."""

    lines: tuple[Suggestion, ...] = ()
    papers: tuple[Paper, ...] = ()
    lacking: int = 0


def read(text: str) -> Pasted:
    """What a pasted text is: BibTeX, RIS, identifiers, lines, or prose such as an abstract. Never an error."""
    text = text[:MOST_PASTED].replace("\x00", "")
    for is_kind, parser in ((bibtex.ENTRY.search, bibtex), (ris.FIRST_LINE.match, ris)):
        if is_kind(text):
            try:
                return Pasted(listings=parser.parse(text).listings[:_ENTRIES])
            except SourceError:
                pass  # cut off in the middle, say: its words still tell what it is about
    named: list[ParsedListing] = []
    rest: list[str] = []
    for line in text.splitlines():
        whole = _named(line)  # "arXiv: 2401.12345", "DOI 10.1000/xyz"
        ids = [whole] if whole else [_named(word) for word in re.split(r"[\s,;]+", line.strip()) if word]
        if ids and all(ids):
            named += [one for one in ids if one]
        elif line.strip():
            rest.append(line.strip())
    if all(_is_line(line) for line in rest):
        return Pasted(tuple(named), lines=tuple(dict.fromkeys(rest)))
    return Pasted(tuple(named), prose=" ".join(rest))


def _named(word: str) -> ParsedListing | None:
    """A paper known by nothing but an identifier."""
    arxiv_id, doi = named_in(word)
    return ParsedListing(title="", arxiv_id=arxiv_id, doi=doi) if arxiv_id or doi else None


def _is_line(line: str) -> bool:
    return len(line.split()) <= LINE_WORDS and not line.endswith((".", ",", ";", ":")) and _can_be_read(line)


def _can_be_read(line: str) -> bool:
    try:
        parse(line)
    except InterestError:
        return False
    return True


def from_text(text: str, now: dt.datetime, have: Sequence[str] = (), deadline: float = math.inf) -> Suggestions:
    """Lines proposed from a pasted text, without those of the same meaning that somebody has."""
    pasted, have = read(text), have[:MAX_LINES]
    papers = _known(pasted.listings)
    texts = [(paper.title, paper.abstract) for paper in papers]
    names = {paper.arxiv_id for paper in papers} | {paper.doi for paper in papers}
    others = [one for one in pasted.listings if not {one.arxiv_id, one.doi} & (names - {None, ""})]
    texts += [(one.title, one.abstract) for one in others if one.title]
    texts += [("", pasted.prose)] if pasted.prose else []
    authors = [paper.authors for paper in papers] + [list(one.authors) for one in others]
    lacking = sum(1 for one in others if not one.title)
    return Suggestions(_proposed(texts, authors, pasted.lines[:MAX_LINES], now, have, deadline), tuple(papers), lacking)


def from_liked(reader: Subscriber, now: dt.datetime, deadline: float = math.inf) -> Suggestions:
    """Lines proposed from the papers a reader asked more of or saved."""
    rows = reader.feedback.filter(kind__in=(Feedback.Kind.MORE, Feedback.Kind.SAVE), undone_at=None)
    papers = list(Paper.objects.filter(pk__in=rows.order_by("-at").values("paper")[:MOST_PAPERS]).order_by("pk"))
    texts = [(paper.title, paper.abstract) for paper in papers]
    return Suggestions(_proposed(texts, [paper.authors for paper in papers], (), now, reader.lines(), deadline))


def from_found(reader: Subscriber, now: dt.datetime, deadline: float = math.inf) -> Suggestions:
    """Lines proposed from the papers that a reader's own lines found best: narrower ones, and their neighbours."""
    matches = Match.objects.filter(
        interest__lines__subscriber=reader,
        interest__is_mute=False,
        paper__in=Paper.objects.fresh(now, days=RECENT_DAYS),
    ).order_by("-weight", "paper")
    ids = dict.fromkeys(matches.values_list("paper", flat=True)[:FOUND])
    texts = list(Paper.objects.filter(pk__in=list(ids)).order_by("pk").values_list("title", "abstract"))
    return Suggestions(_proposed(texts, (), (), now, reader.lines(), deadline))


def _known(listings: Iterable[ParsedListing]) -> list[Paper]:
    """The stored papers that are named, in their order; merged ones as what they turned out to be."""
    found: dict[int, Paper] = {}
    ids = [one.arxiv_id for one in listings if one.arxiv_id][:MOST_PAPERS]
    dois = [one.doi for one in listings if one.doi][:MOST_PAPERS]
    rows = Paper.objects.filter(arxiv_id__in=ids) | Paper.objects.filter(doi__in=dois)
    for paper in rows.select_related("merged_into").order_by("pk"):
        paper = paper.merged_into or paper
        found.setdefault(paper.pk, paper)
    return list(found.values())[:MOST_PAPERS]


def _proposed(
    texts: Sequence[tuple[str, str]],
    authors: Iterable[Sequence[str]],
    typed: Sequence[str],
    now: dt.datetime,
    have: Sequence[str],
    deadline: float,
) -> tuple[Suggestion, ...]:
    """The best lines, what finds papers first; typed ones before all, as they were typed."""
    mine = {canonical.key(parse(line)) for line in have if _can_be_read(line)}
    lines = _new([*typed, *_by_authors(authors), *_told(texts, now)], mine)[: max(TRIED, len(typed))]
    if not lines:
        return ()
    counted = line_counts(lines, now, deadline)
    found = [
        Suggestion(one.typed, Rate(one.typed, one.papers, one.of, is_mute=one.is_mute, never=not one.papers))
        for one in counted
    ]
    asked = set(typed)
    found.sort(key=lambda one: (one.line not in asked, not one.is_good))  # stable: else as they tell
    return tuple(found[: max(PROPOSED, len(asked))])


def _new(lines: Iterable[str], mine: set[str]) -> list[str]:
    kept: list[str] = []
    for line in lines:
        if _can_be_read(line) and (key := canonical.key(parse(line))) not in mine:
            mine.add(key)
            kept.append(line)
    return kept


def _by_authors(authors: Iterable[Sequence[str]]) -> list[str]:
    """Who wrote several of the papers."""
    counts = Counter(name for names in authors for name in dict.fromkeys(names))
    names = [name for name, papers in counts.most_common(2) if papers >= AUTHOR_OF]
    return [f'author:"{name}"' for name in names if '"' not in name]


def _told(texts: Sequence[tuple[str, str]], now: dt.datetime) -> list[str]:
    """What the texts are about, against the recent papers."""
    if not texts:
        return []
    known = corpus.at(candidates.read(now, PREVIEW_DAYS).ids.tolist(), now).known
    found = uses(texts)
    return best(found, heard(found, known.texts, known.vocabulary), len(known.texts))
