"""The whole way, from readers who are due to mails that were accepted: a real Celery worker on a real Redis, its
claims, ledger and records, with subscriber rows that hold lines of their own. Beside it, in the same run, its peers.

Own CPU is that of the worker with its children, from the look for who is due to the last mail recorded; the broker's
and PostgreSQL's stand in rows of their own. `python -m bench pipeline --postgres` is the run; BENCH_READERS=100000
adds so many readers, two workers, their memory, and what a mail costs beside one of fewer.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
from django.conf import settings
from django.db import connection
from django.utils import timezone

from bench import mailers, peers, town
from bench.measure import Figure
from config.celery import app
from digest.models import Delivery
from embedded import redis

# BENCH_SIZES=500,1500 is for a machine with other work; targets are for the sizes as they are.
SMALL, MIDDLE = map(int, os.environ.get("BENCH_SIZES", "2000,10000").split(","))
LARGE = int(os.environ.get("BENCH_READERS", "0"))
REAL = 18_000  # into a real postfix, a third of them before the measure: by then most picks were met before
NEAR_CONNECTIONS = 16  # as README.md advises for a mail server on the same machine
FAR, DELAY = 250, 0.05  # mails to a server that is so many seconds away, and over so many connections
FAR_CONNECTIONS = 5
Some = Callable[[int], list[int]]  # so many readers who got nothing yet
PATIENCE, START = 900.0 + LARGE / 200, 120.0  # seconds for one run, and for workers to begin


@dataclass
class Run:
    """What one run took. Seconds of CPU, but `wall`; `peak` is the most memory that one worker process held."""

    mails: int
    wall: float
    own: float
    broker: float
    database: float
    peak: float = 0.0
    grown: float = 0.0

    @property
    def microseconds(self) -> float:
        return self.own / self.mails * 1e6

    @property
    def rate(self) -> float:
        return self.mails / self.wall


class House:
    """A Redis and workers for the service of the settings."""

    def __init__(self) -> None:
        self._open = contextlib.ExitStack()
        self.redis = psutil.Process(self._start([*redis.command()]).pid)
        end = time.monotonic() + 10
        while not Path(settings.REDIS_SOCKET).exists() and time.monotonic() < end:
            time.sleep(0.05)

    def close(self) -> None:
        self._open.close()

    def _start(self, command: list[str], **environment: str) -> subprocess.Popen[bytes]:
        quiet = subprocess.DEVNULL
        process = subprocess.Popen(command, env=os.environ | environment, stdout=quiet, stderr=quiet)  # noqa: S603
        self._open.callback(_end, process)
        return process

    @contextlib.contextmanager
    def workers(self, count: int, port: int, **more: str) -> Iterator[list[psutil.Process]]:
        """Workers as an operator starts them, which send to this port. Ready when they have answered."""
        own = {
            "EMAIL_URL": f"smtp://127.0.0.1:{port}",
            "MAIL_CONNECTIONS": str(NEAR_CONNECTIONS),
            "MAIL_ASK_ABOVE": "0",
            "LOG_LEVEL": "WARNING",
            **more,
        }
        options = ["--concurrency", "1", "--without-gossip", "--without-mingle", "--without-heartbeat"]
        command = [sys.executable, "-W", "ignore", "-m", "celery", "--quiet", "-A", "config", "worker", *options]
        names = [f"w{secrets.token_hex(4)}@bench" for _ in range(count)]
        started = [self._start([*command, "-n", name], **own) for name in names]
        end = time.monotonic() + START
        while len(app.control.ping(names, timeout=1.0, limit=count) or ()) < count:
            if time.monotonic() > end:
                raise TimeoutError("the workers do not answer")
        try:
            yield [psutil.Process(process.pid) for process in started]
        finally:
            for process in started:
                _end(process)

    def run(self, readers: list[int], workers: list[psutil.Process]) -> Run:
        """Make these readers due, say "look", and wait until the last mail is recorded."""
        now = timezone.now()
        town.make_due(readers, now)
        sent = Delivery.objects.filter(status=Delivery.Status.SENT)
        wanted = sent.count() + len(readers)
        print(f"{len(readers):,} readers ...", file=sys.stderr, flush=True)
        own, broker, database = sum(map(mailers.seconds, workers)), mailers.seconds(self.redis), _database()
        held = _Memory(workers)
        start = time.perf_counter()
        end = start + PATIENCE
        app.send_task("digest.tasks.send_due")
        while town.is_busy(now):
            if time.perf_counter() > end:
                raise TimeoutError(f"{sent.count()} of {wanted} mails were sent")
            held.look()
            time.sleep(0.2)
        wall = time.perf_counter() - start
        if sent.count() != wanted:
            raise RuntimeError(f"{sent.count()} of {wanted} mails were sent")
        own = sum(map(mailers.seconds, workers)) - own
        broker, database = mailers.seconds(self.redis) - broker, _database() - database
        return Run(len(readers), wall, own, broker, database, held.peak, held.grown)


class _Memory:
    """The most that any process of the workers held; and how much more in the second half of the looks than before."""

    def __init__(self, workers: list[psutil.Process]) -> None:
        self._workers = workers
        self._looks: list[float] = []

    def look(self) -> None:
        children = [child for worker in self._workers for child in worker.children()]
        self._looks.append(max((child.memory_info().rss for child in children), default=0) / 2**20)

    @property
    def peak(self) -> float:
        return max(self._looks, default=0.0)

    @property
    def grown(self) -> float:
        half = len(self._looks) // 2
        return max(self._looks[half:], default=0.0) - max(self._looks[:half], default=0.0)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _database() -> float:
    """CPU seconds of PostgreSQL, all of its processes; those of SQLite are our own."""
    if connection.vendor != "postgresql":
        return 0.0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        parent = psutil.Process(cursor.fetchone()[0]).parent()
    return mailers.seconds(parent) if parent else 0.0


def figures() -> list[Figure]:
    now = timezone.now()
    most = LARGE and SMALL + MIDDLE + LARGE
    readers = town.build(2 * (SMALL + MIDDLE) + REAL + 3 * FAR + most, now)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    taken = iter(readers)

    def some(count: int) -> list[int]:
        return [next(taken) for _ in range(count)]

    house = House()
    try:
        with mailers.sink() as (port, sink):
            found = _near(house, port, sink, some)
            if LARGE:
                found += _large(house, port, some)
        return found + _real(house, some) + _far(house, some)
    finally:
        house.close()


def _near(house: House, port: int, sink: str, some: Some) -> list[Figure]:
    with house.workers(1, port) as workers:
        small = house.run(some(SMALL), workers)  # with what a new worker makes ready
        peers.plain_django(port, 0)  # reads its templates
        before = peers.plain_django(port, 1)
        middle = house.run(some(MIDDLE), workers)
        plain = before + peers.plain_django(port, 2)  # on both sides: processors do not keep their speed
    with house.workers(2, port) as workers:
        house.run(some(SMALL), workers)
        both = house.run(some(MIDDLE), workers)
    mail = peers.example()
    ready, both_ready = (peers.post_office(port, mail, processes) for processes in (1, 2))
    source = peers.smtp_source(port, mail)
    what = f"due to accepted by {sink}"
    found = [
        Figure("the mail of median size", mail.size / 1000, "kB"),
        Figure("connections of a worker, but for what is far away", NEAR_CONNECTIONS, ""),
        Figure(f"{what}, {SMALL:,} readers, a new worker: own CPU", small.microseconds, "us a mail"),
        Figure(f"{what}, {MIDDLE:,} readers: own CPU", middle.microseconds, "us a mail"),
        Figure(f"{what}, {MIDDLE:,} readers: Redis", middle.broker / middle.mails * 1e6, "us a mail"),
        Figure(f"{what}, {MIDDLE:,} readers: PostgreSQL", middle.database / middle.mails * 1e6, "us a mail"),
        Figure(f"{what}, {MIDDLE:,} readers: mails", middle.rate, "mails/s"),
        Figure("... and by two workers", both.rate, "mails/s"),
        Figure("peer, plain Django done well: own CPU", plain.microseconds, "us a mail"),
        Figure("peer, plain Django done well: mails", plain.rate, "mails/s"),
        Figure("our own CPU against plain Django's", plain.microseconds / middle.microseconds, "times less", least=40),
        Figure("... a new worker's first mails", plain.microseconds / small.microseconds, "times less"),
    ]
    if ready and both_ready:
        found += [
            Figure("peer, django-post_office given ready mails, one process: own CPU", ready.microseconds, "us a mail"),
            Figure("... mails", ready.rate, "mails/s"),
            Figure("... mails, two processes", both_ready.rate, "mails/s"),
            Figure("our own CPU against post_office's", ready.microseconds / middle.microseconds, "times less"),
            Figure(
                "our two workers' mails a second against its one process", both.rate / ready.rate, "times", least=10
            ),
            Figure("... against its two", both.rate / both_ready.rate, "times"),
        ]
    else:
        found.append(Figure("django-post_office is not installed: not measured", 0, "mails/s"))
    if source:
        found.append(Figure("limit, smtp-source -d, one connection", source.rate, "mails/s"))
        found.append(Figure("our two workers' mails a second against smtp-source's", both.rate / source.rate, "times"))
        if ready:
            found.append(Figure("smtp-source's against post_office's one", source.rate / ready.rate, "times"))
    return found


def _large(house: House, port: int, some: Some) -> list[Figure]:
    with house.workers(2, port) as workers:
        house.run(some(SMALL), workers)  # what new workers make ready
        middle = house.run(some(MIDDLE), workers)
        mail = peers.example()
        before = peers.smtp_source(port, mail)
        run = house.run(some(LARGE), workers)
        after = peers.smtp_source(port, mail)
    what = f"{LARGE:,} readers, two workers"
    found = [
        Figure(f"{what}: in all", run.wall, "s"),
        Figure(f"{what}: own CPU", run.microseconds, "us a mail"),
        Figure(f"... against the same for {MIDDLE:,}", run.microseconds / middle.microseconds, "times", most=1.1),
        Figure(f"{what}: PostgreSQL", run.database / run.mails * 1e6, "us a mail"),
        Figure(
            f"... against the same for {MIDDLE:,}", run.database / middle.database * middle.mails / run.mails, "times"
        ),
        Figure(f"{what}: mails", run.rate, "mails/s"),
        Figure(f"{what}: the most memory of a worker process", run.peak, "MB", most=250),
        Figure(f"{what}: more memory in the second half than in the first", run.grown, "MB", most=25),
    ]
    if before and after:
        ratio = run.rate / (before + after).rate
        found.append(Figure(f"{what}: mails a second against smtp-source's", ratio, "times", least=0.5))
    return found


def _real(house: House, some: Some) -> list[Figure]:
    """Into a postfix that queues on disk."""
    with mailers.postfix() as found:
        if not found:
            return [Figure("postfix: not measured (Debian's package and root are needed)", 0, "%")]
        port, master = found
        with house.workers(1, port) as workers:
            house.run(some(REAL // 3), workers)  # its processes are started, and our parts made
            its = mailers.seconds(master)
            run = house.run(some(REAL - REAL // 3), workers)
            its = mailers.seconds(master) - its
    both = run.own + its
    return [
        Figure("into a real postfix: mails", run.rate, "mails/s"),
        Figure("into a real postfix: postfix's CPU", its / run.mails * 1e6, "us a mail"),
        Figure("into a real postfix: our own CPU", run.microseconds, "us a mail"),
        Figure("into a real postfix: our share of ours and postfix's CPU", 100 * run.own / both, "%", most=15),
        Figure(
            "... of the total, PostgreSQL's and Redis's within",
            100 * run.own / (both + run.database + run.broker),
            "%",
            most=15,
        ),
    ]


def _far(house: House, some: Some) -> list[Figure]:
    """What is bound by waiting: one worker and two, to a server that is a long way off."""
    rates = []
    with mailers.sink() as (port, _), mailers.far_away(port, DELAY) as far:
        for count in (1, 2):
            options = {"MAIL_CONNECTIONS": str(FAR_CONNECTIONS), "MAIL_CHUNK": "50"}
            with house.workers(count, far, **options) as workers:
                rates.append(house.run(some(FAR * count), workers).rate)
    where = f"{DELAY * 1000:.0f} ms away, {FAR_CONNECTIONS} connections a worker"
    return [
        Figure(f"{where}: one worker", rates[0], "mails/s"),
        Figure(f"{where}: two workers", rates[1], "mails/s"),
        Figure(f"{where}: two against one", rates[1] / rates[0], "times", least=1.7),
    ]
