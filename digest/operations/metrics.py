"""The service in numbers for Prometheus, read from rows at each request. Nothing personal is in them."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from django.conf import settings
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe

from digest.mail.delivery import complaints, send_control
from digest.models import Delivery, Digest, MailDay, MailGate, Paper, Source
from digest.operations.dashboard import OPEN
from subscriptions import bursts
from subscriptions.models import MailRequest, Subscriber
from subscriptions.this_machine import is_from_this_machine

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
PREFIX = "paper_round"


class Gauge(NamedTuple):
    """One metric: its samples differ in the value of `label`; "" has one sample and no label."""

    name: str
    help: str
    samples: Mapping[str, float]
    label: str = ""

    def lines(self) -> Iterator[str]:
        name = f"{PREFIX}_{self.name}"
        yield f"# HELP {name} {_escaped(self.help)}"
        yield f"# TYPE {name} gauge"
        for value, number in self.samples.items():
            quoted = _escaped(value).replace('"', r"\"")
            yield f'{name}{{{self.label}="{quoted}"}} {_number(number)}' if self.label else f"{name} {_number(number)}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")


def _number(number: float) -> str:
    return "+Inf" if number == math.inf else str(number)


def exposition(gauges: Iterable[Gauge]) -> str:
    """The text Prometheus reads, version 0.0.4 of its format."""
    return "".join(f"{line}\n" for gauge in gauges for line in gauge.lines())


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """For this machine and for who has METRICS_TOKEN; to all others there is no such page."""
    if not (is_from_this_machine(request) or _has_token(request)):
        raise Http404
    answer = HttpResponse(exposition(gauges(timezone.now())), content_type=CONTENT_TYPE)
    patch_cache_control(answer, no_store=True, private=True)
    return answer


def _has_token(request: HttpRequest) -> bool:
    token = getattr(settings, "METRICS_TOKEN", "")
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    return bool(token) and scheme.lower() == "bearer" and constant_time_compare(given.strip(), token)


def gauges(now: dt.datetime) -> list[Gauge]:
    """Everything that is counted, in a fixed number of queries."""
    return [*_reader_gauges(now), *_mail_gauges(now - dt.timedelta(days=1)), *_paper_gauges(), *_source_gauges(now)]


def _reader_gauges(now: dt.datetime) -> list[Gauge]:
    by_status = dict.fromkeys(Subscriber.Status.values, 0) | _by_status(Subscriber.objects.all())
    return [
        Gauge("readers", "Readers by status.", by_status, "status"),
        *_signup_gauges(now),
        Gauge("readers_due", "Readers whose hour has come.", {"": Subscriber.objects.due(now).count()}),
    ]


def _signup_gauges(now: dt.datetime) -> list[Gauge]:
    """Sign-ups of this hour or the last, whichever had more."""
    rate = bursts.rate(now)
    return [
        Gauge("signups_in_an_hour", "Sign-ups of this hour or the last, whichever had more.", {"": rate.requests}),
        Gauge("signup_burst", "Whether far more sign-ups arrive than usual.", {"": float(rate.is_burst)}),
        Gauge("mail_requests_waiting", "Sign-ups and link requests to handle.", {"": MailRequest.objects.count()}),
    ]


def _mail_gauges(since: dt.datetime) -> list[Gauge]:
    with_mail = Q(delivery__isnull=False)
    digests = Digest.objects.filter(created_at__gt=since).aggregate(
        yes=Count("pk", filter=with_mail), no=Count("pk", filter=~with_mail)
    )
    # Two queries and not one with OR: each has an index of its own.
    recent = _by_status(Delivery.objects.filter(digest__created_at__gt=since).exclude(status__in=OPEN))
    still_open = _by_status(Delivery.objects.filter(status__in=OPEN))
    deliveries = dict.fromkeys(Delivery.Status.values, 0) | recent | still_open
    return [
        *_gate_gauges(since + dt.timedelta(days=1)),
        Gauge("digests_last_day", "Digests of the last 24 hours, with a mail or without.", digests, "mail"),
        Gauge("deliveries", "Mails by status: of the last 24 hours, and all that wait.", deliveries, "status"),
    ]


def _gate_gauges(now: dt.datetime) -> list[Gauge]:
    """What holds mail back. A circuit that is closed is open for 0 seconds."""
    row = MailGate.load()
    held = send_control.reasons(row, now)
    reasons = {name: float(name in held) for name in ("switch", "question", "circuit", "warm_up")}
    since = _seconds_since(row.circuit_since, now) if row.circuit_since else 0.0
    left = MailDay.objects.filter(day=now.date()).values_list("sent", flat=True).first() or 0
    told = complaints.since(now - complaints.PERIOD)
    return [
        Gauge("mail_held", "Whether this holds mail back.", reasons, "reason"),
        Gauge("mail_circuit_open_seconds", "For how long the mail server has taken nothing.", {"": since}),
        Gauge("mail_circuit_tries", "Tries in a row that the mail server failed.", {"": row.circuit_tries}),
        Gauge("mails_sent_today", "Mails that left today (UTC).", {"": left}),
        Gauge("complaints_last_week", "Readers who called a mail spam in the last 7 days.", {"": told.number}),
        Gauge("mails_sent_last_week", "Mails that left in the same days.", {"": told.mails}),
    ]


def _by_status(rows: QuerySet[Subscriber] | QuerySet[Delivery]) -> dict[str, int]:
    return dict(rows.order_by().values_list("status").annotate(number=Count("pk")))


def _paper_gauges() -> list[Gauge]:
    counts = Paper.objects.aggregate(all=Count("pk"), unmatched=Count("pk", filter=Q(matched_at=None)))
    return [
        Gauge("papers", "Papers stored.", {"": counts["all"]}),
        Gauge("papers_unmatched", "Papers not matched with the interests yet.", {"": counts["unmatched"]}),
    ]


def _source_gauges(now: dt.datetime) -> list[Gauge]:
    """Of the sources that are looked at by themselves; files somebody reads in have no streak to break."""
    sources = list(Source.objects.filter(is_enabled=True).exclude(url="").order_by("slug"))
    age = {source.slug: _seconds_since(source.last_success_at, now) for source in sources}
    failures = {source.slug: source.error_count for source in sources}
    return [
        Gauge("source_last_success_age_seconds", "Time since a source was last read; +Inf: never.", age, "source"),
        Gauge("source_consecutive_failures", "Failed looks at a source in a row.", failures, "source"),
    ]


def _seconds_since(moment: dt.datetime | None, now: dt.datetime) -> float:
    return round((now - moment).total_seconds(), 1) if moment else math.inf
