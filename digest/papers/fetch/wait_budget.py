"""Waiting that ends: for a host's turn, and between tries."""

from __future__ import annotations

import datetime as dt
from time import sleep

from digest.papers.sources.parsed import TryLater

BUSY = 300.0  # seconds until a host that others keep busy is worth another look


class Patience:
    """The seconds that may still be spent waiting, in all."""

    def __init__(self, seconds: float) -> None:
        self.left = seconds

    def wait(self, seconds: float, reason: str, later: float = BUSY) -> None:
        """Sleep. Raises TryLater, with `later` seconds, where that is more than is left."""
        if seconds > self.left:
            raise TryLater(reason, dt.timedelta(seconds=later))
        sleep(seconds)
        self.left -= seconds
