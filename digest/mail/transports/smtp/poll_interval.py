"""How fast answers come over many connections, and when it is worth looking for them."""

from __future__ import annotations

import time

FEWEST = 8  # connections; of fewer, the next answer is all there is to wait for
PART = 4  # a rest is for the answers of one connection in so many: the server goes on with the others meanwhile
LONGEST = 0.01  # seconds


class Pace:
    """To be woken for one answer costs more than to read it. So while many are owed, nobody looks before some of them
    have probably come: network cards do the same with packets.
    """

    def __init__(self) -> None:
        self.each = LONGEST  # seconds from one answer to the next, of late
        self.begin()

    def begin(self) -> None:
        """What passed until now was not spent waiting for answers."""
        self._last = time.monotonic()

    def rest(self, owed: int) -> float:
        """Seconds to wait before a look, while so many connections owe an answer."""
        return min(self.each * owed / PART, LONGEST) if owed >= FEWEST else 0.0

    def found(self, answers: int) -> None:
        """So many came since this was said last, or since the beginning."""
        now = time.monotonic()
        self.each += (min((now - self._last) / answers, LONGEST) - self.each) / PART
        self._last = now
