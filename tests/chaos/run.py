"""One chaos run: so many mails while so many kills happen; then every number, and what must hold."""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.chaos.house import WINDOW, House
from tests.chaos.server import IN_DOUBT

GONE_EVERY = 40  # one reader in so many has an address that is refused for good
HOUR, DAY = 3600, 86_400


@dataclass
class Figures:
    """What happened, and what arrived."""

    seed: int
    due: int
    refused: int
    window: int = WINDOW
    kills: int = 0
    events: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    arrived: int = 0
    lost: list[str] = field(default_factory=list)
    duplicates: int = 0
    of_the_server: int = 0  # copies of mails that the server took and left without an answer
    two_ids: list[str] = field(default_factory=list)
    states: dict[str, int] = field(default_factory=dict)
    attempts: int = 0

    @property
    def of_kills(self) -> int:
        return self.duplicates - self.of_the_server

    def lines(self) -> Iterator[str]:
        yield f"seed                          {self.seed}"
        yield f"mails due                     {self.due}, of which refused for good {self.refused}"
        yield f"arrived                       {self.arrived} readers' mails in {self.seconds:.0f} s"
        yield f"lost                          {len(self.lost)} {self.lost[:5] or ''}"
        yield f"kills (SIGKILL of a worker)   {self.kills}"
        yield f"other events                  {dict(self.events)}"
        yield f"in-flight window              {self.window}"
        yield f"duplicates                    {self.duplicates}"
        yield f"  the server left in doubt    {self.of_the_server}"
        yield f"  after kills                 {self.of_kills} (at most {self.kills} x {self.window})"
        yield f"  with another Message-ID     {len(self.two_ids)}"
        yield f"most tries of one mail        {self.attempts}"
        yield f"states of all rows            {self.states}"

    def check(self) -> None:
        assert not self.lost, f"lost: {self.lost}"
        assert not self.two_ids, f"another Message-ID: {self.two_ids}"
        assert self.of_kills <= self.kills * self.window
        assert self.states == {"sent": self.due - self.refused, "failed": self.refused}


def plan(house: House, figures: Figures, kills: int) -> list[Callable[[], None]]:
    """What happens, one after the other as mails arrive: kills, and everything else at least once in between."""

    def kill() -> None:
        house.kill_a_worker()
        figures.kills += 1

    def other(name: str, work: Callable[[], None]) -> Callable[[], None]:
        def happen() -> None:
            work()
            figures.events[name] += 1

        return happen

    def leap(seconds: int) -> Callable[[], None]:
        return other("clock leaps", lambda: house.leap(seconds))

    once = [
        other("Redis flushed", house.flush_redis),
        other("worker stopped", house.stop_a_worker),
        other("PostgreSQL restarted, fast", lambda: house.restart_postgres("fast")),
        leap(HOUR),
        leap(0),
        other("Redis killed", house.stop_and_start_redis),
        other("PostgreSQL restarted, immediate", lambda: house.restart_postgres("immediate")),
        leap(DAY),
        leap(-HOUR),
        leap(-DAY),
        leap(0),
    ]
    others = once * max(1, kills // 15)
    found = [(number / kills, kill) for number in range(kills)]
    found += [((number + 0.5) / len(others), event) for number, event in enumerate(others)]
    return [event for _, event in sorted(found, key=lambda timed: timed[0])]


def arrivals(house: House) -> list[dict[str, str]]:
    if not house.arrived.exists():
        return []
    lines = house.arrived.read_text(encoding="utf-8").split("\n")[:-1]
    return [json.loads(line) for line in lines]


def play(mails: int, kills: int, seed: int, patience: float) -> Figures:
    """The whole run. Fails when it does not come to its end in so many seconds."""
    figures = Figures(seed, mails, -(-mails // GONE_EVERY))
    with House(seed) as house:
        house.fill(str(mails), str(GONE_EVERY))
        started = time.monotonic()
        house.start_all()
        events = plan(house, figures, kills)
        for number, event in enumerate(events):
            threshold = (mails - figures.refused) * (number + 1) // (len(events) + 2)
            _wait_for_arrivals(house, threshold, 3.0)
            event()
        while not _is_over(house):
            if time.monotonic() - started > patience:
                _count(house, figures, started)
                print(*figures.lines(), sep="\n")
                print(house.log.read_text(errors="replace")[-6000:])
                raise AssertionError(f"not over after {patience:.0f} s")
            time.sleep(0.25)
        _count(house, figures, started)
    return figures


def _wait_for_arrivals(house: House, threshold: int, at_most: float) -> None:
    """A clock that is a day slow stops the mail, rightly: so the next event comes in any case."""
    deadline = time.monotonic() + at_most
    is_begun = bool(arrivals(house))
    while len(arrivals(house)) < threshold and (time.monotonic() < deadline or not is_begun):
        is_begun = is_begun or bool(arrivals(house))
        time.sleep(0.05)


def _is_over(house: House) -> bool:
    (open_ones,) = house.ask("SELECT count(*) FROM digest_delivery WHERE status IN ('waiting', 'sending')")
    (digests,) = house.ask("SELECT count(DISTINCT subscriber_id) FROM digest_digest")
    (readers,) = house.ask("SELECT count(*) FROM subscriptions_subscriber")
    return open_ones[0] == 0 and digests == readers


def _count(house: House, figures: Figures, started: float) -> None:
    figures.seconds = time.monotonic() - started
    copies: dict[str, list[dict[str, str]]] = defaultdict(list)
    for one in arrivals(house):
        copies[one["to"]].append(one)
    figures.arrived = len(copies)
    figures.duplicates = sum(len(of_one) - 1 for of_one in copies.values())
    figures.of_the_server = sum(
        1 for of_one in copies.values() if len(of_one) > 1 and any(one["fate"] in IN_DOUBT for one in of_one)
    )
    figures.two_ids = [to for to, of_one in copies.items() if len({one["message_id"] for one in of_one}) > 1]
    readers = {row[0] for row in house.ask("SELECT email FROM subscriptions_subscriber")}
    figures.lost = sorted(reader for reader in readers - set(copies) if not reader.startswith("gone"))
    figures.states = dict(house.ask("SELECT status, count(*) FROM digest_delivery GROUP BY status ORDER BY 2 DESC"))
    figures.attempts = house.ask("SELECT max(attempts) FROM digest_delivery")[0][0]
