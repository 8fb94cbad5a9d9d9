"""What would be sent, and what another ranking would have sent: looked at, never stored."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable

import numpy as np
import pytest
import time_machine
from django.core.management import CommandError, call_command

from digest.models import Delivery, Digest, Feedback, Paper
from digest.picks.selection import dry_run
from digest.picks.selection.dry_run import Change
from digest.picks.selection.select import select_due
from digest.relevance.ranking.candidates import Candidates
from subscriptions.models import Subscriber
from tests.conftest import MORNING, all_sent, listing, make_reader

DAY = dt.timedelta(days=1)
DATE = MORNING.date().isoformat()


def test_a_change_says_what_came_went_and_moved() -> None:
    assert not Change.between([1, 2, 3], [1, 2, 3])
    assert Change.between([1, 2, 3], [3, 1, 4]) == Change(came=(4,), went=(2,), moved=(3, 1))
    assert Change.between([1, 2, 3], [2, 3]) == Change(came=(), went=(1,), moved=())


def compare(date: str = DATE) -> str:
    out = io.StringIO()
    call_command("send_digests", "--date", date, "--dry-run", "--compare", stdout=out)
    return out.getvalue()


@pytest.fixture
def sent(store: Callable[..., list[Paper]]) -> list[Subscriber]:
    """Two readers who got a mail on two days."""
    readers = [make_reader("alice@example.org", "diffusion", max_papers=2), make_reader("bob@example.org", "pruning")]
    store(*(listing(f"Diffusion {n}", "Pruning of kettles." if n == 2 else "", upvotes=9 - n) for n in range(5)))
    select_due(MORNING)
    all_sent()
    select_due(MORNING + DAY)
    return readers


@pytest.mark.django_db
def test_the_same_ranking_would_change_nothing_even_after_later_mails_and_clicks(sent: list[Subscriber]) -> None:
    paper = Paper.objects.get(title="Diffusion 3")
    Feedback.objects.create(subscriber=sent[0], paper=paper, kind=Feedback.Kind.MORE, at=MORNING + DAY / 2)
    assert compare() == (
        f"2 digests of {DATE}: 2 would be the same, 0 would change (0 papers in, 0 out, 0 moved)."
        " Upvotes and lines are those of today; nothing was changed.\n"
    )


@pytest.mark.django_db
def test_a_changed_ranking_is_told_reader_by_reader(sent: list[Subscriber], monkeypatch: pytest.MonkeyPatch) -> None:
    before = list(Digest.objects.order_by("pk").values()), list(Delivery.objects.order_by("pk").values())
    due = list(Subscriber.objects.order_by("pk").values_list("next_digest_at", flat=True))
    # What puts papers of equal points in order.
    monkeypatch.setattr(Candidates, "columns", property(lambda self: np.argsort(-self.ids)))
    Paper.objects.update(upvotes=0)
    told = compare()
    ids = {paper.title: paper.pk for paper in Paper.objects.all()}
    came, went = (f"{ids[f'Diffusion {a}']} {ids[f'Diffusion {b}']}" for a, b in ((2, 4), (0, 1)))
    assert told.startswith(f"a***@example.org: in {came}; out {went}\n")
    assert "1 would be the same, 1 would change (2 papers in, 2 out, 0 moved)." in told
    assert told == compare()
    assert (list(Digest.objects.order_by("pk").values()), list(Delivery.objects.order_by("pk").values())) == before
    assert list(Subscriber.objects.order_by("pk").values_list("next_digest_at", flat=True)) == due


@pytest.mark.django_db
def test_chunks_of_one_give_the_same(sent: list[Subscriber], monkeypatch: pytest.MonkeyPatch) -> None:
    whole = compare()
    monkeypatch.setattr(dry_run, "CHUNK", 1)
    assert compare() == whole


@pytest.mark.django_db
def test_a_day_without_digests_is_an_error() -> None:
    with pytest.raises(CommandError, match="no digests of 2026-01-01"):
        compare("2026-01-01")


@pytest.mark.parametrize("flags", [["--compare"], ["--compare", "--dry-run"], ["--compare", "--date", DATE]])
def test_comparing_needs_a_dry_run_and_a_day(flags: list[str]) -> None:
    with pytest.raises(CommandError, match="--compare needs"):
        call_command("send_digests", *flags)


@pytest.mark.django_db
def test_a_dry_run_says_who_would_get_what_and_writes_nothing(alice: Subscriber, papers: list[Paper]) -> None:
    Paper.objects.filter(title="Pruning Networks").update(matched_at=None)
    out, err = io.StringIO(), io.StringIO()
    call_command("send_digests", "--now", MORNING.isoformat(), "--dry-run", stdout=out, stderr=err)
    assert out.getvalue() == (
        "a***@example.org: 2 papers\n  Diffusion for Weather\n  Thinking Aloud\n"
        "1 reader would be looked at; nothing was changed.\n"
    )
    assert "not matched yet" in err.getvalue()
    assert Paper.objects.filter(matched_at=None).count() == 1
    assert not Digest.objects.exists()


@pytest.mark.django_db
def test_a_preview_is_of_the_next_mail_and_says_so(alice: Subscriber, papers: list[Paper]) -> None:
    alice.next_digest_at = MORNING + DAY
    alice.save()
    out, err = io.StringIO(), io.StringIO()
    with time_machine.travel(MORNING, tick=False):
        call_command("preview_digest", "alice@example.org", stdout=out, stderr=err)
    assert "The mail of 2026-03-17 08:00 UTC" in err.getvalue()
    assert "17 March 2026" in out.getvalue()


@pytest.mark.django_db
def test_a_preview_of_another_moment_can_be_asked_for(alice: Subscriber, papers: list[Paper]) -> None:
    err = io.StringIO()
    call_command("preview_digest", "alice@example.org", "--now", "2026-03-18T07:30", stdout=io.StringIO(), stderr=err)
    assert "The mail of 2026-03-18 07:30 UTC" in err.getvalue()
    with pytest.raises(CommandError, match="would be sent at 2026-05-01 23:59 UTC"):
        call_command("preview_digest", "alice@example.org", "--date", "2026-05-01", stderr=err)
