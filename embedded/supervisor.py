"""Keeps a handful of programs running in one terminal, and leaves nothing behind.

Written here because honcho restarts nothing and reaps no leftovers, and supervisord reaps none either and
warns whoever is root, as one is in a container.
"""

from __future__ import annotations

import itertools
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO, TextIO

import psutil

from embedded import leash
from embedded.instance import TOKEN_VARIABLE, Note, Started, kill_group

LONGEST_DELAY = 30.0  # seconds between two starts of a program that keeps dying
PROVEN = 60.0  # seconds after which a program counts as having worked
LONGEST_LINE = 64 * 1024  # bytes; a longer one is broken up
TICK = 0.1  # seconds
COLOURS = itertools.cycle((36, 35, 32, 34, 33))  # ANSI: cyan, magenta, green, blue, yellow
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Program:
    """What to run. The programs after it are started once `ready` says yes; it must answer at once.

    Lines of its output that `hush` matches are not shown.
    """

    name: str
    command: list[str]
    env: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], bool] = lambda: True
    hush: re.Pattern[str] | None = None


class Printer:
    """Lines from several threads, each with its program's name in front, coloured on a terminal."""

    def __init__(self, out: TextIO, width: int) -> None:
        self.out, self.width = out, width
        self.coloured = out.isatty() and not os.environ.get("NO_COLOR")
        self._lock = threading.Lock()

    def line(self, name: str, text: str, colour: int = 0) -> None:
        """Print one line. A terminal that was closed, or a pipe that broke, must not end the programs."""
        label = f"{name:<{self.width}} |"
        if self.coloured and colour:
            label = f"\033[{colour}m{label}\033[0m"
        self.block(f"{label} {text}")

    def block(self, text: str) -> None:
        """Print a text as it is, with no line of a program inside it."""
        with self._lock:
            try:
                print(text, file=self.out, flush=True)
            except (OSError, ValueError):
                self.out = open(os.devnull, "w")  # noqa: PTH123, SIM115

    def follow(self, program: Program, pipe: IO[bytes], colour: int) -> None:
        """Print what a child says, but for blank lines, until it and its children have closed the pipe."""
        with pipe:
            while raw := pipe.readline(LONGEST_LINE):
                text = raw.decode("utf-8", "replace").rstrip()
                if text and not (program.hush and program.hush.search(text)):
                    self.line(program.name, text, colour)


class Child:
    """A program and its present process, if any."""

    def __init__(self, program: Program, printer: Printer) -> None:
        self.program, self.printer = program, printer
        self.colour = next(COLOURS)
        self.process: subprocess.Popen[bytes] | None = None
        self.started: Started | None = None
        self.was_ready = False
        self._born = self._due = self._delay = 0.0

    def start(self, cwd: Path, token: str) -> None:
        """Start it, in a session of its own: Ctrl-C in the terminal reaches us, and we end it in our order.

        To be called from the main thread only: the death signal of leash.py comes when the *thread* that
        started the child ends.
        """
        env = {**os.environ, "PYTHONUNBUFFERED": "1", **self.program.env, TOKEN_VARIABLE: token}
        process = subprocess.Popen(  # noqa: S603
            leashed(self.program.command), cwd=cwd, env=env, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert process.stdout is not None
        follow = (self.program, process.stdout, self.colour)
        threading.Thread(target=self.printer.follow, args=follow, daemon=True).start()
        self.process, self._born = process, time.monotonic()
        # Until we wait for it, even a child that is dead already keeps its entry and its start time.
        self.started = Started(self.program.name, process.pid, psutil.Process(process.pid).create_time())

    @property
    def is_due(self) -> bool:
        """Whether it does not run and its delay is over."""
        return self.process is None and time.monotonic() >= self._due

    def look(self) -> None:
        """Notice that it died: end what it left, say so, and set the time of its next start."""
        if self.process is None or (code := self.process.poll()) is None:
            return
        kill_group(self.process.pid)
        self.process = None
        lived = time.monotonic() - self._born
        self.put_off(f"{how_it_ended(code)} after {lived:.0f} s", lived)

    def put_off(self, reason: str, lived: float) -> None:
        """Set the time of the next start: later each time, unless it had worked for a while."""
        self._delay = 1.0 if lived > PROVEN or not self._delay else min(self._delay * 2, LONGEST_DELAY)
        self._due = time.monotonic() + self._delay
        self.say(f"{reason}; starting it again in {self._delay:.0f} s")

    def end(self, grace: float, in_a_hurry: Callable[[], bool]) -> None:
        """SIGTERM, up to `grace` seconds, then SIGKILL to it and whatever it started."""
        if self.process is None:
            return
        self.process.terminate()
        deadline = time.monotonic() + grace
        while self.process.poll() is None and time.monotonic() < deadline and not in_a_hurry():
            time.sleep(0.02)
        if self.process.poll() is None:
            self.say("is killed" if in_a_hurry() else f"did not end within {grace:.0f} s: killed")
        kill_group(self.process.pid)
        self.process.wait()
        self.process = None

    def say(self, text: str) -> None:
        """A line of the supervisor's own about this program."""
        self.printer.line("supervisor", f"{self.program.name} {text}")


class Supervisor:
    """Starts the programs in order and keeps them running until a signal asks to end.

    `banner` is called in a thread of its own once all are started; it may wait, and its text is printed.
    """

    def __init__(
        self, programs: list[Program], data_dir: Path, cwd: Path, *,
        banner: Callable[[], str] = lambda: "", grace: float = 10.0, out: TextIO | None = None,
    ) -> None:  # fmt: skip
        width = max(len(name) for name in ("supervisor", *(program.name for program in programs)))
        self.printer = Printer(out or sys.stdout, width)
        self.children = [Child(program, self.printer) for program in programs]
        self.note, self.cwd, self.grace = Note(data_dir), cwd, grace
        self._banner, self._banner_is_due = banner, True
        self._asked_at = 0.0  # when a signal asked to end; 0 for not yet
        self._in_a_hurry = False

    def reap(self) -> None:
        """End what a killed supervisor left on this data. To be called with the lock held, before the ports
        are looked at.
        """
        if names := self.note.reap(self.grace):
            self.printer.line("supervisor", f"ended what a killed run had left: {', '.join(names)}")

    def run(self) -> None:
        """Until SIGINT, SIGTERM or SIGHUP (unless nohup had that ignored). A second Ctrl-C does not wait."""
        before = {number: signal.signal(number, self._ask) for number in STOPPING}
        if before[signal.SIGHUP] is signal.SIG_IGN:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        try:
            self.note.write([])
            while not self._asked_at:
                self._round()
                time.sleep(TICK)  # a signal's handler runs meanwhile; the loop sees it at most a tick later
        finally:
            self._end()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        # One Ctrl-C may arrive twice, from the terminal and from a program between it and us.
        again = self._asked_at and time.monotonic() - self._asked_at > 1
        self._in_a_hurry = self._in_a_hurry or bool(again and number == signal.SIGINT)
        self._asked_at = self._asked_at or time.monotonic()

    def _round(self) -> None:
        for child in self.children:
            child.look()
            if child.is_due:
                self._start(child)
            if self._asked_at:
                return
            child.was_ready = child.was_ready or (child.process is not None and child.program.ready())
            if not child.was_ready:
                return
        if self._banner_is_due:
            self._banner_is_due = False
            threading.Thread(target=self._print_banner, daemon=True).start()

    def _print_banner(self) -> None:
        text = self._banner()
        if text and not self._asked_at:
            self.printer.block(text)

    def _start(self, child: Child) -> None:
        try:
            child.start(self.cwd, self.note.token)
            self.note.write([other.started for other in self.children if other.process and other.started])
        except (
            OSError,
            psutil.Error,
        ) as error:  # no more processes, a full disk: the others go on
            if child.process is None:
                child.put_off(f"cannot be started ({error})", 0)
            else:
                child.say(f"runs, but could not be noted ({error})")

    def _end(self) -> None:
        running = [child for child in self.children if child.process]
        names = ", ".join(child.program.name for child in reversed(running))
        self.printer.line("supervisor", f"ending {names or 'nothing'}")
        for child in reversed(running):
            child.end(self.grace, lambda: self._in_a_hurry)
        self.note.forget()


def leashed(command: list[str]) -> list[str]:
    """The command, bound to this process's life where the kernel can do that."""
    if sys.platform != "linux":
        return command
    return [sys.executable, "-I", "-S", str(Path(leash.__file__)), str(os.getpid()), *command]


def how_it_ended(code: int) -> str:
    """An exit status in words."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
