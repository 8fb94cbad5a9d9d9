"""What somebody would get, before anything is stored: for the sign-up page, the search and the admin."""

from __future__ import annotations

import copy
import datetime as dt
import math
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from anymail.message import AnymailMessage

from digest.mail.rendering import compose, show
from digest.models import Digest, Paper, Pick
from digest.picks.evidence import INTERESTS, Evidence, describe_picks
from digest.picks.preview import preview_cache
from digest.picks.preview.bounded_hits import found_by_lines, hits_of_lines, places_of
from digest.picks.preview.preview_cache import Finds
from digest.picks.selection.digest_plan import plans
from digest.picks.selection.select import choose
from digest.relevance.matching.match import Document, Found, describe
from digest.relevance.matching.postings import Postings
from digest.relevance.ranking.closeness import is_prose
from digest.relevance.ranking.rank import Day, Line, Wishes, rank
from subscriptions import schedule
from subscriptions.interests import language
from subscriptions.interests.parser import parse
from subscriptions.models import Subscriber
from subscriptions.signup import Wishes as Wishlist

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
    wished = [_line(number, lines[number], nodes[number]) for number in sorted(found)]
    hits, unseen = hits_of_lines(found, {line.interest_id for line in wished if line.is_mute}, fresh, deadline)
    # The voices of the mail, less the taste of somebody who has said nothing yet.
    printed = {line.typed: str(nodes[line.interest_id]) for line in wished if not line.is_mute}
    voices = preview_cache.voices(fresh, printed, now) if time.monotonic() < deadline else {}
    picks = rank(Wishes(tuple(wished), max_papers, trending_share), Day(fresh, hits, **voices), unseen)
    shown = Evidence(dict(enumerate(lines)), places_of(found, picks))
    return Preview(
        show(describe_picks(picks, shown)), _counts(wished, found, fresh), len(fresh), PREVIEW_DAYS, picks, shown,
        looked_at=len(fresh) - len(unseen), is_partial=bool(unseen) or len(found) < len(nodes),
    )  # fmt: skip


def _line(number: int, typed: str, node: language.Node) -> Line:
    return Line(number, typed, language.is_mute(node), is_prose(typed), language.is_pin(node))


def _counts(wished: Iterable[Line], found: Mapping[int, Finds], fresh: Collection[int]) -> list[LineCount]:
    return [LineCount(line.typed, found[line.interest_id].count(fresh), len(fresh), line.is_mute) for line in wished]


def line_counts(lines: Sequence[str], now: dt.datetime, deadline: float = math.inf) -> list[LineCount]:
    """How many of the last days' papers each line finds; no more lines than there is time for. Raises InterestError."""
    nodes = [parse(line) for line in lines]
    fresh, found = preview_cache.fresh(now), found_by_lines(nodes, now, deadline)
    return _counts((_line(number, lines[number], nodes[number]) for number in sorted(found)), found, fresh)


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


def mail(found: Preview, wishes: Wishlist, now: dt.datetime) -> AnymailMessage | None:
    """The mail that a preview of these wishes would have been; None when nothing matched."""
    if not found.picks:
        return None
    reader = Subscriber(email="you@example.org", code="preview", frequency=wishes.frequency, language=wishes.language)
    date = schedule.issue_date(now, wishes.time_zone)
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
