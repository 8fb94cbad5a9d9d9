"""Providers' reports, posted as each posts them, through Anymail's own views."""

from __future__ import annotations

import base64
import datetime as dt
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.db import OperationalError
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from digest.mail.tracking import events
from digest.models import Delivery, Digest, Paper
from digest.picks.selection.select import select_due
from subscriptions import signup
from subscriptions.models import Subscriber, Suppression
from tests import reports
from tests.conftest import MORNING
from tests.reports import KINDS, PROVIDERS, event, post

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

CASES = [(one, kind) for one in PROVIDERS for kind in KINDS if (one, kind) not in reports.UNKNOWN]
ENDS = {  # status of the delivery, of the reader, reason of the suppression
    "delivered": ("delivered", "active", ""),
    "hard": ("bounced", "bounced", "bounced"),
    "soft": ("bounced", "active", ""),
    "ours": ("bounced", "active", ""),
    "complained": ("complained", "complained", "complained"),
    "unsubscribed": ("unsubscribed", "unsubscribed", ""),
}


@pytest.fixture(autouse=True)
def _provider(settings: Any) -> None:
    settings.ANYMAIL = dict(reports.SETTINGS)


@pytest.fixture
def sent(alice: Subscriber, papers: list[Paper]) -> Delivery:
    select_due(MORNING)
    Delivery.objects.update(status=Delivery.Status.SENT, message_id="m-1", sent_at=MORNING)
    return Delivery.objects.get()


def about(delivery: Delivery, provider: str, kind: str, **more: Any) -> Any:
    values = {"recipient": "alice@example.org", "digest": delivery.digest_id} | more
    return event(provider, kind, **values)


def state() -> tuple[str, str, str]:
    reader = Subscriber.objects.get()
    return Delivery.objects.get().status, reader.status, Suppression.objects.reason_for(reader.email)


# --- what they say
@pytest.mark.parametrize(("provider", "kind"), CASES)
def test_each_report_of_each_provider(client: Client, sent: Delivery, provider: str, kind: str) -> None:
    answer = post(client, provider, about(sent, provider, kind))
    assert (answer.status_code, answer.content) == (200, b"")
    assert state() == ENDS[kind]
    assert (Subscriber.objects.get().bounce_score > 0) == (kind == "soft")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_twice_is_once(client: Client, sent: Delivery, provider: str) -> None:
    for kind in ("soft", "soft", "hard", "hard", "complained", "complained", "delivered"):
        assert post(client, provider, about(sent, provider, kind)).status_code == 200
    assert state() == ENDS["complained"]
    assert Suppression.objects.count() == 1


@pytest.mark.parametrize("provider", PROVIDERS)
def test_mail_nobody_knows_is_taken_note_of_politely(client: Client, sent: Delivery, provider: str) -> None:
    for number in (None, 999_999_999):
        body = event(provider, "delivered", recipient="zoe@example.org", digest=number, message_id="m-77")
        assert post(client, provider, body).status_code == 200
    assert state()[0] == "sent"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_report_that_comes_before_the_sending_was_recorded(client: Client, sent: Delivery, provider: str) -> None:
    Delivery.objects.update(status="sending", message_id="", sent_at=None)
    assert post(client, provider, about(sent, provider, "delivered")).status_code == 200
    row = Delivery.objects.get()
    assert (row.status, bool(row.message_id), bool(row.sent_at)) == ("delivered", True, True)


def test_the_number_of_another_installation_is_not_ours(client: Client, sent: Delivery) -> None:
    body = event("postmark", "hard", recipient="zoe@elsewhere.org", digest=sent.digest_id, message_id="m-2")
    assert post(client, "postmark", body).status_code == 200
    assert state() == ("sent", "active", "")


def test_a_confirmation_that_bounces_ends_it(client: Client, bob: Subscriber) -> None:
    body = event("postmark", "hard", recipient="BOB@example.org", digest=None) | {"Tag": "confirm"}
    post(client, "postmark", body)
    assert Subscriber.objects.get().status == Subscriber.Status.BOUNCED
    assert Suppression.objects.reason_for("bob@example.org") == "bounced"


def test_a_complaint_of_somebody_erased_since_is_kept(client: Client, sent: Delivery) -> None:
    body = about(sent, "mailgun", "complained")
    Subscriber.objects.all().delete()
    assert post(client, "mailgun", body).status_code == 200
    assert Suppression.objects.reason_for("alice@example.org") == "complained"


def test_mail_of_other_programs_is_not_ours_to_judge(client: Client, db: None) -> None:
    body = event("postmark", "complained", recipient="zoe@example.org", digest=None) | {"Tag": "invoice"}
    assert post(client, "postmark", body).status_code == 200
    assert not Suppression.objects.exists()


def test_waiting_mail_of_who_is_gone_is_ended(client: Client, sent: Delivery) -> None:
    digest = Digest.objects.get()
    other = Digest.objects.create(
        subscriber=digest.subscriber, issue_date=digest.issue_date + dt.timedelta(days=1), created_at=MORNING
    )
    Delivery.objects.create(digest=other, not_before=MORNING, claim=7, claimed_until=MORNING)
    post(client, "brevo", about(sent, "brevo", "complained"))
    row = Delivery.objects.get(digest=other)
    assert (row.status, row.claim, row.claimed_until, bool(row.error)) == ("rejected", None, None, True)
    assert Subscriber.objects.get().next_digest_at is None


def test_an_old_bounce_told_again_does_not_undo_a_new_confirmation(client: Client, sent: Delivery) -> None:
    body = about(sent, "postmark", "hard", at=MORNING)
    post(client, "postmark", body)
    assert signup.confirm(Subscriber.objects.get(), page="x", now=MORNING + dt.timedelta(days=1))
    post(client, "postmark", body)
    assert state()[1:] == ("active", "")
    post(client, "postmark", about(sent, "postmark", "complained", at=MORNING))
    assert state()[1:] == ("complained", "complained")


def test_a_delivered_mail_costs_few_queries(client: Client, sent: Delivery, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(5):  # a savepoint's two, find, advance
        post(client, "postmark", about(sent, "postmark", "delivered"))
    assert state()[0] == "delivered"


# --- order
@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    provider=st.sampled_from(PROVIDERS),
    kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=7),
)
def test_the_order_of_reports_decides_nothing(client: Client, sent: Delivery, provider: str, kinds: list[str]) -> None:
    """Each order, with repeats, ends where the strongest report of each kind says."""
    Delivery.objects.update(status="sent")
    Suppression.objects.all().delete()
    reader = Subscriber.objects.get()
    reader.confirm(MORNING - dt.timedelta(days=30))
    kinds = [kind for kind in kinds if (provider, kind) not in reports.UNKNOWN]
    for kind in kinds:
        assert post(client, provider, about(sent, provider, kind)).status_code == 200
    happened = set(kinds)
    delivery = next(
        (ENDS[kind][0] for kind in ("complained", "unsubscribed", "hard", "soft", "ours", "delivered")
         if kind in happened), "sent",
    )  # fmt: skip
    person = next((ENDS[kind][1] for kind in ("complained", "unsubscribed", "hard") if kind in happened), "active")
    reason = next((ENDS[kind][2] for kind in ("complained", "hard") if kind in happened), "")
    assert state() == (delivery, person, reason)


# --- who may say it
@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("auth", ["hook:wrong", ":", "hook", "x:y:z", ""])
def test_without_the_secret_nothing_is_believed(client: Client, sent: Delivery, provider: str, auth: str) -> None:
    answer = post(client, provider, about(sent, provider, "complained"), auth=auth)
    # Amazon SNS shows its secret only when asked for it.
    assert answer.status_code == (401 if provider == "amazon_ses" and not auth else 400)
    assert state() == ("sent", "active", "")


def test_two_secrets_for_the_days_of_a_change(client: Client, sent: Delivery, settings: Any) -> None:
    settings.ANYMAIL["WEBHOOK_SECRET"] = ["new:one", "hook:old"]
    assert post(client, "postmark", about(sent, "postmark", "delivered"), auth="hook:old").status_code == 200
    assert post(client, "postmark", about(sent, "postmark", "delivered"), auth="new:one").status_code == 200
    assert post(client, "postmark", about(sent, "postmark", "delivered"), auth="hook:one").status_code == 400


@pytest.mark.parametrize("provider", PROVIDERS)
def test_where_no_secret_is_set_nothing_is_believed(
    client: Client, sent: Delivery, settings: Any, provider: str
) -> None:
    settings.ANYMAIL = {}
    answer = post(client, provider, about(sent, provider, "complained"))
    assert (answer.status_code, state()[0]) == (403, "sent")
    assert b"operator has set no webhook secret" in answer.content


def test_mailguns_signature_alone_is_enough_and_a_wrong_one_is_not(
    client: Client, sent: Delivery, settings: Any
) -> None:
    del settings.ANYMAIL["WEBHOOK_SECRET"]
    body = about(sent, "mailgun", "complained")
    assert post(client, "mailgun", body, key="another", auth="").status_code == 400
    raw = b'{"event-data": {"event": "complained"}}'
    assert post(client, "mailgun", body, raw=raw, auth="").status_code == 400
    assert state()[0] == "sent"
    assert post(client, "mailgun", body, auth="").status_code == 200
    assert state()[0] == "complained"


def test_resends_signature(client: Client, sent: Delivery, settings: Any) -> None:
    settings.ANYMAIL = {"RESEND_SIGNING_SECRET": reports.RESEND_SECRET}
    other = "whsec_" + base64.b64encode(b"b" * 32).decode()
    body = about(sent, "resend", "complained")
    for changed in ({}, {"key": other}):
        assert post(client, "resend", body, auth="", **changed).status_code == 400
    assert state()[0] == "sent"
    assert post(client, "resend", body, auth="", key=reports.RESEND_SECRET).status_code == 200
    assert state()[0] == "complained"


def test_sendgrids_signature(client: Client, sent: Delivery, settings: Any) -> None:
    settings.ANYMAIL = {"SENDGRID_TRACKING_WEBHOOK_VERIFICATION_KEY": reports.SENDGRID_KEY}
    body = about(sent, "sendgrid", "complained")
    for changed in ({}, {"key": ec.generate_private_key(ec.SECP256R1())}):
        assert post(client, "sendgrid", body, auth="", **changed).status_code == 400
    assert state()[0] == "sent"
    assert post(client, "sendgrid", body, auth="", key="ours").status_code == 200
    assert state()[0] == "complained"


# --- what else may come
@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("raw", [
    b"", b"{", b"null", b"[]", b"{}", b'"x"', b"7", b"\xff\xfe", b'{"event": 3}', b'[{"event": []}]', b'{"a":' * 400,
    b'{"event-data": null, "Type": {}, "type": [], "RecordType": []}',
])  # fmt: skip
def test_what_cannot_be_understood_is_refused_in_one_line(
    client: Client, sent: Delivery, provider: str, raw: bytes
) -> None:
    client.raise_request_exception = True
    answer = post(client, provider, {}, raw=raw)
    assert answer.status_code in (200, 400)
    assert len(answer.content.splitlines()) <= 1
    assert state() == ("sent", "active", "")


@pytest.mark.parametrize("provider", ["postmark", "sendgrid", "brevo"])
def test_odd_values_break_nothing(client: Client, sent: Delivery, provider: str) -> None:
    odd = [None, [], {}, "\0", "9" * 400, -1, True, "x" * 5000, {"digest": "²"}, {"digest": ["1"]}]
    for value in odd:
        body = about(sent, provider, "hard", message_id="m-9")
        inner = body[0] if isinstance(body, list) else body
        for name in ("Metadata", "MessageID", "Email", "Tag", "Details", "Description", "digest", "anymail_id",
                     "email", "category", "message-id", "tags", "reason", "X-Mailin-custom"):  # fmt: skip
            if name in inner:
                changed = inner | {name: value}
                answer = post(client, provider, [changed] if isinstance(body, list) else changed)
                assert answer.status_code in (200, 400), (name, value, answer.content)


def test_the_size_of_a_report_is_bounded(client: Client, sent: Delivery) -> None:
    body = about(sent, "postmark", "complained") | {"Filler": "x" * 2_000_000}
    assert post(client, "postmark", body).status_code == 413
    assert state()[0] == "sent"


def test_what_could_not_be_stored_is_to_be_reported_again(
    client: Client, sent: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise OperationalError("the database is away")

    body = about(sent, "postmark", "complained")
    with monkeypatch.context() as patched:
        patched.setattr(events, "_record", fail)
        answer = post(client, "postmark", body)
    assert (answer.status_code, answer.content) == (503, b"Not stored: please report it again.\n")
    assert post(client, "postmark", body).status_code == 200
    assert state() == ENDS["complained"]


def test_addresses_that_report_nothing(client: Client) -> None:
    assert client.post("/webhooks/nobody/tracking/").status_code == 404
    assert client.post("/webhooks/postmark/inbound/").status_code == 404  # mail to us is not taken
    assert client.get("/webhooks/postmark/tracking/").status_code == 405
    assert client.head("/webhooks/postmark/tracking/").status_code == 200  # some ask whether the address is there


HOSTILE_BODIES = [
    b"[" * 100_000, b"[" * 50_000 + b"]" * 50_000, b'{"a":' * 50_000 + b"1" + b"}" * 50_000, b'[{"event":' * 900 + b"1",
    b"", b"null", b"true", b"7", b'"x"', b"[]", b"{}", b"[[]]", b"[null]", b"[7]", b'[{"event": {}}]', b"1e999", b"NaN",
    b"9" * 5_000, b"\xff\xfe\x00", b"\x00", b'{"event": [[[[]]]]}', b'{"Message": "[[[["}', b"event=x&a=b",
]  # fmt: skip


@pytest.mark.parametrize("raw", HOSTILE_BODIES, ids=lambda raw: repr(raw[:20]))
@pytest.mark.parametrize("provider", PROVIDERS)
def test_no_body_is_our_fault(client: Client, provider: str, raw: bytes) -> None:
    """Whoever holds the secret may send nonsense, nested as deep as it likes."""
    answer = post(client, provider, None, raw=raw)
    assert answer.status_code in (200, 400)
    if answer.status_code == 400:
        assert answer["Content-Type"] == "text/plain; charset=utf-8"
        assert len(answer.content.splitlines()) == 1
