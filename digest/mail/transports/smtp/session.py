"""Letters over one connection."""

from __future__ import annotations

import select
import smtplib
import time
from collections.abc import Iterable, Iterator

from digest.mail.messages import Answer, Letter
from digest.mail.transports.smtp.wire import PATIENCE, Patience, Wire


class Session:
    """Takes over an open connection; smtplib may not use it any more. Raises what smtplib raises when it is not open.

    Not for more than one thread. `close` it at the end, or use it in a `with`.
    """

    def __init__(self, connection: smtplib.SMTP, patience: Patience = PATIENCE) -> None:
        self._wire = Wire(connection, patience)
        self._poll = select.poll()
        self._events = select.POLLIN
        self._poll.register(self._wire.socket, self._events)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def is_open(self) -> bool:
        """More letters may be sent."""
        return not self._wire.dialogue.is_over

    def send(self, letters: Iterable[Letter]) -> Iterator[Answer]:
        """One Answer for each letter, as they come. At most one letter is in doubt at any time, and none while the
        caller holds an Answer. One letter more is taken from `letters` than is on its way: an answer is given once
        the next letter's envelope is answered too, for only then is it sure which reply answers what.

        When the connection is lost, what was not taken is answered with code 0 (421 where the server said that to
        the letter). Whoever stops taking answers closes the connection.
        """
        wire, waiting, is_done = self._wire, iter(letters), False
        answers = wire.dialogue.answers
        wire.begin(waiting)
        try:
            while wire.go():
                self._wait()
                while answers:
                    yield answers.popleft()
            yield from answers
            answers.clear()
            yield from self._not_sent(waiting)
            is_done = True
        finally:
            if not is_done:
                self.close()

    def close(self) -> None:
        self._wire.close()

    def _wait(self) -> None:
        wire = self._wire
        events = select.POLLIN | select.POLLOUT if wire.has_unwritten else select.POLLIN
        if events != self._events:
            self._poll.modify(wire.socket, events)
            self._events = events
        found = self._poll.poll(max(0.0, wire.deadline - time.monotonic()) * 1000)
        if not found:
            wire.give_up()
        elif found[0][1] != select.POLLOUT:
            wire.read()

    def _not_sent(self, waiting: Iterator[Letter]) -> Iterator[Answer]:
        """After the end of the connection: its reason is each letter's answer."""
        dialogue = self._wire.dialogue
        if not dialogue.ending:
            return
        for letter in dialogue.untouched:
            yield Answer(letter.key, *dialogue.ending)
        dialogue.untouched = []
        for letter in waiting:
            yield Answer(letter.key, 0, dialogue.ending.text)
