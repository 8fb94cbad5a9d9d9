"""One request at a time to a host, over processes: with Redis, without it, and when it goes away."""

from __future__ import annotations

import datetime as dt
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from config.environment import socket_path
from digest.papers.fetch import host_lock, wait_budget
from digest.papers.fetch.host_lock import turn
from digest.papers.fetch.wait_budget import Patience
from digest.papers.sources.parsed import TryLater
from embedded import redis as embedded_redis
from tests.hostile import Server, ok
from tests.stack import ROOT

# The network is what is not real here: names lead to the test's own server.
CHILD = """
import sys, django
django.setup()
from digest.papers import fetch
fetch.guard.resolve = lambda host, port: ["127.0.0.1"]
print("ready", flush=True)
sys.stdin.readline()
for url in sys.argv[1:]:
    fetch.fetch(url)
"""


@pytest.fixture
def redis_server(settings, tmp_path: Path) -> Iterator[Redis]:
    settings.DATA_DIR = tmp_path
    settings.REDIS_SOCKET = socket_path(tmp_path)
    settings.REDIS_URL = f"unix://{settings.REDIS_SOCKET}"
    process = subprocess.Popen(embedded_redis.command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        assert embedded_redis.is_ready(10)
        with Redis.from_url(settings.REDIS_URL) as client:
            yield client
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def no_redis(settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    settings.REDIS_URL = f"unix://{tmp_path}/nobody.sock"


@pytest.fixture(params=["redis", "file", "process"])
def anywhere(request: pytest.FixtureRequest, settings) -> str:
    """Each place where a turn can be kept."""
    request.getfixturevalue("redis_server" if request.param == "redis" else "no_redis")
    if request.param == "process":
        settings.DATA_DIR = settings.DATA_DIR / "is a file" / "so no folder"
        settings.DATA_DIR.parent.write_text("")
    host_lock._free_at.clear()
    return str(request.param)


def ask_at_once(web: Server, settings, *processes: list[str]) -> None:
    """Processes that start together, each asking its hosts one after the other."""
    hosts = ("export.arxiv.org", "rss.arxiv.org")
    env = os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATA_DIR": str(settings.DATA_DIR),
        "REDIS_URL": settings.REDIS_URL,
        "FETCH_PRIVATE_HOSTS": ",".join(f"{host}:{web.port}" for host in hosts),
    }
    children = [
        subprocess.Popen(
            [sys.executable, "-c", CHILD, *(f"http://{host}:{web.port}/" for host in asked)],
            cwd=ROOT,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for asked in processes
    ]
    try:
        for child in children:
            assert child.stdout and child.stdout.readline() == "ready\n"
        for child in children:
            assert child.stdin
            child.stdin.write("\n")
            child.stdin.flush()
        assert [child.wait(60) for child in children] == [0] * len(children)
    finally:
        for child in children:
            child.kill()
            child.communicate()


def gaps(web: Server, *processes: list[str], settings) -> list[float]:
    """Seconds from the end of each request to the start of the next, of whichever process."""
    ends: list[float] = []

    def slowly() -> Iterator[bytes]:
        time.sleep(0.2)
        ends.append(time.monotonic())
        yield ok()

    web.answers["/"] = slowly
    ask_at_once(web, settings, *processes)
    began = [asked.began for asked in web.asked]
    assert len(began) == sum(map(len, processes))
    return [start - end for end, start in zip(ends, began[1:], strict=False)]


@pytest.mark.processes
def test_arxiv_is_asked_once_in_three_seconds_by_all_workers_together(redis_server: Redis, settings) -> None:
    hosts = ["export.arxiv.org", "rss.arxiv.org"]
    with Server() as web:
        found = gaps(web, hosts, hosts[:1], settings=settings)
    assert len(found) == 2
    assert min(found) >= 3
    assert max(found) < 15  # in turn, and nobody forgotten
    assert {asked.headers["host"].partition(":")[0] for asked in web.asked} == {"export.arxiv.org", "rss.arxiv.org"}


@pytest.mark.processes
def test_without_redis_two_commands_on_one_machine_are_as_polite(no_redis: None, settings) -> None:
    with Server() as web:
        found = gaps(web, ["export.arxiv.org"], ["rss.arxiv.org"], settings=settings)
    assert len(found) == 1
    assert 3 <= found[0] < 15


@pytest.mark.processes
def test_a_worker_killed_in_its_turn_holds_up_nobody_for_long(redis_server: Redis, monkeypatch) -> None:
    monkeypatch.setattr(host_lock, "MARGIN", 0.2)
    host_lock._take_from_redis("papers.example", 0.5, Patience(0))  # and never given back
    began = time.monotonic()
    with turn("papers.example", lasts=5, patience=Patience(9)):
        assert 0.2 < time.monotonic() - began < 8


def test_a_turn_that_took_too_long_takes_nothing_from_the_next(redis_server: Redis) -> None:
    late = host_lock._take_from_redis("papers.example", 0.05, Patience(0))
    time.sleep(0.1)
    with turn("papers.example", lasts=5, patience=Patience(0)):
        held = redis_server.get("paper-round:turn:papers.example")
        late(60)
        assert redis_server.get("paper-round:turn:papers.example") == held != b"rest"


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("export.arxiv.org", "arxiv.org"),
        ("rss.arxiv.org", "arxiv.org"),
        ("OAIPMH.arXiv.org.", "arxiv.org"),
        ("arxiv.org", "arxiv.org"),
        ("notarxiv.org", "notarxiv.org"),
        ("arxiv.org.example.org", "arxiv.org.example.org"),
        ("huggingface.co", "huggingface.co"),
    ],
)
def test_the_hosts_of_arxiv_are_one(host: str, name: str) -> None:
    assert host_lock.family(host) == name


# --- wherever turns are kept
@pytest.mark.processes
def test_a_turn_excludes_others_and_rests_after(anywhere: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_lock, "REST", 0.4)
    order: list[tuple[str, float]] = []

    def ask() -> None:
        with turn("papers.example", lasts=5, patience=Patience(9)):
            order.append(("begin", time.monotonic()))
            time.sleep(0.1)
            order.append(("end", time.monotonic()))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert [what for what, _ in order] == ["begin", "end"] * 3
    moments = [moment for _, moment in order]
    assert min(moments[2] - moments[1], moments[4] - moments[3]) >= 0.39


def test_patience_with_a_busy_host_ends(anywhere: str) -> None:
    with turn("papers.example", lasts=60, patience=Patience(0)):
        began = time.monotonic()
        with pytest.raises(TryLater, match=r"papers.example is kept busy") as caught:
            turn("papers.example", lasts=60, patience=Patience(0.5)).__enter__()
        assert time.monotonic() - began < 8
        assert caught.value.wait == dt.timedelta(minutes=5)
        with turn("other.example", lasts=60, patience=Patience(0)):
            pass


def test_a_host_at_rest_is_not_waited_for_beyond_patience(anywhere: str) -> None:
    with turn("papers.example", lasts=60, patience=Patience(0)) as held:
        held.rest = 1800
    with pytest.raises(TryLater, match=r"papers.example wants to be left alone for another 1") as caught:
        turn("papers.example", lasts=60, patience=Patience(600)).__enter__()
    assert 1700 < caught.value.wait.total_seconds() <= 1800


def test_a_turn_is_given_back_after_an_error(anywhere: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_lock, "REST", 0)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), turn("papers.example", lasts=60, patience=Patience(0.3)):
            raise ZeroDivisionError


# --- when a part is missing
def test_redis_out_of_reach_is_said_in_the_debug_log(no_redis: None, caplog: pytest.LogCaptureFixture) -> None:
    with (
        caplog.at_level(logging.DEBUG, "digest.papers.fetch.host_lock"),
        turn("papers.example", lasts=5, patience=Patience(0)),
    ):
        pass
    (record,) = caplog.records
    assert record.levelname == "DEBUG"
    assert "Redis cannot be reached" in record.getMessage()


def test_redis_that_dies_during_a_turn_breaks_nothing(redis_server: Redis, settings) -> None:
    with turn("papers.example", lasts=5, patience=Patience(0)):
        redis_server.shutdown(nosave=True)


@pytest.mark.parametrize("text", ["", "nonsense", "99999999999.000000", "nan", "-1.0", "\x00" * 40])
def test_a_turn_file_that_makes_no_sense_is_as_none(
    no_redis: None, settings, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wait_budget, "sleep", lambda seconds: pytest.fail("waited"))
    path = host_lock._path("papers.example")
    path.write_text(text)
    with turn("papers.example", lasts=5, patience=Patience(0)):
        pass
    assert float(path.read_text()[:20]) == pytest.approx(time.time() + 1, abs=1)


def test_no_name_of_a_host_leaves_the_folder(no_redis: None, settings) -> None:
    for host in ("../../etc/passwd", "a/b", "x" * 500, "::1"):
        assert host_lock._path(host).parent == settings.DATA_DIR / "turns"
        with turn(host, lasts=5, patience=Patience(0)):
            pass
