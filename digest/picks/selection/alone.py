"""The picks of readers who are ranked alone, one after the other, from rows read one by one."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from django.db.models import Min

from digest.models import Digest, Feedback, Listing, Match, Paper, Pick
from digest.models.papers import PaperQuerySet
from digest.models.picks import paper_ids
from digest.picks.selection.digest_plan import Plan, Reader
from digest.picks.selection.read_arrays import among
from digest.relevance import match_papers
from digest.relevance.ranking import corpus
from digest.relevance.ranking.closeness import is_prose
from digest.relevance.ranking.rank import Candidate, Day, Hit, Line, Wishes, rank
from digest.relevance.ranking.taste import LESS, MORE, PASSED_OVER, Taste
from subscriptions.models import Interest, InterestLine

REMEMBERED = 200  # words of a reader about papers, the latest; the taste of before fades by their number
PASSED_OVER_FOR = dt.timedelta(days=30)


def one_by_one(
    readers: Sequence[Reader],
    planned: Sequence[Plan],
    now: dt.datetime,
    sent: Mapping[int, set[int]],
    words: Mapping[int, dict[int, float]],
    *,
    live: bool = False,
) -> list[list[Pick]]:
    """The picks of readers whose mails cover the same days, each ranked alone: for those who taught us their taste,
    and as the reference."""
    if not readers:
        return []
    lines, printed = _lines(readers)
    day = read_day({line.interest_id for of_one in lines.values() for line in of_one}, now, planned[0].days, live=live)
    known = corpus.at(day.candidates, now)
    day = replace(day, close=known.close(printed), twins=known.twins)
    typed = {pk: [line.typed for line in of_one if not line.is_mute] for pk, of_one in lines.items()}
    tastes: Mapping[int, Taste] = known.tastes(words, typed)
    chosen = []
    for reader, plan in zip(readers, planned, strict=True):
        wishes = Wishes(tuple(lines[reader.pk]), plan.max_papers, reader.trending_share, plan.overflow)
        chosen.append(rank(wishes, day, sent.get(reader.pk, ()), tastes.get(reader.pk)))
    return chosen


def _lines(readers: Sequence[Reader]) -> tuple[dict[int, list[Line]], dict[str, str]]:
    """The lines of each reader, and the printed form of each line that is no mute, by how it was typed."""
    lines: dict[int, list[Line]] = defaultdict(list)
    printed: dict[str, str] = {}
    rows = InterestLine.objects.filter(subscriber__in=[reader.pk for reader in readers])
    rows = rows.order_by("subscriber_id", "position")
    for reader_id, interest_id, typed, is_mute, is_pin, text in rows.values_list(
        "subscriber_id", "interest_id", "typed", "interest__is_mute", "interest__is_pin", "interest__text"
    ):
        lines[reader_id].append(Line(interest_id, typed, is_mute, is_prose(typed), is_pin))
        if not is_mute:
            printed[typed] = text
    return lines, printed


def said(readers: Sequence[Reader], now: dt.datetime) -> dict[int, dict[int, float]]:
    """What each reader said of papers and has not taken back, and what they passed over beside those.

    A digest without a word from its reader may not have been opened: what it held was not passed over.
    """
    words: dict[int, dict[int, float]] = defaultdict(dict)
    rows = Feedback.objects.filter(subscriber__in=among([one.pk for one in readers]), undone_at=None, at__lte=now)
    rows = rows.order_by("-at", "-pk")
    for reader_id, paper_id, kind in rows.values_list("subscriber_id", "paper_id", "kind"):
        if len(words[reader_id]) < REMEMBERED:
            words[reader_id].setdefault(paper_id, LESS if kind == Feedback.Kind.LESS else MORE)
    since = now.date() - PASSED_OVER_FOR
    digests = Digest.objects.filter(subscriber__in=list(words), issue_date__gte=since, created_at__lte=now)
    for reader_id, picks in digests.order_by("-issue_date", "-pk").values_list("subscriber_id", "packed_picks"):
        held = paper_ids(bytes(picks))
        if any(words[reader_id].get(paper) for paper in held):
            for paper in held[: 2 * REMEMBERED - len(words[reader_id])]:
                words[reader_id].setdefault(paper, PASSED_OVER)
    return words


def read_day(interest_ids: Collection[int], now: dt.datetime, days: int | None = None, *, live: bool = False) -> Day:
    """The candidates of this moment, and the hits of these interests on them; `live`: also of those not matched."""
    fresh = Paper.objects.fresh(now, days)
    hits: dict[int, list[Hit]] = defaultdict(list)
    rows = Match.objects.filter(interest__in=set(interest_ids), paper__in=fresh).order_by("interest_id", "paper_id")
    for interest_id, paper_id, weight in rows.values_list("interest_id", "paper_id", "weight"):
        hits[interest_id].append(Hit(paper_id, weight))
    unmatched = Interest.objects.filter(pk__in=set(interest_ids), matched_at=None) if live else ()
    for interest_id, paper_id, weight, _ in match_papers.ask(unmatched, fresh):
        hits[interest_id].append(Hit(paper_id, weight))
    return Day(candidates(fresh), hits)


def candidates(fresh: PaperQuerySet) -> dict[int, Candidate]:
    """What ranking knows of these papers, by id."""
    listings = Listing.objects.filter(paper__in=fresh)
    ranks = dict(listings.values("paper").annotate(best=Min("rank")).values_list("paper", "best"))
    return {pk: Candidate(pk, upvotes, ranks.get(pk, 1)) for pk, upvotes in fresh.values_list("pk", "upvotes")}
