"""A page from an address: its redirects, its tries, and what to say when there is none."""

from __future__ import annotations

import datetime as dt
import re
from contextlib import closing
from dataclasses import dataclass
from email.utils import parseaddr

import httpx
from django.conf import settings

from digest.papers.fetch import body, guard
from digest.papers.fetch.host_lock import turn
from digest.papers.fetch.limits import LIMITS, Limits
from digest.papers.fetch.network import Allowance, Transport
from digest.papers.fetch.responses import TryAgain, explained, has_page
from digest.papers.fetch.retry import backoff
from digest.papers.fetch.wait_budget import Patience
from digest.papers.sources.parsed import SourceError, TryLater
from digest.papers.sources.plain_text import one_line

SOONEST = 60.0  # seconds; who asks us to come back later is not asked again before
USER = re.compile(r"^([a-z][a-z0-9+.-]*://|//)?[^/?#]*@", re.IGNORECASE)
SECRET = re.compile(r"auth(?!or)|key(?!word)|pass|pw|secret|session|sig|token", re.IGNORECASE)
MAX_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Page:
    """What an address answered: the body as served, and what to send back next time."""

    url: str  # where it was in the end, after redirects
    content: bytes
    etag: str = ""
    last_modified: str = ""
    content_type: str = ""  # as served, with its charset; "" where there was none


def fetch(url: str, *, etag: str = "", last_modified: str = "", limits: Limits | None = None) -> Page | None:
    """The page, or None where the server says it has not changed since `etag` or `last_modified`.

    Raises SourceError, one line; TryLater where the server, or the queue before it, says when to come back.
    """
    headers = {"User-Agent": user_agent(), "Accept-Encoding": body.ENCODINGS}
    if etag:
        headers["If-None-Match"] = etag
    if last_modified:
        headers["If-Modified-Since"] = last_modified
    try:
        return _patiently(url, headers, limits or LIMITS)
    except TryLater as error:
        raise TryLater(f"{shown(url)}: {error}", error.wait) from error
    except SourceError as error:
        raise SourceError(f"{shown(url)}: {error}") from error


def _patiently(url: str, headers: dict[str, str], limits: Limits) -> Page | None:
    """Try, wait and try again, within the limits."""
    patience, spent, number = Patience(limits.patience), 0.0, 1
    while True:
        allowance = Allowance(limits)
        try:
            return _try(url, headers, limits, allowance, patience)
        except TryAgain as failure:
            spent += limits.total - allowance.seconds
            wait = failure.wait or backoff(number)
            is_late = spent + wait > limits.retry_for or wait > patience.left
            if is_late and failure.wait:
                raise TryLater(f"{failure} and asks us to wait: it is tried again then.", _later(wait)) from failure
            if is_late or number >= limits.tries:
                times = "once" if number == 1 else f"{number} times"
                raise SourceError(f"{failure}, tried {times}: check the address, or try again later.") from failure
            reason = str(failure)
        patience.wait(wait, reason)
        spent, number = spent + wait, number + 1


def _later(seconds: float) -> dt.timedelta:
    return dt.timedelta(seconds=max(seconds, SOONEST))


def _try(url: str, headers: dict[str, str], limits: Limits, allowance: Allowance, patience: Patience) -> Page | None:
    """One try: the address, and where it redirects to."""
    timeout = httpx.Timeout(limits.read, connect=limits.connect)
    with (
        explained(limits),
        httpx.Client(transport=Transport(allowance), timeout=timeout, trust_env=False) as client,
    ):
        request = client.build_request("GET", url, headers=headers)
        for _ in range(limits.redirects + 1):
            guard.check_form(request.url)
            found = _ask(client, request, limits, allowance, patience)
            if not isinstance(found, httpx.Request):
                return found
            if request.url.scheme == "https" and found.url.scheme == "http":
                raise SourceError(f"it redirects from https to http ({shown(found.url)}): check the address.")
            request = found
    raise SourceError(f"it redirects more than {limits.redirects} times: open it in a browser and correct the address.")


def _ask(
    client: httpx.Client, request: httpx.Request, limits: Limits, allowance: Allowance, patience: Patience
) -> Page | httpx.Request | None:
    """One request in its host's turn: its page, where it redirects to, or None for a page that has not changed."""
    is_conditional = "If-None-Match" in request.headers or "If-Modified-Since" in request.headers
    with (
        turn(request.url.host, lasts=allowance.seconds, patience=patience) as held,
        allowance,
        closing(client.send(request, stream=True)) as answer,
    ):
        if answer.next_request:
            return answer.next_request
        try:
            return _page(answer, limits) if has_page(answer, is_conditional=is_conditional) else None
        except TryAgain as failure:
            held.rest = max(held.rest, failure.wait or 0)  # what it asks of one of us, it asks of all
            raise


def _page(answer: httpx.Response, limits: Limits) -> Page:
    return Page(
        url=str(answer.url),
        content=body.read(answer, limits.size),
        etag=_header(answer, "etag", 200),
        last_modified=_header(answer, "last-modified", 100),
        content_type=_header(answer, "content-type", 200),
    )


def _header(answer: httpx.Response, name: str, limit: int) -> str:
    """A header that can be sent back as it came; "" for one that is too long or not of plain characters."""
    text = str(answer.headers.get(name, ""))
    return text if len(text) <= limit and text.isascii() and text.isprintable() else ""


def user_agent() -> str:
    """Who asks, and whom to tell if that is a nuisance."""
    address = "" if settings.SITE_IS_LOCAL else parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    text = f"PaperRound/{settings.VERSION} (+{settings.SITE_URL}{'; ' if address else ''}{address})"
    return "".join(letter for letter in text if letter.isascii() and letter.isprintable())


def shown(url: httpx.URL | str) -> str:
    """An address for a message: short, on one line, without what may be a secret."""
    text = USER.sub(r"\1", one_line(str(url), 2_000))
    place, mark, query = text.partition("#")[0].partition("?")
    pairs = [pair.partition("=") for pair in query.split("&")]
    masked = [name + sign + ("…" if SECRET.search(name) or len(value) > 24 else value) for name, sign, value in pairs]
    text = place + mark + "&".join(masked)
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"
