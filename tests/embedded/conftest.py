"""Real processes and sockets, each test with its own folder and ports."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from embedded import catcher


@pytest.fixture
def free_port() -> Callable[[], int]:
    """Gives a port that nothing listens on."""

    def find() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    return find


@pytest.fixture
def wait_until() -> Callable[..., None]:
    """Waits for something to become true; fails with `what` when it does not."""

    def wait(holds: Callable[[], object], what: str, timeout: float = 20) -> None:
        deadline = time.monotonic() + timeout
        while not holds():
            assert time.monotonic() < deadline, f"not within {timeout} s: {what}"
            time.sleep(0.05)

    return wait


@pytest.fixture
def mail_folder(tmp_path: Path) -> Path:
    return tmp_path / "mail"


@pytest.fixture
def catcher_port(mail_folder: Path) -> Iterator[int]:
    """A running catcher that writes to `mail_folder`."""
    with catcher.catching(mail_folder, 0) as port:
        yield port
