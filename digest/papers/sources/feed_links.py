"""The feeds that an HTML page names in its head: `<link rel="alternate" type="application/rss+xml" href="…">`.

https://blog.whatwg.org/feed-autodiscovery, https://www.jsonfeed.org/version/1.1/#discovery
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urldefrag, urljoin, urlsplit

from bs4 import BeautifulSoup
from bs4.filter import SoupStrainer

from digest.papers.sources.plain_text import one_line

TYPES = ("application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml")
MAX_LINKS = 10
MAX_PAGE = 3_000_000  # bytes; the links stand in the head
MAX_URL = 1000
MAX_NAME = 100


@dataclass(frozen=True, slots=True)
class FeedLink:
    """A feed, absolute, and what the page calls it."""

    url: str
    title: str


def feeds_in(page: bytes, url: str) -> list[FeedLink]:
    """The feeds in the page's order, those of comments last; `url` is where the page was. [] where it has none."""
    soup = BeautifulSoup(page[:MAX_PAGE], "lxml", parse_only=SoupStrainer(["base", "link"]))
    base = soup.find("base", href=True)
    start = _joined(url, str(base["href"])) if base else ""
    found: dict[str, FeedLink] = {}
    for link in soup.find_all("link", href=True):
        rel = {word.lower() for word in link.get_attribute_list("rel") if word}
        kind = str(link.get("type") or "").partition(";")[0].strip().lower()
        address = _joined(start or url, str(link["href"]))
        if "alternate" in rel and kind in TYPES and address:
            found.setdefault(address, FeedLink(address, one_line(link.get("title") or "", MAX_NAME)))
    return sorted(found.values(), key=_is_of_comments)[:MAX_LINKS]


def _is_of_comments(link: FeedLink) -> bool:
    return "comment" in f"{link.title} {link.url}".casefold()


def _joined(base: str, href: str) -> str:
    """The absolute web address, "" where it is none."""
    try:
        address = urldefrag(urljoin(base, href.strip())).url
        parts = urlsplit(address)
    except ValueError:
        return ""
    return address if parts.scheme in ("http", "https") and parts.hostname and len(address) <= MAX_URL else ""
