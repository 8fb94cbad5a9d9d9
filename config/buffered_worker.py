"""A gunicorn worker whose threads see whole requests only.

Gunicorn's own threaded worker gives a connection to a thread once its first byte is there, and the thread waits for the
rest: as many half-sent requests as there are threads hold the whole site. Here the main loop collects what arrives,
bounded in time and size, and a thread is needed for as long as the answer takes and no longer.
"""

from __future__ import annotations

import errno
import re
import selectors
import socket
import struct
import time
from collections import deque
from concurrent.futures import Future
from functools import partial
from typing import Any

from gunicorn import http  # type: ignore[import-untyped]
from gunicorn.workers.gthread import TConn, ThreadWorker  # type: ignore[import-untyped]

RECEIVE_SECONDS = 30.0  # for a whole request, from its connection on
MAX_HEADERS = 32 * 1024  # bytes
MAX_BODY = 3_000_000  # bytes; Django takes 2,500,000
MAX_HELD = 64_000_000  # bytes of unfinished requests in one worker
CHUNK = 64 * 1024
LINGER, MAX_DRAINED = 2.0, 256 * 1024  # seconds and bytes for a client to close a connection after its answer
SEND_SECONDS = 15  # in which a client must take something of the answer
READ_SECONDS = 5  # that a thread waits for what the main loop took for whole, should gunicorn see it otherwise
SEND_BUFFER = 512 * 1024  # bytes: nearly every page fits, so that no thread waits for a slow client

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)[ \t]*\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
_EXPECTS = re.compile(rb"\r\nexpect:[ \t]*100-continue", re.IGNORECASE)
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_TOO_LARGE = b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_HEADERS_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Received:
    """What has arrived of one request."""

    def __init__(self, begun: bytes = b"") -> None:
        self.data = bytearray(begun)
        self._needed: int | None = None  # bytes of the request, once its headers are there
        self.is_chunked = False
        self.expects = False

    def take(self, more: bytes) -> None:
        """Add what arrived, and read the headers once they are whole."""
        seen = max(len(self.data) - 3, 0)
        self.data += more
        if self._needed is None:
            if not seen:
                self.data = self.data.lstrip(b"\r\n")  # blank lines before a request mean nothing
            if (end := self.data.find(b"\r\n\r\n", seen)) >= 0:
                self._read(bytes(self.data[: end + 4]))

    def _read(self, headers: bytes) -> None:
        length = _LENGTH.search(headers)
        self._needed = len(headers) + (int(length[1][:18]) if length else 0)
        # No view reads a body without a length, so nobody waits for it. The connection is closed behind it.
        self.is_chunked = bool(_CHUNKED.search(headers))
        self.expects = bool(_EXPECTS.search(headers)) and len(self.data) < self._needed

    @property
    def is_whole(self) -> bool:
        return self._needed is not None and (self.is_chunked or len(self.data) >= self._needed)

    @property
    def refusal(self) -> bytes:
        """The answer to a request that is too large; b"" for any other."""
        if self._needed is None:
            return _HEADERS_TOO_LARGE if len(self.data) > MAX_HEADERS else b""
        return _TOO_LARGE if self._needed > MAX_HEADERS + MAX_BODY else b""


class BufferedThreadWorker(ThreadWorker):  # type: ignore[misc]
    """Gunicorn's threaded worker behind a buffer for requests."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.held = 0  # bytes of unfinished requests
        self.closing_conns: deque[TConn] = deque()

    def accept(self, listener: socket.socket) -> None:
        """Take a connection; when there are too many, in the place of another."""
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE):
                raise
            self._drop_oldest()  # no more files may be open: that makes room for the next look
            return
        self.nr_conns += 1
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", SEND_SECONDS, 0))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", READ_SECONDS, 0))
        self._await_request(TConn(self.cfg, client, address, listener.getsockname()), b"")
        if self.nr_conns >= self.worker_connections:
            self._drop_oldest()

    def on_client_socket_readable(self, conn: TConn, client: socket.socket) -> None:
        """A kept connection brings another request."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._await_request(conn, b"")

    def finish_request(self, conn: TConn, future: Future[Any]) -> None:
        """Go on with a connection: what it sent behind its request begins the next one."""
        is_kept = not future.cancelled() and not future.exception() and future.result() is True
        if not is_kept:
            self._half_close(conn)
        elif begun := conn.parser.unreader.take_buffered():
            self._await_request(conn, begun)
        else:
            super().finish_request(conn, future)

    def handle_request(self, req: Any, conn: TConn) -> bool:
        """Answer; a client that takes nothing for SEND_SECONDS is let go."""
        try:
            return bool(super().handle_request(req, conn))
        except BlockingIOError:
            raise StopIteration from None

    def murder_pending(self) -> None:
        """Close connections whose request was not whole in time, or whose client does not close them."""
        now = time.monotonic()
        while self.pending_conns and self.pending_conns[0].timeout <= now:
            self._drop(self.pending_conns[0])
        while self.closing_conns and self.closing_conns[0].timeout <= now:
            self._close(self.closing_conns[0])

    def _keepalive_after(self, conn: TConn, keepalive: bool) -> bool:
        return not conn.received.is_chunked and bool(super()._keepalive_after(conn, keepalive))

    def _await_request(self, conn: TConn, begun: bytes) -> None:
        conn.received = Received()
        conn.sock.setblocking(False)
        conn.timeout = time.monotonic() + RECEIVE_SECONDS
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._on_readable, conn))
        if begun:
            self._take(conn, begun)

    def _on_readable(self, conn: TConn, client: socket.socket) -> None:
        try:
            more = client.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            more = b""
        if more:
            self._take(conn, more)
        else:
            self._drop(conn)

    def _take(self, conn: TConn, more: bytes) -> None:
        received, before = conn.received, len(conn.received.data)
        received.take(more)
        self.held += len(received.data) - before
        if refusal := received.refusal:
            self._refuse(conn, refusal)
        elif received.is_whole:
            self._hand_over(conn)
        elif received.expects:
            received.expects = False
            self._send(conn, _CONTINUE)
        while self.held > MAX_HELD and self.pending_conns:
            self._drop(self.pending_conns[0])

    def _hand_over(self, conn: TConn) -> None:
        """Give the whole request to a thread."""
        self._forget(conn)
        if conn.parser is None:
            conn.parser = http.get_parser(self.cfg, conn.sock, conn.client)
            conn.initialized = True
        conn.parser.unreader.unread(bytes(conn.received.data))
        conn.received.data.clear()
        self.enqueue_req(conn)

    def _refuse(self, conn: TConn, answer: bytes) -> None:
        self._send(conn, answer)
        self._drop(conn)

    def _send(self, conn: TConn, answer: bytes) -> None:
        try:
            conn.sock.send(answer)
        except OSError:
            conn.timeout = 0.0  # gone: the next look drops it

    def _half_close(self, conn: TConn) -> None:
        """Say that nothing follows and read on a little, so that the client reads the answer to its end (RFC 9112,
        9.6). Gunicorn does this in its main loop, which answers nobody meanwhile.
        """
        conn.timeout, conn.drained = time.monotonic() + LINGER, 0
        try:
            conn.sock.shutdown(socket.SHUT_WR)
            conn.sock.setblocking(False)
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._drain, conn))
        except (OSError, ValueError):  # closed by the client, or by gunicorn
            self.nr_conns -= 1
            conn.close()
        else:
            self.closing_conns.append(conn)

    def _drain(self, conn: TConn, client: socket.socket) -> None:
        try:
            drained = len(client.recv(CHUNK))
        except BlockingIOError:
            return
        except OSError:
            drained = 0
        conn.drained += drained
        if not drained or conn.drained > MAX_DRAINED:
            self._close(conn)

    def _close(self, conn: TConn) -> None:
        self.closing_conns.remove(conn)
        self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        conn.close()

    def _drop_oldest(self) -> None:
        """Close the connection that will be missed least."""
        if self.closing_conns:
            self._close(self.closing_conns[0])
        elif self.keepalived_conns:
            conn = self.keepalived_conns.popleft()
            self.poller.unregister(conn.sock)
            self.nr_conns -= 1
            conn.close()
        elif self.pending_conns:
            self._drop(self.pending_conns[0])

    def _drop(self, conn: TConn) -> None:
        self._forget(conn)
        self.nr_conns -= 1
        conn.close()

    def _forget(self, conn: TConn) -> None:
        """Stop waiting for a connection's request."""
        self.pending_conns.remove(conn)
        self.held -= len(conn.received.data)
        self.poller.unregister(conn.sock)
