"""The parent's side: processes that read pages, started when needed, kept warm, killed when they take too long."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from digest.papers.sandbox.messages import MAX_ANSWER, Garbled
from digest.papers.sources.parsed import SourceError

ROOT = Path(__file__).resolve().parents[3]
COMMAND = [sys.executable, "-s", "-B", "-m", "digest.papers.sandbox.child"]
# None of the service's keys and passwords: the process reads pages of strangers.
ENVIRONMENT = {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "PATH": os.defpath}
MAX_PAGES = 200  # of one process: what leaks in a parser goes with it
MAX_IDLE = 1

_idle: list[Reader] = []  # append and pop are atomic: no lock, so none is held by a thread that a fork leaves behind


class Gone(Exception):
    """The process had ended before it was asked."""


class Reader:
    """One process, asked one page at a time."""

    def __init__(self) -> None:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(COMMAND, stdin=pipe, stdout=pipe, cwd=ROOT, env=ENVIRONMENT)  # noqa: S603
        self.pages = 0

    def ask(self, request: dict[str, object], page: bytes, seconds: float) -> bytes:
        """The answer to one request. Raises SourceError, or Gone; the process has ended then."""
        self.pages += 1
        overdue = threading.Event()
        watch = threading.Timer(seconds, self._end_overdue, [overdue])
        watch.start()
        try:
            answer = self._exchange(request | {"seconds": seconds, "size": len(page)}, page)
        except BaseException:  # a task's time limit, Ctrl-C: nobody waits for this answer any more
            self.end()
            raise
        finally:
            watch.cancel()
        if not answer.endswith(b"\n"):
            raise self._fault(overdue.is_set(), seconds, len(answer))
        return answer

    def _exchange(self, request: dict[str, object], page: bytes) -> bytes:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with contextlib.suppress(BrokenPipeError):  # it died meanwhile: the answer will be empty
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.write(page)
            self.process.stdin.flush()
        return self.process.stdout.readline(MAX_ANSWER)

    def _end_overdue(self, overdue: threading.Event) -> None:
        overdue.set()
        self.process.kill()

    def _fault(self, is_overdue: bool, seconds: float, length: int) -> Exception:
        """Why there is no whole answer."""
        code = None if length else self._exit_code()
        self.end()
        if is_overdue or code in (-signal.SIGXCPU, -signal.SIGALRM):
            return SourceError(
                f"the page took longer than {seconds:g} seconds to read and was given up: "
                "look whether it is a list of papers, or split it"
            )
        if length:
            return Garbled()
        if code == 0 and self.pages > 1:
            return Gone()
        return SourceError("the page ended the process that read it: look whether it is a list of papers")

    def _exit_code(self) -> int | None:
        """How it ended; None for one that closed its pipe and lives."""
        try:
            return self.process.wait(1)
        except subprocess.TimeoutExpired:
            return None

    def end(self) -> None:
        """End it at once."""
        self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                pipe.close()  # type: ignore[union-attr]
        self.process.wait()


def ask(request: dict[str, object], page: bytes, seconds: float) -> bytes:
    """The answer of some process to the request. Raises SourceError."""
    reader = _take()
    try:
        answer = reader.ask(request, page, seconds)
    except Gone:  # an idle one ended just as it was asked
        reader = _start()
        answer = reader.ask(request, page, seconds)
    _give_back(reader)
    return answer


def _take() -> Reader:
    with contextlib.suppress(IndexError):
        while True:
            reader = _idle.pop()
            if reader.process.poll() is None:
                return reader
            reader.end()
    return _start()


def _start() -> Reader:
    try:
        return Reader()
    except OSError as error:
        raise SourceError(f"no process could be started to read the page ({error}): try again later") from error


def _give_back(reader: Reader) -> None:
    if reader.pages < MAX_PAGES and len(_idle) < MAX_IDLE and reader.process.poll() is None:
        _idle.append(reader)
    else:
        reader.end()


def end_idle() -> None:
    """End the processes that wait for a page."""
    while _idle:
        _idle.pop().end()


atexit.register(end_idle)
os.register_at_fork(after_in_child=_idle.clear)  # they are the parent's
