"""Dublin Core (`oai_dc`), which every OAI-PMH server has: fifteen elements, each any number of times, all optional."""

from __future__ import annotations

import datetime as dt
from xml.etree.ElementTree import Element

from digest.papers.sources.arxiv_record import is_late
from digest.papers.sources.collect import PassedOver
from digest.papers.sources.dates import day_in
from digest.papers.sources.fragments import title_line
from digest.papers.sources.identifiers import first_arxiv_id, first_doi, is_host, paper_url, safe_url
from digest.papers.sources.markup import text_of_html
from digest.papers.sources.names import plain_name
from digest.papers.sources.parsed import ParsedListing
from digest.papers.sources.plain_text import (
    MAX_ABSTRACT,
    MAX_AUTHORS,
    MAX_CATEGORIES,
    MAX_TITLE,
    abstract_line,
    one_line,
    short_lines,
)
from digest.papers.sources.withdrawal import MAX_COMMENT, is_taken_back
from digest.papers.sources.xml_tree import texts

COMMENT = "Comment:"  # arXiv's second description
# OpenAIRE's way of naming a record's other identifiers in dc:relation.
OTHER_NAMES = ("info:eu-repo/semantics/altIdentifier/doi/", "info:eu-repo/semantics/altIdentifier/arxiv/")


def listing_of(record: Element, rank: int, datestamp: dt.date | None, identifier: str) -> ParsedListing:
    """The `dc` element as a listing; `identifier` is the record's own name in the protocol."""
    is_arxivs = identifier.lower().startswith("oai:arxiv.org:")  # its texts are TeX, others' may be HTML
    title = title_line(_plain(next(iter(texts(record, "title")), ""), MAX_TITLE, is_arxivs), is_literal=is_arxivs)
    if not title:
        raise PassedOver(f"it has no title ({one_line(identifier, 60) or 'nor a name'})")
    descriptions = texts(record, "description")
    comment = next((text.removeprefix(COMMENT) for text in descriptions if text.startswith(COMMENT)), "")
    # Some servers describe a record by its licence or its pages too: the abstract is what is long.
    longest = max((text for text in descriptions if not text.startswith(COMMENT)), key=len, default="")
    abstract = abstract_line(_plain(longest, MAX_ABSTRACT, is_arxivs))
    named = [identifier, *_names(record)]
    arxiv_id, version = first_arxiv_id(named)
    doi = first_doi(named)
    # arXiv gives the day of every version, others the days of submission and publication.
    days = sorted({day for text in texts(record, "date") if (day := day_in(text))})
    first_day = days[0] if days else None
    is_old = is_arxivs and (len(days) > 1 or is_late(first_day, datestamp))
    return ParsedListing(
        title=title,
        abstract=abstract,
        authors=short_lines(map(plain_name, texts(record, "creator")), MAX_AUTHORS),
        arxiv_id=arxiv_id,
        arxiv_version=version,
        doi=doi,
        url=_url(named) or paper_url(arxiv_id, doi),
        rank=rank,
        categories=short_lines(texts(record, "subject"), MAX_CATEGORIES),
        published_on=first_day,
        announce_type="replace" if is_old else "new",
        is_withdrawn=is_taken_back(title, abstract, one_line(comment, MAX_COMMENT)),
        listed_on=datestamp,
    )


def _plain(text: str, limit: int, is_literal: bool) -> str:
    text = text[: limit * 5]
    return text if is_literal else text_of_html(text)


def _names(record: Element) -> list[str]:
    related = texts(record, "relation")
    return texts(record, "identifier") + [
        text.removeprefix(prefix) for text in related for prefix in OTHER_NAMES if text.startswith(prefix)
    ]


def _url(names: list[str]) -> str:
    """The record's own page: an address that is neither a file nor the DOI's resolver."""
    pages = [url for name in names if (url := safe_url(name)) and not is_host(url, "doi.org")]
    return next((url for url in pages if not url.lower().endswith((".pdf", ".ps", ".gz"))), pages[0] if pages else "")
