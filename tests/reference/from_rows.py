"""Subscribers ranked one after the other by the reference, from rows read one by one."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
from django.db.models import Min

from digest.models import Listing, Match, Paper, Pick
from digest.models.papers import PaperQuerySet
from digest.picks.selection.digest_plan import Plan, Reader
from digest.relevance.ranking import corpus
from digest.relevance.ranking.candidates import Candidate
from digest.relevance.ranking.closeness import is_prose
from digest.relevance.ranking.taste import Taste
from subscriptions.models import InterestLine
from tests.reference.rank import Day, Hit, Line, Wishes, rank


def one_by_one(
    readers: Sequence[Reader],
    planned: Sequence[Plan],
    now: dt.datetime,
    sent: Mapping[int, set[int]],
    words: Mapping[int, dict[int, float]],
) -> list[list[Pick]]:
    """The picks of readers whose mails cover the same days, each ranked alone: for those who taught us their taste,
    and as the reference.
    """
    if not readers:
        return []
    lines, printed = _lines(readers)
    day = read_day({line.interest_id for of_one in lines.values() for line in of_one}, now, planned[0].days)
    known = corpus.at(sorted(day.candidates), now)
    # The reference has its arrays in the order of `in_order`, the corpus by id.
    in_order = np.searchsorted(sorted(day.candidates), day.papers)
    close = {typed: row[in_order] for typed, row in known.close(printed).items()}
    day = replace(day, close=close, twins=known.twins)
    typed = {pk: [line.typed for line in of_one if not line.is_mute] for pk, of_one in lines.items()}
    tastes: dict[int, Taste] = {
        pk: replace(taste, degree=taste.degree[in_order], nearest=taste.nearest[in_order])
        for pk, taste in known.tastes(words, typed).items()
    }
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


def read_day(interest_ids: Collection[int], now: dt.datetime, days: int | None = None) -> Day:
    """The candidates of this moment, and the hits of these interests on them."""
    fresh = Paper.objects.fresh(now, days)
    hits: dict[int, list[Hit]] = defaultdict(list)
    rows = Match.objects.filter(interest__in=set(interest_ids), paper__in=fresh).order_by("interest_id", "paper_id")
    for interest_id, paper_id, weight in rows.values_list("interest_id", "paper_id", "weight"):
        hits[interest_id].append(Hit(paper_id, weight))
    return Day(candidates(fresh), hits)


def candidates(fresh: PaperQuerySet) -> dict[int, Candidate]:
    """What ranking knows of these papers, by id."""
    listings = Listing.objects.filter(paper__in=fresh)
    ranks = dict(listings.values("paper").annotate(best=Min("rank")).values_list("paper", "best"))
    return {pk: Candidate(pk, upvotes, ranks.get(pk, 1)) for pk, upvotes in fresh.values_list("pk", "upvotes")}
