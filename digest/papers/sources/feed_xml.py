"""A feed's bytes as well-formed UTF-8 XML, before feedparser sees them.

feedparser answers broken XML by reading it again with a forgiving parser, which takes minutes on a hostile
page and gives half a list; it looks for mail addresses in names with a pattern that is quadratic on names
that never end; and it compares each category of an entry with all before. So the page is walked first.
"""

from __future__ import annotations

from digest.papers.sources.collect import MAX_LISTINGS
from digest.papers.sources.xml_page import Walk, walked

MAX_WORD_IN_NAME = 1_000
MAX_LABELS = 1_000  # categories of one entry
NAMES = frozenset("author creator name owner publisher managingeditor webmaster contributor".split())
LABELS = frozenset({"category", "subject", "keywords"})
ENTRIES = frozenset({"item", "entry"})


def feed_xml(page: bytes | str) -> tuple[bytes, tuple[str, ...]]:
    """The feed in UTF-8, fit for feedparser, and a warning for each mend."""
    data, _, notes = walked(page, FeedWalk)
    return data, notes


class FeedWalk(Walk):
    """What feedparser must not be given, besides what no reader of XML must."""

    # feedparser takes up to 0.1 ms for each; arXiv's largest feed, 2,000 entries, has about 25,000.
    most_parts = 300_000

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.name: list[str] = []
        self.entries = self.labels = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        super().start(tag, attributes)
        local = tag.rpartition(" ")[2].lower()
        self.open.append(local)
        if self.name:
            self.name.clear()
        if local in LABELS:
            self.labels += 1
            if self.labels > MAX_LABELS:
                raise self.fault(f"an entry has over {MAX_LABELS:,} categories: is it a feed of papers?")
        elif local in ENTRIES:
            self.entries += 1
            self.labels = 0
            if self.entries > MAX_LISTINGS:
                raise self.fault(f"the page holds over {MAX_LISTINGS:,} papers: is it one day's list? Split it")

    def text(self, text: str) -> None:
        super().text(text)
        if self.open[-1] in NAMES:
            self.name.append(text)

    def end(self, tag: str) -> None:
        super().end(tag)
        if self.open.pop() in NAMES and any(len(word) > MAX_WORD_IN_NAME for word in "".join(self.name).split()):
            raise self.fault(f"a name has over {MAX_WORD_IN_NAME:,} letters: is it a feed?")
        self.name.clear()
