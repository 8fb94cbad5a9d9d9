"""The wire under httpx: connections to checked addresses only, and streams that know when and how much is enough.

httpx's own timeouts begin anew with each byte, so a server that drips one a second keeps a reader for ever.
"""

from __future__ import annotations

import ipaddress
import ssl
import time
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import httpcore
import httpx

from digest.papers.fetch import guard
from digest.papers.fetch.limits import Limits
from digest.papers.sources.parsed import SourceError

HEAD_ROOM = 500_000  # bytes beside the page itself: headers, the marks between chunks
TIMEOUTS = (httpcore.TimeoutException, httpx.TimeoutException)


class TooSlow(Exception):
    """The time for the whole try is used up."""


class TooMuch(Exception):
    """More bytes than any page within the limits needs."""


class Allowance:
    """What is left for one try of time (seconds) and of the wire (bytes), however many redirects it takes.

    The time runs only inside `with`: waiting for a host's turn is not the server's fault.
    """

    def __init__(self, limits: Limits) -> None:
        self.seconds = limits.total
        self.bytes = limits.size + limits.size // 8 + HEAD_ROOM
        self._ends_at = 0.0

    def __enter__(self) -> None:
        self._ends_at = time.monotonic() + self.seconds

    def __exit__(self, kind: object, error: BaseException | None, where: object) -> None:
        self.seconds = self._ends_at - time.monotonic()
        if self.seconds <= 0 and isinstance(error, TIMEOUTS):  # the last step had no more time than this
            raise TooSlow from error

    def wait(self, timeout: float | None) -> float:
        """How long the next step may take. Raises TooSlow."""
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise TooSlow
        return left if timeout is None else min(timeout, left)

    def spend(self, size: int) -> None:
        """So many bytes have come. Raises TooMuch."""
        self.bytes -= size
        if self.bytes < 0:
            raise TooMuch


class Transport(httpx.BaseTransport):
    """httpx on httpcore, as httpx.HTTPTransport is, with our network backend below it and no proxy."""

    def __init__(self, allowance: Allowance) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=trusted(), max_keepalive_connections=0, network_backend=_Network(allowance)
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._pool.handle_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(
                    scheme=request.url.raw_scheme,
                    host=request.url.raw_host,
                    port=request.url.port,
                    target=request.url.raw_path,
                ),
                headers=request.headers.raw,
                extensions=request.extensions,
            )
        )
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer), extensions=answer.extensions)

    def close(self) -> None:
        self._pool.close()


@cache
def trusted() -> ssl.SSLContext:
    """Certificates that browsers trust, and those this machine was told to (SSL_CERT_FILE, SSL_CERT_DIR)."""
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context


class _Network(httpcore.NetworkBackend):
    """One for each try, so that it knows where a redirect comes from."""

    def __init__(self, allowance: Allowance) -> None:
        self._allowance, self._has_been_outside = allowance, False

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in self._addresses(host, port, self._allowance.wait(timeout)):
            try:
                plain = httpcore.SyncBackend().connect_tcp(
                    address, port, self._allowance.wait(timeout), local_address, socket_options
                )
                return _Stream(plain, self._allowance)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    def _addresses(self, host: str, port: int, timeout: float) -> list[str]:
        """Those we may connect to. What is allowed inside is for the operator to ask for, not for a page outside."""
        found = guard.addresses(host, port, timeout)
        is_outside = all(guard.is_public(ipaddress.ip_address(address)) for address in found)
        if self._has_been_outside and not is_outside:
            raise SourceError(f"a page on the public internet redirects to {host}, which is not: check the address.")
        self._has_been_outside |= is_outside
        return found


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, allowance: Allowance) -> None:
        self._stream, self._allowance = stream, allowance

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data = self._stream.read(max_bytes, self._allowance.wait(timeout))
        self._allowance.spend(len(data))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._allowance.wait(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        # The name, not the address we connected to, must be in the certificate: httpcore passes it on.
        secure = self._stream.start_tls(ssl_context, server_hostname, self._allowance.wait(timeout))
        return _Stream(secure, self._allowance)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        return self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()
