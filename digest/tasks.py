"""Thin doors for Celery: a task carries no state, so it may be lost, late or repeated. Rows hold the truth."""

from __future__ import annotations

import logging

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from digest.mail import delivery
from digest.mail.delivery import send_control
from digest.models import Delivery, Source
from digest.operations.retention import pruning
from digest.papers.ingest import ingest, source_schedule
from digest.papers.sources.parsed import SourceError
from digest.picks.selection import select
from digest.relevance import match_papers
from subscriptions.models import Subscriber

logger = logging.getLogger(__name__)

MAX_HELPERS = 20  # chunk tasks a look may enqueue; the next look enqueues more
PRUNING = 600.0  # seconds an hour, well within the time limit of a task
TURN = 5.0  # seconds after which a task that sends lets other work go first


@shared_task
def ingest_due() -> None:
    """Look: every source whose check has come gets a task of its own."""
    ingest.note_cut_off(timezone.now())
    if settings.FETCH_SOURCES:
        for pk in Source.objects.due(timezone.now()).values_list("pk", flat=True):
            ingest_one.apply_async((pk,), expires=300)
    match_new.delay()


@shared_task
def ingest_one(source_id: int) -> None:
    """Fetch one source, unless another worker has just done so."""
    now = timezone.now()
    source = Source.objects.due(now).filter(pk=source_id).first()
    if source:
        try:
            ingest.ingest_source(source, now)
        except SourceError as error:
            logger.warning("%s: %s", source.slug, error)
        match_papers.match_new(now)


@shared_task
def match_new() -> None:
    """Match what is not matched yet."""
    match_papers.match_new(timezone.now())


@shared_task
def send_due() -> None:
    """Look: who is due, and which mails wait? As many chunk tasks as there are chunks."""
    now = timezone.now()
    if source_schedule.are_catching_up(now):
        return
    match_papers.match_new(now)
    delivery.settle(now)
    send_control.ask_first(now)
    most = MAX_HELPERS * select.CHUNK
    for _ in range(_chunks(Subscriber.objects.due(now)[:most].count(), select.CHUNK)):
        select_chunk.apply_async(expires=300)
    for _ in range(_chunks(delivery.ready_count(now, MAX_HELPERS), settings.MAIL_CHUNK)):
        deliver_chunks.apply_async(expires=55)


@shared_task
def select_chunk() -> None:
    """Choose for one chunk of due readers, then send, by as many workers as there are chunks of mails; after a full
    chunk one successor takes the next readers, and does so first: who sends would run out of mails meanwhile.
    """
    selected = select.select_chunk(timezone.now())
    if selected.readers == select.CHUNK:
        select_chunk.apply_async(expires=300)
    for _ in range(_chunks(selected.mails, settings.MAIL_CHUNK)):
        deliver_chunks.apply_async(expires=300)


@shared_task
def deliver_chunks() -> None:
    """Send waiting mails, chunk after chunk for a TURN; while there are more and nothing holds them, one successor
    takes over.
    """
    counts = delivery.deliver_chunks(timezone.now(), longest=TURN)
    if counts and not counts[Delivery.Status.WAITING] and delivery.ready_count(timezone.now(), 1):
        deliver_chunks.apply_async(expires=300)


@shared_task
def prune() -> None:
    """Delete what is older than the settings keep."""
    pruning.prune(timezone.now(), longest=PRUNING)


def _chunks(count: int, size: int) -> int:
    return min(-(-count // size), MAX_HELPERS)
