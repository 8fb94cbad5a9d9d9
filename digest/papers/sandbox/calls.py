"""What can be asked of the sandbox. Every failure, a killed process included, is a SourceError."""

from __future__ import annotations

import json

from digest.papers.sandbox import messages, pool
from digest.papers.sandbox.messages import Parsed
from digest.papers.sources.feed_links import FeedLink

SECONDS = 20.0  # a feed of 10 MB takes about four
HAND_IN_SECONDS = 120.0  # a file that a person hands in may be larger than any feed, and they can press Ctrl-C


def parse(
    content: bytes, kind: str | None = None, *, name: str = "", url: str = "", seconds: float | None = None
) -> Parsed:
    """Unpack and parse a page of this kind, or of the kind that its content (and a file's `name`) shows.

    `url` is where the page was, "" for a file.

    Raises SourceError, its subclasses included, exactly as `digest.papers.sources.kinds.parse` does.
    """
    return messages.parsed_of(_ask({"call": "parse", "kind": kind, "name": name, "url": url}, content, seconds))


def feeds_in(content: bytes, url: str) -> list[FeedLink]:
    """The feeds that an HTML page names; `url` is where the page was."""
    return messages.links_of(_ask({"call": "feeds_in", "url": url}, content, None))


def _ask(request: dict[str, object], content: bytes, seconds: float | None) -> object:
    answer = pool.ask(request, content, SECONDS if seconds is None else seconds)
    try:
        return json.loads(answer)
    except (ValueError, RecursionError) as error:
        raise messages.Garbled from error
