"""When to ask again: Retry-After as RFC 9110 (10.2.3) has it, else exponential backoff with full jitter."""

from __future__ import annotations

import datetime as dt
import random
from email.utils import parsedate_to_datetime

import httpx

LONGEST = 86_400.0  # seconds; who asks for more is asked again after a day
BACKOFF = 2.0  # seconds, doubled with each try


def retry_after(answer: httpx.Response, now: dt.datetime) -> float | None:
    """The seconds a server asks us to wait, at most a day; None where it asks for nothing that makes sense."""
    text = answer.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdecimal():
        return min(float(text), LONGEST) or None
    moment = _moment(text)
    if moment is None:
        return None
    # The server's own clock, where it tells us: ours may differ.
    wait = (moment - (_moment(answer.headers.get("date", "")) or now)).total_seconds()
    return min(wait, LONGEST) if wait > 0 else None


def _moment(text: str) -> dt.datetime | None:
    """An HTTP date."""
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, IndexError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def backoff(tries: int) -> float:
    """Seconds before the next try, after so many; random, so that workers that failed together do not return together.

    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ compares the ways.
    """
    return random.uniform(0, BACKOFF * 2**tries)  # noqa: S311
