"""When to look for answers: not for each one, and never for long."""

from __future__ import annotations

import pytest

from digest.mail.transports.smtp import poll_interval as module
from digest.mail.transports.smtp.poll_interval import FEWEST, LONGEST, PART, Pace

LOOKS = 60


class Clock:
    """In place of `time`: goes when it is told to."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(module, "time", found)
    return found


def paced(clock: Clock, server: float, connections: int) -> float:
    """Looks at a server that answers one letter after the other, each in so many seconds, over so many connections
    that are written to again at once. How many answers a look finds in the end; fails where the server then has
    nothing to do.
    """
    pace, found = Pace(), 0
    for look in range(LOOKS):
        passed = max(pace.rest(connections), server)  # a look waits for the first answer
        clock.now += passed
        answers = int(passed / server + 1e-6)
        pace.found(min(answers, connections))
        if look >= LOOKS // 2:
            found += answers
            assert answers < connections
    return found / (LOOKS // 2)


@pytest.mark.parametrize("server", [0.0001, 0.0005, 0.002])
def test_some_answers_are_read_at_a_time_and_the_server_is_kept_busy(clock: Clock, server: float) -> None:
    assert 2 <= paced(clock, server, 16) <= 16 / PART + 1


def test_a_slow_server_is_not_made_slower(clock: Clock) -> None:
    assert paced(clock, 0.2, 100) == 1


def test_what_the_caller_did_meanwhile_does_not_count(clock: Clock) -> None:
    """Composing the next window takes longer than many answers."""
    pace = Pace()
    for _ in range(LOOKS):
        clock.now += 0.0001
        pace.found(1)
    was = pace.rest(16)
    clock.now += 1
    pace.begin()
    clock.now += 0.0001
    pace.found(1)
    assert pace.rest(16) == pytest.approx(was)


def test_few_connections_are_looked_at_at_once() -> None:
    pace = Pace()
    assert [pace.rest(owed) for owed in (0, 1, FEWEST - 1)] == [0, 0, 0]
    assert 0 < pace.rest(FEWEST) <= LONGEST


def test_no_rest_is_long_whatever_the_clock_does() -> None:
    pace = Pace()
    for answers in (1, 3, 100):
        pace.found(answers)
        assert 0 <= pace.rest(100) <= LONGEST
