"""PubMed: what efetch answers (`PubmedArticleSet`) and what publishers send in (`ArticleSet`).

Elements: https://www.nlm.nih.gov/bsd/licensee/elements_descriptions.html and
https://www.ncbi.nlm.nih.gov/books/NBK3828/
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from digest.papers.sources.collect import PassedOver, collected
from digest.papers.sources.dates import day_of_parts
from digest.papers.sources.fragments import title_line
from digest.papers.sources.identifiers import first_arxiv_id, first_doi, paper_url
from digest.papers.sources.names import full_name
from digest.papers.sources.parsed import ParsedEdition, ParsedListing
from digest.papers.sources.plain_text import MAX_AUTHORS, MAX_CATEGORIES, abstract_line, short_lines
from digest.papers.sources.withdrawal import is_taken_back
from digest.papers.sources.xml_tree import first_text, text_of, texts, tree_of, wrong_root

NO_TITLE = "[Not Available]."  # PubMed's words for a title that is in another language only
NO_LABEL = ("", "UNLABELLED", "UNASSIGNED")
# MeSH publication types: the paper that was taken back, and the note that says so.
TAKEN_BACK = ("Retracted Publication", "Retraction of Publication", "Retraction Notice")


def parse(page: bytes | str) -> ParsedEdition:
    """The articles in their order, without a date: an answer is no day's list."""
    root, notes = tree_of(page)
    if root.tag not in ("PubmedArticleSet", "ArticleSet"):
        raise wrong_root(root, "PubMed's XML")
    articles = [child for child in root if child.tag in ("PubmedArticle", "PubmedBookArticle", "Article")]
    listings, warnings = collected(articles, listing_of, "article")
    return ParsedEdition(listings=listings, warnings=(*notes, *warnings))


def listing_of(record: Element, rank: int) -> ParsedListing:
    """A `PubmedArticle`, or an `Article` as publishers send it; PassedOver where it has no title."""
    article = _article(record)
    pmid = first_text(record, "MedlineCitation/PMID", "BookDocument/PMID")
    titles = [text for path in ("ArticleTitle", "VernacularTitle", "Book/BookTitle") for text in texts(article, path)]
    title = title_line(next((text for text in titles if text != NO_TITLE), ""))
    if not title:
        raise PassedOver(f"it has no title (PMID {pmid[:20]})" if pmid else "it has no title")
    names = list(_identifiers(record, article))
    doi = first_doi(names)
    arxiv_id, version = first_arxiv_id(names)
    abstract = abstract_line(" ".join(_abstract(article)))
    return ParsedListing(
        title=title,
        abstract=abstract,
        authors=short_lines(map(_name, article.iterfind("AuthorList/Author")), MAX_AUTHORS),
        arxiv_id=arxiv_id,
        arxiv_version=version,
        doi=doi,
        url=_url(pmid, doi),
        rank=rank,
        categories=short_lines(_categories(record), MAX_CATEGORIES),
        published_on=next((day for date in _dates(record, article) if (day := _day(date))), None),
        is_withdrawn=_is_retracted(record, article) or is_taken_back(title, abstract),
    )


def _article(record: Element) -> Element:
    citation, book = record.find("MedlineCitation/Article"), record.find("BookDocument")
    return citation if citation is not None else book if book is not None else record


def _abstract(article: Element) -> Iterator[str]:
    """The parts of the abstract, each under its label: "Background: ..."."""
    for part in article.iterfind("Abstract/AbstractText"):
        label = part.get("Label", "").strip()
        text = text_of(part).strip()
        yield text if label in NO_LABEL else f"{label.capitalize() if label.isupper() else label}: {text}"
    if article.find("Abstract/AbstractText") is None:
        yield first_text(article, "Abstract")


def _name(author: Element) -> str:
    given = first_text(author, "ForeName") or " ".join(
        part for part in (first_text(author, "FirstName"), first_text(author, "MiddleName")) if part
    )
    name = full_name(
        given or first_text(author, "Initials"), first_text(author, "LastName"), first_text(author, "Suffix")
    )
    return name or first_text(author, "CollectiveName")


def _identifiers(record: Element, article: Element) -> Iterator[str]:
    for place in article.iterfind("ELocationID[@EIdType='doi']"):
        if place.get("ValidYN") != "N":
            yield text_of(place)
    # Not .//ArticleId: the references have those too.
    for holder in (record.find("PubmedData"), record.find("PubmedBookData"), article):
        if holder is not None:
            yield from texts(holder, "ArticleIdList/ArticleId[@IdType='doi']")


def _url(pmid: str, doi: str) -> str:
    is_pmid = pmid.isascii() and pmid.isdigit() and len(pmid) <= 12
    return f"https://pubmed.ncbi.nlm.nih.gov/{pmid}/" if is_pmid else paper_url("", doi)


def _categories(record: Element) -> Iterator[str]:
    yield from texts(record, "MedlineCitation/KeywordList/Keyword")
    yield from texts(record, "MedlineCitation/MeshHeadingList/MeshHeading/DescriptorName")
    yield from texts(record, "ObjectList/Object[@Type='keyword']/Param[@Name='value']")


def _dates(record: Element, article: Element) -> Iterator[Element]:
    """The dates that may be the paper's, the best first: online, the issue, the day PubMed had it."""
    yield from article.iterfind("ArticleDate")
    yield from article.iterfind("History/PubDate[@PubStatus='aheadofprint']")
    yield from article.iterfind("Journal/JournalIssue/PubDate")
    yield from article.iterfind("Journal/PubDate")
    yield from article.iterfind("History/PubDate[@PubStatus='epublish']")
    yield from record.iterfind("PubmedData/History/PubMedPubDate[@PubStatus='pubmed']")


def _day(date: Element) -> dt.date | None:
    return day_of_parts(first_text(date, "Year"), first_text(date, "Month"), first_text(date, "Day"))


def _is_retracted(record: Element, article: Element) -> bool:
    types = texts(article, "PublicationTypeList/PublicationType") + texts(article, "PublicationType")
    if any(name in TAKEN_BACK for name in types):
        return True
    return (
        record.find("MedlineCitation/CommentsCorrectionsList/CommentsCorrections[@RefType='RetractionIn']") is not None
    )
