"""Only what active subscribers want is matched, and nothing stays behind when nobody wants it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from digest.models import Match, Paper
from digest.operations.retention import pruning
from digest.relevance import match_papers
from subscriptions import bounces, edit_interests, links, mail_requests, signup
from subscriptions.erasure import erase
from subscriptions.models import Interest, InterestLine, Subscriber
from tests.conftest import MORNING, listing, make_reader

pytestmark = pytest.mark.django_db

SIGNUP = {"email": "dora@example.org", "frequency": "daily", "hour": "8", "weekday": "0", "time_zone": "UTC"}
FIFTY = [f"diffusion OR word{number}" for number in range(50)]


def sign_up(client: Client, *typed: str) -> Subscriber:
    with time_machine.travel(MORNING, tick=False):
        answer = client.post(reverse("subscriptions:subscribe"), {**SIGNUP, "interests": "\n".join(typed)})
        assert answer.status_code == 302
        mail_requests.handle_requests(MORNING)
        match_papers.match_new(MORNING)
    return Subscriber.objects.get(email="dora@example.org")


def confirm(subscriber: Subscriber, client: Client) -> None:
    with time_machine.travel(MORNING, tick=False):
        assert client.post(links.confirm(subscriber)).status_code == 302
        match_papers.match_new(MORNING)


def found(text: str) -> int:
    return Match.objects.filter(interest__text=text).count()


def test_a_sign_up_of_fifty_lines_leaves_no_match_and_no_interest(papers: list[Paper], client: Client) -> None:
    dora = sign_up(client, *FIFTY)
    assert len(dora.lines()) == 50
    assert not Match.objects.exists()
    signup.prune_unconfirmed(MORNING + dt.timedelta(days=8))
    assert not Interest.objects.exists()
    assert not InterestLine.objects.exists()


def test_a_morning_costs_the_same_however_many_sign_ups_wait(
    alice: Subscriber, store: Callable[..., list[Paper]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def morning(title: str) -> tuple[int, int]:
        asked: list[int] = []
        plain = match_papers._rows
        monkeypatch.setattr(match_papers, "_rows", lambda index, *rest: asked.append(len(index)) or plain(index, *rest))
        with CaptureQueriesContext(connection) as queries:
            store(listing(title))
        monkeypatch.setattr(match_papers, "_rows", plain)
        return len(queries), sum(asked)

    morning("Diffusion to Warm Up")
    before = morning("Diffusion at First")
    for number in range(20):
        pending = make_reader(f"pending{number}@example.org", status="pending", confirmed_at=None)
        pending.set_lines([f"diffusion OR topic{number}x{line}" for line in range(5)])
    assert Interest.objects.count() == 103
    assert morning("Diffusion Later On") == before


def test_a_confirmation_has_the_lines_matched(papers: list[Paper], client: Client) -> None:
    dora = sign_up(client, "pruning")
    assert not found("pruning")
    confirm(dora, client)
    assert found("pruning") == 1


def test_an_import_has_the_lines_matched(papers: list[Paper], tmp_path: object) -> None:
    file = tmp_path / "list.csv"
    file.write_text("email,interests\nada@example.org,pruning\n")
    call_command("import_subscribers", str(file))
    match_papers.match_new(MORNING)
    assert not found("pruning")
    file.write_text("email,interests\neve@example.org,diffusion\n")
    call_command("import_subscribers", str(file), "--confirmed")
    match_papers.match_new(MORNING)
    assert found("diffusion") == 2
    assert not found("pruning")


def test_lines_changed_by_an_active_subscriber_are_matched_and_the_old_ones_go(
    alice: Subscriber, papers: list[Paper]
) -> None:
    assert found("diffusion")
    alice.set_lines(["pruning", "-survey"])
    match_papers.match_new(MORNING)
    assert found("pruning") == 1
    assert set(Interest.objects.values_list("text", flat=True)) == {"pruning", "-survey"}


def test_one_line_more_is_matched_and_one_less_goes(alice: Subscriber, papers: list[Paper]) -> None:
    edit_interests.add(alice, "pruning")
    match_papers.match_new(MORNING)
    assert found("pruning") == 1
    edit_interests.remove(alice, "pruning")
    assert not Interest.objects.filter(text="pruning").exists()


def test_who_leaves_costs_nothing_and_gets_everything_back_by_the_undo(
    alice: Subscriber, papers: list[Paper], client: Client, store: Callable[..., list[Paper]]
) -> None:
    before = set(Match.objects.values_list("interest__text", "paper", "weight"))
    typed = alice.lines()
    client.post(links.unsubscribe(alice))
    store(listing("Diffusion While Away"))
    assert not Match.objects.filter(paper__title="Diffusion While Away").exists()
    pruning.prune(MORNING)
    assert not Match.objects.exists()
    client.post(links.unsubscribe(alice), {"undo": "1"})
    match_papers.match_new(MORNING)
    assert alice.lines() == typed
    assert before < set(Match.objects.values_list("interest__text", "paper", "weight"))
    assert Match.objects.filter(paper__title="Diffusion While Away", interest__text="diffusion").exists()


@pytest.mark.parametrize("stop", [bounces.give_up, bounces.complained])
def test_a_mailbox_that_is_given_up_is_not_matched(
    stop: Callable[[Subscriber, dt.datetime], None], alice: Subscriber, store: Callable[..., list[Paper]]
) -> None:
    stop(alice, MORNING)
    store(listing("Fresh Diffusion"))
    assert not Match.objects.exists()


def test_an_interest_stays_matched_while_another_active_subscriber_has_it(
    alice: Subscriber, store: Callable[..., list[Paper]], client: Client
) -> None:
    make_reader("other@example.org", "diffusion")
    client.post(links.unsubscribe(alice))
    store(listing("Fresh Diffusion"))
    assert found("diffusion") == 1


def test_a_subscriber_erased_takes_interests_and_matches_along(alice: Subscriber, papers: list[Paper]) -> None:
    assert Match.objects.exists()
    erase(alice)
    assert not Interest.objects.exists()
    assert not Match.objects.exists()


@pytest.fixture
def staff(client: Client, db: None) -> Client:
    client.force_login(User.objects.create_superuser("staff"))
    return client


def test_subscribers_deleted_in_the_admin_take_their_interests_along(
    alice: Subscriber, papers: list[Paper], staff: Client
) -> None:
    staff.post(
        reverse("admin:subscriptions_subscriber_changelist"),
        {"action": "delete_selected", "_selected_action": [alice.pk], "post": "yes"},
    )
    assert not Subscriber.objects.exists()
    assert not Interest.objects.exists()


def test_nobody_deletes_an_interest_that_subscribers_have(alice: Subscriber, staff: Client) -> None:
    interest = Interest.objects.get(text="diffusion")
    answer = staff.post(reverse("admin:subscriptions_interest_delete", args=[interest.pk]), {"post": "yes"})
    assert answer.status_code == 403
    assert "diffusion" in alice.lines()


def test_a_sweep_corrects_what_was_changed_by_hand(alice: Subscriber, carol: Subscriber, papers: list[Paper]) -> None:
    Interest.objects.filter(text="-survey").update(wanted_at=None)
    Subscriber.objects.filter(pk=carol.pk).update(status="active")
    Subscriber.objects.filter(pk=alice.pk).update(status="unsubscribed")
    carol.interest_lines.all().delete()
    Subscriber.objects.filter(pk=carol.pk).delete()
    bob = make_reader("late@example.org", "agents", status="pending", confirmed_at=None)
    Subscriber.objects.filter(pk=bob.pk).update(status="active")
    pruning.prune(MORNING)
    assert list(Interest.objects.wanted().values_list("text", flat=True)) == ["agents"]
    match_papers.match_new(MORNING)
    assert set(Match.objects.values_list("interest__text", flat=True)) == {"agents"}


def test_a_wide_line_keeps_the_matches_of_the_newest_papers(
    store: Callable[..., list[Paper]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(match_papers, "MOST_MATCHES", 3)
    stored = store(*(listing(f"Diffusion {number}", f"Diffusion again {number}.") for number in range(5)))
    make_reader("wide@example.org", "diffusion", "-again")
    newest = {paper.pk for paper in sorted(stored, key=lambda paper: paper.pk)[-3:]}
    assert set(Match.objects.filter(interest__text="diffusion").values_list("paper", flat=True)) == newest
    assert found("-again") == 5  # what a mute forgot would be mailed
    store(listing("Diffusion, the newest of all"))
    pruning.prune(MORNING)
    kept = Match.objects.filter(interest__text="diffusion").order_by("paper").values_list("paper__title", flat=True)
    assert list(kept)[-1] == "Diffusion, the newest of all"
    assert len(kept) == 3


def test_staff_still_see_the_next_mail_of_a_sign_up_that_waits(
    papers: list[Paper], client: Client, staff: Client
) -> None:
    dora = sign_up(client, "pruning")
    with time_machine.travel(MORNING, tick=False):
        page = staff.get(reverse("next_mail", args=[dora.pk])).content.decode()
    assert "Pruning Networks" in page
    assert not Match.objects.exists()


def test_an_interest_given_up_while_it_is_matched_gets_no_row(
    alice: Subscriber, papers: list[Paper], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deleted between the finding and the storing: no error, and the others are stored."""
    alice.set_lines(["pruning", "diffusion"])
    plain = match_papers._store

    def late(rows: object) -> int:
        found = list(rows)
        Interest.objects.filter(text="pruning").delete()
        return plain(iter(found))

    Match.objects.all().delete()
    Interest.objects.update(matched_at=None)
    monkeypatch.setattr(match_papers, "_store", late)
    match_papers.match_interests(MORNING)
    assert set(Match.objects.values_list("interest__text", flat=True)) == {"diffusion"}
