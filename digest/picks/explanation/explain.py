"""Why a paper was, or was not, in a reader's mail, in the reader's words. Reads only.

The command and the page say the same. Points are those of the ranking itself: what is shown adds up to the score.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from digest.mail.rendering.labels import day, listed
from digest.models import Source
from digest.picks.explanation.answers import first_answer
from digest.picks.explanation.case import Case, Explanation
from digest.picks.explanation.find_paper import find_paper, unknown
from subscriptions.models import Subscriber

__all__ = ["Explanation", "explain"]


def explain(reader: Subscriber, text: str, now: dt.datetime) -> Explanation:
    """What became of the paper that `text` names (arXiv id, DOI, address, our number or title)."""
    paper = find_paper(text)
    if paper is None:
        return Explanation(unknown(text), more=(_sources(),))
    found = first_answer(Case(reader, paper, now))
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
