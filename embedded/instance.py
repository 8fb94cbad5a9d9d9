"""One supervisor a data folder: its lock, its note of what it started, the reaping of what was left over."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import secrets
import signal
import socket
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import psutil

TOKEN_VARIABLE = "PAPER_ROUND_SUPERVISOR"  # noqa: S105
CLOCK_SLACK = 1.0  # seconds: the start time of a process is counted from a boot time that NTP may correct


class CannotStart(Exception):
    """Why nothing was started, and what to do; one line."""


class Lock:
    """Held for as long as this process lives. The kernel lets go of it, however the process ends.

    The file is opened close-on-exec, as Python opens every file, so that no child keeps it after us.
    """

    def __init__(self, data_dir: Path, address: str) -> None:
        self._file = (data_dir / "supervisor.lock").open("a+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.seek(0)
            holder = self._file.read().strip()
            self._file.close()
            raise CannotStart(
                f"Paper Round is already running here ({holder}). End that one (Ctrl-C in its terminal),"
                " or run a second one on other data: DATA_DIR=var2 PORT=8001 MAIL_CATCHER_PORT=1026 make run"
            ) from None
        self._file.truncate(0)
        self._file.write(f"pid {os.getpid()}, {address}")
        self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._file.truncate(0)
        self._file.close()


@dataclass(frozen=True)
class Started:
    """A child as the note remembers it: a process id alone may mean another process tomorrow."""

    name: str
    pid: int
    create_time: float

    def process(self) -> psutil.Process | None:
        """The process, if it is still that one."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.create_time) <= CLOCK_SLACK
            return process if same and os.getpgid(self.pid) == self.pid else None
        except (psutil.Error, ProcessLookupError):
            return None


class Note:
    """DATA_DIR/supervisor.json: what is running, in the order of its start, and the mark its children carry.

    The mark, a random word in their environment, finds those whose leader died first: the web's workers after
    the web's master. No process that was started in another way has it.
    """

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir / "supervisor.json"
        self.token = secrets.token_hex(16)

    def write(self, children: list[Started]) -> None:
        """Replace the note, whole or not at all."""
        draft = self.path.with_suffix(".part")
        draft.write_text(json.dumps({"token": self.token, "children": [asdict(child) for child in children]}))
        draft.replace(self.path)

    def forget(self) -> None:
        """Nothing runs any more."""
        self.path.unlink(missing_ok=True)

    def reap(self, grace: float) -> list[str]:
        """End what a killed supervisor left, by SIGTERM, then by SIGKILL to what stays. Gives the names."""
        token, children = self._read()
        leaders = [(child.name, found) for child in reversed(children) if (found := child.process())]
        for _, leader in leaders:
            _signal(leader, signal.SIGTERM)
        _, stubborn = psutil.wait_procs([leader for _, leader in leaders], timeout=grace)
        for _, leader in leaders:
            kill_group(leader.pid)
        strays = _marked(token) if token else []
        for stray in strays:
            _signal(stray, signal.SIGKILL)
        psutil.wait_procs([*stubborn, *strays], timeout=grace)
        self.forget()
        return [name for name, _ in leaders] + ["what they had started"] * bool(strays)

    def _read(self) -> tuple[str, list[Started]]:
        try:
            note = json.loads(self.path.read_text())
            return str(note["token"]), [Started(**child) for child in note["children"]]
        except (OSError, ValueError, KeyError, TypeError):
            return "", []


def kill_group(pid: int) -> None:
    """SIGKILL to a child and all it started."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # macOS says the latter of a group of zombies
        return


def _signal(process: psutil.Process, number: int) -> None:
    try:
        process.send_signal(number)
    except psutil.Error:
        return


def _marked(token: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(TOKEN_VARIABLE) == token and process.pid != os.getpid():
                found.append(process)
        except (psutil.Error, OSError):
            continue  # somebody else's, or gone
    return found


def check_port(port: int, what: str, advice: str) -> None:
    """Raises CannotStart unless a server of ours could listen there."""
    with socket.socket() as probe:
        # As gunicorn and asyncio do: a connection of the run before, still closing, does not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            reason = "is in use by another program" if taken else f"cannot be used: {error.strerror}"
            raise CannotStart(f"Port {port} ({what}) {reason}. Try: {advice}") from error
