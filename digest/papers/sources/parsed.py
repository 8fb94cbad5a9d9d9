"""Where papers come from: one module a kind of page, each a pure parser.

A parser takes the page as it was served (`bytes`, or `str` when already decoded) and returns a
`ParsedEdition`. It reads no clock, no setting, no network and no database, and it either returns at
least one listing or raises `SourceError`: an empty answer from a page that should hold papers is the
likeliest way for a digest to go quiet, so it is never silent.

To add a kind: one module with `parse(page) -> ParsedEdition`, one line in `digest.papers.sources.kinds.PARSERS`,
one line in `detect`, and a saved page in the tests.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field


class SourceError(Exception):
    """A page that cannot be read, said in one line: what is wrong, where, and what to do about it."""


class TryLater(SourceError):
    """Not now: the server, or the queue before it, asks us to come back after `wait`."""

    def __init__(self, message: str, wait: dt.timedelta) -> None:
        super().__init__(message)
        self.wait = wait


class EmptyEdition(SourceError):
    """A list that is rightly empty: a weekend or a holiday, not a fault. `next_token`: only this page of it is."""

    def __init__(self, message: str, next_token: str = "") -> None:
        super().__init__(message)
        self.next_token = next_token


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedListing:
    """One paper as one source listed it. Text is plain Unicode (NFC), one line, never HTML."""

    title: str
    abstract: str = ""
    authors: tuple[str, ...] = ()
    arxiv_id: str = ""  # without the version: "2503.10613", "hep-th/9901001"
    arxiv_version: int | None = None
    doi: str = ""  # lower-case, without a resolver in front: "10.1101/2026.01.02.123456"
    guessed_doi: str = ""  # read out of a publisher's link: it may end elsewhere, so nothing is decided by it
    url: str = ""  # http or https, where the source sends its readers
    rank: int = 1  # the place in the list, from 1
    upvotes: int | None = None  # None: this source does not count them
    comments: int | None = None
    categories: tuple[str, ...] = ()  # "cs.CL", as the source writes them
    published_on: dt.date | None = None  # the paper's own date, not the list's
    announce_type: str = "new"  # arXiv's words: new, cross, replace, replace-cross
    is_withdrawn: bool = False  # the source says that its authors or publisher took it back
    listed_on: dt.date | None = None  # for files whose rows each name the day of their list


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedEdition:
    """One source's list as published. `date` is the list's own date, None where the page has none."""

    listings: tuple[ParsedListing, ...]
    date: dt.date | None = None
    # "Mar 14" has no year: the parser says the month and day, the caller knows what day it is.
    month_day: tuple[int, int] | None = None
    title: str = ""  # the feed's own name, where it has one
    home: str = ""  # the source's own web page, where the page names it
    next_token: str = ""  # OAI-PMH's resumptionToken: there is more, and this asks for it
    total: int | None = None  # how many the whole list has, where this is one page of it and says so
    warnings: tuple[str, ...] = field(default=())  # what was passed over, for the log
