"""Provider events -> Delivery and Subscriber. Beside `liking` the one signal receiver of the project.

Events may come twice, late, out of order or for mail we do not know: each of that is harmless.
"""

from __future__ import annotations

from typing import Any

from anymail.signals import AnymailTrackingEvent, EventType, RejectReason, tracking
from django.dispatch import receiver
from django.utils import timezone

from digest.models import Delivery
from subscriptions.models import Subscriber, Suppression

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
_STAGE = {status: number for number, status in enumerate(
    [Status.WAITING, Status.SENDING, Status.UNKNOWN, Status.SENT, Status.QUEUED, Status.DEFERRED, Status.DELIVERED,
     Status.REJECTED, Status.FAILED, Status.BOUNCED, Status.UNSUBSCRIBED, Status.COMPLAINED]
)}  # fmt: skip


@receiver(tracking)
def handle(sender: object, event: AnymailTrackingEvent, esp_name: str, **kwargs: Any) -> None:
    """One event of django-anymail."""
    status = STATUS_OF.get(event.event_type)
    delivery = _delivery(event)
    if status is None or delivery is None:
        return
    earlier = [known for known, stage in _STAGE.items() if stage < _STAGE[status]]
    text = event.description or event.mta_response or ""
    Delivery.objects.filter(pk=delivery.pk, status__in=earlier).update(status=status, error=text[:1000])
    _stop(delivery.digest.subscriber, event)


def _delivery(event: AnymailTrackingEvent) -> Delivery | None:
    """Our own id in the metadata first: plain SMTP gives no message id of the provider's."""
    rows = Delivery.objects.select_related("digest__subscriber")
    number = str((event.metadata or {}).get("digest", ""))
    if number.isdecimal():
        return rows.filter(digest=int(number)).first()
    return rows.filter(message_id=event.message_id).first() if event.message_id else None


def _stop(subscriber: Subscriber, event: AnymailTrackingEvent) -> None:
    """A complaint or a dead mailbox ends it at once; a full mailbox or a policy refusal does not."""
    now = timezone.now()
    if event.event_type == EventType.COMPLAINED:
        Suppression.objects.add_address(subscriber.email, Suppression.Reason.COMPLAINED, now)
        subscriber.stop(Subscriber.Status.COMPLAINED)
    elif event.event_type == EventType.UNSUBSCRIBED:
        subscriber.stop(Subscriber.Status.UNSUBSCRIBED)
    elif event.event_type == EventType.BOUNCED and event.reject_reason in (
        RejectReason.BOUNCED,
        RejectReason.INVALID,
    ):
        Suppression.objects.add_address(subscriber.email, Suppression.Reason.BOUNCED, now)
        subscriber.stop(Subscriber.Status.BOUNCED)
