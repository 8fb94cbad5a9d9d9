"""What the preferences page shows of papers: the page belongs to `subscriptions`, which knows none."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import template
from django.utils.translation import gettext

from digest import links
from digest.mail.rendering.labels import label
from digest.models import Digest, Feedback, Paper
from digest.picks.preview import interest_counts
from digest.relevance.ranking.rank import OVERFLOW
from subscriptions.models import Subscriber

register = template.Library()

MAILS, PAPERS = 7, 20  # shown of what was sent; papers of each mail
SAVED = 3


@register.inclusion_tag("digest/_rates.html")
def line_rates(reader: Subscriber, now: dt.datetime) -> dict[str, Any]:
    """How many papers each line finds."""
    return {"rates": interest_counts.rates(reader, now)}


@register.inclusion_tag("digest/_sent.html")
def sent_to(reader: Subscriber) -> dict[str, Any]:
    """The last mails: their papers, each with the line that brought it, and the web copy."""
    digests = list(Digest.objects.filter(subscriber=reader).exclude(picks=[]).select_related("subscriber")[:MAILS])
    shown = {digest.pk: digest.picks[:PAPERS] for digest in digests}
    papers = Paper.objects.in_bulk({pick["paper"] for picks in shown.values() for pick in picks})
    mails = [
        {
            "date": digest.issue_date,
            "count": sum(pick["lane"] != OVERFLOW for pick in digest.picks),
            "beyond": sum(pick["lane"] == OVERFLOW for pick in digest.picks),
            "web_copy": links.web_copy(digest),
            "papers": [(papers[pick["paper"]], _why(pick)) for pick in shown[digest.pk] if pick["paper"] in papers],
            "more": max(len(digest.picks) - PAPERS, 0),
        }
        for digest in digests
    ]
    return {"mails": mails}


def _why(pick: dict[str, Any]) -> str:
    """The strongest reason, in a word or two."""
    if not pick["reasons"]:
        return gettext("trending")
    return label(max(pick["reasons"], key=lambda reason: reason["points"]))


@register.inclusion_tag("digest/_saved.html")
def saved_by(reader: Subscriber, token: str) -> dict[str, Any]:
    """The papers saved last, and how many there are."""
    rows = reader.feedback.filter(kind=Feedback.Kind.SAVE, undone_at=None)
    return {
        "rows": rows.select_related("paper").order_by("-at", "-pk")[:SAVED],
        "count": rows.count(),
        "token": token,
    }
