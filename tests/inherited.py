"""What a run inherits from the shell, nohup or CI that started it, set to what most people have."""

from __future__ import annotations

import os
import signal
import threading
import time

UMASK = 0o022
ENVIRONMENT = {"LC_ALL": "C.UTF-8", "LANG": "C.UTF-8", "TZ": "UTC"}
UNSET = ("CLICOLOR_FORCE", "COLUMNS", "FORCE_COLOR", "LANGUAGE", "LINES", "NO_COLOR", "PYTHONWARNINGS")
IGNORABLE = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGCHLD)


def reset() -> None:
    """Give this process, and all that it starts, a usual umask, locale, time zone, terminal and signals."""
    os.umask(UMASK)
    os.environ |= ENVIRONMENT
    for name in UNSET:
        os.environ.pop(name, None)
    time.tzset()
    if threading.current_thread() is threading.main_thread():
        _reset_signals()


def _reset_signals() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    for number in IGNORABLE:
        # A handler instead of SIG_IGN: this run still outlives its terminal under nohup, but a program that it
        # starts has the default action again.
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, _do_nothing)


def _do_nothing(number: int, frame: object) -> None:
    pass
