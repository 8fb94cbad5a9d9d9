"""SECRET_KEY is changed twice: every suppression, link, secret, counter and name stays what it was."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.messages.storage.base import Message
from django.contrib.messages.storage.cookie import CookieStorage
from django.core import signing
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from digest import links
from digest.admin import add_source
from digest.mail.delivery import claimed_mail
from digest.mail.rendering import order_of
from digest.mail.rendering.headers import message_id
from digest.mail.rendering.signed_links import Desk
from digest.models import Delivery, Digest, Paper
from digest.operations.health import checks
from digest.picks.selection.select import select_due
from subscriptions import bounces, keyed_hashes, limits, signup, tokens
from subscriptions import links as subscriber_links
from subscriptions.models import Secret, Subscriber, Suppression
from tests.conftest import MORNING, make_reader
from tests.subscriptions.conftest import answers

pytestmark = pytest.mark.django_db

DORA = "Dora@example.org"
Reason = Suppression.Reason
OLDEST, SECOND, THIRD = "the oldest key of all", "the second key", "the third key"


@pytest.fixture(autouse=True)
def _first_key(settings: Any) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = OLDEST, []


@pytest.fixture
def rotate(settings: Any) -> Callable[[], None]:
    """Change SECRET_KEY twice, as docs/security.md says: the old key becomes the first fallback."""

    def change() -> None:
        for key in (SECOND, THIRD):
            settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
            settings.SECRET_KEY = key

    return change


def findings() -> list[tuple[str, str]]:
    return [(one.level.value, one.what) for one in checks.suppressions()]


# --- suppressions, on every path that asks for them
def test_a_complainer_cannot_sign_up(rotate: Callable[[], None], client: Client) -> None:
    Suppression.objects.add_address(DORA, Reason.COMPLAINED, MORNING)
    rotate()
    client.post("/subscribe/", answers())
    assert not Subscriber.objects.exists()


def test_a_complainer_cannot_be_imported(rotate: Callable[[], None], tmp_path: Path) -> None:
    Suppression.objects.add_address(DORA, Reason.COMPLAINED, MORNING)
    rotate()
    sheet, out = tmp_path / "sheet.csv", io.StringIO()
    sheet.write_text("email,interests\ndora@example.org,diffusion\nzoe@example.org,diffusion\n")
    call_command("import_subscribers", str(sheet), "--confirmed", stdout=out)
    assert "1 suppressed" in out.getvalue()
    assert [one.email for one in Subscriber.objects.all()] == ["zoe@example.org"]


def test_a_complainer_cannot_confirm(rotate: Callable[[], None], bob: Subscriber) -> None:
    Suppression.objects.add_address(bob.email, Reason.COMPLAINED, MORNING)
    rotate()
    assert not signup.confirm(bob, page="/", now=MORNING)


def test_confirming_still_lifts_a_bounce(rotate: Callable[[], None], bob: Subscriber) -> None:
    Suppression.objects.add_address(bob.email, Reason.BOUNCED, MORNING)
    rotate()
    assert signup.confirm(bob, page="/", now=MORNING)
    assert not Suppression.objects.exists()


def test_a_suppressed_address_is_sent_no_link(rotate: Callable[[], None], alice: Subscriber) -> None:
    Suppression.objects.add_address(alice.email, Reason.BY_HAND, MORNING)
    rotate()
    signup.send_link(alice.email, MORNING)
    alice.refresh_from_db()
    assert alice.notice == ""


def test_a_suppressed_address_is_not_delivered_to(rotate: Callable[[], None], waiting: list[Delivery]) -> None:
    Suppression.objects.add_address("reader3@example.org", Reason.COMPLAINED, MORNING)
    rotate()
    Delivery.objects.update(claim=7)
    fine, refused = claimed_mail.read([one.pk for one in waiting], 7, MORNING)
    assert len(fine) == len(waiting) - 1
    assert "reader3@example.org" not in {order.email for order in fine.values()}
    assert len(refused) == 1


def test_a_report_finds_the_row_that_is_there(rotate: Callable[[], None], alice: Subscriber) -> None:
    Suppression.objects.add_address(alice.email, Reason.BOUNCED, MORNING)
    rotate()
    bounces.complained(alice, MORNING + dt.timedelta(days=1))
    row = Suppression.objects.get()
    assert (row.reason, row.at) == (Reason.COMPLAINED, MORNING + dt.timedelta(days=1))


def test_staff_find_it_and_cannot_add_it_twice(
    rotate: Callable[[], None], admin_client: Client, alice: Subscriber
) -> None:
    Suppression.objects.add_address(alice.email, Reason.BY_HAND, MORNING)
    rotate()
    found = admin_client.get(reverse("admin:subscriptions_suppression_changelist"), {"q": "ALICE@example.org"})
    assert found.context["cl"].result_count == 1
    mailbox = admin_client.get(reverse("admin:subscriptions_subscriber_change", args=[alice.pk])).content.decode()
    assert "Suppressed on 16 March 2026" in mailbox
    page = admin_client.post(reverse("admin:subscriptions_suppression_add"), {"address": alice.email})
    assert "suppressed already" in page.content.decode()
    assert Suppression.objects.count() == 1


# --- moving to the current key
@pytest.mark.parametrize("meet", [
    lambda: Suppression.objects.among([DORA, "zoe@example.org"]),
    lambda: Suppression.objects.reason_for(DORA),
    lambda: Suppression.objects.add_address(DORA, Reason.BOUNCED, MORNING),
])  # fmt: skip
def test_a_row_that_is_met_needs_no_older_key(
    meet: Callable[[], object], rotate: Callable[[], None], settings: Any
) -> None:
    Suppression.objects.add_address(DORA, Reason.COMPLAINED, MORNING)
    rotate()
    assert findings() == [("ok", "1 suppression, of which 1 still needs an older key.")]
    for _ in range(2):
        meet()
        assert findings() == [("ok", "1 suppression, all in effect.")]
    settings.SECRET_KEY_FALLBACKS = []
    assert Suppression.objects.reason_for("dora@EXAMPLE.org") == Reason.COMPLAINED
    row = Suppression.objects.get()
    assert (row.at, row.address_hash) == (MORNING, Suppression.hash_of(DORA))


@pytest.mark.parametrize(("old", "new", "kept"), [
    (Reason.COMPLAINED, Reason.BOUNCED, Reason.COMPLAINED),
    (Reason.BOUNCED, Reason.COMPLAINED, Reason.COMPLAINED),
    (Reason.BY_HAND, Reason.BOUNCED, Reason.BY_HAND),
])  # fmt: skip
def test_two_rows_of_one_address_become_one(
    old: str, new: str, kept: str, rotate: Callable[[], None], settings: Any
) -> None:
    """A process that was not restarted yet wrote the one, a restarted one the other."""
    Suppression.objects.add_address(DORA, old, MORNING)
    settings.SECRET_KEY = THIRD
    Suppression.objects.add_address(DORA, new, MORNING)
    assert Suppression.objects.count() == 2
    settings.SECRET_KEY = OLDEST
    rotate()
    assert Suppression.objects.reason_for(DORA) == kept
    assert [row.reason for row in Suppression.objects.all()] == [kept]


def test_asking_about_many_is_one_query_under_several_keys(rotate: Callable[[], None]) -> None:
    many = [f"subscriber{number}@example.org" for number in range(2000)]
    for address in many[:3]:
        Suppression.objects.add_address(address, Reason.BOUNCED, MORNING)
    rotate()
    assert Suppression.objects.among(many) == set(many[:3])
    with CaptureQueriesContext(connection) as queries:
        assert Suppression.objects.among(many) == set(many[:3])
    assert len(queries) == 1


def test_a_row_that_cannot_be_moved_has_its_effect_all_the_same(
    rotate: Callable[[], None], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    Suppression.objects.add_address(DORA, Reason.COMPLAINED, MORNING)
    rotate()
    monkeypatch.setattr(Suppression, "hash_of", staticmethod(lambda address: "x" * 64))
    Suppression.objects.create(address_hash="y" * 64, reason=Reason.BOUNCED, at=MORNING)
    monkeypatch.setattr(Suppression.objects.__class__, "exclude", lambda *args, **values: Suppression.objects.none())
    Suppression.objects.create(address_hash="x" * 64, reason=Reason.BOUNCED, at=MORNING)  # written meanwhile
    assert Suppression.objects.among([DORA]) == {DORA}
    assert "until it is next met" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_workers_that_meet_it_at_once_leave_one_row(rotate: Callable[[], None]) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time; its tests' database lives in one thread")
    for number in range(20):
        Suppression.objects.add_address(f"{number}@example.org", Reason.COMPLAINED, MORNING)
    rotate()
    start = Barrier(4)

    def meet(worker: int) -> set[str]:
        asked = [f"{number}@example.org" for number in range(20)]
        try:
            start.wait(10)
            return Suppression.objects.among(asked if worker % 2 else reversed(asked))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        assert [len(found) for found in pool.map(meet, range(4))] == [20] * 4
    assert findings() == [("ok", "20 suppressions, all in effect.")]


# --- a key that is gone too early
def test_a_key_that_goes_too_early_is_found_and_stops_imports(
    rotate: Callable[[], None], settings: Any, tmp_path: Path, admin_client: Client, admin_user: Any
) -> None:
    for address in (DORA, "zoe@example.org"):
        Suppression.objects.add_address(address, Reason.COMPLAINED, MORNING)
    rotate()
    Suppression.objects.reason_for("zoe@example.org")
    settings.SECRET_KEY_FALLBACKS = [SECOND]
    assert findings() == [
        ("problem", "Suppressions whose key is not configured: 1. These addresses can be mailed again.")
    ]
    assert ("problem", findings()[0][1]) in [
        (one.level.value, one.what) for one in checks.examine(lambda: MORNING, fast=True)
    ]
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("email,interests\ndora@example.org,diffusion\n")
    with pytest.raises(CommandError, match=r"1 suppression cannot be compared .* Nothing was stored"):
        call_command("import_subscribers", str(sheet), stdout=io.StringIO())
    assert not Subscriber.objects.exists()
    admin_client.force_login(admin_user)  # the session was under the key that is gone
    listed = admin_client.get(reverse("admin:subscriptions_suppression_changelist"), {"key": "lost"})
    assert listed.context["cl"].result_count == 1
    settings.SUPPRESSION_KEY_FALLBACKS = [OLDEST]  # it need not open links again
    assert findings() == [("ok", "2 suppressions, of which 1 still needs an older key.")]
    assert Suppression.objects.reason_for(DORA) == Reason.COMPLAINED


def test_a_key_of_their_own_survives_a_leak_of_the_secret_key(settings: Any) -> None:
    Suppression.objects.add_address("before@example.org", Reason.COMPLAINED, MORNING)
    settings.SUPPRESSION_KEY = "a key of their own"
    assert Suppression.objects.reason_for("before@example.org") == Reason.COMPLAINED
    Suppression.objects.add_address(DORA, Reason.COMPLAINED, MORNING)
    settings.SECRET_KEY = SECOND  # without a fallback: the old one was stolen
    assert Suppression.objects.among([DORA, "before@example.org"]) == {DORA, "before@example.org"}
    settings.SUPPRESSION_KEY, settings.SUPPRESSION_KEY_FALLBACKS = "another", ["a key of their own"]
    assert Suppression.objects.among([DORA, "before@example.org"]) == {DORA, "before@example.org"}


def record_keys() -> None:
    Suppression.objects.update(key_id="")  # as they were before the column
    import_module("subscriptions.migrations.0013_suppression_keys").record_keys(apps, None)


def test_old_rows_learn_their_key_where_it_is_certain(
    rotate: Callable[[], None], alice: Subscriber, settings: Any
) -> None:
    for address in (alice.email, DORA):
        Suppression.objects.add_address(address, Reason.COMPLAINED, MORNING)
    record_keys()
    assert findings() == [("ok", "2 suppressions, all in effect.")]
    rotate()
    record_keys()
    assert findings() == [("warning", "Suppressions that may be under any of your older keys: 1.")]
    assert Suppression.objects.reason_for(DORA) == Reason.COMPLAINED
    assert findings() == [("ok", "2 suppressions, of which 1 still needs an older key.")]
    settings.SECRET_KEY_FALLBACKS = []
    assert findings()[0][0] == "problem"


# --- everything else that SECRET_KEY keys
def test_every_signed_link_stays_good(rotate: Callable[[], None], alice: Subscriber, papers: list[Paper]) -> None:
    with time_machine.travel(MORNING, tick=False):
        select_due(MORNING)
        digest = Digest.objects.get()
        purposes = [
            subscriber_links.CONFIRM,
            subscriber_links.EMAILED,
            subscriber_links.PREFERENCES,
            subscriber_links.UNSUBSCRIBE,
        ]
        tokens = {purpose: subscriber_links.token_for(alice, purpose) for purpose in purposes}
        copy, feedback = (link(digest).rstrip("/").rpartition("/")[2] for link in (links.web_copy, links.feedback))
        trial = signing.dumps({"by": 1}, salt=add_source.SALT, compress=True)
        rotate()
        for purpose, token in tokens.items():
            assert subscriber_links.read_token(token, purpose) == (alice.code, alice.token_version)
        assert links.digest_of(copy) == links.feedback_on(feedback) == digest
        assert signing.loads(trial, salt=add_source.SALT, max_age=60) == {"by": 1}


@pytest.mark.parametrize("kind", Secret.Kind.values)
def test_a_feed_address_and_a_token_move_to_the_current_key(
    kind: str, rotate: Callable[[], None], alice: Subscriber, settings: Any
) -> None:
    secret = tokens.make(alice, kind, MORNING)
    rotate()
    assert tokens.holder(secret, kind) == alice
    settings.SECRET_KEY_FALLBACKS = []
    with CaptureQueriesContext(connection) as queries:
        assert tokens.holder(secret, kind) == alice
    assert len(queries) == 1


def test_a_repeated_mail_keeps_its_message_id(
    rotate: Callable[[], None], alice: Subscriber, papers: list[Paper]
) -> None:
    select_due(MORNING)
    digest = Digest.objects.select_related("subscriber").get()
    before = message_id(digest)
    rotate()
    assert message_id(digest) == before
    assert Desk().links(order_of(digest)).message_id == before


def test_a_feed_repeats_no_entry(
    rotate: Callable[[], None], alice: Subscriber, papers: list[Paper], client: Client
) -> None:
    secret = tokens.make(alice, Secret.Kind.FEED, MORNING)
    with time_machine.travel(MORNING, tick=False):
        select_due(MORNING)
        before = client.get(f"/feeds/mine/{secret}.atom").content
        rotate()
        assert client.get(f"/feeds/mine/{secret}.atom").content == before


@pytest.mark.parametrize("durable", [False, True])
def test_a_limit_goes_on_counting(durable: bool, rotate: Callable[[], None], counters: None) -> None:
    assert not limits.is_over("mail", "ada", 1, 60, durable=durable)
    rotate()
    assert limits.is_over("mail", "ada", 1, 60, durable=durable)


def test_staff_stay_signed_in(rotate: Callable[[], None], settings: Any) -> None:
    user = get_user_model().objects.create_superuser("staff", password="a long enough one")
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    rotate()
    assert client.get(reverse("admin:index")).status_code == 200
    settings.SECRET_KEY_FALLBACKS = []  # the session was signed anew
    assert client.get(reverse("admin:index")).status_code == 200


def test_a_form_that_was_open_can_be_sent(rotate: Callable[[], None]) -> None:
    client = Client(enforce_csrf_checks=True)
    page = client.get("/subscribe/").content.decode()
    token = page.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
    rotate()
    assert client.post("/subscribe/", answers(csrfmiddlewaretoken=token)).status_code == 302
    assert client.post("/subscribe/", answers(csrfmiddlewaretoken="x" * 64)).status_code == 403


def test_a_notice_in_a_cookie_is_still_shown(rotate: Callable[[], None]) -> None:
    storage = CookieStorage(RequestFactory().get("/"))
    cookie = storage._encode([Message(20, "Saved.")])
    rotate()
    assert [one.message for one in CookieStorage(RequestFactory().get("/"))._decode(cookie)] == ["Saved."]


def test_the_keys_are_each_tried_once(settings: Any) -> None:
    settings.SUPPRESSION_KEY, settings.SECRET_KEY_FALLBACKS = OLDEST, [SECOND, OLDEST]
    assert keyed_hashes.suppression_keys() == [OLDEST, SECOND]
    make_reader("alice@example.org", "diffusion")
    assert Suppression.objects.among([]) == set()
