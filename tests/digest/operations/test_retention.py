"""What is deleted by age, what is kept, and that nothing else notices."""

from __future__ import annotations

import datetime as dt
import os
import threading
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from celery.beat import ScheduleEntry
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction
from django.db.models import Model

from auditlog.models import AuditEntry
from config.celery import app
from digest import tasks
from digest.mail import delivery
from digest.models import Delivery, Digest, KeptPage, Listing, MailDay, Match, Paper, UnreadDay, UpvoteObservation
from digest.operations.retention import batches, pruning, windows
from digest.operations.retention.rules import RULES
from digest.picks.selection.digest_plan import plans
from digest.picks.selection.select import select_due
from subscriptions import signup
from subscriptions.models import Consent, MailRequest, PendingSignup, RateCount, SignupHour, Subscriber, Suppression
from tests.conftest import MORNING, all_sent, make_reader
from tests.smtp import Server

DAY = dt.timedelta(days=1)


def plant(now: dt.datetime) -> None:
    """A row of each kind that is as old as the moment, made without its `auto_now_add`."""
    paper = Paper.objects.order_by("pk")[0]
    shown = Listing.objects.filter(paper=paper)[0]
    KeptPage.objects.create(
        source=shown.edition.source, url="x", content=b"", content_hash=f"{now}", error="x", fetched_at=now
    )
    UnreadDay.objects.create(source=shown.edition.source, date=now.date(), error="x", next_try_at=now)
    UpvoteObservation.objects.create(listing=shown, at=now, upvotes=3)
    MailDay.objects.get_or_create(day=now.date())
    staff, _ = User.objects.get_or_create(username="staff")
    kind = ContentType.objects.get_for_model(Paper)
    LogEntry.objects.create(user=staff, content_type=kind, object_id="1", action_flag=2, action_time=now)
    sign_ins: list[Any] = [
        AccessAttempt(username=f"{now}", failures_since_start=1),
        AccessFailureLog(username=f"{now}"),
        AccessLog(username=f"{now}"),
    ]
    for row in sign_ins:
        row.save()
        type(row).objects.filter(pk=row.pk).update(attempt_time=now)
    AuditEntry.objects.create(created_at=now, actor="root", action="pause mail")
    MailRequest.objects.create(kind="link", address="ada@example.org", requested_at=now, details={})
    dora, _ = Subscriber.objects.get_or_create(
        email="dora@example.org", email_key="dora@example.org", status="complained"
    )
    number = PendingSignup.objects.count() + 1
    PendingSignup.objects.create(subscriber=dora, number=number, preferences={}, asked_at=now)
    SignupHour.objects.create(hour=now)
    Session.objects.create(session_key=f"{now:%Y%m%d%H%M%S}", session_data="", expire_date=now)
    RateCount.objects.create(key=f"{now:%Y%m%d%H%M%S}", count=1, ends_at=now)


# The setting that keeps each, and the rows.
KEPT: list[tuple[str, type[Model]]] = [
    ("KEEP_PAGES_DAYS", KeptPage),
    ("KEEP_PAGES_DAYS", UnreadDay),
    ("KEEP_HISTORY_DAYS", UpvoteObservation),
    ("KEEP_HISTORY_DAYS", MailDay),
    ("KEEP_ADMIN_LOG_DAYS", LogEntry),
    ("KEEP_ADMIN_LOG_DAYS", AuditEntry),
    ("KEEP_UNCONFIRMED_DAYS", MailRequest),
    ("KEEP_UNCONFIRMED_DAYS", PendingSignup),
    ("KEEP_SIGN_INS_DAYS", AccessAttempt),
    ("KEEP_SIGN_INS_DAYS", AccessFailureLog),
    ("KEEP_SIGN_INS_DAYS", AccessLog),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("setting", "model"), KEPT, ids=lambda value: getattr(value, "__name__", value))
def test_rows_go_when_they_are_older_than_the_setting_says(
    setting: str, model: type[Model], papers: list[Paper], settings: Any
) -> None:
    setattr(settings, setting, 70)
    UpvoteObservation.objects.all().delete()
    plant(MORNING)
    pruning.prune(MORNING + 70 * DAY)
    assert model._default_manager.exists()
    pruning.prune(MORNING + 71 * DAY)
    assert not model._default_manager.exists()


@pytest.mark.django_db
def test_what_has_ended_goes_at_once(papers: list[Paper]) -> None:
    plant(MORNING)
    plant(MORNING + DAY)
    pruning.prune(MORNING + dt.timedelta(hours=1))
    assert (Session.objects.count(), RateCount.objects.count()) == (1, 1)


@pytest.mark.django_db
def test_counts_of_sign_ups_go_after_two_weeks(papers: list[Paper]) -> None:
    plant(MORNING)
    pruning.prune(MORNING + 15 * DAY)
    assert SignupHour.objects.exists()
    pruning.prune(MORNING + 16 * DAY)
    assert not SignupHour.objects.exists()


@pytest.mark.django_db
def test_everything_that_grows_has_a_rule_or_a_reason() -> None:
    """A new model must be put into the rules, or here with what bounds it."""
    kept = {
        "subscriptions.Suppression": "for good: an address that must never be mailed again",
        "subscriptions.Consent": "as long as the subscriber", "subscriptions.Secret": "as long as the subscriber",
        "subscriptions.InterestLine": "as long as the subscriber", "digest.Feedback": "as long as the subscriber",
        "digest.Delivery": "as long as its digest", "digest.Match": "has rules of its own",
        "subscriptions.Interest": "has a rule of its own", "digest.Digest": "has a rule of its own",
        "subscriptions.Subscriber": "has rules of its own",
        "digest.Paper": "the archive", "digest.Edition": "the archive", "digest.Listing": "the archive",
        "digest.SearchText": "as long as the paper", "digest.Source": "made by staff",
        "digest.MailGate": "one row", "digest.RateBucket": "one row a rate",
    }  # fmt: skip
    by_age = {model._meta.label for _, model in KEPT} | {"subscriptions.RateCount", "subscriptions.SignupHour"}
    models = {
        model._meta.label
        for name in ("subscriptions", "digest", "auditlog")
        for model in apps.get_app_config(name).get_models()
    }
    assert models - by_age == set(kept)


@pytest.mark.django_db
def test_who_left_is_erased_when_the_time_for_the_undo_is_over(alice: Subscriber, papers: list[Paper]) -> None:
    select_due(MORNING)
    all_sent()
    signup.leave(alice, page="/unsubscribe/", now=MORNING)
    pruning.prune(MORNING + 90 * DAY)
    assert alice.lines() == ["diffusion", '"chain of thought"', "-survey"]
    pruning.prune(MORNING + 91 * DAY)
    assert not Subscriber.objects.exists()
    assert not Consent.objects.exists()
    assert not Digest.objects.exists()


@pytest.mark.django_db
def test_a_suppression_outlives_the_erased_subscriber(alice: Subscriber) -> None:
    Suppression.objects.add_address(alice.email, Suppression.Reason.COMPLAINED, MORNING)
    alice.stop(Subscriber.Status.COMPLAINED, MORNING)
    pruning.prune(MORNING + 1_000 * DAY)
    assert not Subscriber.objects.exists()
    assert Suppression.objects.reason_for("alice@example.org") == "complained"


@pytest.mark.django_db
def test_who_came_back_is_kept(alice: Subscriber) -> None:
    signup.leave(alice, page="/unsubscribe/", now=MORNING)
    signup.confirm(alice, page="/unsubscribe/", now=MORNING + DAY)
    Consent.objects.create(subscriber=alice, kind="confirmed", at=MORNING, page="/")
    pruning.prune(MORNING + 1_000 * DAY)
    assert Subscriber.objects.get().consents.count() == 3


@pytest.mark.django_db
def test_a_digest_goes_with_its_delivery_and_leaves_the_subscriber(alice: Subscriber, papers: list[Paper]) -> None:
    select_due(MORNING)
    all_sent()
    pruning.prune(MORNING + 365 * DAY)
    assert Delivery.objects.count() == 1
    pruning.prune(MORNING + 366 * DAY)
    assert not Digest.objects.exists()
    assert not Delivery.objects.exists()
    assert Subscriber.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("status", ["waiting", "sending"])
def test_a_mail_that_has_not_left_is_kept(status: str, alice: Subscriber, papers: list[Paper]) -> None:
    select_due(MORNING)
    Delivery.objects.update(status=status)
    pruning.prune(MORNING + 1_000 * DAY)
    assert Digest.objects.exists()


@pytest.mark.django_db
def test_no_paper_goes_twice_however_late_a_list_names_it_again(alice: Subscriber, papers: list[Paper]) -> None:
    """A journal may date its list a year ahead: the paper is news when it comes, and again on that day."""
    later = MORNING + 400 * DAY
    Paper.objects.filter(title="Thinking Aloud").update(first_listed_on=later.date())
    select_due(MORNING)
    all_sent()
    had = set(Digest.objects.get().paper_ids)
    pruning.prune(later)
    Subscriber.objects.update(next_digest_at=later)
    select_due(later)
    new = Digest.objects.filter(created_at=later).get()
    assert not had & set(new.paper_ids)
    pruning.prune(later + 366 * DAY)
    assert not Digest.objects.filter(created_at=MORNING).exists()


def test_no_mail_looks_back_further_than_digests_are_kept_at_least(settings: Any) -> None:
    """With the largest CANDIDATE_DAYS and CATCH_UP_DAYS, and mail that waited for longer than that."""
    settings.CANDIDATE_DAYS = settings.CATCH_UP_DAYS = 60
    reader = Subscriber(pk=1, paused_at=MORNING - 900 * DAY, paused_until=MORNING - DAY)
    waited = Subscriber(pk=2)
    both = Subscriber(pk=3, paused_at=MORNING - 900 * DAY, paused_until=MORNING - DAY)
    found = plans([reader, waited, both], MORNING, {2: MORNING - 900 * DAY, 3: MORNING - 900 * DAY})
    assert max(plan.days for plan in found) * DAY < windows.FURTHEST == 125 * DAY  # the least of KEEP_DIGESTS_DAYS


@pytest.mark.django_db
def test_matches_go_when_their_paper_is_out_of_every_window(alice: Subscriber, papers: list[Paper]) -> None:
    before = Match.objects.count()
    pruning.prune(MORNING + 59 * DAY)
    assert Match.objects.count() == before
    pruning.prune(MORNING + 61 * DAY)
    assert not Match.objects.exists()
    assert Paper.objects.count() == 5


@pytest.mark.django_db
def test_mail_of_a_day_whose_digests_may_be_deleted_is_not_sent(alice: Subscriber, papers: list[Paper]) -> None:
    with time_machine.travel(MORNING + 400 * DAY, tick=False), pytest.raises(CommandError, match="KEEP_DIGESTS_DAYS"):
        call_command("send_digests", "--now", f"{MORNING:%Y-%m-%dT%H:%M}")
    assert not Digest.objects.exists()


@pytest.mark.django_db
def test_caught_mail_goes_by_its_age(tmp_path: Path, settings: Any) -> None:
    settings.MAIL_CATCHER_DIR = tmp_path
    for name, at in (("old", MORNING), ("new", MORNING + 20 * DAY)):
        for end in (".eml", ".json"):
            (tmp_path / f"{name}{end}").write_text("{}")
            os.utime(tmp_path / f"{name}{end}", (at.timestamp(), at.timestamp()))
    assert pruning.count(MORNING + 31 * DAY)["mail in the embedded mailbox"] == 1
    pruning.prune(MORNING + 31 * DAY)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.eml", "new.json"]


@pytest.mark.django_db
def test_the_dry_run_says_what_the_run_then_deletes(papers: list[Paper], alice: Subscriber, bob: Subscriber) -> None:
    plant(MORNING)
    select_due(MORNING)
    all_sent()
    signup.leave(alice, page="/", now=MORNING)
    with time_machine.travel(MORNING + 1_000 * DAY, tick=False):
        before = said("prune", "--dry-run")
        assert set(Subscriber.objects.values_list("email", flat=True)) == {alice.email, bob.email, "dora@example.org"}
        assert KeptPage.objects.exists()
        after = said("prune")
        again = said("prune")
    assert "1  unconfirmed sign-ups, after 7 days (KEEP_UNCONFIRMED_DAYS)" in before
    assert len(before.splitlines()) == len(RULES) + 1
    gone_with_their_subscriber = ("digests with", "interests that nobody has", "matches of ")
    for old, new in zip(before.splitlines()[:-1], after.splitlines()[:-1], strict=True):
        assert old == new or any(name in old for name in gone_with_their_subscriber)
    assert again.splitlines()[-1] == "Deleted 0 in all."


def said(*command: str) -> str:
    out = StringIO()
    call_command(*command, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_one_rule_that_fails_holds_up_no_other(
    papers: list[Paper], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    plant(MORNING)
    caplog.set_level("INFO")
    plain = batches.delete

    def broken(rows: Any, keys: Any) -> int:
        if rows.model is KeptPage:
            raise RuntimeError("the disk is full")
        return plain(rows, keys)

    monkeypatch.setattr(batches, "delete", broken)
    pruning.prune(MORNING + 1_000 * DAY)
    assert KeptPage.objects.exists()
    assert not LogEntry.objects.exists()
    assert "Deleting pages that could not be read failed" in caplog.text
    assert "Pruned: " in caplog.text
    assert "1 entries of the admin's history" in caplog.text


@pytest.mark.django_db
def test_the_timetable_prunes_every_hour(papers: list[Paper]) -> None:
    entry = ScheduleEntry(app=app, **app.conf.beat_schedule["prune"])
    assert entry.schedule.run_every == dt.timedelta(hours=1)
    assert app.tasks[entry.task] is tasks.prune or entry.task == tasks.prune.name
    plant(MORNING)
    with time_machine.travel(MORNING + 1_000 * DAY, tick=False):
        tasks.prune()
    assert not LogEntry.objects.exists()


@pytest.mark.django_db
def test_a_run_that_has_no_time_left_says_so_and_the_next_goes_on(
    papers: list[Paper], caplog: pytest.LogCaptureFixture
) -> None:
    plant(MORNING)
    pruning.prune(MORNING + 1_000 * DAY, longest=-1.0)
    assert "No time was left for all" in caplog.text
    assert LogEntry.objects.exists()
    pruning.prune(MORNING + 1_000 * DAY)
    assert not LogEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_thousands_of_old_digests_go_in_batches_beside_a_claim_that_runs(
    papers: list[Paper], smtp_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No batch holds more than its rows, and mail is chosen, claimed and sent between two of them."""
    now, old = MORNING, MORNING - 500 * DAY
    people = [make_reader(f"reader{number}@example.org", "diffusion") for number in range(4)]
    Digest.objects.bulk_create(
        Digest(subscriber=person, issue_date=(old - day * DAY).date(), created_at=old)
        for person in people for day in range(750)
    )  # fmt: skip
    Delivery.objects.bulk_create(
        Delivery(digest=digest, status="sent", not_before=old) for digest in Digest.objects.all()
    )
    sizes: list[int] = []
    plain = batches.delete

    def between(rows: Any, keys: Any) -> int:
        if rows.model is Digest:
            sizes.append(len(keys))
            assert not connection.in_atomic_block
            if len(sizes) == 2:
                in_another_thread(lambda: (select_due(now), delivery.deliver_all(now)))
        return plain(rows, keys)

    monkeypatch.setattr(batches, "delete", between)
    deleted = pruning.prune(now)
    assert deleted["digests with their deliveries"] == 3_000
    assert len(sizes) == 6
    assert max(sizes) == 500
    assert len(smtp_server.messages) == 4
    assert set(Delivery.objects.values_list("status", flat=True)) == {"sent"}
    assert Delivery.objects.count() == 4


@pytest.mark.django_db(transaction=True)
def test_rows_that_a_worker_holds_are_left_to_the_next_run(papers: list[Paper]) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite locks no single rows: its one writer goes first")
    person = make_reader("reader@example.org", "diffusion")
    for day in range(3):
        date = MORNING - (500 + day) * DAY
        Digest.objects.create(subscriber=person, issue_date=date.date(), created_at=date)
    held = Digest.objects.order_by("pk")[0]
    with transaction.atomic():
        Digest.objects.select_for_update().get(pk=held.pk)
        in_another_thread(lambda: pruning.prune(MORNING))
    assert list(Digest.objects.all()) == [held]
    pruning.prune(MORNING)
    assert not Digest.objects.exists()


def in_another_thread(work: Callable[[], object]) -> None:
    """Run it to its end with a connection of its own."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            failed.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)
    assert not thread.is_alive(), "it waits for a lock"
    assert not failed, failed
