"""What staff can make of a subscriber's status, tested one by one, and what only the subscriber can."""

from __future__ import annotations

import datetime as dt
import io
from importlib import import_module
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from subscriptions import notice_limits, signup, transitions
from subscriptions.models import Consent, Subscriber, Suppression
from tests.conftest import MORNING, make_reader
from tests.digest.admin.test_admin import reader_page, values_of_reader

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

Status = Subscriber.Status
ALLOWED = {
    ("pending", "unsubscribed"), ("active", "unsubscribed"), ("bounced", "active"), ("bounced", "unsubscribed"),
}  # fmt: skip
PAIRS = [(old, new) for old in Status.values for new in Status.values if old != new]


def someone(status: str, **columns: object) -> Subscriber:
    return make_reader("ada@example.org", "diffusion", status=status, **columns)


def status_of(subscriber: Subscriber) -> str:
    return str(Subscriber.objects.get(pk=subscriber.pk).status)


def test_the_table_is_what_is_tested_here() -> None:
    assert {(old, new) for old, many in transitions.ALLOWED.items() for new in many} == ALLOWED


@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_the_form_makes_the_allowed_changes_and_no_others(admin_client: Client, old: str, new: str) -> None:
    ada = someone(old)
    admin_client.post(reader_page(ada), values_of_reader(status=new))
    assert status_of(ada) == (new if (old, new) in ALLOWED else old)


@pytest.mark.parametrize("old", [Status.PENDING, Status.UNSUBSCRIBED, Status.COMPLAINED])
def test_the_page_does_not_even_offer_to_make_active(admin_client: Client, old: str) -> None:
    ada = someone(old)
    page = admin_client.get(reader_page(ada)).content.decode()
    assert '<option value="active"' not in page
    answer = admin_client.post(reader_page(ada), values_of_reader(status="active")).content.decode()
    assert "Only the subscriber can agree to mail" in answer


def test_a_bounced_subscriber_who_never_confirmed_is_not_made_active(admin_client: Client) -> None:
    ada = someone(Status.BOUNCED, confirmed_at=None)
    admin_client.post(reader_page(ada), values_of_reader(status="active"))
    assert status_of(ada) == Status.BOUNCED


@pytest.mark.parametrize("kind", [Consent.Kind.WITHDRAWN, Consent.Kind.REQUESTED])
def test_a_bounced_subscriber_whose_consent_is_over_is_not_made_active(admin_client: Client, kind: str) -> None:
    ada = someone(Status.BOUNCED)
    Consent.objects.create(subscriber=ada, kind=kind, at=MORNING, page="/")
    admin_client.post(reader_page(ada), values_of_reader(status="active"))
    assert status_of(ada) == Status.BOUNCED


def test_unsubscribing_by_staff_is_recorded_as_such(admin_client: Client, alice: Subscriber) -> None:
    admin_client.post(reader_page(alice), values_of_reader(status="unsubscribed"))
    alice.refresh_from_db()
    assert (alice.status, alice.next_digest_at) == (Status.UNSUBSCRIBED, None)
    consent = alice.consents.get()
    assert (consent.kind, consent.origin) == (Consent.Kind.WITHDRAWN, Consent.Origin.STAFF)


@pytest.mark.parametrize("old", [one for one in Status.values if one != Status.ACTIVE])
@pytest.mark.parametrize("confirmed", [True, False])
def test_no_import_changes_somebody_who_is_known(tmp_path: Path, old: str, confirmed: bool) -> None:
    ada = someone(old)
    path = tmp_path / "people.csv"
    path.write_text("email,interests,status\nada@example.org,diffusion,active\n")
    call_command("import_subscribers", str(path), confirmed=confirmed, stdout=io.StringIO())
    assert status_of(ada) == old
    assert not ada.consents.exists()


@pytest.mark.parametrize("confirmed", [True, False])
def test_consent_that_staff_import_says_so(tmp_path: Path, confirmed: bool) -> None:
    path = tmp_path / "people.csv"
    path.write_text("email,interests\nada@example.org,diffusion\n")
    call_command("import_subscribers", str(path), confirmed=confirmed, stdout=io.StringIO())
    assert set(Consent.objects.values_list("origin", flat=True)) == {Consent.Origin.STAFF}
    assert Subscriber.objects.get().status == (Status.ACTIVE if confirmed else Status.PENDING)


def test_what_subscribers_agree_to_themselves_says_so_too() -> None:
    signup.sign_up("ada@example.org", signup.Preferences(lines=("diffusion",)), page="/", now=MORNING)
    signup.confirm(Subscriber.objects.get(), page="/", now=MORNING)
    assert set(Consent.objects.values_list("origin", flat=True)) == {Consent.Origin.SUBSCRIBER}


# --- resending the confirmation instead
def resend(client: Client, *people: Subscriber) -> None:
    values = {"action": "resend_confirmations", "_selected_action": [one.pk for one in people]}
    client.post(reverse("admin:subscriptions_subscriber_changelist"), values)


@pytest.mark.parametrize("by", ["button", "action"])
def test_a_confirmation_is_sent_again_and_makes_nobody_active(admin_client: Client, bob: Subscriber, by: str) -> None:
    assert "Resend confirmation" in admin_client.get(reader_page(bob)).content.decode()
    if by == "button":
        admin_client.post(reverse("admin:resend_confirmation", args=[bob.pk]))
    else:
        resend(admin_client, bob)
    bob.refresh_from_db()
    assert (bob.status, bob.notice) == (Status.PENDING, Subscriber.Notice.CONFIRM)


def test_it_stays_within_the_limits_of_every_confirmation(admin_client: Client, bob: Subscriber) -> None:
    assert notice_limits.may_confirm(bob.email, dt.datetime.now(dt.UTC))  # one has just left
    answer = admin_client.post(reverse("admin:resend_confirmation", args=[bob.pk]), follow=True).content.decode()
    assert "Not sent: 1." in answer
    assert Subscriber.objects.get().notice == ""


@pytest.mark.parametrize("status", [Status.ACTIVE, Status.COMPLAINED])
def test_who_is_active_or_complained_gets_none(admin_client: Client, status: str) -> None:
    ada = someone(status)
    resend(admin_client, ada)
    assert Subscriber.objects.get().notice == ""
    assert (
        "Resend confirmation" not in admin_client.get(reader_page(ada)).content.decode().split("does-resend")[0][-900:]
    )


def test_a_suppressed_address_gets_none(admin_client: Client, bob: Subscriber) -> None:
    Suppression.objects.add_address(bob.email, Suppression.Reason.BY_HAND, MORNING)
    resend(admin_client, bob)
    assert Subscriber.objects.get().notice == ""


def test_looking_at_the_button_sends_nothing(admin_client: Client, bob: Subscriber) -> None:
    assert admin_client.get(reverse("admin:resend_confirmation", args=[bob.pk])).status_code == 405
    assert Subscriber.objects.get().notice == ""


def test_the_form_cannot_queue_mail_past_the_limits(admin_client: Client, bob: Subscriber) -> None:
    admin_client.post(reader_page(bob), values_of_reader(status="pending", notice="confirm"))
    assert Subscriber.objects.get().notice == ""


# --- the admin's history
def history() -> str:
    return str(list(LogEntry.objects.values("object_repr", "change_message")))


def change(client: Client, subscriber: Subscriber) -> None:
    client.post(reader_page(subscriber), values_of_reader(status=subscriber.status, max_papers=7))


def test_the_admins_history_never_stores_an_address(admin_client: Client, alice: Subscriber) -> None:
    change(admin_client, alice)
    assert LogEntry.objects.get().object_repr == f"subscriber {alice.pk}"
    admin_client.post(reverse("admin:subscriptions_subscriber_delete", args=[alice.pk]), {"post": "yes"})
    assert LogEntry.objects.count() == 2
    assert "alice" not in history()


@pytest.mark.parametrize("how", ["erase", "prune", "delete", "delete many"])
def test_whatever_deletes_a_subscriber_cleans_the_history(admin_client: Client, bob: Subscriber, how: str) -> None:
    kind = ContentType.objects.get_for_model(Subscriber)
    old = {"content_type": kind, "object_id": bob.pk, "action_flag": 2, "change_message": "bob wants agents"}
    LogEntry.objects.create(user_id=admin_client.session["_auth_user_id"], object_repr="bob@example.org", **old)
    if how == "erase":
        from subscriptions.erasure import erase

        erase(bob)
    elif how == "prune":
        assert signup.prune_unconfirmed(bob.created_at + dt.timedelta(days=30)) == 1
    elif how == "delete":
        admin_client.post(reverse("admin:subscriptions_subscriber_delete", args=[bob.pk]), {"post": "yes"})
    else:
        values = {"action": "delete_selected", "_selected_action": bob.pk, "post": "yes"}
        admin_client.post(reverse("admin:subscriptions_subscriber_changelist"), values)
    assert not Subscriber.objects.exists()
    assert LogEntry.objects.exists()
    assert "bob" not in history()


def test_the_migration_takes_stored_addresses_out_of_the_history(admin_client: Client, bob: Subscriber) -> None:
    kind = ContentType.objects.get_for_model(Subscriber)
    old = {"content_type": kind, "action_flag": 2, "change_message": "[]", "object_repr": "bob@example.org"}
    for pk in (bob.pk, bob.pk + 1):
        LogEntry.objects.create(user_id=admin_client.session["_auth_user_id"], object_id=pk, **old)
    import_module("subscriptions.migrations.0017_addresses_out_of_history").forget(apps, None)
    texts = LogEntry.objects.order_by("object_id").values_list("object_repr", "change_message")
    assert set(texts) == {(f"subscriber {bob.pk}", "[]"), ("an erased subscriber", "")}
