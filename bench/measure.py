"""CPU seconds of a case: the least of several rounds, cases in turn, so that a busy machine disturbs all alike."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """Something to run, and the words for its row. `per` is how many units one run does."""

    group: str
    name: str
    run: Callable[[], object]
    per: int
    unit: str


@dataclass(frozen=True)
class Result:
    case: Case
    cpu: float  # seconds of this process for one run
    wall: float

    @property
    def microseconds(self) -> float:
        """CPU microseconds for one unit."""
        return self.cpu / self.case.per * 1e6


def measure(cases: list[Case], rounds: int = 3) -> list[Result]:
    """Run the cases in turn, `rounds` times, and keep each one's best."""
    best: dict[str, tuple[float, float]] = {}
    for _ in range(rounds):
        for case in cases:
            cpu, wall = time.process_time(), time.perf_counter()
            case.run()
            took = time.process_time() - cpu, time.perf_counter() - wall
            key = f"{case.group}: {case.name}"
            best[key] = min(best.get(key, took), took)
    return [Result(case, *best[f"{case.group}: {case.name}"]) for case in cases]
