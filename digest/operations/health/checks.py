"""What is misconfigured or unhealthy, and what to do about it. Looks and changes nothing; no mail is sent.

Each check returns its findings; `examine` runs those that make sense, one after the other.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import redis
from celery import current_app
from django.conf import settings
from django.core import checks
from django.db import Error as DatabaseError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Count, Q
from kombu.exceptions import OperationalError
from redis.backoff import NoBackoff
from redis.retry import Retry

from digest.mail.delivery import send_control
from digest.models import Delivery, KeptPage, MailGate, Source
from digest.operations.health.files import files
from digest.operations.health.findings import Finding, Level, ok, problem, reason, warning
from digest.operations.health.keys import suppressions
from digest.operations.health.outside import mail_server, name_records, senders
from digest.operations.health.signups import signups
from digest.operations.health.time_zones import time_zones
from digest.papers.ingest import source_schedule
from subscriptions.models import Subscriber

UNCHECKED = dt.timedelta(days=1)
BEAT_SILENCE = dt.timedelta(minutes=5)  # beat writes its schedule every three
DRIFT = 5.0  # seconds, as the waits are
REDIS_WAIT, PING_WAIT = 3, 2
# The moment the question is asked: a transaction's own time stands still.
DATABASE_CLOCKS = {
    "postgresql": "SELECT extract(epoch FROM clock_timestamp())",
    "sqlite": "SELECT (julianday('now') - 2440587.5) * 86400",
}


def examine(clock: Callable[[], dt.datetime], *, fast: bool = False) -> Iterator[Finding]:
    """All findings, each as soon as it is known; `fast` asks neither the mail server nor DNS."""
    found = database()
    yield from found
    if all(finding.level is Level.OK for finding in found):
        yield from database_clock(clock())
        yield from sources(clock())
        yield from deliveries(clock())
        yield from time_zones()
        yield from suppressions()
        yield from signups(clock())
    yield from queue()
    yield from beat(clock())
    yield from configuration()
    yield from files()
    yield from senders()
    if not fast:
        yield from mail_server()
        yield from name_records()


# --- what holds and moves the work
def database() -> list[Finding]:
    """Reachable, and with the tables this version needs."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        plan = MigrationExecutor(connection)
        missing = len(plan.migration_plan(plan.loader.graph.leaf_nodes()))
    except DatabaseError as error:
        return [problem(f"The database cannot be used ({reason(error)}).", "Start it, or correct DATABASE_URL.")]
    if missing:
        return [
            problem(f"The database lacks {missing} migration{'' if missing == 1 else 's'}.", "Run `manage.py migrate`.")
        ]
    return [ok("The database answers and is up to date.")]


def database_clock(now: dt.datetime) -> list[Finding]:
    """Leases and due dates compare moments of several machines."""
    with connection.cursor() as cursor:
        cursor.execute(DATABASE_CLOCKS[connection.vendor])
        drift = abs(float(cursor.fetchone()[0]) - now.timestamp())
    if drift > DRIFT:
        found = f"The database's clock and this machine's differ by {drift:.0f} s."
        return [problem(found, "Turn on time synchronisation (NTP) on both machines.")]
    return [ok("The clocks agree.")]


def queue() -> list[Finding]:
    """Redis, and a worker behind it: one answer is enough, and a busy worker gives it too."""
    wait = {"socket_connect_timeout": REDIS_WAIT, "socket_timeout": REDIS_WAIT, "retry": Retry(NoBackoff(), 0)}
    try:
        with redis.Redis.from_url(settings.REDIS_URL, **wait) as client:
            client.ping()
        replies = current_app.control.ping(timeout=PING_WAIT, limit=1)
    except (redis.RedisError, OperationalError, ValueError, OSError) as error:
        do = "Start it with `make run`." if settings.EMBEDDED_REDIS else "Start it, or correct REDIS_URL."
        return [problem(f"Redis cannot be reached ({reason(error)}).", do)]
    if not replies:
        do = "Start one: `celery -A config worker`, or everything with `make run`."
        return [ok("Redis answers."), problem("No worker answers: papers and mails wait.", do)]
    return [ok("Redis and a worker answer."), *_queues_without_worker()]


def _queues_without_worker() -> list[Finding]:
    """Each queue that no worker takes anything from."""
    workers = current_app.control.inspect(timeout=PING_WAIT).active_queues() or {}
    read = {queue["name"] for queues in workers.values() for queue in queues}
    return [
        problem(f"No worker reads the queue “{name}”: {waits}.", f"Start one: `celery -A config worker -Q {name}`.")
        for name, waits in (("mail", "mails wait"), ("papers", "sources wait"))
        if name not in read
    ]


def beat(now: dt.datetime) -> list[Finding]:
    """Whether beat still looks; nothing to say where it keeps its schedule on another machine."""
    written = [path.stat().st_mtime for path in Path(settings.DATA_DIR).glob("beat-schedule*")]
    if not written:
        return []
    age = now - dt.datetime.fromtimestamp(max(written), dt.UTC)
    if age > BEAT_SILENCE:
        found = f"Beat last looked {age.total_seconds() / 60:.0f} minutes ago: nothing new is begun."
        return [problem(found, "Start it: `celery -A config beat`, or everything with `make run`.")]
    return [ok("Beat looks for what is due.")]


# --- papers in, mails out
def sources(now: dt.datetime) -> list[Finding]:
    """Sources that are fetched: failing, given up, late by their own habit; pages that could not be read."""
    fetched = Source.objects.filter(is_enabled=True).exclude(url="").order_by("slug")
    if not fetched:
        return [warning("No source is fetched.", "Enable one in the admin, or run `manage.py ingest`.")]
    if not settings.FETCH_SOURCES:
        return [warning("Nothing is fetched: FETCH_SOURCES is off.", "Turn it on, or bring papers with `ingest`.")]
    late = {gap.source.pk: gap.what for gap in source_schedule.gaps(now)}
    found = [finding for source in fetched for finding in _source(source, late.get(source.pk, ""), now)]
    kept = KeptPage.objects.count()
    if kept:
        do = "See them in the admin; after a mend, run `manage.py ingest --retry`."
        found.append(warning(f"Pages that could not be read: {kept}.", do))
    return found or [ok(f"Sources: {len(fetched)}, all well.")]


def _source(source: Source, late: str, now: dt.datetime) -> list[Finding]:
    name = f"Source “{source.slug}”"
    do = f"Correct its address in the admin if it has moved, then run `manage.py ingest {source.slug}`."
    number = "a failure" if source.error_count == 1 else f"{source.error_count} failures in a row, the last"
    failures = f"{number}: {source.last_error[:200]}"
    if source.is_paused:
        return [problem(f"{name} is paused after {failures}", do)]
    if source.error_count:
        return [warning(f"{name} has {failures}", f"It is tried again by itself. {do}")]
    if source.last_success_at is None:
        return [warning(f"{name} has brought nothing yet.", do)]
    if late:
        return [warning(f"{name} {late}", f"Look at {source.url} whether it lists papers. {do}")]
    if now - source.last_success_at > max(UNCHECKED, 3 * source.check_every):
        since = f"{source.last_success_at:%Y-%m-%d %H:%M}"
        return [problem(f"{name} was last asked on {since} UTC.", "Start a worker and beat.")]
    if source.last_warning:
        return [warning(f"{name}: {source.last_warning[:300]}", "Nothing is lost; mend it when you can.")]
    return []


def deliveries(now: dt.datetime) -> list[Finding]:
    """Mails that are late, lost sight of, or failed; readers whose mail is not even begun."""
    hour_ago, status = now - dt.timedelta(hours=1), Delivery.Status
    # A claim's beginning is not stored, its end is.
    stuck = Delivery.objects.filter(status=status.SENDING, claimed_until__lte=hour_ago + settings.MAIL_LEASE).count()
    retried = Q(attempts__gt=0, not_before__gt=hour_ago)  # this address's server says "later": that is its right
    waiting = Delivery.objects.filter(status=status.WAITING, digest__created_at__lte=hour_ago)
    late = waiting.aggregate(untried=Count("pk", filter=~retried), retried=Count("pk", filter=retried))
    ended = Delivery.objects.filter(digest__created_at__gt=now - dt.timedelta(days=1))
    failed, unknown = (ended.filter(status=one).count() for one in (status.FAILED, status.UNKNOWN))
    why, start = "See why in the admin, under Deliveries.", "Start a worker and beat, and look at the mail server."
    held_back = send_control.reasons(MailGate.load(), now)
    untried = 0 if held_back else late["untried"]  # what holds mail back is said, and no worker would help
    lines = [
        (Subscriber.objects.due(hour_ago).count(), problem, "Readers due for over an hour", start),
        (stuck, problem, "Mails in “sending” for over an hour", f"{start} A worker settles them."),
        (untried, problem, "Mails that have waited for over an hour", start),
        (late["retried"], warning, "Mails put off by their servers, and tried again", why),
        (failed, warning, "Mails of the last 24 hours that failed", why),
        (unknown, warning, "Mails of the last 24 hours that may or may not have arrived", why),
    ]
    held = "See `manage.py mail status`; the dashboard has the buttons."
    found = [warning(why_not, held) for why_not in held_back.values()]
    found += [level(f"{what}: {count:,}.", do) for count, level, what, do in lines if count]
    return found or [ok("No mail is late, failed or in doubt.")]


# --- settings
def configuration() -> list[Finding]:
    """Settings that do not go together: Django's own checks, ours (subscriptions.checks), and one more."""
    messages = [one for one in checks.run_checks() if one.level >= checks.WARNING and not one.is_silenced()]
    found = [(problem if one.is_serious() else warning)(str(one.msg), str(one.hint or one.id)) for one in messages]
    if settings.DEBUG and not settings.SITE_IS_LOCAL:
        found.append(problem("DEBUG is on: an error page shows everybody the settings.", "Set DEBUG=0."))
    return found or [ok("The settings go together.")]
