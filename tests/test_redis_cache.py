"""A Redis that is away makes no page slow: neither one that refuses nor one that never answers."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.core.cache import cache
from django.test import Client

from config import redis_cache
from digest.models import Source
from digest.papers.ingest import source_schedule
from subscriptions import limits, tasks
from tests.conftest import MORNING
from tests.subscriptions.conftest import answers


@pytest.fixture
def silent(counters: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A server that takes connections and never says a word."""
    monkeypatch.setattr(redis_cache, "_failed_at", {})
    with socket.create_server(("127.0.0.1", 0), backlog=100) as server:
        address = f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        settings.CACHES = {"default": {"BACKEND": "config.redis_cache.RedisCache", "LOCATION": address}}
        yield server


def connections(server: socket.socket) -> int:
    server.setblocking(False)
    count = 0
    try:
        while server.accept():
            count += 1
    except BlockingIOError:
        return count


def test_a_silent_redis_is_asked_once_in_a_while(silent: socket.socket, db: None) -> None:
    began = time.monotonic()
    over = [limits.is_over("signup", "ada", 20, 60) for _ in range(25)]
    took = time.monotonic() - began
    assert over == [False] * 20 + [True] * 5
    assert connections(silent) == 1
    assert took < 25 * redis_cache.PATIENCE / 2  # far from a wait for each


def test_it_is_asked_again_after_a_rest(silent: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_cache, "REST", 0.0)
    for _ in range(2):
        with pytest.raises(redis.RedisError):
            cache.get("x")
    assert connections(silent) == 2


def test_an_answer_of_redis_is_no_failure_of_redis(silent: socket.socket) -> None:
    assert not redis_cache.was_away()
    with pytest.raises(redis.RedisError):
        cache.get("x")
    assert redis_cache.was_away()


def test_pages_stay_quick_and_limited(silent: socket.socket, client: Client, db: None) -> None:
    with pytest.raises(redis.RedisError):
        cache.get("x")
    began = time.monotonic()
    assert client.get("/search?q=kettle").status_code == 200
    assert client.post("/live/", {"interests": "diffusion"}).status_code == 200
    assert [client.post("/subscribe/", answers(website="x")).status_code for _ in range(22)] == [302] * 20 + [429] * 2
    assert client.get("/healthz").json() == {"database": True, "redis": False}
    assert connections(silent) == 1 or time.monotonic() - began > redis_cache.REST


def test_the_queue_is_not_tried_while_redis_is_away(
    silent: socket.socket, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any, db: None
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(tasks.send_notices, "apply_async", lambda **_: asked.append(1))
    with django_capture_on_commit_callbacks(execute=True):
        tasks.soon()
    assert len(asked) == 1
    with pytest.raises(redis.RedisError):
        cache.get("x")
    with django_capture_on_commit_callbacks(execute=True):
        tasks.soon()
    assert len(asked) == 1


def test_mail_waits_for_late_sources_only_while_it_knows_how_long(no_redis: None, db: None, settings: Any) -> None:
    settings.FETCH_SOURCES = True
    overdue = MORNING - 3 * source_schedule.OVERDUE
    Source.objects.create(slug="late", name="Late", kind="feed", url="https://x.example/", next_check_at=overdue)
    assert Source.objects.due(MORNING).exists()
    assert not source_schedule.are_catching_up(MORNING)
