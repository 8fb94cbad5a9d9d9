"""JSON Feed 1.0 and 1.1 (https://www.jsonfeed.org/version/1.1/)."""

from __future__ import annotations

from digest.papers.sources.json_records import record_of
from digest.papers.sources.json_text import loaded_json
from digest.papers.sources.markup import text_of_html
from digest.papers.sources.parsed import ParsedEdition, SourceError
from digest.papers.sources.plain_text import MAX_TITLE, decoded, one_line, quoted
from digest.papers.sources.records import edition_of_records


def parse(page: bytes | str) -> ParsedEdition:
    """The feed's items in their order. A JSON Feed names no day of its own."""
    feed = loaded_json(decoded(page))
    items = feed.get("items") if isinstance(feed, dict) else None
    if not isinstance(feed, dict) or not isinstance(items, list):
        raise SourceError("the JSON Feed has no list of items: check the source's address in a feed validator")
    title = one_line(text_of_html(one_line(feed.get("title"), MAX_TITLE)), MAX_TITLE)
    if not items:
        name = f"feed {quoted(title)}" if title else "feed"
        raise SourceError(f"the {name} has no items: check the source's address in a browser")
    return edition_of_records(enumerate(items, start=1), record_of, "item", title=title)
