"""Several workers at the same rows at the same moment. On PostgreSQL: SQLite has one writer at a time."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import psycopg
import pytest
import time_machine
from anymail.signals import AnymailTrackingEvent, tracking
from celery.exceptions import SoftTimeLimitExceeded
from celery.fixups.django import DjangoWorkerFixup
from celery.signals import task_prerun
from django.db import connection, connections, transaction
from django.db.models import QuerySet

from config.celery import app
from digest import tasks
from digest.mail import delivery
from digest.mail.delivery import worker_locks
from digest.models import Delivery, Digest, Listing, Match, Paper
from digest.operations.retention import pruning
from digest.papers.ingest import ingest
from digest.papers.ingest.editions import Circumstances
from digest.papers.ingest.storage import store
from digest.papers.sources.parsed import ParsedEdition
from digest.picks.selection import select
from digest.picks.selection.select import select_due
from digest.relevance import match_papers
from subscriptions import erasure, signup
from subscriptions.models import Interest, InterestLine, Subscriber, Suppression
from tests.conftest import MORNING, PAPERS, make_reader
from tests.digest.test_tasks import run_at_once
from tests.smtp import Server

pytestmark = pytest.mark.django_db(transaction=True)

WORKERS = 4


@pytest.fixture(autouse=True)
def _a_database_for_many() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time; its tests' database lives in one thread")


def at_once(work: Callable[[], object]) -> list[object]:
    """Run the work in several threads that start together, each with a connection of its own."""
    start = Barrier(WORKERS)

    def one(_: int) -> object:
        try:
            start.wait(10)
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(one, range(WORKERS)))


def test_the_same_page_is_stored_once() -> None:
    source = ingest.huggingface()
    at_once(lambda: store(source, ParsedEdition(listings=PAPERS), Circumstances(now=MORNING)))
    assert (Paper.objects.count(), Listing.objects.count()) == (len(PAPERS), len(PAPERS))


def test_the_same_papers_are_matched_once() -> None:
    make_reader("alice@example.org", "diffusion", "agents OR pruning")
    store(ingest.huggingface(), ParsedEdition(listings=PAPERS), Circumstances(now=MORNING))
    at_once(lambda: match_papers.match_new(MORNING))
    assert Match.objects.count() == 4
    assert not Paper.objects.filter(matched_at=None).exists()


def test_each_reader_is_chosen_for_once_and_mailed_once(smtp_server: Server) -> None:
    store(ingest.huggingface(), ParsedEdition(listings=PAPERS), Circumstances(now=MORNING))
    match_papers.match_new(MORNING)
    for number in range(60):
        make_reader(f"reader{number}@example.org", "diffusion", f"topic{number}")

    def look() -> None:
        select_due(MORNING)
        delivery.deliver_all(MORNING)

    at_once(look)
    assert Digest.objects.count() == 60
    assert set(Delivery.objects.values_list("status", flat=True)) == {"sent"}
    addresses = sorted(str(message["To"]) for message in smtp_server.messages)
    assert addresses == sorted(f"reader{number}@example.org" for number in range(60))


def test_beats_at_once_mail_nobody_twice(smtp_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four timetables look at the same moment, each with workers of its own; chunks are small, so that they meet."""
    store(ingest.huggingface(), ParsedEdition(listings=PAPERS), Circumstances(now=MORNING))
    match_papers.match_new(MORNING)
    for number in range(40):
        make_reader(f"reader{number}@example.org", "diffusion")
    monkeypatch.setattr(select, "CHUNK", 7)
    run_at_once(monkeypatch)
    with time_machine.travel(MORNING, tick=False):
        at_once(tasks.send_due)
        tasks.send_due()  # what one saw locked by another is left for the next look
    assert Digest.objects.count() == 40
    addresses = sorted(str(message["To"]) for message in smtp_server.messages)
    assert addresses == sorted(f"reader{number}@example.org" for number in range(40))


def test_reports_at_once_end_as_reports_in_turn() -> None:
    """Complaints, bounces and refusals about one reader, from several web workers: none is lost, none undone."""
    store(ingest.huggingface(), ParsedEdition(listings=PAPERS), Circumstances(now=MORNING))
    reader = make_reader("alice@example.org", "diffusion")
    kinds = iter(["complained", "bounced", "bounced", "unsubscribed"] * 5)
    rows = [
        Delivery.objects.create(
            digest=Digest.objects.create(
                subscriber=reader, issue_date=MORNING.date() + dt.timedelta(days=number), created_at=MORNING
            ),
            status="sent", not_before=MORNING, message_id=f"m-{number}",
        ) for number in range(20)
    ]  # fmt: skip
    left = iter(rows)

    def report() -> None:
        for _ in range(5):
            event = AnymailTrackingEvent(
                event_type=next(kinds), reject_reason="bounced", message_id=next(left).message_id
            )
            tracking.send(sender=object, event=event, esp_name="Test")

    at_once(report)
    assert Subscriber.objects.get().status == Subscriber.Status.COMPLAINED
    assert [row.reason for row in Suppression.objects.all()] == ["complained"]
    assert set(Delivery.objects.values_list("status", flat=True)) == {"complained", "bounced", "unsubscribed"}


@pytest.mark.parametrize(
    ("queue", "index"),
    [
        (lambda: Subscriber.objects.due(MORNING)[: select.CHUNK], "subscriber_due"),
        (lambda: Delivery.objects.ready(MORNING).values_list("pk")[:500], "delivery_open"),
    ],
)
def test_a_chunk_is_found_without_sorting_all_who_wait(queue: Callable[[], QuerySet[Any]], index: str) -> None:
    """Very many share an hour: sorted for each chunk, a million of them took half a second of each."""
    with transaction.atomic(), connection.cursor() as cursor:
        for name in ("seqscan", "bitmapscan"):  # what a small table is read by all the same
            cursor.execute(f"SET LOCAL enable_{name} = off")
        plan = queue().explain()
    assert f"Index Scan using {index} " in plan
    assert "Sort" not in plan


def test_a_worker_keeps_its_connection_from_task_to_task() -> None:
    """Celery would close it after each: a new one costs the database as much as a few dozen mails."""
    fixup, task = DjangoWorkerFixup(app), tasks.deliver_chunks
    connection.ensure_connection()
    was = connection.connection
    for _ in range(3):
        task_prerun.send(sender=task, task=task)
        fixup.on_task_prerun(task)
        tasks.deliver_chunks()
        fixup.on_task_postrun(task)
    assert connection.connection is was


def test_a_connection_that_died_between_two_tasks_is_not_used() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (process,) = cursor.fetchone()
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": None}, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [process])
    task_prerun.send(sender=tasks.deliver_chunks, task=tasks.deliver_chunks)
    tasks.deliver_chunks()


def test_a_claim_that_is_over_is_held_by_nobody() -> None:
    with worker_locks.holding(5):
        assert worker_locks.held() == {5}
    assert worker_locks.held() == set()


def test_a_claim_goes_with_its_connection_where_it_cannot_be_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def end(sql: str, claim: int) -> None:
        raise SoftTimeLimitExceeded

    with pytest.raises(SoftTimeLimitExceeded), worker_locks.holding(6):
        monkeypatch.setattr(worker_locks, "_ask", end)
    assert connection.connection is None


def test_interests_that_come_and_go_at_once_are_neither_lost_nor_left() -> None:
    """Sign-ups, confirmations, goodbyes, erasures, matching and sweeps of the same lines: no error, no deadlock."""
    store(ingest.huggingface(), ParsedEdition(listings=PAPERS), Circumstances(now=MORNING))
    lines = ["diffusion", "pruning", "agents", "survey", "weather"]
    number = itertools.count()

    def live() -> None:
        for turn in range(8):
            mine = next(number)
            some = [lines[(mine + place) % 5] for place in range(3)]
            wishes = signup.Preferences(lines=tuple(some))
            signup.sign_up(f"reader{mine}@example.org", wishes, page="/", now=MORNING)
            subscriber = Subscriber.objects.get(email=f"reader{mine}@example.org")
            signup.confirm(subscriber, page="/", now=MORNING)
            match_papers.match_new(MORNING)
            subscriber.set_lines(some[:2])
            if turn % 2:
                signup.leave(subscriber, page="/", now=MORNING)
            if turn % 4:
                erasure.erase(subscriber)
            if turn % 3 == 0:
                pruning.prune(MORNING)

    at_once(live)
    pruning.prune(MORNING)
    match_papers.match_new(MORNING)
    left = set(InterestLine.objects.values_list("interest", flat=True))
    assert left == set(Interest.objects.values_list("pk", flat=True))
    active = InterestLine.objects.filter(subscriber__status="active")
    assert set(active.values_list("interest", flat=True)) == set(Interest.objects.wanted().values_list("pk", flat=True))
    stored = set(Match.objects.values_list("interest", "paper"))
    Match.objects.all().delete()
    Interest.objects.update(matched_at=None)
    match_papers.match_interests(MORNING)
    assert stored == set(Match.objects.values_list("interest", "paper"))
