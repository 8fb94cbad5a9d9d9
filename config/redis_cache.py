"""Django's cache in Redis, which does not make every page wait while Redis is away."""

from __future__ import annotations

import time
from typing import Any

import redis
from django.core.cache.backends.redis import RedisCache as DjangoRedisCache
from django.core.cache.backends.redis import RedisCacheClient
from redis.backoff import NoBackoff
from redis.retry import Retry

PATIENCE = 0.5  # seconds for a connection, and for an answer
REST = 5.0  # seconds after a failure in which Redis is not asked again

_failed_at: dict[str, float] = {}  # time.monotonic of the last failure, by address; of all threads of this process


def was_away() -> bool:
    """Whether Redis failed a moment ago, as seen by this process."""
    return time.monotonic() - max(_failed_at.values(), default=-REST) < REST


class GuardedRedis(redis.Redis):
    """A client that fails at once while a failure is recent. Raises redis.RedisError, as any client."""

    def execute_command(self, *args: Any, **options: Any) -> Any:
        address = str(sorted((name, str(value)) for name, value in self.connection_pool.connection_kwargs.items()))
        if time.monotonic() - _failed_at.get(address, -REST) < REST:
            raise redis.ConnectionError("Redis was away a moment ago, and is asked again soon.")
        try:
            return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        except (redis.ConnectionError, redis.TimeoutError):
            _failed_at[address] = time.monotonic()
            raise


class _Client(RedisCacheClient):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._client = GuardedRedis


class RedisCache(DjangoRedisCache):
    """The cache of the settings."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        bounds = {
            "socket_connect_timeout": PATIENCE,
            "socket_timeout": PATIENCE,
            "retry": Retry(NoBackoff(), 0),
        }
        super().__init__(server, params | {"OPTIONS": bounds | params.get("OPTIONS", {})})
        self._class = _Client
