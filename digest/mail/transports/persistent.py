"""A way out that stays open from chunk to chunk: to open 16 connections costs as much as a hundred mails over them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from digest.mail.transports.base import WayOut


class KeptWay:
    """`close` it at the end. `taken` counts the mails that went out since it was opened last."""

    def __init__(self, make_way: Callable[[], WayOut[Any]]) -> None:
        self._make_way = make_way
        self._way: WayOut[Any] | None = None
        self.taken = 0

    def open(self) -> WayOut[Any]:
        """The way, connected: the one that is, or a new one. Raises NoWay."""
        if self._way is None:
            way = self._make_way()
            try:
                way.open()
            except BaseException:
                way.close()
                raise
            self._way, self.taken = way, 0
        return self._way

    def close(self) -> None:
        """Never raises."""
        if self._way is not None:
            self._way.close()
            self._way = None
