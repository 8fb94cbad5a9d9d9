"""CPU seconds of a case: the least of several rounds, cases in turn, so that a busy machine disturbs all alike.

`python -m bench.measure NAME` prints the rows of one module as JSON, in its last line.
"""

from __future__ import annotations

import importlib
import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import django
import psutil
from django.db import connection

from config.celery import spare_the_collector

SECONDS = 15  # of CPU, after which no case is run again; each is run once


@dataclass(frozen=True)
class Case:
    """Something to run, and the words for its row. `per` is how many units one run does.

    `least` and `most` are targets: how many times our own way, the first case of the group, it should cost.
    """

    group: str
    name: str
    run: Callable[[], object]
    per: int
    unit: str
    least: float = 0
    most: float = 0
    rounds: int = 3


@dataclass(frozen=True)
class Result:
    case: Case
    cpu: float  # seconds of this process, and of PostgreSQL's beside it, for one run
    wall: float

    @property
    def microseconds(self) -> float:
        """CPU microseconds for one unit."""
        return self.cpu / self.case.per * 1e6


@dataclass(frozen=True)
class Figure:
    """Something measured that is no CPU time; the targets are in its own unit, 0 for none."""

    name: str
    value: float
    unit: str
    most: float = 0
    least: float = 0


def peak() -> int:
    """The most memory this process has held, in bytes. Not ru_maxrss, which a child has from its parent."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def rows(name: str) -> list[dict[str, object]]:
    """What a module of cases and figures measured."""
    module = importlib.import_module(f"bench.{name}")
    results = measure(module.cases()) if hasattr(module, "cases") else []
    figures: list[Figure] = module.figures() if hasattr(module, "figures") else []
    return [{"module": name} | row for row in (*(_row(one, results) for one in results), *map(_figure_row, figures))]


def measure(cases: list[Case]) -> list[Result]:
    """Run the cases in turn, each as many rounds as it asks for and there is time for; keep each one's best."""
    best: dict[str, tuple[float, float]] = {}
    end = time.process_time() + SECONDS
    for number in range(max(case.rounds for case in cases)):
        for case in cases:
            if number == 0 or (number < case.rounds and time.process_time() < end):
                key = f"{case.group}: {case.name}"
                took = _run(case)
                best[key] = min(best.get(key, took), took)
    return [Result(case, *best[f"{case.group}: {case.name}"]) for case in cases]


def _row(result: Result, results: list[Result]) -> dict[str, object]:
    case = result.case
    # Our own way is the first case of each group; the others are peers and limits.
    ours = next(other for other in results if other.case.group == case.group)
    return {
        "group": case.group,
        "case": case.name,
        "value": round(result.microseconds, 2),
        "in": "CPU us",
        "unit": case.unit,
        "times_ours": round(result.microseconds / ours.microseconds, 2),
        "target": f"at least {case.least:g}" if case.least else f"at most {case.most:g}" if case.most else "",
    }


def _figure_row(figure: Figure) -> dict[str, object]:
    bound = f"at most {figure.most:g}" if figure.most else f"at least {figure.least:g}" if figure.least else ""
    target = f"{bound} {figure.unit}" if bound else ""
    return {
        "group": figure.name, "case": "", "value": round(figure.value, 2), "in": figure.unit, "unit": "",
        "target": target,
    }  # fmt: skip


def _run(case: Case) -> tuple[float, float]:
    beside, cpu, wall = server_seconds(), _own_seconds(), time.perf_counter()
    case.run()
    return _own_seconds() - cpu + server_seconds() - beside, time.perf_counter() - wall


def _own_seconds() -> float:
    """CPU seconds of this process, and of its children that have ended: a peer may be another program."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


def server_seconds() -> float:
    """CPU seconds of the PostgreSQL process that serves this connection, in steps of 10 ms."""
    if connection.vendor != "postgresql":
        return 0.0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        times = psutil.Process(cursor.fetchone()[0]).cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    django.setup()
    spare_the_collector()  # as our workers do: for peers and limits alike
    print(json.dumps(rows(sys.argv[1])))
