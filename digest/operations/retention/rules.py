"""What is deleted, by age, in one table. docs/production.md says what is kept for good, and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.db.models import DateTimeField, Model, QuerySet

from auditlog.models import AuditEntry
from digest.models import KeptPage, MailDay, UnreadDay, UpvoteObservation
from digest.operations.retention import batches, digests, matches
from digest.operations.retention.windows import ago
from subscriptions import bursts, erasure, local_mailbox, signup
from subscriptions.models import MailRequest, PendingSignup, RateCount, Subscriber
from subscriptions.models.subscribers import ENDS

Find = Callable[[dt.datetime], Iterator[list[Any]]]
Delete = Callable[[list[Any], dt.datetime], int]
Rows = Callable[[dt.datetime], QuerySet[Any]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of rows: `find` yields batches of keys, `delete` takes one and returns how many rows went."""

    name: str
    age: str  # what their age is counted from
    setting: str  # how many days they are kept; "" where that is no choice
    reason: str
    find: Find
    delete: Delete


def by_age(model: type[Model], age: str, setting: str, name: str, reason: str) -> Rule:
    """Rows whose column `age` is older than the setting's days; without a setting, older than now."""

    def old(now: dt.datetime) -> QuerySet[Any]:
        moment = ago(now, setting) if setting else now
        is_moment = isinstance(model._meta.get_field(age), DateTimeField)
        return model._default_manager.filter(**{f"{age}__lt": moment if is_moment else moment.date()})

    return of_rows(old, age, setting, name, reason)


def of_rows(rows: Rows, age: str, setting: str, name: str, reason: str, delete: Delete | None = None) -> Rule:
    return Rule(
        name, age, setting, reason,
        lambda now: batches.find(rows(now)),
        delete or (lambda batch, now: batches.delete(rows(now), batch)),
    )  # fmt: skip


def stopped(now: dt.datetime) -> QuerySet[Subscriber]:
    """Subscribers who left, bounced or complained long ago."""
    return Subscriber.objects.filter(status__in=ENDS, stopped_at__lt=ago(now, "KEEP_LEFT_DAYS"))


def erase(rows: Rows, batch: list[int], now: dt.datetime) -> int:
    return erasure.erase_all(Subscriber.objects.filter(pk__in=batch) & rows(now))


def _caught_mail(now: dt.datetime) -> Iterator[list[Any]]:
    yield local_mailbox.older_than(ago(now, "KEEP_CAUGHT_MAIL_DAYS"))


# In this order: subscribers first, then what is left without one.
RULES = (
    of_rows(
        signup.unconfirmed, "created_at", "KEEP_UNCONFIRMED_DAYS", "unconfirmed sign-ups",
        "the link of the confirmation is no longer good", partial(erase, signup.unconfirmed),
    ),
    of_rows(
        stopped, "stopped_at", "KEEP_LEFT_DAYS", "subscribers who left, bounced or complained",
        "whoever comes back soon gets their lines back; the suppression outlives the row", partial(erase, stopped),
    ),
    Rule(
        "digests with their deliveries", "issue_date", "KEEP_DIGESTS_DAYS",
        "the web copy, the subscriber's archive and feed; no paper twice", digests.find, digests.delete,
    ),
    of_rows(
        matches.unwanted, "interest.wanted_at", "", "matches of interests without an active subscriber",
        "matched again when somebody wants the interest", matches.delete_unwanted,
    ),
    of_rows(
        matches.unused, "", "", "interests that nobody has",
        "what was typed belongs to whoever typed it", matches.delete_unused,
    ),
    Rule(
        "matches of old papers", "paper.first_seen_at, paper.first_listed_on", "KEEP_MATCHES_DAYS",
        "no mail, preview or page looks back so far", matches.find_old, matches.delete_any,
    ),
    Rule(
        "matches beyond the most of an interest", "paper.first_listed_on", "",
        "a very wide line must not fill the table", matches.find_surplus, matches.delete_any,
    ),
    by_age(KeptPage, "fetched_at", "KEEP_PAGES_DAYS", "pages that could not be read", "to read them after a fix"),
    by_age(UnreadDay, "next_try_at", "KEEP_PAGES_DAYS", "days whose lists could not be read", "to ask for them again"),
    by_age(UpvoteObservation, "at", "KEEP_HISTORY_DAYS", "upvote observations", "the chart of a paper's page"),
    by_age(MailDay, "day", "KEEP_HISTORY_DAYS", "counts of mails by day", "the warm-up plan, and what is usual"),
    by_age(LogEntry, "action_time", "KEEP_ADMIN_LOG_DAYS", "entries of the admin's history", "what staff did"),
    by_age(AuditEntry, "created_at", "KEEP_ADMIN_LOG_DAYS", "audit entries", "what staff did"),
    by_age(
        MailRequest, "requested_at", "KEEP_UNCONFIRMED_DAYS", "requests that could not be handled", "to try them again"
    ),
    by_age(
        PendingSignup, "asked_at", "KEEP_UNCONFIRMED_DAYS", "sign-ups of known addresses that were not confirmed",
        "the link of the confirmation is no longer good",
    ),
    of_rows(bursts.old, "hour", "", "counts of sign-ups by hour", "what is usual in two weeks"),
    by_age(AccessAttempt, "attempt_time", "KEEP_SIGN_INS_DAYS", "failed sign-ins", "the lock-out"),
    by_age(AccessFailureLog, "attempt_time", "KEEP_SIGN_INS_DAYS", "the log of failed sign-ins", "to look into them"),
    by_age(AccessLog, "attempt_time", "KEEP_SIGN_INS_DAYS", "the log of sign-ins", "to look into them"),
    by_age(Session, "expire_date", "", "expired sessions", "nobody can use them"),
    by_age(RateCount, "ends_at", "", "counters whose window has ended", "they count nothing"),
    Rule(
        "mail in the embedded mailbox", "file date", "KEEP_CAUGHT_MAIL_DAYS",
        "to read what was sent from this machine", _caught_mail,
        lambda paths, now: local_mailbox.delete(paths),
    ),
)  # fmt: skip
