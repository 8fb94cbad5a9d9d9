"""The sandbox with other code inside: it is another process, so a test's patches do not reach it."""

from __future__ import annotations

import sys

import pytest

from digest.papers.sandbox import pool

HANG_ON_FEEDS = "import time; kinds.PARSERS['feed'] = lambda page, url: time.sleep(600)"


def program(code: str) -> str:
    """A sandbox that runs `code` before it is asked; it may use `kinds`, `child` and `messages`."""
    imports = "from digest.papers.sandbox import child, messages; from digest.papers.sources import kinds"
    return f"{imports}\n{code}\nchild.main()"


def run_first(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """From here on, new sandboxes are of that program."""
    pool.end_idle()
    monkeypatch.setattr(pool, "COMMAND", [sys.executable, "-s", "-B", "-c", program(code)])
    monkeypatch.setattr(pool, "_idle", [])
