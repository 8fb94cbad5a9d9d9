"""A connection that smtplib opened, taken over: its socket, TLS included, never waits from then on."""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

from digest.mail.messages import Letter
from digest.mail.transports.smtp.dialogue import Asked, Dialogue
from digest.mail.transports.smtp.envelope import Offers

RECORD = 16_384  # bytes of a TLS record: of a write that fails, no more than one is in doubt
BUFFER = 65_536
QUIT_TIMEOUT = 5.0
# Asked for whenever a part of the replies has come: a server may hold back a small one until the one before is
# acknowledged (Nagle), our kernel is in no hurry to do that, and every letter would wait 40 ms.
QUICK_ACK: int | None = getattr(socket, "TCP_QUICKACK", None)
NEAR = 0.005  # seconds of a round trip
_ROUND_TRIP = slice(68, 72)  # tcpi_rtt in Linux's tcp_info, in microseconds


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds waited at most for a reply to a command, for the server to take more of a mail, and for its answer to a
    whole mail; a mail's writing may take no longer than that either (RFC 5321 4.5.3.2).
    """

    command: float = 300
    block: float = 180
    final: float = 600


PATIENCE = Patience()


class Wire:
    """`go` says and writes as much as goes without waiting, `read` takes what came. Between the two, the caller waits
    for the socket, until `deadline` at most (time.monotonic), then calls `give_up`.
    """

    def __init__(self, connection: smtplib.SMTP, patience: Patience) -> None:
        connection.ehlo_or_helo_if_needed()
        if connection.sock is None:
            raise smtplib.SMTPServerDisconnected("the connection is not open")
        self.dialogue = Dialogue(Offers.of(connection.esmtp_features))
        self.socket: socket.socket = connection.sock
        self.deadline = 0.0
        self._connection = connection
        self._patience = patience
        self._is_tls = isinstance(self.socket, ssl.SSLSocket)
        self._is_tcp = self.socket.family in (socket.AF_INET, socket.AF_INET6)
        self._writing = memoryview(b"")  # the last write, whole
        self._written = 0
        self._write_until = 0.0
        self.socket.setblocking(False)
        if self._is_tcp:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if held := _held_by(connection):
            self.dialogue.receive(held)

    @property
    def has_unwritten(self) -> bool:
        return self._written < len(self._writing) and self.dialogue.ending is None

    @property
    def is_near(self) -> bool:
        """Whether the kernel says so: a server that only answers late may be near."""
        try:
            info = self.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _ROUND_TRIP.stop)
        except (AttributeError, OSError):  # not Linux, or not TCP
            return False
        return int.from_bytes(info[_ROUND_TRIP], sys.byteorder) / 1e6 < NEAR

    def begin(self, letters: Iterator[Letter]) -> None:
        self.dialogue.begin(letters)

    def go(self) -> bool:
        """Whether there is something to wait for: else all is said and answered, or the dialogue is over."""
        dialogue = self.dialogue
        if dialogue.ending is None and not dialogue.asked:  # `read` sees to it that all was written then
            self._writing, self._written, self._write_until = memoryview(dialogue.say()), 0, 0.0
        if self.has_unwritten:
            self._write()
        return dialogue.is_owed

    def read(self) -> None:
        dialogue = self.dialogue
        owed = len(dialogue.asked)
        try:
            while True:
                dialogue.receive(self.socket.recv(BUFFER))
                if not self._is_tls or dialogue.is_over:
                    break  # TLS may hold more that the selector does not see
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        except OSError as error:
            dialogue.lose(f"the connection was lost: {error}")
        if not dialogue.asked:
            if self.has_unwritten:
                dialogue.lose("the server is out of step: it answered before it was asked")
        elif len(dialogue.asked) != owed:
            self._be_patient()
            if self._is_tcp and QUICK_ACK is not None:
                with contextlib.suppress(OSError):
                    self.socket.setsockopt(socket.IPPROTO_TCP, QUICK_ACK, 1)

    def give_up(self) -> None:
        """The deadline has passed."""
        self.dialogue.lose("the server did not answer in time")

    def close(self) -> None:
        """Say goodbye where nothing is under way, and hang up."""
        with contextlib.suppress(OSError, smtplib.SMTPException):
            if self.dialogue.is_idle:
                self.socket.settimeout(QUIT_TIMEOUT)
                self._connection.quit()
        self.dialogue.lose("the connection is closed")
        with contextlib.suppress(OSError):
            self._connection.close()

    def _write(self) -> None:
        dialogue, size = self.dialogue, len(self._writing)
        try:
            while self._written < size:
                piece = self._writing[self._written :]
                if self._is_tls:  # whatever becomes of this call, the piece may have left
                    piece = piece[:RECORD]
                    dialogue.left = self._written + len(piece)
                self._written += self.socket.send(piece)
                dialogue.left = self._written
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        except OSError as error:
            self._hear_last_words()
            dialogue.lose(f"the connection was lost: {error}")
        self._be_patient()

    def _hear_last_words(self) -> None:
        """A server that hangs up in the middle of a mail may have said why."""
        with contextlib.suppress(OSError):
            if data := self.socket.recv(BUFFER):
                self.dialogue.receive(data)

    def _be_patient(self) -> None:
        """A new deadline: something was written, or a reply was heard."""
        now = time.monotonic()
        if self.has_unwritten:
            self._write_until = self._write_until or now + self._patience.final
            self.deadline = min(now + self._patience.block, self._write_until)
        else:
            asked = self.dialogue.asked
            is_content = bool(asked) and asked[0] is Asked.CONTENT
            self.deadline = now + (self._patience.final if is_content else self._patience.command)


def _held_by(connection: smtplib.SMTP) -> bytes:
    """What smtplib read and did not use: a server may say 421 right after its last answer."""
    file = getattr(connection, "file", None)
    if file is None:
        return b""
    try:
        return bytes(file.read(len(file.peek())))
    except (ssl.SSLWantReadError, BlockingIOError):
        return b""
