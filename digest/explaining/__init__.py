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
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

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
    return _("We read %(sources)s.") % {"sources": listed(names)} if names else _("No source is read at present.")


def _state(reader: Subscriber, now: dt.datetime) -> str:
    """Why nothing at all is sent to this reader; "" when mail goes out."""
    if reader.status == Subscriber.Status.PENDING:
        return _("This address has not been confirmed yet: nothing is sent before.")
    if reader.status == Subscriber.Status.UNSUBSCRIBED:
        return _("You have unsubscribed: nothing is sent.")
    if reader.status != Subscriber.Status.ACTIVE:
        return _("Mail to this address was refused or called spam: nothing is sent.")
    if reader.is_paused(now) and reader.paused_until:
        until = reader.paused_until.astimezone(ZoneInfo(reader.time_zone))
        return _("Your mail is paused until %(date)s.") % {"date": day(until)}
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
        near = (one.found for typed, *rest, one in self.lines if f"close to: {typed}" in close)
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
                answer = _("It was number %(place)s of your mail of %(date)s.")
                answer %= {"place": place, "date": day(digest.issue_date)}
                return case.explained(answer, _fate(digest, case.zone), _("No paper is sent twice."), pick=pick)
    return None


def _fate(digest: Digest, zone: ZoneInfo) -> str:
    """What became of that mail, where it did not simply arrive."""
    delivery = getattr(digest, "delivery", None)
    if delivery is None or delivery.status in _WAITS:
        return _("That mail is still on its way.")
    if delivery.status in _LOST:
        return _("That mail did not arrive: the mail server refused it. It is on the web, in your preferences.")
    if delivery.status == Delivery.Status.UNKNOWN:
        return _("Whether that mail arrived is not known: the connection broke. It is on the web, in your preferences.")
    if delivery.sent_at is None:
        return ""
    sent = delivery.sent_at.astimezone(zone)
    return _("That mail left on %(date)s at %(time)s.") % {"date": day(sent), "time": f"{sent:%H:%M}"}


def _withdrawn(case: _Case) -> Explanation | None:
    if case.paper.withdrawn_on is None:
        return None
    answer = _("It was withdrawn on %(date)s: withdrawn papers are not sent.")
    return case.explained(answer % {"date": day(case.paper.withdrawn_on)})


def _muted(case: _Case) -> Explanation | None:
    """Lines that mute it, and the words that they mean."""
    found = [(typed, query, hit) for typed, query in case.mutes if (hit := query.find(case.document))]
    if not found:
        return None
    marks = [describe(hit, case.document) for *rest, hit in found]
    says = _("Your line “%(line)s” keeps it away: the paper has %(found)s.")
    answer = " ".join(
        says % {"line": typed, "found": found_as(place)} for (typed, *rest), place in zip(found, marks, strict=True)
    )
    wants = [typed for typed, query, *rest in case.lines if query.find(case.document)]
    also = _("Without that, %(lines)s would find it.") % {"lines": quoted(wants)} if wants else ""
    return case.explained(answer, also, marks=marks)


def _not_news(case: _Case) -> Explanation | None:
    if case.paper.is_news:
        return None
    answer = _("It was only seen as a new version, or long after it was published: it was never news, and is not sent.")
    return case.explained(answer, _arrival(case))


def _unmatched_yet(case: _Case) -> Explanation | None:
    if case.paper.matched_at is not None:
        return None
    answer = _("It has only just arrived and is not compared with your lines yet: ask again in a minute.")
    return case.explained(answer)


def _too_old(case: _Case) -> Explanation | None:
    """Its days are over: what it had in the last mail that it could have been in."""
    if Paper.objects.fresh(case.now).filter(pk=case.paper.pk).exists():
        return None
    until = _leaves(case.paper)
    if until > case.now:
        return case.explained(_("It is of a later day than %(date)s.") % {"date": day(case.now)}, _arrival(case))
    days = _("Mails hold papers of the last %(days)s days: it could come until %(date)s.")
    days %= {"days": settings.CANDIDATE_DAYS, "date": day(until)}
    within = Digest.objects.filter(
        subscriber=case.reader, created_at__gte=case.paper.first_seen_at, created_at__lt=until
    ).exclude(picks=[])
    last = within.first()
    if last is None:
        late = _("It is too old for a mail, and none was made for you while it was new.")
        return case.explained(late, _arrival(case), days, marks=_half_marks(case))
    past = _in_that_mail(case, last)
    answer = _("It is too old for a mail now.")
    return replace(past, answer=f"{answer} {past.answer}", more=(*past.more, _arrival(case), days))


def _in_that_mail(case: _Case, digest: Digest) -> Explanation:
    """How it stood when a mail was made, by the lines of today."""
    date = day(digest.issue_date)
    pick = next((one for one in case.places(digest.created_at) if one["paper"] == case.paper.pk), None)
    if pick is None:
        return _nearest(case, _("For your mail of %(date)s, no line of yours matches it.") % {"date": date})
    last = _last(digest.picks)
    values: dict[str, object] = {"date": date, "points": _points(pick)}
    if last is None or pick["points"] > last["points"]:
        # The lines, what was said of other papers, or the mail's size were others then.
        answer = _("For your mail of %(date)s it had %(points)s points, by your lines of today.")
        return case.explained(answer % values, pick=pick)
    values |= {"held": len(_for_you(digest.picks)), "last": _points(last)}
    answer = _(
        "For your mail of %(date)s it had %(points)s points; the last of the %(held)s papers taken had %(last)s."
    )
    return case.explained(answer % values, pick=pick)


def _ranked(case: _Case) -> Explanation:
    """Where it stands for the next mail."""
    until = _("It can still come until %(date)s.") % {"date": day(_leaves(case.paper))}
    picks = choose([case.reader], case.now)[case.reader.pk]
    for place, pick in enumerate(picks, start=1):
        if pick["paper"] == case.paper.pk:
            answer = _("It has not been sent yet: it would be number %(place)s of your next mail.")
            if pick["lane"] == TRENDING:
                answer = _(
                    "It has not been sent yet: it would be number %(place)s of your next mail, as a trending paper "
                    "that matches none of your lines."
                )
            return case.explained(answer % {"place": place}, _missed(case), pick=pick)
    everything = case.places(case.now)
    for place, pick in enumerate(everything, start=1):
        if pick["paper"] == case.paper.pk:
            room = len(_for_you(picks))
            size = ngettext(
                "Your mail has room for %(count)s paper that match.",
                "Your mail has room for %(count)s papers that match.",
                room,
            )
            return case.explained(_below(place, pick, _last(picks)), size % {"count": room}, until, pick=pick)
    matched = [(typed, hit) for typed, query, *rest in case.lines if (hit := query.find(case.document))]
    if matched:
        lines = quoted(typed for typed, hit in matched)
        answer = _("%(lines)s matches it, and what you said of other papers weighs more.") % {"lines": lines}
        marks = [describe(hit, case.document) for typed, hit in matched]
        return case.explained(answer, _("It is much like papers you asked less of, or passed over."), marks=marks)
    return _nearest(case, _("No line of yours matches it."), until)


def _below(place: int, pick: dict[str, Any], last: dict[str, Any] | None) -> str:
    """How far below the `last` that was taken."""
    values = {"place": place, "points": _points(pick), "last": _points(last) if last else ""}
    if last is None:
        return _("It is below the cut: number %(place)s of the papers for you, with %(points)s points.") % values
    said = _(
        "It is below the cut: number %(place)s of the papers for you, with %(points)s points; the last one taken has "
        "%(last)s."
    )
    return said % values


def _points(pick: dict[str, Any]) -> str:
    """As the page writes numbers, two places."""
    return number_format(pick["points"], 2)


def _missed(case: _Case) -> str:
    """Why a paper that will come did not come with the last mail."""
    last = Digest.objects.filter(subscriber=case.reader, created_at__lte=case.now).first()
    if last is None:
        return _("You have had no mail yet.")
    if last.created_at < case.paper.first_seen_at:
        return " ".join([_arrival(case), _("Your last mail was made before that.")])
    held = _last(last.picks)
    if held is None:
        return ""
    said = _("The last paper taken into your mail of %(date)s had %(points)s.")
    return said % {"date": day(last.issue_date), "points": _points(held)}


def _nearest(case: _Case, answer: str, *more: str) -> Explanation:
    """The line that comes nearest, and what it lacks."""
    if not case.lines:
        return case.explained(answer, _("You have no line that asks for anything."), *more)
    typed, *_others, best = max(case.lines, key=lambda line: (line[2].share, len(line[2].has)))
    if not best.has:
        return case.explained(answer, _("It holds none of the words that your lines ask for."), *more)
    near = _("“%(line)s” comes nearest: the paper has %(has)s, and %(lacks)s.")
    near %= {"line": typed, "has": quoted(best.has), "lacks": best.in_the_way}
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
    said = _("We first saw it on %(date)s at %(time)s, in a list of %(listed)s.")
    return said % {"date": day(seen), "time": f"{seen:%H:%M}", "listed": day(listed)}


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
    lacks = {f"close to: {typed}": one.in_the_way for typed, *rest, one in case.lines}
    for reason in pick["reasons"]:
        like = reason.get("like")
        yield reason["points"], voice(reason, lacks.get(reason["line"], ""), titles.get(like), kinds.get(like))
    if pick["trend"]:
        yield pick["trend"], _("it is trending")
