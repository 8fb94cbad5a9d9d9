"""Provider events, sent as the signal they become."""

from __future__ import annotations

from typing import Any

import pytest
from anymail.signals import AnymailTrackingEvent, tracking

from digest.mail.tracking import events as ours
from digest.models import Delivery, Digest, Paper
from digest.picks.selection.select import select_due
from subscriptions.models import Subscriber, Suppression
from subscriptions.outcomes import meanings
from subscriptions.outcomes.classify import Meaning
from tests.conftest import MORNING

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(alice: Subscriber, papers: list[Paper]) -> Delivery:
    select_due(MORNING)
    Delivery.objects.update(status=Delivery.Status.SENT, message_id="<m1>")
    return Delivery.objects.get()


def tell(kind: str, **details: Any) -> None:
    tracking.send(sender=object, event=AnymailTrackingEvent(event_type=kind, **details), esp_name="Test")


def status() -> str:
    return Delivery.objects.get().status


def test_it_records_delivered(sent: Delivery) -> None:
    tell("delivered", message_id="<m1>")
    assert status() == "delivered"


def test_our_own_number_is_believed_before_the_message_id(sent: Delivery) -> None:
    tell("delivered", message_id="something else", metadata={"digest": str(Digest.objects.get().pk)})
    assert status() == "delivered"


def test_a_hard_bounce_stops_the_mail(sent: Delivery) -> None:
    tell("bounced", message_id="<m1>", reject_reason="bounced")
    assert status() == "bounced"
    assert Subscriber.objects.get().status == Subscriber.Status.BOUNCED
    assert Suppression.objects.reason_for("alice@example.org") == "bounced"


def test_a_full_mailbox_or_a_policy_refusal_suppresses_nobody(sent: Delivery) -> None:
    tell("bounced", message_id="<m1>", reject_reason="blocked")
    assert Subscriber.objects.get().status == Subscriber.Status.ACTIVE
    assert not Suppression.objects.exists()


def test_a_complaint_stops_the_mail_for_good(sent: Delivery) -> None:
    tell("complained", message_id="<m1>")
    assert Subscriber.objects.get().status == Subscriber.Status.COMPLAINED
    assert Suppression.objects.reason_for("ALICE@example.org") == "complained"


def test_events_out_of_order_and_twice_do_no_harm(sent: Delivery) -> None:
    for kind in ("complained", "delivered", "complained", "deferred"):
        tell(kind, message_id="<m1>")
    assert status() == "complained"
    assert Suppression.objects.count() == 1


def test_unknown_mail_and_unknown_events_are_ignored(sent: Delivery) -> None:
    tell("delivered", message_id="<other>")
    tell("delivered")
    tell("delivered", metadata={"digest": "99999"})
    tell("opened", message_id="<m1>")
    assert status() == "sent"


@pytest.mark.parametrize(("meaning", "status", "points"), [
    (meanings.DEAD, "bounced", 0),
    (meanings.FULL, "active", 1),
    (meanings.POLICY, "active", 0),
    (meanings.KEY, "active", 0),
])  # fmt: skip
def test_a_refusal_while_sending_does_what_its_report_would(
    sent: Delivery, meaning: Meaning, status: str, points: int
) -> None:
    Delivery.objects.update(status=Delivery.Status.WAITING)
    ours.refused(Subscriber.objects.get(), meaning, MORNING)
    reader = Subscriber.objects.get()
    assert (reader.status, reader.bounce_score) == (status, points)
    assert Delivery.objects.get().status == ("rejected" if status == "bounced" else "waiting")
    assert Suppression.objects.exists() == (status == "bounced")
