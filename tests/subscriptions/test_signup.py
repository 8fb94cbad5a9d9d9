"""Signing up: what the page answers, what is stored, which mail is owed."""

from __future__ import annotations

import datetime as dt
import logging
import threading

import pytest
import time_machine
from django.db import connection
from django.test import Client

from subscriptions import emails, mail_requests, signup, tasks
from subscriptions.edit_interests import MAX_LINES
from subscriptions.models import Consent, Interest, Subscriber, Suppression
from tests.conftest import MORNING
from tests.smtp import Server
from tests.subscriptions.conftest import Post, answers, row

Notice = Subscriber.Notice
ADDRESSES = {
    "unknown": "dora@example.org",
    "pending": "bob@example.org",
    "active": "alice@example.org",
    "unsubscribed": "carol@example.org",
    "bounced": "erin@example.org",
    "complained": "frank@example.org",
}


@pytest.fixture
def everybody(alice: Subscriber, bob: Subscriber, carol: Subscriber, erin: Subscriber, frank: Subscriber) -> None:
    """A reader of every status."""


def test_the_form_is_shown_and_stores_nothing(client: Client, db: None) -> None:
    assert client.get("/subscribe/").status_code == 200
    assert client.head("/subscribe/").status_code == 200
    assert not Subscriber.objects.exists()


def test_it_stores_the_wishes_of_a_new_address(post: Post, now: dt.datetime) -> None:
    post(frequency="weekly", weekday="4", hour="7", time_zone="Asia/Kathmandu", max_papers="20", trending_share="30")
    dora = Subscriber.objects.get()
    assert (dora.email, dora.status, dora.next_digest_at) == ("dora@example.org", "pending", None)
    assert (dora.frequency, dora.weekday, dora.hour, dora.time_zone) == ("weekly", 4, 7, "Asia/Kathmandu")
    assert (dora.max_papers, dora.trending_share) == (20, 30)
    assert dora.lines() == ["diffusion", "-survey"]
    assert dora.notice == Notice.CONFIRM


def test_it_keeps_the_proof_of_the_request(post: Post) -> None:
    with time_machine.travel(MORNING, tick=False):
        post()
    proof = Consent.objects.get()
    assert (proof.kind, proof.at, proof.wording) == ("requested", MORNING, signup.WORDING)
    assert proof.page.endswith("/subscribe/")


def test_lines_of_one_meaning_are_one_interest_for_all(post: Post) -> None:
    post(interests="fine-tuning\nVision")
    post(email="egon@example.org", interests='"Fine tuned"\nvisions\nvision')
    assert Interest.objects.count() == 2
    assert Subscriber.objects.get(email="egon@example.org").lines() == ['"Fine tuned"', "visions"]


def test_a_pin_is_an_interest_of_its_own(post: Post) -> None:
    post(interests="mamba\n!Mamba")
    assert set(Interest.objects.values_list("text", "is_mute")) == {("!mamba", False), ("mamba", False)}
    assert Subscriber.objects.get().lines() == ["mamba", "!Mamba"]


@pytest.mark.parametrize("who", ADDRESSES)
def test_it_answers_alike_for_every_address(who: str, everybody: None, client: Client) -> None:
    expected = client.post("/subscribe/", answers(email="nobody-knows@example.org"), follow=True)
    answer = client.post("/subscribe/", answers(email=ADDRESSES[who]), follow=True)
    assert answer.redirect_chain == expected.redirect_chain == [("/subscribe/check-your-inbox/", 302)]
    assert (answer.status_code, answer.content) == (200, expected.content)
    assert answer.headers.keys() == expected.headers.keys()


@pytest.mark.parametrize("who, subject", [
    ("unknown", "Is it you?"), ("pending", "Is it you?"), ("unsubscribed", "Is it you?"), ("bounced", "Is it you?"),
    ("active", "You already get papers"), ("complained", ""),
])  # fmt: skip
def test_each_gets_the_mail_it_should(
    who: str, subject: str, everybody: None, post: Post, smtp_server: Server, now: dt.datetime
) -> None:
    post(email=ADDRESSES[who])
    emails.send_notices(now)
    assert [message["To"] for message in smtp_server.messages] == ([ADDRESSES[who]] if subject else [])
    assert all(message["Subject"].startswith(subject) for message in smtp_server.messages)


def test_nothing_of_an_active_reader_changes(alice: Subscriber, post: Post) -> None:
    before = row(alice)
    post(email="Alice@EXAMPLE.org", interests="agents", hour="20")
    after = row(alice)
    assert before["columns"] | {"notice": "already"} == after["columns"]
    assert (before["lines"], before["consents"]) == (after["lines"], after["consents"])
    assert Subscriber.objects.count() == 1


@pytest.mark.parametrize("reason", [Suppression.Reason.COMPLAINED, Suppression.Reason.BY_HAND])
def test_an_address_suppressed_for_good_is_not_even_stored(reason: str, post: Post, now: dt.datetime) -> None:
    Suppression.objects.add_address("Dora@example.org", reason, now)
    assert post().status_code == 302
    assert not Subscriber.objects.exists()
    assert not Consent.objects.exists()


def test_who_left_stays_unsubscribed_until_they_confirm(carol: Subscriber, post: Post) -> None:
    post(email=carol.email, interests="agents")
    carol.refresh_from_db()
    assert (carol.status, carol.next_digest_at, carol.notice) == ("unsubscribed", None, "confirm")


def test_a_machine_that_fills_in_everything_gets_the_same_answer_and_no_mail(post: Post) -> None:
    answer = post(website="https://pills.example")
    assert (answer.status_code, answer["Location"]) == (302, "/subscribe/check-your-inbox/")
    assert not Subscriber.objects.exists()


# --- one mail to a victim, however often a stranger types the address
def _owed_after(post: Post, *moments: dt.timedelta) -> int:
    """How many confirmations go out when somebody signs up at each of these moments."""
    for moment in moments:
        with time_machine.travel(MORNING + moment, tick=False):
            post()
            tasks.send_notices()
    return Subscriber.objects.get().notices_sent


def test_no_second_confirmation_while_one_is_fresh(post: Post, smtp_server: Server) -> None:
    assert _owed_after(post, *(dt.timedelta(seconds=n) for n in range(0, 900, 100))) == 1
    assert len(smtp_server.messages) == 1


def test_two_confirmations_a_day(post: Post, smtp_server: Server) -> None:
    assert _owed_after(post, *(dt.timedelta(hours=n) for n in range(24))) == 2
    assert len(smtp_server.messages) == 2


def test_three_confirmations_in_all(post: Post, smtp_server: Server) -> None:
    assert _owed_after(post, *(dt.timedelta(hours=8 * n) for n in range(20))) == 3
    assert len(smtp_server.messages) == 3


def test_requests_while_the_mail_server_is_down_add_up_to_one_mail(post: Post, smtp_server: Server) -> None:
    for _ in range(5):
        post()
    tasks.send_notices()
    assert len(smtp_server.messages) == 1


def test_who_was_told_often_that_they_are_subscribed_can_still_leave_and_come_back(
    alice: Subscriber, post: Post, now: dt.datetime
) -> None:
    Subscriber.objects.filter(pk=alice.pk).update(notices_sent=3, last_notice_at=now)
    alice.refresh_from_db()
    signup.leave(alice, page="", now=now)
    post(email=alice.email)
    alice.refresh_from_db()
    assert alice.notice == Notice.CONFIRM


# --- mistakes
def test_a_line_that_cannot_be_read_is_pointed_at_and_nothing_is_lost(post: Post) -> None:
    typed = 'vision\n\ndeep "chain of\naudio'
    answer = post(interests=typed, hour="20", time_zone="Asia/Kathmandu")
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Line 3 cannot be read." in page
    assert "Line 3, character 6: This quotation mark is never closed." in page
    assert 'deep <mark class="at">&quot;chain of</mark>' in page
    assert '<code class="lines">deep &quot;chain of&quot;</code>' in page
    assert "deep &quot;chain of\naudio</textarea>" in page
    assert 'value="dora@example.org"' in page
    assert '<option value="20" selected>' in page
    assert '<option value="Asia/Kathmandu" selected>' in page
    assert not Subscriber.objects.exists()


def test_every_bad_line_is_named(post: Post) -> None:
    page = post(interests="(a\nvision\nx)").content.decode()
    assert "2 lines cannot be read." in page
    assert "Line 1, character 1" in page
    assert "Line 3, character 2" in page


def test_the_pointer_is_right_behind_decomposed_accents(post: Post) -> None:
    page = post(interests='e\u0301tat "x').content.decode()
    assert 'état <mark class="at">&quot;x</mark>' in page


def test_a_long_line_of_decomposed_accents_is_refused_or_stored_whole(post: Post) -> None:
    assert post(interests="e\u0301" * 500).status_code == 302
    assert Subscriber.objects.get().lines() == ["é" * 500]


@pytest.mark.parametrize("field, value, message", [
    ("email", "", "Type the address"),
    ("email", "nobody", "must have an @-sign"),
    ("email", "a" * 255 + "@example.org", "at most 254 characters"),
    ("interests", "", "at least one interest"),
    ("interests", " \n ", "at least one interest"),
    ("interests", "vision\n" * (MAX_LINES + 1), "51 lines are too many"),
    ("interests", "x" * 2000, "2000 characters, 500 are the most"),
    ("interests", "x" * 10_001, "at most 10000 characters"),
    ("frequency", "hourly", "hourly is not one of the available choices"),
    ("hour", "24", "24 is not one of the available choices"),
    ("hour", "", "required"),
    ("weekday", "7", "7 is not one of the available choices"),
    ("time_zone", "Europe/Atlantis", "not one of the available choices"),
    ("time_zone", "../etc/passwd", "not one of the available choices"),
    ("max_papers", "1000000", "not one of the available choices"),
])  # fmt: skip
def test_a_wrong_field_says_what_is_wrong(field: str, value: str, message: str, post: Post) -> None:
    answer = post(**{field: value})
    assert answer.status_code == 422
    assert message in answer.content.decode()
    assert not Subscriber.objects.exists()


@pytest.mark.parametrize("field", ["email", "interests", "time_zone"])
def test_a_nul_byte_is_a_mistake_like_any_other(field: str, post: Post) -> None:
    assert post(**{field: "a\x00b"}).status_code == 422


@pytest.mark.parametrize("line", ["<script>alert(1)</script> (", '"><img src=x onerror=alert(1)> (', "</textarea>("])
def test_what_is_typed_is_text_and_never_markup(line: str, post: Post) -> None:
    page = post(interests=line, email='"><script>x</script>').content.decode()
    assert line not in page
    assert "<script>alert" not in page
    assert "<script>x" not in page
    assert "<img" not in page


# --- the door
def test_a_foreign_page_cannot_sign_somebody_up(strict: Client) -> None:
    assert strict.post("/subscribe/", answers()).status_code == 403
    assert not Subscriber.objects.exists()


def test_our_own_page_can(strict: Client) -> None:
    page = strict.get("/subscribe/")
    token = page.context["csrf_token"]
    assert strict.post("/subscribe/", answers(csrfmiddlewaretoken=str(token))).status_code == 302


@pytest.mark.parametrize("method", ["put", "delete", "patch", "options"])
def test_it_knows_three_methods(method: str, client: Client, db: None) -> None:
    assert getattr(client, method)("/subscribe/").status_code == 405


def test_it_answers_without_the_queue_and_owes_the_mail(
    post: Post, django_capture_on_commit_callbacks: object, caplog: pytest.LogCaptureFixture
) -> None:
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        assert post().status_code == 302
    assert len(callbacks) == 1
    assert "The queue cannot be reached" in caplog.text
    assert Subscriber.objects.get().notice == Notice.CONFIRM


def test_no_log_line_holds_an_address(
    post: Post,
    alice: Subscriber,
    caplog: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: object,
) -> None:
    caplog.set_level(logging.DEBUG)
    with django_capture_on_commit_callbacks(execute=True):
        post()
        post(email=alice.email)
        post(email="not an address@example.org")
    assert caplog.records
    sql = [record for record in caplog.records if record.name.startswith("django.db")]
    ours = [record.getMessage() for record in caplog.records if record not in sql]
    assert not [line for line in ours if "dora@" in line or "alice@" in line or "address@" in line]


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time")
@pytest.mark.django_db(transaction=True)
def test_two_requests_at_once_make_one_reader() -> None:
    start, failures = threading.Barrier(4), []

    def request() -> None:
        start.wait()
        try:
            assert Client().post("/subscribe/", answers()).status_code == 302
            mail_requests.handle_requests(MORNING)
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=request) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert Subscriber.objects.get().lines() == ["diffusion", "-survey"]
