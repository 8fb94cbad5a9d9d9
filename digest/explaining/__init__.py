"""Why a paper was, or was not, in a reader's mail, in the reader's words. Reads only.

The command and the page say the same. Points are those of the ranking itself: what is shown adds up to the score.
"""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from digest.composing.excerpts import Segment
from digest.composing.wording import day, found_as, listed, marked, quoted, voice
from digest.explaining.lacking import Half, half
from digest.explaining.naming import find_paper, unknown
from digest.matching import describe
from digest.matching.documents import document
from digest.matching.queries import Query
from digest.models import Delivery, Digest, Feedback, Paper, Source
from digest.ranking import INTERESTS, TRENDING
from digest.selecting import choose
from subscriptions.interests.language import is_mute
from subscriptions.interests.parser import InterestError, reread
from subscriptions.models import Subscriber

EVERYTHING = 100_000  # papers: a mail without an end, to see where a paper stands
_WAITS = (Delivery.Status.WAITING, Delivery.Status.SENDING)
_LOST = (Delivery.Status.FAILED, Delivery.Status.BOUNCED, Delivery.Status.REJECTED, Delivery.Status.INVALID)


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


def explain(reader: Subscriber, text: str, now: dt.datetime) -> Explanation:
    """What became of the paper that `text` names (arXiv id, DOI, address, our number or title)."""
    paper = find_paper(text)
    if paper is None:
        return Explanation(unknown(text), more=(_sources(),))
    case = _Case(reader, paper, now)
    found = next(one for answer in _ANSWERS if (one := answer(case)))
    state = _state(reader, now)
    return replace(found, more=(*([state] if state else []), *found.more)) if state else found


def _sources() -> str:
    names = list(Source.objects.filter(is_enabled=True).order_by("name").values_list("name", flat=True))
    return f"We read {listed(names)}." if names else "No source is read at present."


def _state(reader: Subscriber, now: dt.datetime) -> str:
    """Why nothing at all is sent to this reader; "" when mail goes out."""
    if reader.status == Subscriber.Status.PENDING:
        return "This address has not been confirmed yet: nothing is sent before."
    if reader.status == Subscriber.Status.UNSUBSCRIBED:
        return "You have unsubscribed: nothing is sent."
    if reader.status != Subscriber.Status.ACTIVE:
        return "Mail to this address was refused or called spam: nothing is sent."
    if reader.is_paused(now) and reader.paused_until:
        return f"Your mail is paused until {day(reader.paused_until.astimezone(ZoneInfo(reader.time_zone)))}."
    return ""


class _Case:
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

    def places(self, at: dt.datetime) -> list[dict[str, Any]]:
        """All that a mail of that moment could have held for this reader, best first."""
        boundless = copy.copy(self.reader)
        boundless.max_papers, boundless.trending_share = EVERYTHING, 0
        return choose([boundless], at)[self.reader.pk]

    def _near(self, pick: dict[str, Any]) -> list[dict[str, Any]]:
        """Where the words are of the lines that only come close."""
        close = {reason["line"] for reason in pick["reasons"] if reason.get("kind") == "close"}
        near = (one.found for typed, _, one in self.lines if f"close to: {typed}" in close)
        return [describe(found, self.document) for found in near if found]

    def explained(
        self,
        answer: str,
        *more: str,
        pick: dict[str, Any] | None = None,
        marks: Sequence[dict[str, Any]] = (),
    ) -> Explanation:
        """The answer, with the sum of the pick and the marks of its reasons, or of other matches."""
        reasons = [*pick["reasons"], *self._near(pick)] if pick else marks
        return Explanation(
            answer,
            self.paper,
            tuple(sentence for sentence in more if sentence),
            points=tuple(_sum(pick, self)) if pick else (),
            score=pick["points"] if pick else None,
            title=marked(self.paper.title, "title", reasons),
            abstract=marked(self.paper.abstract, "abstract", reasons),
        )


def _sent(case: _Case) -> Explanation | None:
    """It was in a mail already."""
    names = {case.paper.pk, *Paper.objects.filter(merged_into=case.paper).values_list("pk", flat=True)}
    for digest in Digest.objects.filter(subscriber=case.reader).select_related("delivery").iterator(chunk_size=100):
        for place, pick in enumerate(digest.picks, start=1):
            if pick["paper"] in names:
                answer = f"It was number {place} of your mail of {day(digest.issue_date)}."
                again = "No paper is sent twice."
                return case.explained(answer, _fate(digest, case.zone), again, pick=pick)
    return None


def _fate(digest: Digest, zone: ZoneInfo) -> str:
    """What became of that mail, where it did not simply arrive."""
    delivery = getattr(digest, "delivery", None)
    if delivery is None or delivery.status in _WAITS:
        return "That mail is still on its way."
    if delivery.status in _LOST:
        return "That mail did not arrive: the mail server refused it. It is on the web, in your preferences."
    if delivery.status == Delivery.Status.UNKNOWN:
        return "Whether that mail arrived is not known: the connection broke. It is on the web, in your preferences."
    if delivery.sent_at is None:
        return ""
    sent = delivery.sent_at.astimezone(zone)
    return f"That mail left on {day(sent)} at {sent:%H:%M}."


def _withdrawn(case: _Case) -> Explanation | None:
    if case.paper.withdrawn_on is None:
        return None
    return case.explained(f"It was withdrawn on {day(case.paper.withdrawn_on)}: withdrawn papers are not sent.")


def _muted(case: _Case) -> Explanation | None:
    """Lines that mute it, and the words that they mean."""
    found = [(typed, query, hit) for typed, query in case.mutes if (hit := query.find(case.document))]
    if not found:
        return None
    marks = [describe(hit, case.document) for _, _, hit in found]
    answer = " ".join(
        f"Your line “{typed}” keeps it away: the paper has{found_as(place)}."
        for (typed, _, _), place in zip(found, marks, strict=True)
    )
    wants = [typed for typed, query, _ in case.lines if query.find(case.document)]
    also = f"Without that, {quoted(wants)} would find it." if wants else ""
    return case.explained(answer, also, marks=marks)


def _not_news(case: _Case) -> Explanation | None:
    if case.paper.is_news:
        return None
    answer = "It was only seen as a new version, or long after it was published: it was never news, and is not sent."
    return case.explained(answer, _arrival(case))


def _unmatched_yet(case: _Case) -> Explanation | None:
    if case.paper.matched_at is not None:
        return None
    return case.explained("It has only just arrived and is not compared with your lines yet: ask again in a minute.")


def _too_old(case: _Case) -> Explanation | None:
    """Its days are over: what it had in the last mail that it could have been in."""
    if Paper.objects.fresh(case.now).filter(pk=case.paper.pk).exists():
        return None
    until = _leaves(case.paper)
    if until > case.now:
        return case.explained(f"It is of a later day than {day(case.now)}.", _arrival(case))
    days = f"Mails hold papers of the last {settings.CANDIDATE_DAYS} days: it could come until {day(until)}."
    within = Digest.objects.filter(
        subscriber=case.reader, created_at__gte=case.paper.first_seen_at, created_at__lt=until
    ).exclude(picks=[])
    last = within.first()
    if last is None:
        late = "It is too old for a mail, and none was made for you while it was new."
        return case.explained(late, _arrival(case), days, marks=_half_marks(case))
    past = _in_that_mail(case, last)
    answer = f"It is too old for a mail now. {past.answer}"
    return replace(past, answer=answer, more=(*past.more, _arrival(case), days))


def _in_that_mail(case: _Case, digest: Digest) -> Explanation:
    """How it stood when a mail was made, by the lines of today."""
    date = day(digest.issue_date)
    pick = next((one for one in case.places(digest.created_at) if one["paper"] == case.paper.pk), None)
    if pick is None:
        return _nearest(case, f"For your mail of {date}, no line of yours matches it.")
    last = _last(digest.picks)
    answer = f"For your mail of {date} it had {pick['points']:.2f} points"
    if last is None or pick["points"] > last["points"]:
        # The lines, what was said of other papers, or the mail's size were others then.
        return case.explained(f"{answer}, by your lines of today.", pick=pick)
    held = len(_for_you(digest.picks))
    return case.explained(f"{answer}; the last of the {held} papers taken had {last['points']:.2f}.", pick=pick)


def _ranked(case: _Case) -> Explanation:
    """Where it stands for the next mail."""
    until = f"It can still come until {day(_leaves(case.paper))}."
    picks = choose([case.reader], case.now)[case.reader.pk]
    for place, pick in enumerate(picks, start=1):
        if pick["paper"] == case.paper.pk:
            lane = ", as a trending paper that matches none of your lines" if pick["lane"] == TRENDING else ""
            answer = f"It has not been sent yet: it would be number {place} of your next mail{lane}."
            return case.explained(answer, _missed(case), pick=pick)
    everything = case.places(case.now)
    for place, pick in enumerate(everything, start=1):
        if pick["paper"] == case.paper.pk:
            last = _last(picks)
            answer = f"It is below the cut: number {place} of the papers for you, with {pick['points']:.2f} points"
            answer += f"; the last one taken has {last['points']:.2f}." if last else "."
            room = len(_for_you(picks))
            size = f"Your mail has room for {room} paper{'s' if room != 1 else ''} that match."
            return case.explained(answer, size, until, pick=pick)
    matched = [(typed, hit) for typed, query, _ in case.lines if (hit := query.find(case.document))]
    if matched:
        answer = f"{quoted(typed for typed, _ in matched)} matches it, and what you said of other papers weighs more."
        marks = [describe(hit, case.document) for _, hit in matched]
        return case.explained(answer, "It is much like papers you asked less of, or passed over.", marks=marks)
    return _nearest(case, "No line of yours matches it.", until)


def _missed(case: _Case) -> str:
    """Why a paper that will come did not come with the last mail."""
    last = Digest.objects.filter(subscriber=case.reader, created_at__lte=case.now).first()
    if last is None:
        return "You have had no mail yet."
    if last.created_at < case.paper.first_seen_at:
        return f"{_arrival(case)} Your last mail was made before that."
    held = _last(last.picks)
    return f"The last paper taken into your mail of {day(last.issue_date)} had {held['points']:.2f}." if held else ""


def _nearest(case: _Case, answer: str, *more: str) -> Explanation:
    """The line that comes nearest, and what it lacks."""
    if not case.lines:
        return case.explained(answer, "You have no line that asks for anything.", *more)
    typed, _, best = max(case.lines, key=lambda line: (line[2].share, len(line[2].has)))
    if not best.has:
        return case.explained(answer, "It holds none of the words that your lines ask for.", *more)
    near = f"“{typed}” comes nearest: the paper has {quoted(best.has)}, and {best.in_the_way}."
    return case.explained(answer, near, *more, marks=_half_marks(case, best))


def _half_marks(case: _Case, best: Half | None = None) -> list[dict[str, Any]]:
    if best is None and case.lines:
        best = max((line[2] for line in case.lines), key=lambda one: (one.share, len(one.has)))
    return [describe(best.found, case.document)] if best and best.found else []


_ANSWERS = (_sent, _withdrawn, _muted, _not_news, _unmatched_yet, _too_old, _ranked)


def _for_you(picks: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [pick for pick in picks if pick["lane"] == INTERESTS]


def _last(picks: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
    """The pick with the fewest points of those that match."""
    return min(_for_you(picks), key=lambda pick: pick["points"], default=None)


def _arrival(case: _Case) -> str:
    seen = case.paper.first_seen_at.astimezone(case.zone)
    listed = case.paper.first_listed_on
    return f"We first saw it on {day(seen)} at {seen:%H:%M}, in a list of {day(listed)}."


def _leaves(paper: Paper) -> dt.datetime:
    """When it ceases to be a candidate, in UTC."""
    window = dt.timedelta(days=settings.CANDIDATE_DAYS)
    listed = dt.datetime.combine(paper.first_listed_on, dt.time(), tzinfo=dt.UTC)
    return max(paper.first_seen_at, listed) + window


def _sum(pick: dict[str, Any], case: _Case) -> Iterable[tuple[float, str]]:
    """Each voice's points and what it says. They add up to the pick's."""
    named = [reason["like"] for reason in pick["reasons"] if "like" in reason]
    titles = dict(Paper.objects.filter(pk__in=named).values_list("pk", "title"))
    rows = Feedback.objects.filter(subscriber=case.reader, paper__in=named, undone_at=None)
    kinds = dict(rows.order_by("at").values_list("paper", "kind"))
    lacks = {f"close to: {typed}": one.in_the_way for typed, _, one in case.lines}
    for reason in pick["reasons"]:
        like = reason.get("like")
        yield reason["points"], voice(reason, lacks.get(reason["line"], ""), titles.get(like), kinds.get(like))
    if pick["trend"]:
        yield pick["trend"], "it is trending"
