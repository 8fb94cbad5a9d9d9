"""What providers' reports of bounces mean: every row of the table, and what the receiving server's words change."""

from __future__ import annotations

from typing import Any

import pytest
from anymail.signals import AnymailTrackingEvent, EventType, RejectReason

from subscriptions.outcomes import events
from subscriptions.outcomes.events import Report, read_event


def bounced(esp_event: Any, response: str = "", **more: Any) -> AnymailTrackingEvent:
    values = {"event_type": EventType.BOUNCED, "reject_reason": RejectReason.BOUNCED} | more
    return AnymailTrackingEvent(esp_event=esp_event, mta_response=response, **values)


ROWS: list[tuple[str, dict[str, Any], Report]] = [
    ("Amazon SES", {"bounce": {"bounceType": "Permanent", "bounceSubType": "NoEmail"}}, Report.DEAD),
    ("Amazon SES", {"bounce": {"bounceType": "Permanent", "bounceSubType": "Suppressed"}}, Report.DEAD),
    ("Amazon SES", {"bounce": {"bounceType": "Transient", "bounceSubType": "MailboxFull"}}, Report.SOFT),
    ("Amazon SES", {"bounce": {"bounceType": "Transient", "bounceSubType": "ContentRejected"}}, Report.OURS),
    ("Amazon SES", {"bounce": {"bounceType": "Undetermined", "bounceSubType": "Undetermined"}}, Report.SOFT),
    ("Postmark", {"Type": "HardBounce"}, Report.DEAD),
    ("Postmark", {"Type": "BadEmailAddress"}, Report.DEAD),
    ("Postmark", {"Type": "SoftBounce"}, Report.SOFT),
    ("Postmark", {"Type": "SpamNotification"}, Report.OURS),
    ("Postmark", {"Type": "SpamComplaint"}, Report.COMPLAINED),
    ("Postmark", {"SuppressionReason": "HardBounce"}, Report.DEAD),
    ("Postmark", {"SuppressionReason": "SpamComplaint"}, Report.COMPLAINED),
    ("Postmark", {"SuppressionReason": "ManualSuppression"}, Report.LEFT),
    ("Mailgun", {"event-data": {"severity": "permanent", "reason": "bounce"}}, Report.DEAD),
    ("Mailgun", {"event-data": {"severity": "permanent", "reason": "suppress-bounce"}}, Report.DEAD),
    ("Mailgun", {"event-data": {"severity": "permanent", "reason": "suppress-complaint"}}, Report.COMPLAINED),
    ("Mailgun", {"event-data": {"severity": "permanent", "reason": "suppress-unsubscribe"}}, Report.LEFT),
    ("Mailgun", {"event-data": {"severity": "permanent", "reason": "espblock"}}, Report.OURS),
    ("Mailgun", {"event-data": {"severity": "permanent", "reason": "old"}}, Report.SOFT),
    ("Mailgun", {"event-data": {"severity": "temporary", "reason": "bounce"}}, Report.NOTHING),
    ("SendGrid", {"event": "bounce", "type": "bounce"}, Report.DEAD),
    ("SendGrid", {"event": "bounce", "type": "blocked"}, Report.SOFT),
    ("SendGrid", {"event": "dropped", "reason": "Bounced Address"}, Report.DEAD),
    ("SendGrid", {"event": "dropped", "reason": "Spam Reporting Address"}, Report.COMPLAINED),
    ("SendGrid", {"event": "dropped", "reason": "Unsubscribed Address"}, Report.LEFT),
    ("SendGrid", {"event": "dropped", "reason": "Spam Content"}, Report.OURS),
    ("Brevo", {"event": "hard_bounce"}, Report.DEAD),
    ("Brevo", {"event": "invalid_email"}, Report.DEAD),
    ("Brevo", {"event": "soft_bounce"}, Report.SOFT),
    ("Brevo", {"event": "blocked"}, Report.SOFT),
    ("Resend", {"data": {"bounce": {"type": "Permanent", "message": "x"}}}, Report.DEAD),
    ("Resend", {"data": {"bounce": {"type": "Transient", "message": "x"}}}, Report.SOFT),
    ("Resend", {"data": {"bounce": {"message": "The provider sent a hard bounce message, so ..."}}}, Report.DEAD),
    ("Resend", {"data": {"bounce": {"message": "The inbox was full."}}}, Report.SOFT),
]


@pytest.mark.parametrize(("provider", "esp_event", "expected"), ROWS, ids=lambda value: str(value)[:60])
def test_each_row(provider: str, esp_event: dict[str, Any], expected: Report) -> None:
    assert read_event(provider, bounced(esp_event)) is expected


def test_every_row_is_met() -> None:
    met = set()
    for provider, esp_event, _ in ROWS:
        met.add(next(row for row in events.TABLE if row.provider == provider and events._fits(row, esp_event)))
    assert [row for row in events.TABLE if row not in met] == []


HARD = {"bounce": {"bounceType": "Permanent", "bounceSubType": "General"}}
SOFT = {"bounce": {"bounceType": "Transient", "bounceSubType": "General"}}


@pytest.mark.parametrize(("words", "expected"), [
    ("smtp; 550 5.1.1 No such user", Report.DEAD),
    ("smtp; 550 no", Report.DEAD),  # the provider knows more
    ("smtp; 554 Transaction failed", Report.DEAD),
    ("smtp; 550 5.7.1 blocked using dnsbl.example", Report.OURS),
    ("smtp; 550 5.7.26 unauthenticated", Report.OURS),
    ("smtp; 550 5.7.1 Message rejected as spam", Report.OURS),
    ("smtp; 552 5.2.2 Mailbox full", Report.SOFT),
    ("smtp; 450 4.2.1 Busy", Report.SOFT),
    ("", Report.DEAD),
    ("nothing like a reply 12", Report.DEAD),
])  # fmt: skip
def test_the_receiving_server_may_take_a_hard_bounce_back(words: str, expected: Report) -> None:
    assert read_event("Amazon SES", bounced(HARD, words)) is expected


def test_no_servers_words_make_a_soft_bounce_hard() -> None:
    assert read_event("Amazon SES", bounced(SOFT, "550 5.1.1 No such user")) is Report.SOFT


@pytest.mark.parametrize(("kind", "reason", "expected"), [
    ("bounced", "bounced", Report.DEAD),
    ("bounced", "invalid", Report.DEAD),
    ("bounced", "timed_out", Report.SOFT),
    ("bounced", None, Report.SOFT),
    ("bounced", "blocked", Report.OURS),
    ("bounced", "other", Report.OURS),
    ("rejected", "spam", Report.COMPLAINED),
    ("rejected", "unsubscribed", Report.LEFT),
    ("rejected", "bounced", Report.DEAD),
    ("complained", None, Report.COMPLAINED),
    ("unsubscribed", None, Report.LEFT),
    ("delivered", None, Report.ARRIVED),
    ("deferred", "bounced", Report.NOTHING),
    ("failed", None, Report.NOTHING),
    ("opened", None, Report.NOTHING),
    ("unknown", None, Report.NOTHING),
])  # fmt: skip
def test_a_provider_without_rows_is_taken_at_anymails_word(kind: str, reason: str | None, expected: Report) -> None:
    assert read_event("MailerSend", bounced(None, event_type=kind, reject_reason=reason)) is expected
