"""JATS, in which journals exchange articles (https://jats.nlm.nih.gov/): one `article`, or many in any wrapper."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from digest.papers.sources.collect import PassedOver, collected
from digest.papers.sources.dates import day_in, day_of_parts
from digest.papers.sources.fragments import title_line
from digest.papers.sources.identifiers import first_arxiv_id, first_doi, paper_url, safe_url
from digest.papers.sources.names import full_name, plain_name
from digest.papers.sources.parsed import ParsedEdition, ParsedListing
from digest.papers.sources.plain_text import MAX_AUTHORS, MAX_CATEGORIES, abstract_line, short_lines
from digest.papers.sources.withdrawal import is_taken_back
from digest.papers.sources.xml_tree import first_text, text_of, texts, tree_of, wrong_root

# Abstracts that are not the abstract: a picture, a teaser, bullet points.
OTHER_ABSTRACTS = frozenset(
    {"graphical", "teaser", "toc", "key-points", "highlights", "web-summary", "executive-summary"}
)
NOTICES = frozenset({"retraction", "removal"})  # @article-type of the note that takes a paper back
TAKEN_BACK_BY = frozenset({"retraction", "retraction-forward", "removal"})
# Dates of a paper itself, the best first; collection is the year of a volume.
PUBLISHED = ("epub", "pub", "epub-ppub", "epreprint", "preprint", "ppub")


def parse(page: bytes | str) -> ParsedEdition:
    """Every article of the page in its order, without a date: a file is no day's list."""
    root, notes = tree_of(page)
    articles = [article for article in root.iter("article") if article.find("front/article-meta") is not None]
    if not articles:
        raise wrong_root(root, "JATS")
    listings, warnings = collected(articles, listing_of, "article")
    return ParsedEdition(listings=listings, warnings=(*notes, *warnings))


def listing_of(article: Element, rank: int, datestamp: dt.date | None = None) -> ParsedListing:
    """The article as a listing; PassedOver where it has no title."""
    meta = article.find("front/article-meta")
    if meta is None:
        raise PassedOver("it has no article-meta")
    subtitles = texts(meta, "title-group/subtitle")
    title = title_line(": ".join([first_text(meta, "title-group/article-title"), *subtitles[:1]]))
    if not title:
        raise PassedOver("it has no title")
    ids = {found.get("pub-id-type", ""): text_of(found).strip() for found in meta.iterfind("article-id")}
    doi = first_doi([ids.get("doi", "")])
    arxiv_id, version = first_arxiv_id([ids.get("arxiv", ""), ids.get("doi", "")])
    abstract = abstract_line(_abstract(meta))
    return ParsedListing(
        title=title,
        abstract=abstract,
        authors=short_lines(_authors(meta), MAX_AUTHORS),
        arxiv_id=arxiv_id,
        arxiv_version=version,
        doi=doi,
        url=paper_url(arxiv_id, doi) or _own_address(meta),
        rank=rank,
        categories=short_lines(dict.fromkeys(_categories(meta)), MAX_CATEGORIES),
        published_on=_published_on(meta),
        is_withdrawn=_is_retracted(article, meta) or is_taken_back(title, abstract),
        listed_on=datestamp,
    )


def _abstract(meta: Element) -> str:
    found = [one for one in meta.iterfind("abstract") if one.get("abstract-type", "") not in OTHER_ABSTRACTS]
    if not found:
        return ""
    return " ".join(_sections(found[0]))


def _sections(abstract: Element) -> Iterator[str]:
    """The parts of the abstract, each under its title: "Background: ..."."""
    yield abstract.text or ""
    for part in abstract:
        heading = first_text(part, "title") if part.tag == "sec" else ""
        if heading:
            yield f"{heading.rstrip(' :.')}:"
            yield from (text_of(child) for child in part if child.tag != "title")
        elif part.tag != "title":  # "Abstract"
            yield text_of(part)


def _authors(meta: Element) -> Iterator[str]:
    for person in meta.iterfind("contrib-group/contrib"):
        if person.get("contrib-type", "author") != "author":
            continue
        name = next(
            (found for path in ("name", "name-alternatives/name") if (found := person.find(path)) is not None), None
        )
        if name is not None:
            yield full_name(first_text(name, "given-names"), first_text(name, "surname"), first_text(name, "suffix"))
        else:
            yield plain_name(first_text(person, "string-name")) or first_text(person, "collab/institution", "collab")


def _categories(meta: Element) -> Iterator[str]:
    yield from texts(meta, "article-categories/subj-group/subject")
    yield from texts(meta, "kwd-group/kwd")


def _own_address(meta: Element) -> str:
    return next((url for found in meta.iterfind("self-uri") if (url := safe_url(found.get("href", "")))), "")


def _published_on(meta: Element) -> dt.date | None:
    dates = [(_rank(date), day) for date in meta.iterfind("pub-date") if (day := _day(date))]
    return min(dates)[1] if dates else None


def _rank(date: Element) -> int:
    kind = date.get("pub-type") or date.get("date-type") or "pub"
    if kind == "pub" and date.get("publication-format") == "print":
        kind = "ppub"
    return PUBLISHED.index(kind) if kind in PUBLISHED else len(PUBLISHED)


def _day(date: Element) -> dt.date | None:
    stated = day_in(date.get("iso-8601-date", ""))
    return stated or day_of_parts(first_text(date, "year"), first_text(date, "month"), first_text(date, "day"))


def _is_retracted(article: Element, meta: Element) -> bool:
    if article.get("article-type") in NOTICES:
        return True
    return any(one.get("related-article-type") in TAKEN_BACK_BY for one in meta.iterfind("related-article"))
