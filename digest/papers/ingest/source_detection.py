"""What kind of source an address is, told by what it answers, and what it lists. Reads the network, stores nothing."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from digest.models import Source
from digest.papers import fetch, sandbox
from digest.papers.ingest import addresses, reading
from digest.papers.ingest.addresses import Address
from digest.papers.ingest.reading import Unreadable
from digest.papers.sources import huggingface_api, oai
from digest.papers.sources.parsed import EmptyEdition, ParsedEdition, SourceError

HURRIED = fetch.Limits(total=20, tries=1, patience=15)  # somebody sits and waits
LOOK_BACK = 3  # days before today that a source of days is asked for, until one has papers
PATIENCE = 20.0  # seconds after which no further day is asked for
OAI_ROOT = re.compile(rb"<(?:\w+:)?OAI-PMH[\s>]")
HTML_ROOT = re.compile(rb"<html[\s>]|<head[\s>]|<!doctype html", re.IGNORECASE)
HEAD = 65_536
NO_FEED = "It names no feed either: look on that page for a link called RSS, Atom or feed, and paste that."


class Duplicate(SourceError):
    """The address belongs to a source already."""

    def __init__(self, source: Source) -> None:
        super().__init__("This address belongs to a source already:")
        self.source = source


@dataclass(frozen=True, slots=True)
class Answer:
    """A source's list, or why it is rightly empty, and where it was found."""

    address: Address
    parsed: ParsedEdition | None
    empty: str = ""
    others: tuple[str, ...] = ()


def refuse_duplicate(url: str, *, but: Source | None = None) -> None:
    """Raises Duplicate where a source, `but` this one, has the address."""
    wanted = addresses.key(url)
    for source in Source.objects.exclude(url=""):
        if source != but and addresses.key(source.url) == wanted:
            raise Duplicate(source)


def ask(meant: Address, today: dt.date, *, may_follow: bool = True) -> Answer:
    """What the source lists, found out with as few requests as can be. Raises SourceError, Duplicate."""
    match meant.kind:
        case Source.Kind.HUGGINGFACE:
            return _newest_day(meant, today, lambda day: _page(huggingface_api.day_url(meant.url, day), reading.API))
        case Source.Kind.OAI:
            return _newest_day(meant, today, lambda day: _page(oai.day_url(meant.url, day)))
        case Source.Kind.ARXIV:
            return _answer(meant, _fetch(meant.url))
    return _ask_unknown(meant.url, today, may_follow=may_follow)


def _ask_unknown(url: str, today: dt.date, *, may_follow: bool) -> Answer:
    """Ask what only its answer can tell the kind of: a list, an archive, or a page that names a feed."""
    page = _fetch(url)
    archive = Address(addresses.archive_url(url), Source.Kind.OAI)
    if OAI_ROOT.search(page.content[:HEAD]):
        return ask(archive, today)
    try:
        return _answer(Address(url, Source.Kind.FEED), page)
    except Unreadable as error:
        is_html = bool(HTML_ROOT.search(page.content[:HEAD]))
        if is_html and may_follow and (found := sandbox.feeds_in(page.content, page.url)):
            answer = _ask_found(found[0].url, today)
            return dataclasses.replace(answer, others=tuple(link.url for link in found[1:]))
        if addresses.names_an_archive(url) and _identifies_itself(url):
            return ask(archive, today)
        if is_html:
            raise SourceError(f"{error}. {NO_FEED}") from error
        raise


def _ask_found(url: str, today: dt.date) -> Answer:
    """Ask a feed that a page names; it may be one of arXiv's."""
    meant = addresses.understood(url)
    refuse_duplicate(meant.url)
    return ask(meant, today, may_follow=False)


def _answer(address: Address, page: fetch.Page) -> Answer:
    try:
        return Answer(address, reading.parsed(page))
    except EmptyEdition as empty:
        return Answer(address, None, empty=str(empty))


def _newest_day(address: Address, today: dt.date, read: Callable[[dt.date], ParsedEdition]) -> Answer:
    """The latest of the last days that has papers; empty only where all of them rightly are."""
    until = time.monotonic() + PATIENCE
    reason = ""
    for ago in range(LOOK_BACK + 1):
        try:
            return Answer(address, read(today - dt.timedelta(days=ago)))
        except EmptyEdition as empty:
            reason = str(empty)
        if time.monotonic() > until:
            break
    return Answer(address, None, empty=reason)


def _page(url: str, kind: str | None = None) -> ParsedEdition:
    return reading.parsed(_fetch(url), kind)


def _identifies_itself(url: str) -> bool:
    """Whether an OAI-PMH server answers there (protocol 2.0, section 4.2)."""
    address = urlsplit(url)._replace(query=urlencode({"verb": "Identify"}), fragment="")
    try:
        return bool(OAI_ROOT.search(_fetch(address.geturl()).content[:HEAD]))
    except SourceError:
        return False  # what is wrong with the address itself is said instead


def _fetch(url: str) -> fetch.Page:
    page = fetch.fetch(url, limits=HURRIED)
    assert page is not None  # nothing conditional was asked
    return page
