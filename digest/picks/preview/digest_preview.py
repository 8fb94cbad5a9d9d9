"""What somebody would get, before anything is stored: for the sign-up page, the search and the admin."""

from __future__ import annotations

import copy
import datetime as dt
import math
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from anymail.message import AnymailMessage

from digest.mail.rendering import compose, show
from digest.models import Digest, Paper, Pick
from digest.picks.evidence import INTERESTS, Evidence, describe_picks
from digest.picks.preview import preview_cache
from digest.picks.preview.bounded_hits import found_by_lines, hits_of_lines, places_of
from digest.picks.preview.preview_cache import Finds
from digest.picks.selection.choose import choose
from digest.picks.selection.digest_plan import plans
from digest.relevance.matching.match import Document, Found, describe
from digest.relevance.matching.postings import Postings
from digest.relevance.ranking.arrays import Rows
from digest.relevance.ranking.block import Requests
from digest.relevance.ranking.candidates import Candidates
from digest.relevance.ranking.closeness import is_prose
from digest.relevance.ranking.rank_subscribers import lane_sizes, rank_subscribers
from digest.relevance.ranking.score_matrix import Line, ScoreMatrix
from digest.relevance.vectors import Floats
from subscriptions import schedule
from subscriptions.interests import language
from subscriptions.interests.parser import parse
from subscriptions.models import Subscriber
from subscriptions.preferences import Preferences

PREVIEW_DAYS = preview_cache.PREVIEW_DAYS
SEARCH_RESULTS = 50


@dataclass(frozen=True, slots=True)
class LineCount:
    """How many of the recent papers one line found."""

    typed: str
    papers: int
    of: int
    is_mute: bool

    @property
    def is_wide(self) -> bool:
        return not self.is_mute and self.of >= 20 and self.papers > self.of // 3


@dataclass(frozen=True, slots=True)
class Preview:
    """What the lines would have brought from the papers of the last days, best first.

    When time ran out, only the newest `looked_at` of the papers were ranked, perhaps for fewer lines.
    """

    items: list[dict[str, Any]]
    lines: list[LineCount]
    papers: int
    days: int
    picks: list[Pick]
    evidence: Evidence
    looked_at: int
    is_partial: bool


def preview(
    lines: Sequence[str],
    now: dt.datetime,
    *,
    max_papers: int = 10,
    trending_share: int = 0,
    deadline: float = math.inf,
) -> Preview:
    """Rank the last days' papers for these lines. Raises InterestError for a line that cannot be read.

    Looking ends at `deadline` (time.monotonic): the preview is then a partial one.
    """
    nodes = [parse(line) for line in lines]
    fresh = preview_cache.fresh(now)
    found = found_by_lines(nodes, now, deadline)
    mutes = {number for number in found if language.is_mute(nodes[number])}
    hits, unseen = hits_of_lines(found, mutes, set(fresh.ids.tolist()), deadline)
    # The voices of the mail, less the taste of somebody who has said nothing yet.
    printed = {lines[number]: str(nodes[number]) for number in found if number not in mutes}
    close, twins = preview_cache.voices(fresh, printed, now) if time.monotonic() < deadline else ({}, {})
    made = [_line(number, lines[number], nodes[number], hits[number], fresh, close) for number in sorted(found)]
    picks = _rank(ScoreMatrix.of(fresh, made, twins), unseen, max_papers, trending_share)
    shown = Evidence(dict(enumerate(lines)), places_of(found, picks))
    return Preview(
        show(describe_picks(picks, shown)), _counts(lines, nodes, found, fresh), len(fresh), PREVIEW_DAYS, picks, shown,
        looked_at=len(fresh) - len(unseen), is_partial=bool(unseen) or len(found) < len(nodes),
    )  # fmt: skip


def _line(
    number: int, typed: str, node: language.Node, hits: Mapping[int, float], fresh: Candidates,
    close: Mapping[str, Floats],
) -> Line:  # fmt: skip
    columns, _ = fresh.columns_of(np.array(list(hits), np.int64))
    flags = language.is_mute(node), language.is_pin(node), is_prose(typed)
    return Line(number, columns, list(hits.values()), close.get(typed), *flags)


def _rank(matrix: ScoreMatrix, unseen: Collection[int], max_papers: int, trending_share: int) -> list[Pick]:
    """What one subscriber of all lines of the matrix gets, without the papers that were not looked at."""
    count = len(matrix.interests)
    lines = Rows(np.array([0, count]), np.arange(count))
    columns, _ = matrix.candidates.columns_of(np.array(sorted(unseen), np.int64))
    had = np.zeros(len(columns), np.int64), columns
    requests = Requests(lines, *lane_sizes([max_papers], [trending_share]), np.zeros(1, np.int64), had)
    (packed,) = rank_subscribers(matrix, matrix.candidates, requests)
    return packed.unpack()


def _counts(
    lines: Sequence[str], nodes: Sequence[language.Node], found: Mapping[int, Finds], fresh: Candidates
) -> list[LineCount]:
    ids = set(fresh.ids.tolist())
    return [
        LineCount(lines[number], found[number].count(ids), len(ids), language.is_mute(nodes[number]))
        for number in sorted(found)
    ]


def line_counts(lines: Sequence[str], now: dt.datetime, deadline: float = math.inf) -> list[LineCount]:
    """How many of the last days' papers each line finds; no more lines than there is time for. Raises InterestError."""
    nodes = [parse(line) for line in lines]
    return _counts(lines, nodes, found_by_lines(nodes, now, deadline), preview_cache.fresh(now))


def found_by(line: str, now: dt.datetime) -> Finds:
    """The papers of the last RECENT_DAYS that the line finds. Raises InterestError."""
    return preview_cache.found(parse(line), now)


def recent_papers(now: dt.datetime) -> Postings:
    """The papers of the last RECENT_DAYS, taken apart; the same object while they are the same."""
    return preview_cache.papers(now)


def search(line: str, now: dt.datetime) -> list[dict[str, Any]]:
    """The recent papers an interest line finds, best first; of very many, the newest. Raises InterestError."""
    return show(with_papers([pick_of(line, *one) for one in found_by(line, now).best(SEARCH_RESULTS)]))


def pick_of(line: str, found: Found, paper: Document) -> dict[str, Any]:
    """A pick for what one line found, and no other."""
    points = round(found.weight, 2)
    reason = {"kind": "match", "line": line, "points": points, **describe(found, paper)}
    return {"paper": paper.paper_id, "lane": INTERESTS, "points": points, "trend": 0, "reasons": [reason]}


def related(paper: Paper, now: dt.datetime, most: int) -> list[Paper]:
    """The recent papers most like this one, nearest first; none for a paper of long ago."""
    ids = preview_cache.corpus_at(now).like(paper.pk, most)
    found = Paper.objects.known().in_bulk(ids)
    return [found[pk] for pk in ids if pk in found]


def with_papers(picks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    papers = Paper.objects.in_bulk([pick["paper"] for pick in picks])
    return [pick | {"paper": papers[pick["paper"]]} for pick in picks if pick["paper"] in papers]


def mail(found: Preview, preferences: Preferences, now: dt.datetime) -> AnymailMessage | None:
    """Return the mail that a preview of these preferences would have been; None when nothing matched."""
    if not found.picks:
        return None
    reader = Subscriber(
        email="you@example.org", code="preview", frequency=preferences.frequency, language=preferences.language
    )
    date = schedule.issue_date(now, preferences.time_zone)
    digest = Digest(subscriber=reader, issue_date=date, created_at=now)
    digest.picks = found.picks
    return compose(digest, now, found.evidence)


def next_mail(reader: Subscriber, now: dt.datetime) -> AnymailMessage | None:
    """The reader's next mail as it would be sent at `now`, stored nowhere; None when nothing matches."""
    digest = next_digest(reader, now)
    return compose(digest, now) if digest else None


def next_digest(reader: Subscriber, now: dt.datetime) -> Digest | None:
    """What that mail would hold.

    Its signed links carry no working token: staff may read over a reader's shoulder, not act for them.
    """
    picks = choose([reader], now, live=reader.status != Subscriber.Status.ACTIVE)[reader.pk]
    if not picks:
        return None
    stand_in = copy.copy(reader)
    stand_in.code = "preview"
    date = schedule.issue_date(now, reader.time_zone)
    (plan,) = plans([reader], now)
    digest = Digest(
        subscriber=stand_in, issue_date=date, created_at=now, notice=plan.notice, is_catch_up=plan.is_catch_up
    )
    digest.picks = picks
    return digest
