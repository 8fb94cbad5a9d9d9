"""The page https://huggingface.co/papers: the fallback for days when the API does not answer.

The page carries the API's own rows as JSON in `<div data-target="DailyPapers" data-props="...">`. Where that
element is gone, the visible list is read: `<article>`s whose `<h3>` links to `/papers/ID`; title and id only.
"""

from __future__ import annotations

import datetime as dt
import re

from bs4 import BeautifulSoup
from bs4.element import Tag

from digest.papers.sources.collect import PassedOver, collected
from digest.papers.sources.dates import utc_date
from digest.papers.sources.fragments import title_line
from digest.papers.sources.huggingface_api import PAPERS_URL, edition_of_rows
from digest.papers.sources.identifiers import arxiv_id_of, safe_url
from digest.papers.sources.json_text import loaded_json
from digest.papers.sources.markup import soup_of
from digest.papers.sources.parsed import ParsedEdition, ParsedListing, SourceError
from digest.papers.sources.plain_text import decoded, one_line, quoted

CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s{0,9}=\s{0,9}[\"']?\s{0,9}([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
HEAD = 4_096  # browsers look for the charset in the first 1,024 bytes; some pages put it later
PAPER_LINK = re.compile(r"(?:https?://huggingface\.co)?/papers/(?P<id>[^/?#\s]{1,100})")

WHAT_TO_DO = "use the API's JSON (kind huggingface-api), or report the page"


def parse(page: bytes | str) -> ParsedEdition:
    """The daily list out of the papers page."""
    soup = soup_of(decoded_html(page))
    props = soup.select_one('[data-target="DailyPapers"][data-props]')
    if props is not None:
        return _edition_of_props(str(props["data-props"]))
    return _edition_of_articles(soup)


def decoded_html(page: bytes | str) -> str:
    """The page as text, by its mark, else by the charset it declares, else as UTF-8; strictly."""
    declared = CHARSET.search(page[:HEAD]) if isinstance(page, bytes) else None
    return decoded(page, declared[1].decode("ascii") if declared else "utf-8")


def _edition_of_props(text: str) -> ParsedEdition:
    try:
        props = loaded_json(text)
    except SourceError as error:
        raise SourceError(f"the page's data-props: {error}") from None
    rows = props.get("dailyPapers") if isinstance(props, dict) else None
    if not isinstance(props, dict) or not isinstance(rows, list):
        raise SourceError(f"the page's data-props hold no dailyPapers, its markup may have changed: {WHAT_TO_DO}")
    return _dated(edition_of_rows(rows), utc_date(props.get("dateString")) or utc_date(props.get("date")))


def _dated(edition: ParsedEdition, date: dt.date | None) -> ParsedEdition:
    # The page says which day it shows; the rows say when each paper was submitted to it.
    if date is None:
        return edition
    return ParsedEdition(listings=edition.listings, date=date, warnings=edition.warnings)


def _edition_of_articles(soup: BeautifulSoup) -> ParsedEdition:
    links = _title_links(soup)
    if not links:
        raise SourceError(f"the page{_named(soup)} has no papers, its markup may have changed: {WHAT_TO_DO}")
    listings, warnings = collected(list(links.items()), _listing_of_link, "article")
    note = "no data-props in the page: only titles and ids were read"
    return ParsedEdition(listings=listings, warnings=(note, *warnings))


def _title_links(soup: BeautifulSoup) -> dict[str, Tag]:
    """The papers' ids and the headings' links to them, each paper once, in the page's order."""
    links: dict[str, Tag] = {}
    for link in soup.select("article h3 a[href]"):
        if found := PAPER_LINK.match(str(link["href"])):
            links.setdefault(found["id"], link)
    return links


def _listing_of_link(item: tuple[str, Tag], rank: int) -> ParsedListing:
    identifier, link = item
    title = title_line(link.get_text())
    if not title:
        raise PassedOver(f"it has no title ({quoted(identifier)})")
    arxiv_id, version = arxiv_id_of(identifier)
    url = safe_url(PAPERS_URL + identifier)
    return ParsedListing(title=title, arxiv_id=arxiv_id, arxiv_version=version, url=url, rank=rank)


def _named(soup: BeautifulSoup) -> str:
    title = one_line(soup.title.get_text(), 100) if soup.title else ""
    return f" {quoted(title)}" if title else ""
