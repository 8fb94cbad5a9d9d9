"""What each subscriber gets: read from the database and ranked, for the morning, dry runs and explanations alike."""

from __future__ import annotations

import datetime as dt
import logging
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from django.db.models import Q

from digest.models import Digest, Match, Paper, Pick
from digest.picks.selection import feedback, read_arrays
from digest.picks.selection.digest_plan import Plan, Reader, plans
from digest.relevance import match_papers
from digest.relevance.ranking import score_cache
from digest.relevance.ranking.arrays import Ints, Rows
from digest.relevance.ranking.block import Requests
from digest.relevance.ranking.candidates import Candidates
from digest.relevance.ranking.closeness import is_prose
from digest.relevance.ranking.packed_columns import among
from digest.relevance.ranking.packing import NOTHING, Packed
from digest.relevance.ranking.rank_subscribers import lane_sizes, rank_subscribers
from digest.relevance.ranking.score_cache import LearnedScores
from digest.relevance.ranking.score_matrix import MAX_LINES, Line, ScoreMatrix
from subscriptions.models import Interest

logger = logging.getLogger(__name__)


def choose(subscribers: Sequence[Reader], now: dt.datetime, *, live: bool = False) -> dict[int, list[Pick]]:
    """Return the picks of each subscriber (by id) at this moment. Reads only; the number of queries is fixed.

    `live`: interests that are not matched, because no active subscriber wants them, are matched now.
    """
    chosen = choose_all(subscribers, plans(subscribers, now), now, live=live)
    return {one.pk: packed.unpack() for one, packed in zip(subscribers, chosen, strict=True)}


def choose_all(
    subscribers: Sequence[Reader],
    planned: Sequence[Plan],
    now: dt.datetime,
    earlier: Q | None = None,
    *,
    live: bool = False,
) -> list[Packed]:
    """Return what each subscriber gets; those whose mails cover the same days are ranked together.

    Papers of their digests do not come again: of all digests, or of those that `earlier` finds.
    """
    chosen = [NOTHING] * len(subscribers)
    for days in sorted({plan.days for plan in planned}):
        which = [place for place, plan in enumerate(planned) if plan.days == days]
        some = [subscribers[place] for place in which]
        found = _of_days(some, [planned[place] for place in which], now, earlier or Q(), live)
        for place, one in zip(which, found, strict=True):
            chosen[place] = one
    return chosen


def _of_days(
    subscribers: Sequence[Reader], planned: Sequence[Plan], now: dt.datetime, earlier: Q, live: bool
) -> list[Packed]:
    learned, candidates = score_cache.at(now, planned[0].days)
    if not len(candidates):
        return [NOTHING] * len(subscribers)
    ids = [one.pk for one in subscribers]
    lines = _bounded(read_arrays.lines_of(ids), ids)
    matrix, rows = _live(learned, lines) if live else (learned, learned.rows_of(lines.interests.items, lines.typed))
    tastes = feedback.tastes(feedback.read(ids, now), learned.corpus)
    most, share = lane_sizes(
        [plan.max_papers for plan in planned], [subscriber.trending_share for subscriber in subscribers]
    )
    requests = Requests(
        Rows(lines.interests.ends, rows), most, share,
        np.array([plan.overflow for plan in planned], np.int64),
        _had(ids, candidates, earlier),
        {place: tastes[pk] for place, pk in enumerate(ids) if pk in tastes},
    )  # fmt: skip
    return rank_subscribers(matrix, candidates, requests)


def _bounded(lines: read_arrays.Lines, ids: Sequence[int]) -> read_arrays.Lines:
    """At most MAX_LINES a subscriber: no form takes more, and no row that is odd may fail a chunk."""
    counts = np.diff(lines.interests.ends)
    if counts.max(initial=0) <= MAX_LINES:
        return lines
    for place in np.flatnonzero(counts > MAX_LINES).tolist():
        logger.warning("Subscriber %d has %d interests: the first %d count.", ids[place], counts[place], MAX_LINES)
    kept = np.flatnonzero(lines.interests.places() < MAX_LINES)
    ends = np.concatenate([[0], np.cumsum(np.minimum(counts, MAX_LINES))])
    return read_arrays.Lines(Rows(ends, lines.interests.items[kept]), [lines.typed[place] for place in kept.tolist()])


def _had(subscribers: Sequence[int], candidates: Candidates, earlier: Q) -> tuple[Ints, Ints]:
    """Pairs (subscriber, column), in order: the candidates that earlier digests held."""
    # No digest can hold a paper from before we first saw it or its list: older ones need not be read.
    since = candidates.oldest - dt.timedelta(days=1)
    owners, papers = read_arrays.sent_to(subscribers, Digest.objects.filter(earlier, issue_date__gte=since))
    merged = Paper.objects.filter(merged_into__in=among(candidates.ids.tolist()))
    for pk, into in merged.values_list("pk", "merged_into"):
        papers[papers == pk] = into or pk
    columns, is_here = candidates.columns_of(papers)
    order = np.argsort(owners[is_here], kind="stable")
    return owners[is_here][order], columns[is_here][order]


def _live(learned: LearnedScores, lines: read_arrays.Lines) -> tuple[ScoreMatrix, Ints]:
    """A matrix of just these lines, with the matches of interests that are not matched yet."""
    ids = lines.interests.items.tolist()
    interests = Interest.objects.in_bulk(set(ids))
    papers = Paper.objects.filter(pk__in=learned.ids.tolist())
    found: dict[int, dict[int, float]] = defaultdict(dict)
    stored = Match.objects.filter(interest__in=interests, paper__in=papers)
    for interest, paper, weight in stored.values_list("interest_id", "paper_id", "weight"):
        found[interest][paper] = weight
    unmatched = [interest for interest in interests.values() if interest.matched_at is None]
    for interest, paper, weight, _ in match_papers.ask(unmatched, papers):
        found[interest][paper] = weight
    close = learned.corpus.close({
        typed: interests[pk].text for pk, typed in zip(ids, lines.typed, strict=True) if not interests[pk].is_mute
    })  # fmt: skip
    made = [
        Line(
            pk, learned.candidates.columns_of(np.array(list(found[pk]), np.int64))[0], list(found[pk].values()),
            close.get(typed), interests[pk].is_mute, interests[pk].is_pin, is_prose(typed),
        )
        for pk, typed in zip(ids, lines.typed, strict=True)
    ]  # fmt: skip
    return ScoreMatrix.of(learned.candidates, made, learned.twins), np.arange(len(made))
