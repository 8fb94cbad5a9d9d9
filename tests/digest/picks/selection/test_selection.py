"""Due readers -> digests."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable

import pytest

from digest.models import Delivery, Digest, Lane, Paper
from digest.picks.selection.select import select_chunk, select_due
from subscriptions.models import Subscriber
from tests.conftest import MORNING, all_sent, listing, make_reader
from tests.picks import picks_of

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)


def titles(digest: Digest) -> list[str]:
    return [pick["paper"].title for pick in picks_of(digest)]


def test_it_chooses_what_matches_with_the_reason(alice: Subscriber, papers: list[Paper]) -> None:
    selected = select_due(MORNING)
    assert (selected.readers, selected.mails) == (1, 1)
    digest = Digest.objects.get()
    assert titles(digest) == ["Thinking Aloud", "Diffusion for Weather"] or titles(digest) == [
        "Diffusion for Weather",
        "Thinking Aloud",
    ]
    by_title = {pick["paper"].title: pick["reasons"] for pick in picks_of(digest)}
    assert by_title["Thinking Aloud"][0]["line"] == '"chain of thought"'
    assert by_title["Thinking Aloud"][0]["words"] == ["Chain-of-thought"]
    assert digest.delivery.status == Delivery.Status.WAITING


def test_what_a_pin_matches_comes_first_whatever_its_points(
    store: Callable[..., list[Paper]],
) -> None:
    make_reader("alice@example.org", "diffusion", "!kettles", max_papers=2)
    others = [listing(f"Diffusion number {number}", upvotes=50) for number in range(4)]
    store(*others, listing("Cooking", "Of kettles, at last."))
    select_due(MORNING)
    assert titles(Digest.objects.get()) == ["Cooking", "Diffusion number 0"]


def test_a_mute_is_stronger_than_a_pin(store: Callable[..., list[Paper]]) -> None:
    make_reader("alice@example.org", "!kettles", "-survey")
    store(listing("A survey of kettles"), listing("Kettles"))
    select_due(MORNING)
    assert titles(Digest.objects.get()) == ["Kettles"]


def test_only_the_due_are_taken(alice: Subscriber, bob: Subscriber, carol: Subscriber, papers: list[Paper]) -> None:
    make_reader("dora@example.org", "diffusion", next_digest_at=MORNING + dt.timedelta(minutes=1))
    make_reader("emil@example.org", "diffusion", paused_until=MORNING + DAY)
    select_due(MORNING)
    assert [digest.subscriber for digest in Digest.objects.all()] == [alice]


def test_looking_twice_chooses_once(alice: Subscriber, papers: list[Paper]) -> None:
    select_due(MORNING)
    assert select_due(MORNING).readers == 0
    alice.refresh_from_db()
    assert alice.next_digest_at == MORNING + DAY


def test_a_digest_of_that_date_is_never_made_twice(alice: Subscriber, papers: list[Paper]) -> None:
    select_due(MORNING)
    Subscriber.objects.update(next_digest_at=MORNING)
    assert select_due(MORNING).mails == 0
    assert Digest.objects.count() == 1


def test_no_paper_comes_twice(alice: Subscriber, papers: list[Paper], store: Callable[..., list[Paper]]) -> None:
    select_due(MORNING)
    all_sent()
    store(listing("Diffusion for Weather", "We forecast rain with a diffusion model, again."), now=MORNING)
    store(listing("Fresh Diffusion"), now=MORNING)
    select_due(MORNING + DAY)
    assert titles(Digest.objects.get(issue_date=(MORNING + DAY).date())) == ["Fresh Diffusion"]


def test_no_paper_comes_twice_even_when_it_is_listed_long_after(
    alice: Subscriber, papers: list[Paper], store: Callable[..., list[Paper]]
) -> None:
    """A page of an old date read again months later is the same old paper."""
    select_due(MORNING)
    all_sent()
    later = MORNING + 90 * DAY
    Paper.objects.update(first_seen_at=later)
    Subscriber.objects.update(next_digest_at=later)
    assert select_due(later).mails == 0


def test_nothing_matched_makes_no_mail_and_says_so(papers: list[Paper], caplog: pytest.LogCaptureFixture) -> None:
    reader = make_reader("nina@example.org", "entomology")
    with caplog.at_level(logging.INFO):
        selected = select_due(MORNING)
    assert (selected.readers, selected.mails) == (1, 0)
    assert Digest.objects.get().picks == []
    assert not Delivery.objects.exists()
    assert "Nothing matched for n***@example.org" in caplog.text
    reader.refresh_from_db()
    assert reader.next_digest_at == MORNING + DAY


def test_who_asked_to_be_told_of_nothing_gets_a_mail_that_says_so(papers: list[Paper]) -> None:
    make_reader("nina@example.org", "entomology", empty_mail=True)
    make_reader("otto@example.org", "entomology")
    make_reader("alice@example.org", "diffusion", empty_mail=True)
    selected = select_due(MORNING)
    assert (selected.readers, selected.mails, Delivery.objects.count()) == (3, 2, 2)
    mail = Delivery.objects.get(digest__subscriber__email="nina@example.org")
    assert mail.digest.picks == []
    assert (mail.status, mail.not_before) == (Delivery.Status.WAITING, MORNING)
    Subscriber.objects.update(next_digest_at=MORNING)
    assert select_due(MORNING).mails == 0


def test_trending_papers_come_when_asked_for(papers: list[Paper]) -> None:
    make_reader("nina@example.org", "entomology", trending_share=30)
    select_due(MORNING)
    picks = Digest.objects.get().picks
    assert [pick.lane for pick in picks] == [Lane.TRENDING] * 3
    assert Paper.objects.get(pk=picks[0].paper).upvotes == 90


def test_old_papers_are_no_candidates(alice: Subscriber, papers: list[Paper]) -> None:
    Paper.objects.update(first_seen_at=MORNING - 8 * DAY, first_listed_on=(MORNING - 8 * DAY).date())
    assert select_due(MORNING).mails == 0


def test_the_issue_date_is_the_readers_own(papers: list[Paper]) -> None:
    """23:00 UTC on Sunday is 8 o'clock on Monday in Tokyo."""
    due = dt.datetime(2026, 3, 15, 23, 0, tzinfo=dt.UTC)
    make_reader("taro@example.org", "diffusion", time_zone="Asia/Tokyo", next_digest_at=due)
    select_due(MORNING)
    assert Digest.objects.get().issue_date == dt.date(2026, 3, 16)


def test_a_late_look_still_carries_the_date_that_was_due(alice: Subscriber, papers: list[Paper]) -> None:
    select_due(MORNING + dt.timedelta(hours=20))
    assert Digest.objects.get().issue_date == MORNING.date()


def test_a_look_days_late_carries_its_own_date(alice: Subscriber, papers: list[Paper]) -> None:
    select_due(MORNING + 3 * DAY)
    assert Digest.objects.get().issue_date == (MORNING + 3 * DAY).date()


def test_a_crash_in_the_middle_leaves_readers_due(
    alice: Subscriber, papers: list[Paper], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last write of the transaction fails, as when the worker's database connection dies."""

    def die(*args: object, **kwargs: object) -> None:
        raise ConnectionError("gone")

    monkeypatch.setattr("digest.picks.selection.bulk_write.set_due", die)
    with pytest.raises(ConnectionError):
        select_chunk(MORNING)
    monkeypatch.undo()
    assert not Digest.objects.exists()
    assert select_due(MORNING).mails == 1


def test_queries_do_not_grow_with_readers(
    papers: list[Paper], django_assert_max_num_queries: Callable[..., object]
) -> None:
    for number in range(40):
        make_reader(f"reader{number}@example.org", "diffusion", f"topic{number}")
    with django_assert_max_num_queries(25):
        assert select_chunk(MORNING).readers == 40
