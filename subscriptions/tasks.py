"""Thin doors for Celery."""

from __future__ import annotations

import logging

from celery import shared_task
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from config import redis_cache
from subscriptions import emails, mail_requests
from subscriptions.models import MailRequest, Subscriber

logger = logging.getLogger(__name__)


@shared_task
def send_notices() -> None:
    """Handle what visitors asked for since, then send the transactional mails that are owed."""
    if MailRequest.objects.exists():
        mail_requests.handle_requests(timezone.now())
    if Subscriber.objects.exclude(notice="").exists():
        emails.send_notices(timezone.now())


def soon() -> None:
    """Ask for `send_notices` after the commit. Without a queue the request waits for the next look."""

    def ask() -> None:
        if redis_cache.was_away():  # each try would take seconds
            return
        try:
            send_notices.apply_async(expires=300)
        except OperationalError as error:
            logger.warning("The queue cannot be reached (%s): the confirmation goes out with the next look.", error)

    transaction.on_commit(ask)
