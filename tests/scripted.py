"""An SMTP server that misbehaves by script, to the byte, and knows which mails it took."""

from __future__ import annotations

import contextlib
import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

OFFERS = ("PIPELINING", "SIZE 10000000", "8BITMIME", "ENHANCEDSTATUSCODES")
USUAL = {
    "MAIL": b"250 2.1.0 Ok\r\n",
    "RCPT": b"250 2.1.5 Ok\r\n",
    "DATA": b"354 Go ahead\r\n",
    "DOT": b"250 2.0.0 Ok: queued\r\n",
    "RSET": b"250 2.0.0 Ok\r\n",
}


@dataclass(frozen=True)
class Twist:
    """What happens instead of the usual answer: these bytes, then perhaps the end or silence."""

    answer: bytes = b""
    then: str = ""  # "", "close", "hang"


@dataclass
class Server:
    """`script` maps (stage, how often that stage was met before, on all connections) to a Twist. A stage is MAIL, RCPT,
    DATA, READ (when the first line of the content was read; usually nothing happens there), DOT or RSET.

    `promised` are the keys it answered 2xx after the dot, `swallowed` those it has whole and answered nothing,
    `refused` the others it has whole. A mail's key is the number in its Subject.
    """

    script: Mapping[tuple[str, int], Twist] = field(default_factory=dict)
    offers: tuple[str, ...] = OFFERS
    greeting: bytes = b"220 scripted\r\n"
    after_ehlo: bytes = b""
    login: bytes = b"235 2.7.0 Welcome\r\n"
    tls: ssl.SSLContext | None = None
    tls_at_once: bool = False  # else after STARTTLS
    receive_buffer: int = 0

    def __enter__(self) -> Self:
        self.promised: list[int] = []
        self.swallowed: list[int] = []
        self.refused: list[int] = []
        self.contents: list[bytes] = []
        self.lines: list[bytes] = []  # what was said to it, contents left out
        self.connections = 0
        self._met: dict[str, int] = {}
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=200)
        if self.receive_buffer:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive_buffer)
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def connect(self) -> smtplib.SMTP:
        """As smtplib opens it."""
        connection = smtplib.SMTP("127.0.0.1", self.port, "client.test", timeout=10)
        connection.ehlo_or_helo_if_needed()
        return connection

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.connections += 1
                thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError, _Closed), client:
            client.settimeout(20)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.tls_at_once and self.tls:
                client = self.tls.wrap_socket(client, server_side=True)
            _Talk(self, client).run()

    def twist(self, stage: str) -> Twist | None:
        with self._lock:
            count = self._met.get(stage, 0)
            self._met[stage] = count + 1
        return self.script.get((stage, count))


class _Closed(Exception):
    pass


class _Talk:
    def __init__(self, server: Server, client: socket.socket) -> None:
        self.server, self.client = server, client
        self.file = client.makefile("rb")
        self.mail = self.rcpt = False

    def run(self) -> None:
        self.client.sendall(self.server.greeting)
        while line := self.file.readline():
            self.server.lines.append(line)
            self.command(line.split()[0].upper().decode("latin-1") if line.split() else "")

    def command(self, verb: str) -> None:
        if verb in ("EHLO", "HELO"):
            lines = ["scripted", *self.server.offers]
            text = "".join(
                f"250{' ' if number == len(lines) else '-'}{line}\r\n" for number, line in enumerate(lines, 1)
            )
            self.client.sendall(text.encode() + self.server.after_ehlo)
        elif verb == "STARTTLS":
            assert self.server.tls
            self.client.sendall(b"220 go\r\n")
            self.client = self.server.tls.wrap_socket(self.client, server_side=True)
            self.file = self.client.makefile("rb")
        elif verb == "AUTH":
            self.client.sendall(self.server.login)
        elif verb == "QUIT":
            self.client.sendall(b"221 bye\r\n")
            raise _Closed
        elif verb == "RSET":
            self.mail = self.rcpt = False
            self.answer("RSET")
        elif verb == "MAIL" and not self.mail:
            self.mail = self.answer("MAIL")
        elif verb == "RCPT" and self.mail:
            self.rcpt = self.answer("RCPT")
        elif verb == "DATA" and self.rcpt:
            self.data()
        else:
            self.client.sendall(b"503 5.5.1 Bad sequence of commands\r\n")

    def data(self) -> None:
        if not self.answer("DATA", b"354"):
            return
        content, line = b"", self.file.readline()
        if twist := self.server.twist("READ"):
            self.perform(twist)
        while line != b".\r\n":
            if not line.endswith(b"\n"):
                raise _Closed
            content += line.removeprefix(b".")
            line = self.file.readline()
        self.mail = self.rcpt = False
        found = re.search(rb"Subject: (\d+)", content)
        key = int(found[1]) if found else -1
        self.server.contents.append(content)
        self.server.swallowed.append(key)
        self.answer("DOT", key=key)

    def answer(self, stage: str, wanted: bytes = b"2", key: int | None = None) -> bool:
        """Whether the answer given allows to go on."""
        twist = self.server.twist(stage) or Twist(USUAL[stage])
        if key is not None and re.match(rb"[245]\d\d.*\n", twist.answer):
            self.server.swallowed.remove(key)
            (self.server.promised if twist.answer.startswith(b"2") else self.server.refused).append(key)
        self.perform(twist)
        return twist.answer.startswith(wanted)

    def perform(self, twist: Twist) -> None:
        if twist.answer:
            self.client.sendall(twist.answer)
        if twist.then == "hang":
            self.server._over.wait(20)
        if twist.then:
            raise _Closed
