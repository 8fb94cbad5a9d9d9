"""What became of a paper: one question after the other, of which the first that has an answer gives it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from digest.mail.rendering.labels import day, found_as, quoted
from digest.models import Delivery, Digest, Lane, Paper, Pick
from digest.models.picks import in_lane
from digest.operations.retention import windows
from digest.picks.explanation.case import Case, Explanation
from digest.picks.explanation.missing_words import Half
from digest.picks.selection.choose import choose
from digest.relevance.matching.match import describe
from subscriptions.models import Subscriber

MOST_RANKED = 40_000  # matches of all lines together: a second of work each time they are ranked
_WAITS = (Delivery.Status.WAITING, Delivery.Status.SENDING)
_LOST = (Delivery.Status.FAILED, Delivery.Status.BOUNCED, Delivery.Status.REJECTED, Delivery.Status.INVALID)


def first_answer(case: Case) -> Explanation:
    """The first answer there is; the last question always has one."""
    asked = (_sent, _withdrawn, _muted, _not_news, _no_mail, _unmatched_yet, _too_much, _too_old)
    return next((found for question in asked if (found := question(case))), None) or _ranked(case)


def _sent(case: Case) -> Explanation | None:
    """It was in a mail already."""
    names = {case.paper.pk, *Paper.objects.filter(merged_into=case.paper).values_list("pk", flat=True)}
    for digest in Digest.objects.filter(subscriber=case.reader).select_related("delivery").iterator(chunk_size=100):
        for place, pick in enumerate(digest.picks, start=1):
            if pick.paper in names:
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


def _withdrawn(case: Case) -> Explanation | None:
    if case.paper.withdrawn_on is None:
        return None
    answer = _("It was withdrawn on %(date)s: withdrawn papers are not sent.")
    return case.explained(answer % {"date": day(case.paper.withdrawn_on)})


def _muted(case: Case) -> Explanation | None:
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


def _not_news(case: Case) -> Explanation | None:
    if case.paper.is_news:
        return None
    answer = _("It was only seen as a new version, or long after it was published: it was never news, and is not sent.")
    return case.explained(answer, _arrival(case))


def _no_mail(case: Case) -> Explanation | None:
    if case.reader.status == Subscriber.Status.ACTIVE:
        return None
    answer = _("You get no mail from us, so new papers are not compared with your lines.")
    return case.explained(answer, _arrival(case), marks=_half_marks(case))


def _unmatched_yet(case: Case) -> Explanation | None:
    if case.paper.matched_at is not None:
        return None
    answer = _("It has only just arrived and is not compared with your lines yet: ask again in a minute.")
    return case.explained(answer)


def _too_much(case: Case) -> Explanation | None:
    """All that the lines match would have to be ranked, more than once."""
    if not case.matches_more_than(MOST_RANKED):
        return None
    matched = [typed for typed, query, *rest in case.lines if query.find(case.document)]
    also = _("%(lines)s matches it.") % {"lines": quoted(matched)} if matched else _("No line of yours matches it.")
    answer = _("Your lines match too many papers to work out where this one stands: shorten the list.")
    return case.explained(answer, also)


def _too_old(case: Case) -> Explanation | None:
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
    ).exclude(packed_picks=b"")
    last = within.first()
    if last is None:
        late = _("It is too old for a mail, and none was made for you while it was new.")
        return case.explained(late, _arrival(case), days, marks=_half_marks(case))
    if last.created_at.date() < windows.first_matched_day(case.now):
        forgotten = _("It is too old for a mail now, and how it stood then is no longer known.")
        return case.explained(forgotten, _arrival(case), days, marks=_half_marks(case))
    past = _in_that_mail(case, last)
    answer = _("It is too old for a mail now.")
    return replace(past, answer=f"{answer} {past.answer}", more=(*past.more, _arrival(case), days))


def _in_that_mail(case: Case, digest: Digest) -> Explanation:
    """How it stood when a mail was made, by the lines of today."""
    date = day(digest.issue_date)
    pick = next((one for one in case.places(digest.created_at) if one.paper == case.paper.pk), None)
    if pick is None:
        return _nearest(case, _("For your mail of %(date)s, no line of yours matches it.") % {"date": date})
    last = _last(digest.picks)
    values: dict[str, object] = {"date": date, "points": _points(pick)}
    if last is None or pick.points > last.points:
        # The lines, what was said of other papers, or the mail's size were others then.
        answer = _("For your mail of %(date)s it had %(points)s points, by your lines of today.")
        return case.explained(answer % values, pick=pick)
    values |= {"held": len(_for_you(digest.picks)), "last": _points(last)}
    answer = _(
        "For your mail of %(date)s it had %(points)s points; the last of the %(held)s papers taken had %(last)s."
    )
    return case.explained(answer % values, pick=pick)


def _ranked(case: Case) -> Explanation:
    """Where it stands for the next mail."""
    until = _("It can still come until %(date)s.") % {"date": day(_leaves(case.paper))}
    picks = choose([case.reader], case.now)[case.reader.pk]
    for place, pick in enumerate(picks, start=1):
        if pick.paper == case.paper.pk:
            answer = _("It has not been sent yet: it would be number %(place)s of your next mail.")
            if pick.lane == Lane.TRENDING:
                answer = _(
                    "It has not been sent yet: it would be number %(place)s of your next mail, as a trending paper "
                    "that matches none of your lines."
                )
            return case.explained(answer % {"place": place}, _missed(case), pick=pick)
    everything = case.places(case.now)
    for place, pick in enumerate(everything, start=1):
        if pick.paper == case.paper.pk:
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


def _below(place: int, pick: Pick, last: Pick | None) -> str:
    """How far below the `last` that was taken."""
    values = {"place": place, "points": _points(pick), "last": _points(last) if last else ""}
    if last is None:
        return _("It is below the cut: number %(place)s of the papers for you, with %(points)s points.") % values
    said = _(
        "It is below the cut: number %(place)s of the papers for you, with %(points)s points; the last one taken has "
        "%(last)s."
    )
    return said % values


def _points(pick: Pick) -> str:
    """As the page writes numbers, two places."""
    return number_format(pick.points / 100, 2)


def _missed(case: Case) -> str:
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


def _nearest(case: Case, answer: str, *more: str) -> Explanation:
    """The line that comes nearest, and what it lacks."""
    if not case.lines:
        return case.explained(answer, _("You have no line that asks for anything."), *more)
    typed, *_others, best = max(case.lines, key=lambda line: (line[2].share, len(line[2].has)))
    if not best.has:
        return case.explained(answer, _("It holds none of the words that your lines ask for."), *more)
    near = _("“%(line)s” comes nearest: the paper has %(has)s, and %(lacks)s.")
    near %= {"line": typed, "has": quoted(best.has), "lacks": best.in_the_way}
    return case.explained(answer, near, *more, marks=_half_marks(case, best))


def _half_marks(case: Case, best: Half | None = None) -> list[dict[str, Any]]:
    if best is None and case.lines:
        best = max((line[2] for line in case.lines), key=lambda one: (one.share, len(one.has)))
    return [describe(best.found, case.document)] if best and best.found else []


def _for_you(picks: Iterable[Pick]) -> list[Pick]:
    return in_lane(picks, Lane.INTERESTS)


def _last(picks: Iterable[Pick]) -> Pick | None:
    """The pick with the fewest points of those that match."""
    return min(_for_you(picks), key=lambda pick: pick.points, default=None)


def _arrival(case: Case) -> str:
    seen = case.paper.first_seen_at.astimezone(case.zone)
    listed = case.paper.first_listed_on
    said = _("We first saw it on %(date)s at %(time)s, in a list of %(listed)s.")
    return said % {"date": day(seen), "time": f"{seen:%H:%M}", "listed": day(listed)}


def _leaves(paper: Paper) -> dt.datetime:
    """When it ceases to be a candidate, in UTC."""
    window = dt.timedelta(days=settings.CANDIDATE_DAYS)
    listed = dt.datetime.combine(paper.first_listed_on, dt.time(), tzinfo=dt.UTC)
    return max(paper.first_seen_at, listed) + window
