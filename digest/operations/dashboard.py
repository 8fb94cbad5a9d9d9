"""What the operator sees first: the last day in numbers, the mail, the sources. Called by the admin's index page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db.models import Count, Model, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from digest.mail.delivery import complaints, send_control
from digest.models import Delivery, Digest, KeptPage, MailDay, MailGate, Paper, Source
from digest.operations.health.signups import burst_in_words
from digest.papers.ingest import source_schedule
from subscriptions.models import Subscriber
from subscriptions.permissions import may_view

PLOTTED_DAYS = 14
OPEN = (Delivery.Status.WAITING, Delivery.Status.SENDING)
TROUBLE = (Delivery.Status.FAILED, Delivery.Status.REJECTED, Delivery.Status.UNKNOWN, Delivery.Status.BOUNCED)
# Each button of the mail: its label, and what it does.
BUTTONS = {
    "go": ("Yes, send them", "Large runs may go for a day, and the complaints so far count no more."),
    "retry": ("Try the mail server now", "One mail tries at the next look, and the others follow if it is taken."),
    "drain": ("Drain", "Mails that workers have taken go out, no more are taken: for a quiet end before an update."),
    "pause": ("Pause", "Stops within seconds; mails that workers have taken wait with the others."),
    "resume": ("Resume", "Mail leaves again, from the next look on."),
}

# The sidebar in the order of the work: title, then (label, the admin list it opens).
SIDEBAR = [
    (
        "",
        [("Dashboard", "index"), ("Deliveries", "digest_delivery_changelist"), ("Digests", "digest_digest_changelist")],
    ),
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
    (
        "Staff",
        [
            ("Users", "auth_user_changelist"),
            ("Failed sign-ins", "axes_accessattempt_changelist"),
            ("Audit log", "auditlog_auditentry_changelist"),
            ("Changes", "admin_logentry_changelist"),
        ],
    ),
]


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Unfold's sidebar: the lists that the user may open."""
    shown = [(title, [item for item in items if _may_open(request.user, item[1])]) for title, items in SIDEBAR]
    return [
        {
            "title": title,
            "separator": bool(title),
            "items": [{"title": label, "link": reverse(f"admin:{name}")} for label, name in items],
        }
        for title, items in shown
        if items
    ]


def _may_open(user: Any, name: str) -> bool:
    return name == "index" or may_view(user, _listed(name.removesuffix("_changelist")))


def _listed(name: str) -> type[Model]:
    """The model behind a list, from the name of its URL."""
    app, _, model = name.partition("_")
    return apps.get_model(app, model)


def context(request: HttpRequest, values: dict[str, Any]) -> dict[str, Any]:
    """Unfold's DASHBOARD_CALLBACK: adds what the user may view of `groups`, `mail`, `days` and `sources`."""
    return values | figures(request.user, timezone.now()) | {"title": "Dashboard"}


def _sources(now: dt.datetime) -> list[dict[str, Any]]:
    """Each source, those in trouble first, and how it is late by its own habit."""
    late = {gap.source.pk: gap.what for gap in source_schedule.gaps(now)}
    kept = dict(KeptPage.objects.values_list("source").annotate(pages=Count("pk")))
    sources = Source.objects.order_by("-error_count", "name")
    return [{"source": one, "late": late.get(one.pk, ""), "kept": kept.get(one.pk, 0)} for one in sources]


def _mail(now: dt.datetime) -> dict[str, Any]:
    """What holds mail back, in words, the buttons that make sense now, and the complaints of a week."""
    row = MailGate.load()
    held = send_control.reasons(row, now)
    actions = ["go"] if "question" in held else []
    actions += ["retry"] if "circuit" in held else []
    actions += ["drain", "pause"] if row.switch == MailGate.Switch.RUNNING else ["resume"]
    return {
        "reasons": list(held.values()),
        "buttons": [(action, *BUTTONS[action]) for action in actions],
        "complaints": complaints.since(now - complaints.PERIOD),
        "complaint_days": complaints.DAYS,
        "complaint_limit": settings.MAIL_COMPLAINT_LIMIT,
    }


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


def figures(user: Any, now: dt.datetime) -> dict[str, Any]:
    """The service in numbers, what holds the mail, and the sources: each block for those who may view its rows."""
    groups = {"Now": _now(now), "Last 24 hours": _last_day(now - dt.timedelta(days=1))}
    shown = {
        title: [number for number in numbers if may_view(user, _listed(number["list"]))]
        for title, numbers in groups.items()
    }
    found: dict[str, Any] = {"groups": {title: numbers for title, numbers in shown.items() if numbers}}
    if may_view(user, Subscriber):
        found["signup_burst"] = burst_in_words(now)
    if may_view(user, MailGate):
        found["mail"] = _mail(now)
    if may_view(user, MailDay):
        found["days"] = _days(now)
    if may_view(user, Source):
        found |= {"sources": _sources(now), "shows_sources": True, "fetching_is_off": not settings.FETCH_SOURCES}
    return found | {"is_empty": not (found["groups"] or len(found) > 1)}


def _now(now: dt.datetime) -> list[dict[str, Any]]:
    readers = Subscriber.objects.aggregate(
        active=Count("pk", filter=Q(status=Subscriber.Status.ACTIVE)),
        pending=Count("pk", filter=Q(status=Subscriber.Status.PENDING)),
    )
    due = Subscriber.objects.due(now).count()
    mails = Delivery.objects.filter(status__in=OPEN).count()
    papers = Paper.objects.filter(matched_at=None).count()
    return [
        _number("reader", "readers", readers["active"], "subscriptions_subscriber", "status__exact=active"),
        _number("not confirmed", "", readers["pending"], "subscriptions_subscriber", "status__exact=pending"),
        _number("reader due", "readers due", due, "subscriptions_subscriber"),
        _number("mail waiting or being sent", "mails waiting or being sent", mails, "digest_delivery", _statuses(OPEN)),
        _number("paper to match", "papers to match", papers, "digest_paper"),
    ]


def _last_day(since: dt.datetime) -> list[dict[str, Any]]:
    digests = Digest.objects.filter(created_at__gt=since).aggregate(
        all=Count("pk"),
        nothing=Count("pk", filter=Q(delivery=None)),
        sent=Count("pk", filter=Q(delivery__isnull=False) & ~Q(delivery__status__in=[*OPEN, *TROUBLE])),
        trouble=Count("pk", filter=Q(delivery__status__in=TROUBLE)),
    )
    sent = [status for status in Delivery.Status.values if status not in (*OPEN, *TROUBLE)]
    papers = Paper.objects.filter(first_seen_at__gt=since).count()
    return [
        _number("reader looked at", "readers looked at", digests["all"], "digest_digest"),
        _number("without a match, no mail", "", digests["nothing"], "digest_digest", "mail=none"),
        _number("mail sent", "mails sent", digests["sent"], "digest_delivery", _statuses(sent)),
        _number("mail in trouble", "mails in trouble", digests["trouble"], "digest_delivery", _statuses(TROUBLE)),
        _number("new paper", "new papers", papers, "digest_paper"),
    ]


def _number(one: str, many: str, value: int, name: str, query: str = "") -> dict[str, Any]:
    """A number of the dashboard, its label (`many` "": one for all numbers), and the list of the rows behind it."""
    label = one if value == 1 or not many else many
    return {"label": label, "value": value, "list": name, "url": f"admin:{name}_changelist", "query": query}


def _statuses(statuses: Iterable[str]) -> str:
    return f"status__in={','.join(statuses)}"
