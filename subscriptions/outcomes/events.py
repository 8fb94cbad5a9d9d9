"""What a provider's later report of a mail means. Pure.

Anymail's words are not enough to condemn an address: it says "bounced" of what Amazon SES calls transient, of Brevo's
and Postmark's soft bounces, gives no reason for SendGrid's, and calls Postmark's report of a spam filter a complaint.
So the provider's own words are read, by a table, and then the receiving server's, which may take a verdict back: large
providers call a refusal for our reputation a hard bounce.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from anymail.signals import AnymailTrackingEvent, EventType, RejectReason

from subscriptions.outcomes.meanings import DEAD, Party
from subscriptions.outcomes.replies import find


class Report(enum.Enum):
    COMPLAINED = "the reader called it spam"
    LEFT = "the reader unsubscribed at the provider"
    DEAD = "no such mailbox"
    SOFT = "the mailbox refused it this time"
    OURS = "refused for what we are or what it said, not for the mailbox"
    ARRIVED = "delivered"
    NOTHING = "nothing that concerns the address"


class Row(NamedTuple):
    """`field` is a dotted path into the provider's event, `value` fits the whole of what is there, any case."""

    provider: str
    field: str
    value: str
    report: Report


C, L, D, S, O = Report.COMPLAINED, Report.LEFT, Report.DEAD, Report.SOFT, Report.OURS  # noqa: E741

TABLE = (
    Row("Amazon SES", "bounce.bounceSubType", "ContentRejected|AttachmentRejected|MessageTooLarge", O),
    Row("Amazon SES", "bounce.bounceType", "Permanent", D),
    Row("Amazon SES", "bounce.bounceType", "Transient|Undetermined", S),
    Row("Postmark", "Type", "HardBounce|BadEmailAddress|ManuallyDeactivated", D),
    Row("Postmark", "Type", "SpamComplaint", C),
    Row("Postmark", "Type", "SpamNotification|Blocked|DMARCPolicy|VirusNotification", O),
    Row("Postmark", "Type", "SoftBounce|Undeliverable", S),
    Row("Postmark", "SuppressionReason", "HardBounce", D),
    Row("Postmark", "SuppressionReason", "SpamComplaint", C),
    Row("Postmark", "SuppressionReason", "ManualSuppression", L),
    Row("Mailgun", "event-data.severity", "temporary", Report.NOTHING),  # it is still trying
    Row("Mailgun", "event-data.reason", "bounce|suppress-bounce", D),
    Row("Mailgun", "event-data.reason", "suppress-complaint", C),
    Row("Mailgun", "event-data.reason", "suppress-unsubscribe", L),
    Row("Mailgun", "event-data.reason", "espblock", O),
    Row("Mailgun", "event-data.severity", "permanent", S),  # "old": given up; "generic": it says no more
    Row("SendGrid", "reason", "Bounced Address|Invalid", D),
    Row("SendGrid", "reason", "Spam Reporting Address", C),
    Row("SendGrid", "reason", "Unsubscribed Address", L),
    Row("SendGrid", "type", "bounce", D),
    Row("SendGrid", "type", "blocked|expired", S),
    Row("SendGrid", "event", "dropped", O),
    Row("Brevo", "event", "hard_bounce|invalid_email", D),
    Row("Brevo", "event", "soft_bounce|blocked", S),
    Row("Resend", "data.bounce.type", "Permanent", D),
    Row("Resend", "data.bounce.type", "Transient|Undetermined", S),
    Row("Resend", "data.bounce.message", r".*(hard bounce|suppressed sending).*", D),
    Row("Resend", "data.bounce.message", r".*", S),
)

_PLAIN = {
    EventType.COMPLAINED: Report.COMPLAINED,
    EventType.UNSUBSCRIBED: Report.LEFT,
    EventType.DELIVERED: Report.ARRIVED,
}
_REASONS = {
    RejectReason.BOUNCED: Report.DEAD,
    RejectReason.INVALID: Report.DEAD,
    RejectReason.SPAM: Report.COMPLAINED,
    RejectReason.UNSUBSCRIBED: Report.LEFT,
    RejectReason.TIMED_OUT: Report.SOFT,
    RejectReason.BLOCKED: Report.OURS,
    RejectReason.OTHER: Report.OURS,
}


def read_event(provider: str, event: AnymailTrackingEvent) -> Report:
    """What Anymail's event, and the provider's own inside it, says of the address."""
    report = _of_provider(provider, event) or _PLAIN.get(event.event_type)
    if report is None and event.event_type in (EventType.BOUNCED, EventType.REJECTED):
        report = _REASONS.get(event.reject_reason, Report.SOFT)
    if report in (Report.DEAD, Report.SOFT):
        return _of_server(str(event.mta_response or event.description or "")) or report
    return report or Report.NOTHING


def _of_provider(provider: str, event: AnymailTrackingEvent) -> Report | None:
    if event.event_type in (EventType.DELIVERED, EventType.DEFERRED):
        return None
    rows = (row for row in TABLE if row.provider == provider)
    return next((row.report for row in rows if _fits(row, event.esp_event)), None)


def _fits(row: Row, esp_event: Any) -> bool:
    found = esp_event
    for name in row.field.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return isinstance(found, str) and re.fullmatch(row.value, found, re.I | re.S) is not None


def _of_server(words: str) -> Report | None:
    """What the receiving server's own reply, where the provider quotes it, makes of a bounce; None to leave it."""
    reply = re.search(r"\b([45]\d\d)[ -](.*)", words, re.S)
    if not reply:
        return None
    row = find(int(reply[1]), reply[2])
    if row is None or row.meaning is DEAD:
        return None
    if row.meaning.party is not Party.ADDRESS:
        # A row that knows only the number knows less than the provider.
        return Report.OURS if row.words or "." in row.codes else None
    return Report.SOFT if row.words or "." in row.codes else None
