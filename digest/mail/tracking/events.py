"""Provider events -> Delivery and Subscriber. Beside `liking` the one signal receiver of the project.

Events may come twice, late, out of order, before the sending was recorded, or for mail we do not know: each of that is
harmless. Whatever their order, the strongest decides in the end: a delivery's by STAGES, a reader's by
`Subscriber.stop`, a suppression's by its reason.
"""

from __future__ import annotations

import datetime as dt
import logging
import re
from dataclasses import dataclass
from typing import Any

from anymail.signals import AnymailTrackingEvent, EventType, tracking
from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Coalesce
from django.dispatch import receiver
from django.utils import timezone

from digest.models import Delivery
from subscriptions import addresses, bounces
from subscriptions.models import Subscriber, Suppression
from subscriptions.outcomes.classify import Meaning
from subscriptions.outcomes.events import Report, read_event

logger = logging.getLogger(__name__)

Status = Delivery.Status
STATUS_OF = {
    EventType.DELIVERED: Status.DELIVERED,
    EventType.DEFERRED: Status.DEFERRED,
    EventType.BOUNCED: Status.BOUNCED,
    EventType.REJECTED: Status.REJECTED,
    EventType.FAILED: Status.FAILED,
    EventType.COMPLAINED: Status.COMPLAINED,
    EventType.UNSUBSCRIBED: Status.UNSUBSCRIBED,
}
# What an event may overwrite: a late "delivered" does not hide a complaint.
STAGES = (
    Status.WAITING, Status.SENDING, Status.UNKNOWN, Status.SENT, Status.QUEUED, Status.DEFERRED, Status.DELIVERED,
    Status.INVALID, Status.REJECTED, Status.FAILED, Status.BOUNCED, Status.UNSUBSCRIBED, Status.COMPLAINED,
)  # fmt: skip
OUR_TAGS = {"digest", "confirm", "already"}


class NotRecorded(Exception):
    """An event was understood but could not be stored: the provider should report it once more."""


@dataclass(frozen=True, slots=True)
class Seen:
    """An event, made safe: whatever a provider's JSON held, these are clean and bounded ("" or None: nothing)."""

    kind: str
    report: Report
    message_id: str
    digest: int | None
    delivery: int | None
    recipient: str
    is_ours: bool  # a tag of ours says so
    at: dt.datetime | None
    text: str

    @classmethod
    def of(cls, provider: str, event: AnymailTrackingEvent) -> Seen:
        metadata = event.metadata if isinstance(event.metadata, dict) else {}
        tags = event.tags if isinstance(event.tags, list) else [event.tags]
        at = event.timestamp if isinstance(event.timestamp, dt.datetime) else None
        return cls(
            kind=event.event_type,
            report=read_event(provider, event),
            message_id=_clean(event.message_id)[:255],
            digest=_number(metadata.get("digest")),
            delivery=_number(metadata.get("delivery")),
            recipient=_clean(event.recipient),
            is_ours=any(tag in OUR_TAGS for tag in tags if isinstance(tag, str)),
            at=at.replace(tzinfo=dt.UTC) if at and at.tzinfo is None else at,
            text=_clean(event.description) or _clean(event.mta_response),
        )


def _number(value: object) -> int | None:
    return int(str(value)) if re.fullmatch("[0-9]{1,18}", str(value)) else None


def _clean(value: object) -> str:
    return value.replace("\0", "")[:1000] if isinstance(value, str) else ""


@receiver(tracking)
def handle(sender: object, event: AnymailTrackingEvent, esp_name: str, **kwargs: Any) -> None:
    """One event of django-anymail. Raises NotRecorded."""
    try:
        with transaction.atomic():
            _record(Seen.of(esp_name, event), timezone.now())
    except Exception as error:
        logger.exception("An event of %s could not be stored.", esp_name)
        raise NotRecorded(type(error).__name__) from error


def _record(seen: Seen, now: dt.datetime) -> None:
    delivery = _delivery(seen)
    is_new = _advance(delivery, seen, now) if delivery else False
    reader = delivery.digest.subscriber if delivery else _reader_of(seen)
    if reader is None:
        _suppress_stranger(seen, now)
    elif not _is_stale(reader, delivery, seen):
        _act(reader, seen.report, now, is_new)


def _delivery(seen: Seen) -> Delivery | None:
    """By the provider's own id, or by our number in the metadata: the event may be earlier than our record of the id.

    The number alone is not believed where the event names another address: two installations may share an account.
    """
    rows = Delivery.objects.select_related("digest__subscriber")
    if seen.message_id and (found := rows.filter(message_id=seen.message_id).first()):
        return found
    numbers = {"pk": seen.delivery} if seen.delivery else {"digest": seen.digest}
    found = rows.filter(**numbers).first() if seen.delivery or seen.digest else None
    is_other = found and seen.recipient and addresses.key(seen.recipient) != found.digest.subscriber.email_key
    return None if is_other else found


def _advance(delivery: Delivery, seen: Seen, now: dt.datetime) -> bool:
    """Move the delivery on, never back. Whether it moved."""
    status = STATUS_OF.get(seen.kind)
    if status == Status.COMPLAINED and seen.report is not Report.COMPLAINED:
        status = Status.BOUNCED  # a filter's complaint, not the reader's
    if status is None:
        return False
    row = Delivery.objects.filter(pk=delivery.pk)
    if seen.message_id and not delivery.message_id:
        row.filter(message_id="").update(message_id=seen.message_id)
    return bool(
        row.filter(status__in=STAGES[: STAGES.index(status)]).update(
            status=status,
            error="" if seen.report is Report.ARRIVED else seen.text,
            sent_at=Coalesce("sent_at", Value(now)),  # it was sent, even where nobody wrote it down yet
        )
    )


def _reader_of(seen: Seen) -> Subscriber | None:
    """The reader of a mail that has no Delivery: a confirmation, or a digest deleted since."""
    return Subscriber.objects.by_address(seen.recipient).first() if seen.recipient and seen.is_ours else None


def _suppress_stranger(seen: Seen, now: dt.datetime) -> None:
    """A complaint or a dead mailbox of somebody erased since. Mail of other programs is not ours to judge."""
    reasons = {Report.COMPLAINED: Suppression.Reason.COMPLAINED, Report.DEAD: Suppression.Reason.BOUNCED}
    if seen.report in reasons and seen.recipient and seen.is_ours:
        Suppression.objects.add_address(seen.recipient, reasons[seen.report], now)


def _is_stale(reader: Subscriber, delivery: Delivery | None, seen: Seen) -> bool:
    """Whether the reader has confirmed anew since: an old bounce or goodbye then says nothing. A complaint stays."""
    if seen.report is Report.COMPLAINED or reader.confirmed_at is None:
        return False
    moment = seen.at
    if moment is None and delivery:
        moment = delivery.sent_at or delivery.digest.created_at
    return moment is not None and moment < reader.confirmed_at


def _act(reader: Subscriber, report: Report, now: dt.datetime, is_new: bool) -> None:
    """A complaint or a dead mailbox ends it at once; what may pass is counted, once a mail."""
    if report is Report.ARRIVED:  # most are: no more queries than need be
        if is_new and reader.bounced_at:
            bounces.clear(reader)
        return
    # Two reports at once take their turn here: the order of the locks that follow differs.
    list(Subscriber.objects.select_for_update(no_key=True).filter(pk=reader.pk).values_list("pk"))
    if report is Report.COMPLAINED:
        bounces.complained(reader, now)
    elif report is Report.DEAD:
        bounces.give_up(reader, now)
    elif report is Report.LEFT:
        reader.stop(Subscriber.Status.UNSUBSCRIBED, now)
    elif report is Report.SOFT and is_new:
        bounces.count(reader, 1, now)
    if report in (Report.COMPLAINED, Report.DEAD, Report.LEFT, Report.SOFT):
        end_waiting(reader)


def end_waiting(reader: Subscriber) -> int:
    """Mails that wait for a reader who gets no more are not sent. Returns how many."""
    if Subscriber.objects.filter(pk=reader.pk, status=Subscriber.Status.ACTIVE).exists():
        return 0
    waiting = Delivery.objects.filter(digest__subscriber=reader, status=Status.WAITING)
    words = "the reader left or the address was suppressed before it was sent"
    return waiting.update(status=Status.REJECTED, error=words, claimed_until=None, claim=None)


def refused(reader: Subscriber, meaning: Meaning, now: dt.datetime) -> None:
    """What a refusal while sending does to the reader, as a later report of the same words would."""
    if meaning.suppresses:
        bounces.give_up(reader, now)
    elif meaning.points:
        bounces.count(reader, meaning.points, now)
    if meaning.suppresses or meaning.points:
        end_waiting(reader)
