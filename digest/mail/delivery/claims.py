"""Taking mails that are ready, and giving back what was not sent. Two workers never hold the same one."""

from __future__ import annotations

import contextlib
import datetime as dt
import secrets
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F

from digest.mail.delivery import send_control
from digest.mail.delivery.claimed_mail import numbers
from digest.mail.messages import Order
from digest.models import Delivery, MailGate
from subscriptions.models import Subscriber

Status = Delivery.Status
# Django takes several times as long to write these as a database to do them.
CLAIM = "UPDATE digest_delivery SET claimed_until = %s, claim = %s WHERE id IN ({ids})"
MARK = """
    UPDATE digest_delivery SET status = 'sending', attempts = attempts + 1
    WHERE id IN ({ids}) AND status = 'waiting' AND claim = %s AND NOT EXISTS ({holds})
"""


def new_claim() -> int:
    """A name for one worker's hold on one chunk: 62 random bits."""
    return secrets.randbits(62)


def claim(now: dt.datetime, name: int, limit: int, only: Subscriber | None = None) -> list[int]:
    """Take a lease on at most `limit` mails that are ready, the longest due first. Their ids, in that order."""
    with transaction.atomic():
        ready = Delivery.objects.ready(now)
        if only:
            ready = ready.filter(digest__subscriber=only)
        if connection.features.has_select_for_update_skip_locked:
            ready = ready.select_for_update(skip_locked=True)
        ids = list(ready.values_list("pk", flat=True)[:limit])
        if ids:
            lease: Any = connection.ops.adapt_datetimefield_value(now + settings.MAIL_LEASE)
            with connection.cursor() as cursor:
                cursor.execute(CLAIM.format(ids=numbers(ids)), [lease, name])
    return ids


def at_once(rows: Sequence[Order]) -> tuple[list[Order], list[Order]]:
    """Those that can go in one window, and those that their domain will not take beside them."""
    if not settings.MAIL_DOMAIN_LIMITS:
        return list(rows), []
    fine: list[Order] = []
    later: list[Order] = []
    seen: Counter[str] = Counter()
    for row in rows:
        domain = domain_of(row)
        seen[domain] += 1
        (fine if seen[domain] <= settings.MAIL_DOMAIN_LIMITS.get(domain, len(rows)) else later).append(row)
    return fine, later


def mark_sending(rows: Sequence[Order], name: int, is_trial: bool) -> list[Order]:
    """Commit "sending" for those we still hold and whose domain takes one more at once. Returns them; none where the
    gate holds mail back, which is asked in the same statement: nothing leaves that was marked after a pause.

    A mail counts for its domain from here until its outcome is recorded, on whichever worker.
    """
    limits = settings.MAIL_DOMAIN_LIMITS
    limited = limits and [row for row in rows if domain_of(row) in limits]
    with transaction.atomic() if limited else contextlib.nullcontext():
        if limited:
            MailGate.rows().select_for_update().first()  # one worker at a time counts and marks
            rows = _within_limits(rows)
        if not rows:
            return []
        pks = [row.key for row in rows]
        with connection.cursor() as cursor:
            cursor.execute(MARK.format(ids=numbers(pks), holds=send_control.HOLDS), [name, is_trial])
            if cursor.rowcount == len(pks):
                return list(rows)
        marked = set(
            Delivery.objects.filter(pk__in=pks, status=Status.SENDING, claim=name).values_list("pk", flat=True)
        )
    return [row for row in rows if row.key in marked]


def domain_of(row: Order) -> str:
    return row.email_key.rpartition("@")[2]


def _within_limits(rows: Sequence[Order]) -> list[Order]:
    under_way: Counter[str] = Counter()
    for domain in {domain_of(row) for row in rows} & set(settings.MAIL_DOMAIN_LIMITS):
        sending = Delivery.objects.filter(status=Status.SENDING)
        under_way[domain] = sending.filter(digest__subscriber__email_key__endswith=f"@{domain}").count()
    taken = []
    for row in rows:
        domain = domain_of(row)
        if under_way[domain] < settings.MAIL_DOMAIN_LIMITS.get(domain, len(rows) + 1):
            under_way[domain] += 1
            taken.append(row)
    return taken


def unmark(pks: Iterable[int], name: int) -> None:
    """What was marked and certainly never handed over: it waits, and the try does not count."""
    rows = Delivery.objects.filter(pk__in=list(pks), status=Status.SENDING, claim=name)
    rows.update(status=Status.WAITING, attempts=F("attempts") - 1)


def give_back(pks: Iterable[int], name: int, not_before: dt.datetime | None = None) -> int:
    """What this chunk did not send waits for the next, in the same place of the queue unless `not_before` says
    otherwise. Returns how many there were.
    """
    rows = Delivery.objects.filter(pk__in=list(pks), status=Status.WAITING, claim=name)
    later = {"not_before": not_before} if not_before else {}
    return rows.update(claimed_until=None, claim=None, **later)
