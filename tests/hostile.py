"""A web server that answers each path just as a test says, to the byte, and notes when it was asked what."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Self

Answer = bytes | Callable[[], Iterable[bytes]]


@dataclass
class Asked:
    """One request: its target, its headers in lower case, and when it began and ended (time.monotonic)."""

    target: str
    headers: dict[str, str]
    began: float
    ended: float = 0.0


def ok(content: bytes = b"a page", *headers: str, status: str = "200 OK") -> bytes:
    """A plain and correct answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(content)}", *headers]
    return head(*lines) + content


def head(*lines: str) -> bytes:
    return "\r\n".join([*lines, "", ""]).encode()


def for_ever(start: bytes, piece: bytes, pause: float = 0.0) -> Callable[[], Iterator[bytes]]:
    """The start, then the piece again and again."""

    def pieces() -> Iterator[bytes]:
        yield start
        while True:
            time.sleep(pause)
            yield piece

    return pieces


def zeros(megabytes: int, wbits: int = 31) -> Iterator[bytes]:
    """So many megabytes of zeros, packed (31: gzip, 15: zlib). After a full flush the same bytes come again."""
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    yield packer.compress(bytes(1_000_000)) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(bytes(1_000_000)) + packer.flush(zlib.Z_FULL_FLUSH)
    for _ in range(megabytes - 1):
        yield again


class Server:
    """On 127.0.0.1, a thread a connection. `answers` maps a path to one answer, or to a list of them in turn."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.answers: dict[str, Answer | list[Answer]] = {}
        self.asked: list[Asked] = []
        self._tls, self._listener = tls, socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._ended = threading.Event()

    def __enter__(self) -> Self:
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._ended.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept
        self._listener.close()

    def _listen(self) -> None:
        while not self._ended.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        # A client that has had enough hangs up; that is what most of these tests are about.
        with contextlib.suppress(OSError), connection:
            connection.settimeout(10)
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            asked = self._read(connection)
            if asked is None:
                return
            try:
                for piece in self._pieces(asked.target):
                    if self._ended.is_set():
                        return
                    connection.sendall(piece)
            finally:
                asked.ended = time.monotonic()
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1)

    def _read(self, connection: socket.socket) -> Asked | None:
        data = b""
        while b"\r\n\r\n" not in data:
            part = connection.recv(65_536)
            if not part:
                return None
            data += part
        first, *lines = data.decode("latin-1").split("\r\n\r\n")[0].split("\r\n")
        pairs = (line.partition(":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        asked = Asked(first.split(" ")[1], headers, time.monotonic())
        self.asked.append(asked)
        return asked

    def _pieces(self, target: str) -> Iterable[bytes]:
        answer = self.answers.get(target.partition("?")[0], ok(b"no", status="404 Not Found"))
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        return [answer] if isinstance(answer, bytes) else answer()
