"""One request at a time to a host, over all processes, with a rest after each.

A turn is a key in Redis: while it exists nobody else asks that host. It ends by itself if its process dies, and
when it is given back it stays for the rest. All times are Redis' own. Without Redis (a command while nothing else
runs) a locked file in DATA_DIR does the same for this machine; without that, a lock in this process.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import random
import re
import secrets
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from digest.papers.fetch.wait_budget import Patience

logger = logging.getLogger(__name__)

# Seconds between the end of one request and the start of the next. arXiv asks for three, on one connection
# (https://info.arxiv.org/help/api/tou.html); the others get one because it costs us nothing.
RESTS = {"arxiv.org": 3.0}
REST = 1.0
FAMILIES = ("arxiv.org",)  # all hosts below such a name are one
MARGIN = 10.0  # seconds a key outlives the longest request
LOOK = 0.2  # seconds between two looks at a host that is busy
LONGEST_REST = 3_600.0  # a host that asks for more holds up its other sources no longer than this
REDIS_WAIT = 3.0

TAKE = """
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return {'taken', 0} end
return {redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1])}
"""
GIVE_BACK = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then return redis.call('DEL', KEYS[1]) end
redis.call('SET', KEYS[1], 'rest', 'PX', ARGV[2])
return 1
"""

GiveBack = Callable[[float], None]
_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
_free_at: dict[str, float] = {}  # time.monotonic


class Turn:
    """A host is ours; `rest` seconds after the end it is the next one's."""

    def __init__(self, rest: float) -> None:
        self.rest = rest


@contextlib.contextmanager
def turn(host: str, *, lasts: float, patience: Patience) -> Iterator[Turn]:
    """Hold the host's turn, for at most `lasts` seconds. Raises TryLater where patience ends first."""
    name = family(host)
    held = Turn(RESTS.get(name, REST))
    try:
        give_back = _take_from_redis(name, lasts + MARGIN, patience)
    except (redis.RedisError, OSError, ValueError) as error:
        logger.debug("Redis cannot be reached (%s): the turn for %s is kept on this machine.", error, name)
        give_back = _take_from_file(name, patience)
    try:
        yield held
    finally:
        give_back(min(held.rest, LONGEST_REST))


def family(host: str) -> str:
    """The name under which a host is asked: its own, or that of the site it is a part of."""
    name = host.lower().rstrip(".")
    return next((one for one in FAMILIES if name == one or name.endswith(f".{one}")), name)


def _rest(name: str, seconds: float, patience: Patience) -> None:
    """Wait until the host may be asked again."""
    patience.wait(seconds, f"{name} wants to be left alone for another {seconds:.0f} s: it is asked then.", seconds)


def _look_again(name: str, patience: Patience) -> None:
    """Wait for whoever asks the host now."""
    patience.wait(LOOK * random.uniform(0.5, 1.5), f"{name} is kept busy by others of us: it is asked later.")  # noqa: S311


def _take_from_redis(name: str, lasts: float, patience: Patience) -> GiveBack:
    key, token = f"paper-round:turn:{name}", secrets.token_hex(8)
    with _redis() as client:
        while True:
            holder, left = client.eval(TAKE, 1, key, token, int(lasts * 1000))
            if holder == b"taken":
                break
            if holder == b"rest":
                _rest(name, max(left, 1) / 1000, patience)
            else:
                _look_again(name, patience)

    def give_back(rest: float) -> None:
        try:
            with _redis() as client:
                client.eval(GIVE_BACK, 1, key, token, int(rest * 1000))
        except redis.RedisError as error:
            logger.debug("The turn for %s ends by itself, Redis cannot be reached: %s", name, error)

    return give_back


def _redis() -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=REDIS_WAIT,
        socket_timeout=REDIS_WAIT,
        retry=Retry(NoBackoff(), 0),
    )


def _take_from_file(name: str, patience: Patience) -> GiveBack:
    """The lock goes with the process that holds it; the file says from when on the host is free."""
    try:
        file = _locked(_path(name), name, patience)
    except OSError as error:
        logger.debug("No lock file (%s): the turn for %s is kept in this process.", error, name)
        return _take_here(name, patience)
    try:
        text = os.pread(file, 40, 0).decode("ascii", "replace")
        free_at = float(text) if re.fullmatch(r"\d+\.\d+", text) else 0.0
        rest = free_at - time.time()
        if 0 < rest <= LONGEST_REST:  # else the clock was set back
            _rest(name, rest, patience)
    except BaseException:
        os.close(file)
        raise

    def give_back(rest: float) -> None:
        with contextlib.suppress(OSError):
            os.pwrite(file, f"{time.time() + rest:020.6f}".encode(), 0)
        os.close(file)

    return give_back


def _path(name: str) -> Path:
    folder = Path(settings.DATA_DIR) / "turns"
    folder.mkdir(exist_ok=True)
    return folder / re.sub(r"[^a-z0-9.-]", "_", name)[:200]


def _locked(path: Path, name: str, patience: Patience) -> int:
    """The open file, locked."""
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file
        except BlockingIOError:
            try:
                _look_again(name, patience)
            except BaseException:
                os.close(file)
                raise


def _take_here(name: str, patience: Patience) -> GiveBack:
    lock = _locks[name]
    while not lock.acquire(blocking=False):
        _look_again(name, patience)
    try:
        rest = _free_at.get(name, 0.0) - time.monotonic()
        if rest > 0:
            _rest(name, rest, patience)
    except BaseException:
        lock.release()
        raise

    def give_back(rest: float) -> None:
        _free_at[name] = time.monotonic() + rest
        lock.release()

    return give_back
