"""Whether the worker behind a claim still lives, asked of who knows without a clock.

PostgreSQL frees a session's advisory locks when its connection ends, the kernel a file's lock when its process does:
both at once, also after SIGKILL. So no clock that jumps can make a living worker look dead; its lease guards the other
case, a worker that lives and has lost its connection.
"""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection

# bigint keys lie in two halves; objsubid 1 says so.
HELD = """
    SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1 AND granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@contextlib.contextmanager
def holding(claim: int) -> Iterator[None]:
    """While the block lasts and this process lives, `held` names the claim."""
    if connection.vendor == "postgresql":
        take(claim)
        try:
            yield
        finally:
            _let_go(claim)
    else:
        with _file(claim).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                yield
            finally:
                _file(claim).unlink(missing_ok=True)


def take(claim: int) -> None:
    """Take the lock on this connection; again, after one was lost, unless the server still counts that one."""
    if connection.vendor == "postgresql":
        _ask("SELECT pg_try_advisory_lock(%s)", claim)


def _let_go(claim: int) -> None:
    """By word, for the connection is kept; where that cannot be, the lock goes with it."""
    try:
        _ask("SELECT pg_advisory_unlock(%s)", claim)
    except DatabaseError:
        connection.close()
    except BaseException:
        connection.close()
        raise


def held() -> set[int]:
    """The claims of all living workers."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(HELD)
            return {row[0] for row in cursor.fetchall()}
    return {int(path.stem) for path in _folder().glob("*.claim") if _is_locked(path)}


def _ask(sql: str, claim: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, [claim])


def _folder() -> Path:
    folder = Path(settings.DATA_DIR) / "claims"
    folder.mkdir(exist_ok=True)
    return folder


def _file(claim: int) -> Path:
    return _folder() / f"{claim}.claim"


def _is_locked(path: Path) -> bool:
    """What a dead process left is cleared away."""
    try:
        with path.open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink(missing_ok=True)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        pass
    return False
