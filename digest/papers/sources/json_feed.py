"""JSON Feed 1.0 and 1.1 (https://www.jsonfeed.org/version/1.1/)."""

from __future__ import annotations

from dataclasses import replace

from digest.papers.sources.identifiers import MAX_URL, linked
from digest.papers.sources.json_records import record_of
from digest.papers.sources.json_text import loaded_json
from digest.papers.sources.markup import text_of_html
from digest.papers.sources.parsed import ParsedEdition, SourceError
from digest.papers.sources.plain_text import MAX_TITLE, decoded, one_line, quoted
from digest.papers.sources.records import Record, edition_of_records


def parse(page: bytes | str, url: str = "") -> ParsedEdition:
    """The feed's items in their order; `url` is where the page was. A JSON Feed names no day of its own."""
    feed = loaded_json(decoded(page))
    items = feed.get("items") if isinstance(feed, dict) else None
    if not isinstance(feed, dict) or not isinstance(items, list):
        raise SourceError("the JSON Feed has no list of items: check the source's address in a feed validator")
    title = one_line(text_of_html(one_line(feed.get("title"), MAX_TITLE)), MAX_TITLE)
    if not items:
        name = f"feed {quoted(title)}" if title else "feed"
        raise SourceError(f"the {name} has no items: check the source's address in a browser")
    home = linked(one_line(feed.get("home_page_url"), MAX_URL), url)
    edition = edition_of_records(
        enumerate(items, start=1),
        _record,
        "item",
        title=title,
        base=home or linked(one_line(feed.get("feed_url"), MAX_URL)) or url,
    )
    return replace(edition, home=home or linked(url))


def _record(item: object) -> Record:
    """The item; an id that is an address is the link where there is no other."""
    record = record_of(item)
    name = record.get("id")
    has_link = any(isinstance(record.get(key), str) and record[key] for key in ("url", "external_url"))
    return {**record, "url": name} if isinstance(name, str) and linked(name) and not has_link else record
