"""The changes of a subscriber's status that staff may make by hand. Everything else takes the subscriber's consent."""

from __future__ import annotations

import datetime as dt

from subscriptions import signup
from subscriptions.models import Consent, Subscriber, Suppression

Status = Subscriber.Status

ALLOWED: dict[str, frozenset[str]] = {
    Status.PENDING: frozenset({Status.UNSUBSCRIBED}),
    Status.ACTIVE: frozenset({Status.UNSUBSCRIBED}),
    Status.BOUNCED: frozenset({Status.ACTIVE, Status.UNSUBSCRIBED}),  # active: only with standing consent
    Status.UNSUBSCRIBED: frozenset(),
    Status.COMPLAINED: frozenset(),
}
PAGE = "staff"  # what a consent row names as its origin


def targets(subscriber: Subscriber) -> frozenset[str]:
    """Return the statuses that staff may give the subscriber now; suppression is left to `refusal`."""
    allowed = ALLOWED[subscriber.status]
    return allowed if has_consent(subscriber) else allowed - {Status.ACTIVE}


def has_consent(subscriber: Subscriber) -> bool:
    """Return whether the subscriber confirmed, and neither left nor signed up again since."""
    last = subscriber.consents.order_by("-at", "-pk").values_list("kind", flat=True).first()
    return subscriber.confirmed_at is not None and last in (None, Consent.Kind.CONFIRMED)


def refusal(subscriber: Subscriber, status: str) -> str:
    """Return why staff may not give the subscriber this status, and what to do; "" when they may."""
    if status == subscriber.status:
        return ""
    if status not in targets(subscriber):
        if status == Status.ACTIVE:
            return "Only the subscriber can agree to mail. Use “Resend confirmation” to ask them."
        return f"Staff cannot change “{subscriber.get_status_display()}” to “{Status(status).label}”."
    if status == Status.ACTIVE and Suppression.objects.reason_for(subscriber.email):
        return "The address is suppressed: see “Mailbox” for how to lift that first."
    return ""


def unsubscribe(subscriber: Subscriber, now: dt.datetime) -> None:
    """Unsubscribe on the subscriber's request to staff."""
    signup.leave(subscriber, page=PAGE, now=now, origin=Consent.Origin.STAFF)
