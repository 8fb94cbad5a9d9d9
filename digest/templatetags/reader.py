"""What the preferences page shows of papers: the page belongs to `subscriptions`, which knows none."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import template
from django.utils.translation import gettext

from digest import links
from digest.mail.rendering.labels import label
from digest.models import Digest, Feedback
from digest.picks.evidence import OVERFLOW, describe_digests
from digest.picks.preview import interest_counts
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
    with_picks = Digest.objects.filter(subscriber=reader).exclude(packed_picks=b"")
    digests = list(with_picks.select_related("subscriber")[:MAILS])
    mails = [
        {
            "date": digest.issue_date,
            "count": sum(pick["lane"] != OVERFLOW for pick in picks),
            "beyond": sum(pick["lane"] == OVERFLOW for pick in picks),
            "web_copy": links.web_copy(digest),
            "papers": [(pick["paper"], _why(pick)) for pick in picks[:PAPERS]],
            "more": max(len(picks) - PAPERS, 0),
        }
        for digest, picks in zip(digests, describe_digests(digests), strict=True)
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
