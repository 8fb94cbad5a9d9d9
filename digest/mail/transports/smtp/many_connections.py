"""Letters over many connections at a time, for a server that is a long way off. The caller's thread drives them all."""

from __future__ import annotations

import contextlib
import selectors
import smtplib
import socket
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice

from digest.mail.messages import Answer, Letter
from digest.mail.transports.smtp.poll_interval import Pace
from digest.mail.transports.smtp.wire import PATIENCE, Patience, Wire

OPENERS = 100  # threads that open and close connections: smtplib waits for the server
SPARES = 5  # connections that may fail, or end without having carried a letter, and are replaced all the same
TRIES = 3  # connections a letter may be begun on
SWEEP = 0.25  # seconds between two looks at who is out of time


def send_all(
    letters: Iterable[Letter],
    connect: Callable[[], smtplib.SMTP],
    connections: int = 100,
    *,
    messages: int = 0,
    patience: Patience = PATIENCE,
) -> Iterator[Answer]:
    """One Answer for each letter, in the order they come. `connect` is called in other threads, `letters` is not.

    After `messages` letters (0: no limit) a connection is closed and another opened. One that ends after it carried a
    letter is replaced; of those that carried none, SPARES are. What an ended one certainly did not take goes over
    another, up to TRIES times. When none is left, the rest is answered with code 0. At most two letters a connection
    are taken from `letters` and not answered. Whoever stops taking answers closes all connections.
    """
    pool = Pool(connect, connections, messages=messages, patience=patience)
    try:
        yield from pool.send(letters)
    finally:
        pool.close()


class Pool:
    """Connections that are opened as letters need them, and kept from one `send` to the next. `close` it at the end."""

    def __init__(
        self,
        connect: Callable[[], smtplib.SMTP],
        connections: int,
        *,
        messages: int = 0,
        patience: Patience = PATIENCE,
    ) -> None:
        self._connect, self._connections, self._messages, self._patience = connect, connections, messages, patience
        self._letters: Iterator[Letter] = iter(())
        self._has_more = False
        self._answers: deque[Answer] = deque()
        self._again: deque[Letter] = deque()  # to be begun on another connection
        self._tries: Counter[int] = Counter()
        self._spares = SPARES
        self._reason = "no connection to the server is left"
        self._shares: dict[Wire, _Share] = {}  # of each open connection
        self._ready: list[Wire] = []  # may go on once the caller has the answers
        self._idle: set[Wire] = set()  # open, with nothing to do
        self._selector = selectors.DefaultSelector()
        self._sweep_at = 0.0
        self._pace = Pace()
        self._is_near = False  # the server, so that it is the one to be waited for, not the way to it
        self._bell, self._ring = socket.socketpair()  # rung by the openers
        self._ring.setblocking(False)
        self._selector.register(self._bell, selectors.EVENT_READ)
        self._threads = ThreadPoolExecutor(min(OPENERS, max(connections, 1)), thread_name_prefix="smtp")
        self._opening: set[Future[Wire]] = set()

    def send(self, letters: Iterable[Letter]) -> Iterator[Answer]:
        """One Answer for each letter, as `send_all` says. Whoever stops taking answers closes the pool."""
        waiting = iter(letters)
        first = list(islice(waiting, self._connections))
        self._letters, self._has_more = chain(first, waiting), bool(first)
        self._tries.clear()
        self._spares = SPARES
        self._ready += self._idle
        self._pace.begin()
        for _ in range(len(first) - len(self._shares) - len(self._opening)):
            self._open()
        yield from self._run()

    def _run(self) -> Iterator[Answer]:
        while (self._opening and self._has_work) or self._ready or len(self._shares) > len(self._idle):
            self._listen()
            while self._answers:
                yield self._answers.popleft()
            while self._ready:
                self._go(self._ready.pop())
            while self._again and self._idle:
                self._go(self._idle.pop())
        yield from self._answers
        begun_before, self._again = self._again, deque()
        for letter in chain(begun_before, self._letters):  # there are some only if no connection is left
            yield Answer(letter.key, 0, self._reason)

    @property
    def _has_work(self) -> bool:
        """Letters wait, or may: that none is left is known once one was asked for in vain."""
        return self._has_more or bool(self._again)

    def next_letter(self) -> Letter:
        """Raises StopIteration; later there may be one all the same."""
        if self._again:
            return self._again.popleft()
        self._has_more = False
        letter = next(self._letters)
        self._has_more = True
        return letter

    def close(self) -> None:
        """All at a time: each goodbye waits for the server."""
        for future in self._opening:
            if not future.cancel():
                future.add_done_callback(_hang_up)
        list(self._threads.map(Wire.close, list(self._shares)))
        self._threads.shutdown(wait=False)
        self._selector.close()
        self._bell.close()
        self._ring.close()

    def _listen(self) -> None:
        """Wait until something happens, and read what came. Nobody is answered here."""
        may_rest = self._is_near and not (self._ready or self._opening)
        if may_rest and (rest := self._pace.rest(len(self._shares) - len(self._idle))):
            time.sleep(rest)
        if happened := self._selector.select(0 if self._ready else SWEEP):
            self._pace.found(len(happened))
        for key, events in happened:
            wire: Wire | None = key.data
            if wire is None:
                self._take_opened()
                continue
            if events & selectors.EVENT_READ:
                wire.read()
            self._collect(wire)
        now = time.monotonic()
        if now >= self._sweep_at:
            self._sweep_at = now + SWEEP
            for wire in self._shares:
                if wire.dialogue.is_owed and wire.deadline < now:
                    wire.give_up()
                    self._collect(wire)

    def _collect(self, wire: Wire) -> None:
        self._answers.extend(wire.dialogue.answers)
        wire.dialogue.answers.clear()
        self._ready.append(wire)

    def _go(self, wire: Wire) -> None:
        """Say and write what goes without waiting, and see to it that somebody looks when there is more to do."""
        share = self._shares.get(wire)
        if share is None:
            return
        self._idle.discard(wire)
        is_waiting = wire.go()
        self._answers.extend(wire.dialogue.answers)
        wire.dialogue.answers.clear()
        if wire.dialogue.is_over:
            self._replace(wire)
        elif is_waiting:
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if wire.has_unwritten else 0)
            if events != share.events:
                self._selector.modify(wire.socket, events, wire)
                share.events = events
        elif share.is_used_up:
            self._forget(wire)
            self._open()
        else:
            self._idle.add(wire)

    def _replace(self, wire: Wire) -> None:
        """It has ended. What it certainly did not take may go over another."""
        dialogue = wire.dialogue
        assert dialogue.ending
        for letter in dialogue.untouched:
            self._tries[letter.key] += 1
            if self._tries[letter.key] >= TRIES:
                self._answers.append(Answer(letter.key, *dialogue.ending))
            else:
                self._again.append(letter)
        self._reason = dialogue.ending.text
        self._forget(wire)
        if dialogue.taken or self._may_spare():
            self._open()

    def _forget(self, wire: Wire) -> None:
        del self._shares[wire]
        self._selector.unregister(wire.socket)
        self._threads.submit(wire.close)

    def _may_spare(self) -> bool:
        self._spares -= 1
        return self._spares >= 0

    def _open(self) -> None:
        """Begin to open a connection, if there is anything it could carry."""
        if self._has_work:
            future = self._threads.submit(lambda: Wire(self._connect(), self._patience))
            self._opening.add(future)
            future.add_done_callback(self._ring_bell)

    def _ring_bell(self, _: Future[Wire]) -> None:
        with contextlib.suppress(OSError):
            self._ring.send(b"!")

    def _take_opened(self) -> None:
        """Raises what `connect` raises if it is not about the server."""
        self._bell.recv(4096)
        for future in [future for future in self._opening if future.done()]:
            self._opening.discard(future)
            try:
                wire = future.result()
            except OSError as error:  # smtplib's errors are OSErrors too
                self._reason = f"the server could not be reached: {error}"
                if self._may_spare():
                    self._open()
                continue
            self._is_near = wire.is_near
            self._shares[wire] = share = _Share(self, self._messages)
            wire.begin(share)
            self._selector.register(wire.socket, share.events, wire)
            self._ready.append(wire)


class _Share:
    """The letters one connection may carry, and what its selector looks for."""

    def __init__(self, pool: Pool, limit: int) -> None:
        self._pool, self._left = pool, limit or -1
        self.events = selectors.EVENT_READ

    @property
    def is_used_up(self) -> bool:
        return self._left == 0

    def __iter__(self) -> _Share:
        return self

    def __next__(self) -> Letter:
        if self.is_used_up:
            raise StopIteration
        letter = self._pool.next_letter()
        self._left -= 1
        return letter


def _hang_up(future: Future[Wire]) -> None:
    """Of a connection that was opened when nobody waited for it any more."""
    if not future.cancelled() and not future.exception():
        future.result().close()
