"""What the operator sees first: today's mail, the queue, the sources. Called by the admin's index page."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.db.models import Count, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from digest.delivery import gate
from digest.ingest import habits
from digest.models import Delivery, Digest, KeptPage, MailDay, MailGate, Paper, Source
from subscriptions.models import Subscriber

PLOTTED_DAYS = 14
OPEN = (Delivery.Status.WAITING, Delivery.Status.SENDING)
TROUBLE = (Delivery.Status.FAILED, Delivery.Status.REJECTED, Delivery.Status.UNKNOWN, Delivery.Status.BOUNCED)


# The sidebar in the order of the work: title, then (label, the admin list it opens).
SIDEBAR = [
    ("", [("Today", "index"), ("Deliveries", "digest_delivery_changelist"), ("Digests", "digest_digest_changelist")]),
    (
        "Readers",
        [
            ("Subscribers", "subscriptions_subscriber_changelist"),
            ("Interests", "subscriptions_interest_changelist"),
            ("Suppressions", "subscriptions_suppression_changelist"),
            ("Feedback", "digest_feedback_changelist"),
        ],
    ),
    (
        "Papers",
        [
            ("Sources", "digest_source_changelist"),
            ("Editions", "digest_edition_changelist"),
            ("Papers", "digest_paper_changelist"),
            ("Matches", "digest_match_changelist"),
            ("Pages kept", "digest_keptpage_changelist"),
        ],
    ),
    ("Staff", [("Users", "auth_user_changelist"), ("Refused log-ins", "axes_accessattempt_changelist")]),
]


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Unfold's sidebar."""
    return [
        {
            "title": title,
            "separator": bool(title),
            "items": [{"title": label, "link": reverse(f"admin:{name}")} for label, name in items],
        }
        for title, items in SIDEBAR
    ]


def context(request: HttpRequest, values: dict[str, Any]) -> dict[str, Any]:
    """Unfold's DASHBOARD_CALLBACK: adds `numbers`, `mail`, `days` and `sources` to the index page's context."""
    return values | figures(timezone.now())


def _sources(now: dt.datetime) -> list[dict[str, Any]]:
    """Each source, those in trouble first, and how it is late by its own habit."""
    late = {gap.source.pk: gap.what for gap in habits.gaps(now)}
    kept = dict(KeptPage.objects.values_list("source").annotate(pages=Count("pk")))
    sources = Source.objects.order_by("-error_count", "name")
    return [{"source": one, "late": late.get(one.pk, ""), "kept": kept.get(one.pk, 0)} for one in sources]


def _mail(now: dt.datetime) -> dict[str, Any]:
    """What holds mail back, in words, and the buttons that make sense now: (action, label)."""
    row = MailGate.load()
    held = gate.reasons(row, now)
    buttons = [("go", "Yes, send them")] if "question" in held else []
    buttons += [("retry", "Try the mail server now")] if "circuit" in held else []
    if row.switch == MailGate.Switch.RUNNING:
        buttons += [("drain", "Drain"), ("pause", "Pause")]
    else:
        buttons += [("resume", "Resume")]
    return {"reasons": list(held.values()), "buttons": buttons}


def _days(now: dt.datetime) -> list[dict[str, Any]]:
    """How many mails left on each of the last days (UTC), today last; `height` of 100 is the most of them."""
    today = now.astimezone(dt.UTC).date()
    days = [today - dt.timedelta(days=back) for back in range(PLOTTED_DAYS - 1, -1, -1)]
    sent = dict(MailDay.objects.filter(day__gte=days[0]).values_list("day", "sent"))
    most = max(sent.values(), default=0) or 1
    return [
        {"day": day, "sent": sent.get(day, 0), "height": round(100 * sent.get(day, 0) / most), "left": 10 * place}
        for place, day in enumerate(days)
    ]


def figures(now: dt.datetime) -> dict[str, Any]:
    """The last day in numbers, each with the admin list that shows the rows behind it, and the sources."""
    day = now - dt.timedelta(days=1)
    digests = Digest.objects.filter(created_at__gt=day).aggregate(
        all=Count("pk"),
        nothing=Count("pk", filter=Q(delivery=None)),
        sent=Count("pk", filter=Q(delivery__isnull=False) & ~Q(delivery__status__in=[*OPEN, *TROUBLE])),
        trouble=Count("pk", filter=Q(delivery__status__in=TROUBLE)),
    )
    readers = Subscriber.objects.aggregate(
        active=Count("pk", filter=Q(status=Subscriber.Status.ACTIVE)),
        pending=Count("pk", filter=Q(status=Subscriber.Status.PENDING)),
    )
    numbers = [
        ("Readers", readers["active"], "subscriptions_subscriber", "status__exact=active"),
        ("Waiting for confirmation", readers["pending"], "subscriptions_subscriber", "status__exact=pending"),
        ("Readers due now", Subscriber.objects.due(now).count(), "subscriptions_subscriber", ""),
        ("Digests of the last 24 h", digests["all"], "digest_digest", ""),
        ("… nothing matched, no mail", digests["nothing"], "digest_digest", "mail=none"),
        ("… mails sent", digests["sent"], "digest_delivery", ""),
        ("… mails in trouble", digests["trouble"], "digest_delivery", "status__in=failed,rejected,unknown,bounced"),
        (
            "Mails waiting or sending",
            Delivery.objects.filter(status__in=OPEN).count(),
            "digest_delivery",
            "status__in=waiting,sending",
        ),
        ("New papers of the last 24 h", Paper.objects.filter(first_seen_at__gt=day).count(), "digest_paper", ""),
        ("Papers not matched yet", Paper.objects.filter(matched_at=None).count(), "digest_paper", ""),
    ]
    return {
        "numbers": [
            {"label": label, "value": value, "url": f"admin:{name}_changelist", "query": query}
            for label, value, name, query in numbers
        ],
        "mail": _mail(now),
        "days": _days(now),
        "sources": _sources(now),
        "fetching_is_off": not settings.FETCH_SOURCES,
    }
