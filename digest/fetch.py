"""The only HTTP client: a page from an address, bounded in time and size, or one clear `SourceError`."""

from __future__ import annotations

from dataclasses import dataclass

import httpx
from django.conf import settings

from digest.sources import SourceError

MAX_BYTES = 30_000_000
TIMEOUT = httpx.Timeout(20, connect=10)
MAX_REDIRECTS = 5


@dataclass(frozen=True, slots=True)
class Page:
    """What an address answered: the body as served, and what to send back next time."""

    url: str
    content: bytes
    etag: str = ""
    last_modified: str = ""


def fetch(url: str, *, etag: str = "", last_modified: str = "") -> Page | None:
    """The page, or None where the server says it has not changed. Raises SourceError."""
    headers = {"User-Agent": f"PaperRound/0.1 (+{settings.SITE_URL})"}
    if etag:
        headers["If-None-Match"] = etag
    if last_modified:
        headers["If-Modified-Since"] = last_modified
    try:
        with (
            httpx.Client(timeout=TIMEOUT, follow_redirects=True, max_redirects=MAX_REDIRECTS) as client,
            client.stream("GET", url, headers=headers) as answer,
        ):
            if answer.status_code == httpx.codes.NOT_MODIFIED:
                return None
            if answer.status_code != httpx.codes.OK:
                raise SourceError(
                    f"{url} answered {answer.status_code} {answer.reason_phrase}: open it in a browser, "
                    "and correct the source's address if it has moved."
                )
            return Page(
                url=str(answer.url),
                content=_read(answer, url),
                etag=answer.headers.get("etag", "")[:200],
                last_modified=answer.headers.get("last-modified", "")[:100],
            )
    except httpx.TimeoutException as error:
        raise SourceError(f"{url} did not answer in time: it is tried again later.") from error
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ValueError) as error:
        reason = str(error) or type(error).__name__
        raise SourceError(f"{url} could not be fetched ({reason}): check the address and the network.") from error


def _read(answer: httpx.Response, url: str) -> bytes:
    """The decompressed body, at most MAX_BYTES of it."""
    parts, size = [], 0
    for part in answer.iter_bytes(65_536):
        size += len(part)
        if size > MAX_BYTES:
            raise SourceError(
                f"{url} sends more than {MAX_BYTES // 1_000_000} MB: it is no list of papers, check the address."
            )
        parts.append(part)
    return b"".join(parts)
