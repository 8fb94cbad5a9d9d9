"""A day of arXiv as a feed and as OAI-PMH: our listings, beside the libraries that only take the page apart."""

from __future__ import annotations

import io
import itertools
import json
from html import escape

import feedparser
from lxml import etree

from bench.measure import Case
from digest.papers.sample.sample import PATH
from digest.papers.sources import feed, oai

ENTRIES = 500  # a busy weekday of a few categories together


def cases() -> list[Case]:
    papers = itertools.cycle(row["paper"] for row in json.loads(PATH.read_text()))
    day = [dict(next(papers), id=f"2603.{number:05}") for number in range(ENTRIES)]
    page, answer = rss(day).encode(), records(day).encode()
    assert len(feed.parse(page).listings) == len(oai.parse(answer).listings) == ENTRIES

    def feedparser_as_we_use_it() -> None:
        feedparser.parse(io.BytesIO(page), sanitize_html=False, resolve_relative_uris=False)

    ways = [
        ("a feed", "checked, feedparser, listings", lambda: feed.parse(page)),
        ("a feed", "peer: feedparser alone", lambda: feedparser.parse(io.BytesIO(page))),
        ("a feed", "floor: feedparser without its sanitiser", feedparser_as_we_use_it),
        ("OAI-PMH", "checked, tree, listings", lambda: oai.parse(answer)),
        ("OAI-PMH", "limit: lxml's tree alone", lambda: etree.fromstring(answer)),
    ]
    return [Case(f"parse {kind} of {ENTRIES} papers", name, run, ENTRIES, "paper") for kind, name, run in ways]


def rss(papers: list[dict[str, object]]) -> str:
    """The papers as arXiv's RSS has them."""
    return (
        '<rss xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:dc="http://purl.org/dc/elements/1.1/" version="2.0">'
        "<channel><title>cs updates on arXiv.org</title><link>https://rss.arxiv.org/rss/cs</link>"
        f"{''.join(map(item, papers))}</channel></rss>"
    )


def item(paper: dict[str, object]) -> str:
    number = paper["id"]
    return (
        f"<item><title>{escape(str(paper['title']))}</title><link>https://arxiv.org/abs/{number}</link>"
        f"<description>arXiv:{number}v1 Announce Type: new \nAbstract: {escape(str(paper['summary']))}</description>"
        f'<guid isPermaLink="false">oai:arXiv.org:{number}v1</guid><category>cs.CL</category><category>cs.AI</category>'
        "<pubDate>Mon, 16 Mar 2026 00:00:00 -0400</pubDate><arxiv:announce_type>new</arxiv:announce_type>"
        f"<dc:creator>{escape(', '.join(names(paper)))}</dc:creator></item>"
    )


def records(papers: list[dict[str, object]]) -> str:
    """The papers as arXiv's OAI-PMH server has them."""
    return (
        '<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><ListRecords>'
        f"{''.join(map(record, papers))}</ListRecords></OAI-PMH>"
    )


def record(paper: dict[str, object]) -> str:
    number = paper["id"]
    return (
        f"<record><header><identifier>oai:arXiv.org:{number}</identifier><datestamp>2026-03-16</datestamp></header>"
        f'<metadata><arXiv xmlns="http://arxiv.org/OAI/arXiv/"><id>{number}</id><created>2026-03-14</created>'
        f"<authors>{''.join(map(author, names(paper)))}</authors><title>{escape(str(paper['title']))}</title>"
        f"<categories>cs.CL cs.AI</categories><abstract>{escape(str(paper['summary']))}</abstract></arXiv></metadata>"
        "</record>"
    )


def names(paper: dict[str, object]) -> list[str]:
    authors = paper["authors"]
    return [author["name"] for author in authors] if isinstance(authors, list) else []


def author(name: str) -> str:
    given, _, family = name.rpartition(" ")
    return f"<author><keyname>{escape(family)}</keyname><forenames>{escape(given)}</forenames></author>"
