"""Bound what public requests may compute: how long one runs, how many run at once, and how much a network may use."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from subscriptions.limits import client_network, is_over, slow_down

SECONDS = 2.0  # after which a request stops looking and answers with what it has found
NETWORK_SECONDS, WINDOW = 60, 600  # of processor time one network may use in so many seconds
PER_PROCESS = 2  # requests that compute at once: they share one interpreter lock with everything else
PER_MACHINE = max(PER_PROCESS, len(os.sched_getaffinity(0)))
WAITING = 4  # requests of a process that may wait for their turn; each holds a thread of the web server
WAIT = 2.0  # seconds
LOOK = 0.02  # seconds between two looks at what other processes do
RETRY = 5  # seconds after which a refused request may try again

_in_line = threading.BoundedSemaphore(PER_PROCESS + WAITING)
_turns = threading.BoundedSemaphore(PER_PROCESS)


class Refused(Exception):
    """The request may not compute now: 429, its network used too much, or 503, too many others compute."""

    def __init__(self, status: int, seconds: int) -> None:
        super().__init__(f"not before {seconds} seconds")
        self.status, self.seconds = status, seconds


@contextmanager
def computing(request: HttpRequest) -> Iterator[float]:
    """Yield the moment (time.monotonic) by which the work should end, and charge its time to the visitor's network.

    Raises Refused.
    """
    who = client_network(request)
    if is_over("work", who, 1000 * NETWORK_SECONDS, WINDOW, cost=0):
        raise Refused(429, WINDOW)
    with _turn():
        began = time.thread_time()
        try:
            yield time.monotonic() + SECONDS
        finally:
            spent = round(1000 * (time.thread_time() - began))
            is_over("work", who, 1000 * NETWORK_SECONDS, WINDOW, cost=spent)


def computes(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Give a view a `deadline`, or answer with a page that asks to try again."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        try:
            with computing(request) as deadline:
                return view(request, *args, deadline=deadline, **kwargs)
        except Refused as refused:
            return refusal(request, refused)

    return wrapped


def refusal(request: HttpRequest, refused: Refused) -> HttpResponse:
    """Return the page for a request that may not compute now."""
    if refused.status == 429:
        return slow_down(request, refused.seconds)
    answer = render(request, "subscriptions/busy.html", status=refused.status)
    answer["Retry-After"] = str(refused.seconds)
    return answer


@contextmanager
def _turn() -> Iterator[None]:
    """Hold one of the turns to compute, of this process and of the machine. Raises Refused."""
    until = time.monotonic() + WAIT
    if not _in_line.acquire(blocking=False):
        raise Refused(503, RETRY)
    try:
        if not _turns.acquire(timeout=WAIT):
            raise Refused(503, RETRY)
        try:
            with _turn_of_machine(until):
                yield
        finally:
            _turns.release()
    finally:
        _in_line.release()


@contextmanager
def _turn_of_machine(until: float) -> Iterator[None]:
    """Hold a locked file: the lock goes with the process that holds it. Without a place for files, hold nothing."""
    try:
        held = _lock_any(until)
    except OSError:
        yield
        return
    try:
        yield
    finally:
        os.close(held)


def _lock_any(until: float) -> int:
    """Return the open file of the first turn that comes free. Raises Refused, OSError."""
    folder = Path(settings.DATA_DIR) / "turns"
    folder.mkdir(exist_ok=True)
    while True:
        for number in range(PER_MACHINE):
            file = os.open(folder / f"computing-{number}", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return file
            except BlockingIOError:
                os.close(file)
        if time.monotonic() > until:
            raise Refused(503, RETRY)
        time.sleep(LOOK)
