"""What Celery's messages do, whatever becomes of them: the broker may lose or repeat each, and beat may run twice."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import time_machine
from pytest_django import Settings

from digest import tasks
from digest.models import Delivery, Digest, Paper
from digest.picks.selection import select
from subscriptions.models import Subscriber
from tests.conftest import MORNING, make_reader
from tests.smtp import Server

pytestmark = pytest.mark.django_db


def run_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for task in (tasks.select_chunk, tasks.deliver_chunks):
        monkeypatch.setattr(task, "apply_async", lambda task=task, **options: task())


class Broker:
    """Takes messages and hands them out when told to; it may be told to lose or repeat them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.queue: list[Any] = []
        self.said: list[str] = []
        for task in (tasks.select_chunk, tasks.deliver_chunks):
            monkeypatch.setattr(task, "apply_async", lambda task=task, **options: self._take(task))

    def _take(self, task: Any) -> None:
        self.queue.append(task)
        self.said.append(task.name.rpartition(".")[2])

    def run(self, times: int = 1) -> None:
        """Until nothing is left; each message so many times."""
        while self.queue:
            task = self.queue.pop(0)
            for _ in range(times):
                task()


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    return Broker(monkeypatch)


def readers(count: int) -> None:
    for number in range(count):
        make_reader(f"reader{number}@example.org", "diffusion")


def chosen_once_each(count: int) -> bool:
    return Digest.objects.count() == Digest.objects.values("subscriber").distinct().count() == count


# --- select_chunk
@pytest.fixture
def chunks_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(select, "CHUNK", 2)


@pytest.mark.usefixtures("chunks_of_two")
def test_a_message_chooses_for_a_chunk_and_passes_on(papers: list[Paper], broker: Broker) -> None:
    readers(5)
    with time_machine.travel(MORNING, tick=False):
        tasks.select_chunk()
        assert chosen_once_each(2)
        assert broker.said == ["select_chunk", "deliver_chunks"]  # a full chunk: there may be more
        tasks.select_chunk()
        broker.said.clear()
        tasks.select_chunk()
    assert chosen_once_each(5)
    assert broker.said == ["deliver_chunks"]  # not a full one: that was all


def test_as_many_messages_send_as_there_are_chunks_of_mails(
    papers: list[Paper], broker: Broker, settings: Settings
) -> None:
    """Or one worker would send them all while the others wait for the next look."""
    settings.MAIL_CHUNK = 2
    readers(5)
    with time_machine.travel(MORNING, tick=False):
        tasks.select_chunk()
    assert broker.said == ["deliver_chunks"] * 3


@pytest.mark.parametrize(("turn", "messages"), [(0.0, 4), (60.0, 1)])
def test_who_sends_goes_on_for_a_turn_and_then_lets_other_work_go_first(
    papers: list[Paper], smtp_server: Server, broker: Broker, settings: Settings, monkeypatch: pytest.MonkeyPatch,
    turn: float, messages: int,
) -> None:  # fmt: skip
    settings.MAIL_CHUNK = 2
    monkeypatch.setattr(tasks, "TURN", turn)
    readers(7)
    with time_machine.travel(MORNING, tick=False):
        select.select_due(MORNING)
        tasks.deliver_chunks()
        broker.run()
    assert broker.said == ["deliver_chunks"] * (messages - 1)
    assert len(smtp_server.accepted) == 7


@pytest.mark.usefixtures("chunks_of_two")
def test_one_message_leads_to_all_readers(papers: list[Paper], smtp_server: Server, broker: Broker) -> None:
    readers(5)
    with time_machine.travel(MORNING, tick=False):
        tasks.select_chunk()
        broker.run()
    assert chosen_once_each(5)
    assert len(smtp_server.accepted) == 5


@pytest.mark.usefixtures("chunks_of_two")
@pytest.mark.parametrize("times", [2, 5])
def test_a_message_that_comes_again_and_again_doubles_nothing(
    papers: list[Paper], smtp_server: Server, broker: Broker, times: int
) -> None:
    readers(5)
    with time_machine.travel(MORNING, tick=False):
        tasks.select_chunk()
        broker.run(times)
    assert chosen_once_each(5)
    assert sorted(str(one["To"]) for one in smtp_server.messages) == [f"reader{n}@example.org" for n in range(5)]


@pytest.mark.usefixtures("chunks_of_two")
def test_a_successor_that_is_lost_costs_a_look(papers: list[Paper], smtp_server: Server, broker: Broker) -> None:
    readers(5)
    with time_machine.travel(MORNING, tick=False):
        tasks.select_chunk()
        broker.queue.clear()  # Redis was flushed
        tasks.send_due()
        broker.run()
    assert chosen_once_each(5)
    assert len(smtp_server.accepted) == 5


def test_a_message_with_nobody_due_says_nothing(papers: list[Paper], broker: Broker) -> None:
    make_reader("later@example.org", "diffusion", next_digest_at=MORNING + dt.timedelta(hours=1))
    with time_machine.travel(MORNING, tick=False):
        tasks.select_chunk()
    assert (Digest.objects.count(), broker.said) == (0, [])


def test_where_nothing_matches_nothing_is_to_be_sent(papers: list[Paper], broker: Broker) -> None:
    make_reader("nina@example.org", "entomology")
    with time_machine.travel(MORNING, tick=False):
        tasks.select_chunk()
    assert chosen_once_each(1)
    assert broker.said == []


@pytest.mark.usefixtures("chunks_of_two")
def test_a_look_sends_a_message_a_chunk_and_never_one_a_reader(
    papers: list[Paper], broker: Broker, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    readers(6)
    with time_machine.travel(MORNING, tick=False):
        tasks.send_due()
        assert broker.said == ["select_chunk"] * 3
        monkeypatch.setattr(tasks, "MAX_HELPERS", 2)
        broker.said.clear()
        tasks.send_due()
        assert broker.said == ["select_chunk"] * 2  # the rest comes by successors
        for _ in range(3):
            tasks.select_chunk()
        broker.said.clear()
        settings.MAIL_CHUNK = 4
        tasks.send_due()
    assert broker.said == ["deliver_chunks"] * 2


# --- beat, and whatever the broker does
def test_each_message_may_come_three_times(
    papers: list[Paper], smtp_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers(3)
    for task in (tasks.select_chunk, tasks.deliver_chunks):
        monkeypatch.setattr(task, "apply_async", lambda task=task, **options: [task() for _ in range(3)])
    with time_machine.travel(MORNING, tick=False):
        for _ in range(2):  # beat runs twice
            tasks.send_due()
    assert len(smtp_server.accepted) == 3


@pytest.mark.usefixtures("chunks_of_two")
def test_two_beats_that_look_before_any_worker_does_double_nothing(
    papers: list[Paper], smtp_server: Server, broker: Broker
) -> None:
    readers(5)
    with time_machine.travel(MORNING, tick=False):
        for _ in range(2):
            tasks.send_due()
        assert broker.said == ["select_chunk"] * 6
        broker.run()
        broker.said.clear()
        for _ in range(2):
            tasks.send_due()
    assert broker.said == []
    assert chosen_once_each(5)
    assert len(smtp_server.accepted) == 5


def test_each_message_may_be_lost_but_the_look(
    papers: list[Paper], smtp_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers(1)
    for task in (tasks.select_chunk, tasks.deliver_chunks):
        monkeypatch.setattr(task, "apply_async", lambda **options: None)
    with time_machine.travel(MORNING, tick=False):
        tasks.send_due()
        assert not Delivery.objects.exists()
        run_at_once(monkeypatch)
        tasks.send_due()
    assert len(smtp_server.accepted) == 1


def test_no_task_carries_state_an_eta_or_a_countdown() -> None:
    for name, task in tasks.send_due.app.tasks.items():
        if name.startswith("digest.tasks.") and name != "digest.tasks.ingest_one":  # whose source it is
            assert task.run.__code__.co_argcount == 0, name
    source = Path(tasks.__file__).read_text(encoding="utf-8")
    assert "eta=" not in source and "countdown=" not in source


# --- clocks that are put forward and back
@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Europe/Berlin", "2026-03-29"),  # 02:00 does not exist
        ("Europe/Berlin", "2026-10-25"),  # 02:00 comes twice
        ("America/Nuuk", "2026-03-28"),  # the last hour of the day does not exist
        ("America/New_York", "2026-11-01"),
        ("Australia/Lord_Howe", "2026-04-05"),  # half an hour
        ("Antarctica/Troll", "2026-03-29"),  # two hours
    ],
)
def test_every_reader_has_one_digest_a_day_whatever_the_clocks_do(papers: list[Paper], zone: str, day: str) -> None:
    """Readers at the hours that clocks skip and repeat, looked at whenever one of them is due, for three days."""
    noon = dt.datetime.fromisoformat(f"{day}T12:00+00:00")
    start = noon - dt.timedelta(days=1, hours=12)
    for hour in (0, 1, 2, 3, 23):
        reader = make_reader(f"reader{hour}@example.org", "diffusion", hour=hour, time_zone=zone)
        Subscriber.objects.filter(pk=reader.pk).update(next_digest_at=reader.choose_next_digest_at(start))
    while (moment := Subscriber.objects.earliest("next_digest_at").next_digest_at) < start + dt.timedelta(days=3):
        select.select_due(moment)
    for reader in Subscriber.objects.all():
        days = list(reader.digests.order_by("pk").values_list("issue_date", flat=True))
        assert days.count(noon.date()) == 1, reader
        assert days == [days[0] + dt.timedelta(days=number) for number in range(len(days))], reader
