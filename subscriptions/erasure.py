"""Forgetting a reader, at once and whole (GDPR 17). What must not be mailed again stays as a keyed hash only."""

from __future__ import annotations

import logging
from contextlib import suppress

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, transaction

from subscriptions.models import Interest, Subscriber

logger = logging.getLogger(__name__)


def erase(reader: Subscriber) -> None:
    """Delete the reader and all that hangs on them: lines, consents, digests, waiting mails, feedback.

    Interests are shared by all who typed them: those that nobody else has go too.
    """
    typed = list(reader.interest_lines.values_list("interest_id", flat=True))
    history = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(Subscriber), object_id=reader.pk)
    with transaction.atomic():
        history.update(object_repr="an erased reader", change_message="")  # the address stood there
        reader.delete()
    with suppress(IntegrityError), transaction.atomic():  # somebody has just typed one of them: it stays
        Interest.objects.filter(pk__in=typed, lines=None).delete()
    logger.info("A reader was erased.")
