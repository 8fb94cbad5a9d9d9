"""One reader and one paper, and the shape of what is answered about them."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext as _

from digest.mail.rendering.excerpts import Segment
from digest.mail.rendering.labels import marked, voice
from digest.models import Feedback, Match, Paper, Pick, ReasonKind
from digest.picks.evidence import describe, evidence
from digest.picks.explanation.missing_words import Half, half
from digest.picks.selection.choose import choose
from digest.relevance.matching import match
from digest.relevance.matching.documents import document
from digest.relevance.matching.queries import Query
from subscriptions.interests.language import is_mute
from subscriptions.interests.parser import InterestError, reread
from subscriptions.models import Subscriber

EVERYTHING = 100_000  # papers: a mail without an end, to see where a paper stands


@dataclass(frozen=True, slots=True)
class Explanation:
    """An answer in one sentence, what else is to say, and the sum of points where the paper has any.

    `title` and `abstract` are the paper's, in pieces with the words marked that the answer speaks of.
    """

    answer: str
    paper: Paper | None = None
    more: tuple[str, ...] = ()
    points: tuple[tuple[float, str], ...] = ()
    score: float | None = None
    title: tuple[Segment, ...] = ()
    abstract: tuple[Segment, ...] = ()


class Case:
    """One reader and one paper at one moment, and what is read of both."""

    def __init__(self, reader: Subscriber, paper: Paper, now: dt.datetime) -> None:
        self.reader, self.paper, self.now = reader, paper, now
        self.zone = ZoneInfo(reader.time_zone)
        self.document = document(paper)
        self.mutes: list[tuple[str, Query]] = []
        self.lines: list[tuple[str, Query, Half]] = []
        for line in reader.interest_lines.select_related("interest").order_by("position"):
            try:
                node = reread(line.interest.text)
            except InterestError:
                continue  # nobody's fault but a change of the language: it matches nothing
            query = Query.of(line.interest_id, node)
            if is_mute(node):
                self.mutes.append((line.typed, query))
            else:
                self.lines.append((line.typed, query, half(line.typed, node, self.document)))

    def matches_more_than(self, most: int) -> bool:
        """Whether the reader's lines and recent papers meet more often than that."""
        interests = [query.interest_id for typed, query, *rest in self.lines]
        recent = Paper.objects.fresh(self.now, days=settings.CANDIDATE_DAYS)
        rows = Match.objects.filter(interest__in=interests, paper__in=recent).order_by()
        return rows[: most + 1].count() > most

    def places(self, at: dt.datetime) -> list[Pick]:
        """All that a mail of that moment could have held for this reader, best first."""
        boundless = copy.copy(self.reader)
        boundless.max_papers, boundless.trending_share = EVERYTHING, 0
        return choose([boundless], at)[self.reader.pk]

    def _near(self, pick: Pick) -> list[dict[str, Any]]:
        """Where the words are of the lines that only come close."""
        close = {reason.subject for reason in pick.reasons if reason.kind == ReasonKind.CLOSE}
        near = (one.found for _, query, one in self.lines if query.interest_id in close)
        return [match.describe(found, self.document) for found in near if found]

    def explained(
        self,
        answer: str,
        *more: str,
        pick: Pick | None = None,
        marks: Sequence[dict[str, Any]] = (),
    ) -> Explanation:
        """The answer, with the sum of the pick and the marks of its reasons, or of other matches."""
        reasons: Sequence[dict[str, Any]] = marks
        points: Iterable[tuple[float, str]] = ()
        if pick:
            own = pick._replace(paper=self.paper.pk)  # it may have been picked before it was merged into this one
            (described,) = describe([own], evidence(self.reader.pk, [own]), {self.paper.pk: self.paper})
            reasons, points = [*described["reasons"], *self._near(pick)], _sum(pick, described["reasons"], self)
        return Explanation(
            answer,
            self.paper,
            tuple(sentence for sentence in more if sentence),
            points=tuple(points),
            score=pick.points / 100 if pick else None,
            title=marked(self.paper.title, "title", reasons),
            abstract=marked(self.paper.abstract, "abstract", reasons),
        )


def _sum(pick: Pick, described: list[dict[str, Any]], case: Case) -> Iterable[tuple[float, str]]:
    """Each voice's points and what it says. They add up to the pick's."""
    named = [reason["like"] for reason in described if "like" in reason]
    titles = dict(Paper.objects.filter(pk__in=named).values_list("pk", "title"))
    rows = Feedback.objects.filter(subscriber=case.reader, paper__in=named, undone_at=None)
    kinds = dict(rows.order_by("at").values_list("paper", "kind"))
    lacks = {query.interest_id: one.in_the_way for _, query, one in case.lines}
    for reason, words in zip(pick.reasons, described, strict=True):
        like = words.get("like")
        yield words["points"], voice(words, lacks.get(reason.subject, ""), titles.get(like or 0), kinds.get(like or 0))
    if pick.trend:
        yield pick.trend / 100, _("it is trending")
