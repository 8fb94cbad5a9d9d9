"""The one table of what the names of fields, columns and tags mean, for every kind of file.

Names are compared without case, spaces and signs: `Publication Date`, `publicationDate` and
`publication_date` are one. Where a record has several names of one meaning, the first in the table that can
be read wins. The vocabularies: Crossref, DataCite, Semantic Scholar, OpenAlex, APS, arXiv's metadata dump,
bioRxiv, Europe PMC, INSPIRE, NASA ADS, HAL, PLOS, IEEE, Springer, Scopus, Web of Science, Google Scholar,
Zotero, JSON Feed, BibTeX, RIS, and our own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

NAMES: dict[str, tuple[str, ...]] = {
    "title": tuple("title titles articletitle documenttitle papertitle titledisplay dctitle headline".split()),
    # A title only beside what papers have: people, journals and institutions have names too.
    "name": ("displayname", "name"),
    "abstract": tuple(
        "abstract abstracts summary abstractnote abstracttext description descriptions dcdescription"
        " abstractinvertedindex contenttext contenthtml text".split()
    ),
    "authors": tuple(
        "authorsparsed authorfullnames authors author authorships creators creator dccreator authfullnames"
        " authordisplay authornames authorstring".split()
    ),
    "doi": tuple("doi dois doiids prismdoi externalids identifiers identifier ids doilink".split()),
    "arxiv": tuple("arxivid arxiv arxiveprints eprint externalids ids identifiers identifier paperid id".split()),
    "url": tuple("url urlabs htmlurl link links landingpageurl primarylocation externalurl uris href".split()),
    # Looked through for identifiers only: a reader is not sent to a PDF.
    "places": tuple("url urlabs link externalurl pdf pdfurl openaccesspdf primarylocation landingpageurl guid".split()),
    "published_on": tuple(
        "publicationdate firstpublicationdate publishedonline publishedon publishedat publisheddate datepublished"
        " published pubdate publishedprint issued prismcoverdate preprintdate dates versions created".split()
    ),
    "day": ("date",),  # the list's day or the paper's: see records.py
    "listed_on": tuple("listedon firstlistedon listdate".split()),
    "categories": tuple(
        "categories category primarycategory primaryclass subjects subject fieldsofstudy s2fieldsofstudy topics"
        " concepts keywords keyword authorkeywords tags manualtags classificationschemes woscategories"
        " indexkeywords".split()
    ),
    "upvotes": tuple("upvotes likes likecount votes".split()),
    "comments": tuple("comments numcomments commentcount commentscount".split()),
    "rank": tuple("rank position".split()),
    "is_withdrawn": tuple("iswithdrawn isretracted withdrawn retracted".split()),
}

# RIS, and the columns of Web of Science's tab-delimited files.
TAGS: dict[str, tuple[str, ...]] = {
    "title": ("ti", "t1", "ct", "bt"),
    "abstract": ("ab", "n2"),
    "authors": ("af", "au", "a1"),
    "doi": ("do", "di"),
    "arxiv": ("an", "m1"),
    "url": ("ur", "lk"),
    "places": ("ur", "lk", "l1", "l2"),
    "published_on": ("da", "y1", "py", "pd"),
    "categories": ("kw", "de", "wc"),
}

SIGNS = re.compile(r"[\W_]+")

Meanings = tuple[tuple[str, int], ...]


def _by_name() -> dict[str, Meanings]:
    found: dict[str, list[tuple[str, int]]] = {}
    for field, names in NAMES.items():
        for place, name in enumerate((*names, *TAGS.get(field, ()))):
            found.setdefault(name, []).append((field, place))
    return {name: tuple(meanings) for name, meanings in found.items()}


MEANINGS = _by_name()


@lru_cache(maxsize=2_000)
def plain_key(name: str) -> str:
    """The name as the table spells it; Dublin Core's and PRISM's keep their prefix."""
    return SIGNS.sub("", name[:100]).lower()


def fields_of(record: Mapping[str, object]) -> dict[str, list[object]]:
    """What the record says, by meaning, best name first; its empty values are left out."""
    found: dict[str, list[tuple[int, object]]] = {}
    for name, value in record.items():
        if value is None or value == "" or value == [] or value == {} or not isinstance(name, str):
            continue
        for field, place in MEANINGS.get(plain_key(name), ()):
            found.setdefault(field, []).append((place, value))
    return {field: [value for _, value in sorted(values, key=_place)] for field, values in found.items()}


def _place(item: tuple[int, object]) -> int:
    return item[0]


def known_names(names: Iterable[str]) -> set[str]:
    """The meanings among these column names."""
    return {field for name in names for field, _ in MEANINGS.get(plain_key(name), ())}
