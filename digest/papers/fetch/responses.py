"""What a server's answer, or its silence, means for whoever asked."""

from __future__ import annotations

import datetime as dt
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import httpcore
import httpx

from digest.papers.fetch.limits import Limits
from digest.papers.fetch.network import TIMEOUTS, TooMuch, TooSlow
from digest.papers.fetch.retry import retry_after
from digest.papers.sources.parsed import SourceError
from digest.papers.sources.plain_text import one_line

BREAKS = (httpcore.NetworkError, httpx.NetworkError, httpcore.ProtocolError)
UNUSABLE = (httpx.InvalidURL, httpx.HTTPError, httpcore.UnsupportedProtocol, ValueError)

REMEDIES = {
    401: "it is not public, and only what anybody may read can be a source.",
    403: "it is not public, or wants no programs: open it in a browser, or choose another address.",
    404: "it has moved or is gone: correct the source's address.",
    410: "it has moved or is gone: correct the source's address.",
}
REMEDY = "open it in a browser, and correct the source's address if it has moved."


class TryAgain(Exception):
    """A failure that may pass by itself: what it was, and the seconds the server asked us to wait, if it did."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


def has_page(answer: httpx.Response, *, is_conditional: bool) -> bool:
    """Whether the answer holds a page; False if it has not changed. Raises TryAgain or SourceError for all others."""
    status = answer.status_code
    said = f"it answered {status} {one_line(answer.reason_phrase, 60)}".rstrip()
    if status in (httpx.codes.OK, httpx.codes.NON_AUTHORITATIVE_INFORMATION):
        return True
    if status == httpx.codes.NOT_MODIFIED and is_conditional:
        return False
    if status == httpx.codes.TOO_MANY_REQUESTS or status >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise TryAgain(said, retry_after(answer, dt.datetime.now(dt.UTC)))
    raise SourceError(f"{said}: {REMEDIES.get(status, REMEDY)}")


@contextmanager
def explained(limits: Limits) -> Iterator[None]:
    """What goes wrong on the wire, as TryAgain if it may pass by itself, else as SourceError."""
    try:
        yield
    except TooSlow as error:
        found = f"it was not there within {limits.total:g} s, its server is too slow: it is tried again later."
        raise SourceError(found) from error
    except TooMuch as error:
        raise SourceError("it sends far more than a page: that is no list of papers, check the address.") from error
    except TIMEOUTS as error:
        raise TryAgain("it did not answer in time") from error
    except BREAKS as error:
        if error.args and isinstance(error.args[0], ssl.SSLCertVerificationError):
            reason = one_line(error.args[0].verify_message, 100).rstrip(".")
            found = f"its certificate cannot be trusted ({reason}): check the address, or tell its operator."
            raise SourceError(found) from error
        raise TryAgain(f"it could not be fetched ({_reason(error)})") from error
    except UNUSABLE as error:
        raise SourceError(f"it could not be fetched ({_reason(error)}): check the address.") from error


def _reason(error: Exception) -> str:
    return one_line(str(error), 150) or type(error).__name__
