"""One entry of a feed as a listing: where feeds of this field keep id, DOI, names and abstract."""

from __future__ import annotations

import datetime as dt
import re
from time import struct_time
from typing import Any

from digest.papers.sources.boilerplate import names_in_proceedings, without_boilerplate, without_by
from digest.papers.sources.collect import PassedOver
from digest.papers.sources.dates import stated_day
from digest.papers.sources.fragments import title_line
from digest.papers.sources.identifiers import arxiv_id_of, first_doi, first_guess, is_host, linked
from digest.papers.sources.markup import text_of_html
from digest.papers.sources.names import names_in_line
from digest.papers.sources.parsed import ParsedListing
from digest.papers.sources.plain_text import (
    MAX_ABSTRACT,
    MAX_AUTHORS,
    MAX_CATEGORIES,
    abstract_line,
    count,
    one_line,
    quoted,
    short_lines,
)
from digest.papers.sources.withdrawal import MAX_COMMENT, is_taken_back

ANNOUNCE_TYPES = ("new", "cross", "replace", "replace-cross")
ARXIV_PREFIX = re.compile(r"arXiv:(?P<id>\S+)\s+Announce Type:\s*(?P<type>[a-z-]+)\s+(?:Abstract:\s*)?", re.IGNORECASE)
ARXIV_GUID = "oai:arxiv.org:"

# The daily lists as third parties put them into RSS: everything in the description, under these labels.
NAMED = ("doi", "prism_url", "feedburner_origlink")
LABELLED = re.compile(r"Authors: (?P<authors>.*?) Upvotes: (?P<upvotes>[0-9]{1,9}) Summary: (?P<summary>.*)")

MAIL = re.compile(r"(?<!\S)[^\s@<>()]{1,64}@[^\s@<>()]{1,255}(?!\S)")

MAX_MARKUP = MAX_ABSTRACT * 5  # HTML may be five times its text; what lies beyond is not worth the time

Entry = dict[str, Any]


def listing_of_entry(entry: Entry, rank: int, is_atom: bool, base: str = "") -> ParsedListing:
    """The entry as a listing, its links seen from `base`; PassedOver where it has no title."""
    title = title_line(
        _text(entry, "title", is_atom), is_literal=_is_arxivs(entry) and _is_literal(entry, "title", is_atom)
    )
    link = _link(entry, base)
    if not title:
        name = link or _string(entry.get("id"))
        raise PassedOver(f"it has no title ({quoted(name)})" if name else "it has no title")
    abstract, announced = _announced(entry, abstract_line(_abstract(entry, is_atom)))
    labelled = LABELLED.fullmatch(abstract)
    places = _places(entry, link)
    doi = first_doi(places)
    arxiv_id, version = _arxiv_id(entry, places)
    title, abstract, names = _told_apart(entry, title, labelled["summary"] if labelled else abstract)
    return ParsedListing(
        title=title,
        abstract=abstract,
        authors=short_lines(names_in_line(labelled["authors"]) if labelled else names, MAX_AUTHORS),
        arxiv_id=arxiv_id,
        arxiv_version=version,
        doi=doi,
        guessed_doi="" if doi else first_guess(places),
        url=link,
        rank=rank,
        upvotes=count(int(labelled["upvotes"])) if labelled else None,
        categories=short_lines(_categories(entry), MAX_CATEGORIES),
        # Other announcements are dated by their own day, which is not the paper's.
        published_on=_published_on(entry) if announced == "new" else None,
        announce_type=announced,
        is_withdrawn=is_taken_back(title, abstract, one_line(entry.get("arxiv_comment"), MAX_COMMENT)),
    )


def _told_apart(entry: Entry, title: str, abstract: str) -> tuple[str, str, list[str]]:
    """The title, the abstract and the names, which publishers also put into the other two."""
    names = _authors(entry)
    abstract, found = without_boilerplate(abstract)
    if not names and not found and (found := names_in_proceedings(abstract, _string(entry.get("id")))):
        abstract = ""
    if not names and not found:
        title, found = without_by(title)
    return title, abstract, names or names_in_line(found)


def _link(entry: Entry, base: str) -> str:
    """The entry's own page: its alternate link, else a guid that is an address, else what it encloses."""
    links = dicts_in(entry, "links")
    pages = [link for link in links if link.get("rel", "alternate") == "alternate"]
    pages.sort(key=lambda link: "html" not in _string(link.get("type") or "text/html"))
    own = [_string(link.get("href")) for link in pages] + [_string(entry.get("link")), _address_in(entry)]
    own += [_string(link.get("href")) for link in links if link.get("rel") == "enclosure"]
    return next((address for text in own if (address := linked(text, base))), "")


def _address_in(entry: Entry) -> str:
    guid = _string(entry.get("id"))
    return guid if guid.lower().startswith(("http://", "https://")) else ""


def _text(entry: Entry, key: str, is_atom: bool) -> str:
    text = _string(entry.get(key))[:MAX_MARKUP]
    return text if _is_literal(entry, key, is_atom) else text_of_html(text)


def _is_literal(entry: Entry, key: str, is_atom: bool) -> bool:
    # Atom says what is HTML and what is not. In RSS everything may be HTML, except at arXiv, whose texts
    # are TeX: "$<s>$" is an average there, not a struck-out word.
    if is_atom:
        # feedparser copies the content into a missing summary, but not what it says of it.
        detail = entry.get(f"{key}_detail") or next(iter(dicts_in(entry, "content")), {})
        return not isinstance(detail, dict) or detail.get("type", "text/plain") == "text/plain"
    is_arxivs = _string(entry.get("id")).lower().startswith(ARXIV_GUID)
    return is_arxivs or bool(ARXIV_PREFIX.match(_string(entry.get(key))))


def _is_arxivs(entry: Entry) -> bool:
    guid = _string(entry.get("id"))
    return guid.lower().startswith(ARXIV_GUID) or is_host(guid, "arxiv.org")


def _abstract(entry: Entry, is_atom: bool) -> str:
    summary = _text(entry, "summary", is_atom)
    if summary.strip():
        return summary
    whole = next(iter(dicts_in(entry, "content")), {})
    return text_of_html(_string(whole.get("value"))[:MAX_MARKUP])


def _announced(entry: Entry, abstract: str) -> tuple[str, str]:
    """The abstract without arXiv's "arXiv:ID Announce Type: new Abstract:", and the announce type."""
    prefix = ARXIV_PREFIX.match(abstract)
    stated = one_line(entry.get("arxiv_announce_type"), 20) or (prefix["type"] if prefix else "")
    announced = stated.lower() if stated.lower() in ANNOUNCE_TYPES else "new"
    return abstract[prefix.end() :] if prefix else abstract, announced


def _places(entry: Entry, link: str) -> list[str]:
    """Where the paper's names may stand, each text once. Links of other relations are other papers'."""
    found = [_string(entry.get("id"))]
    # prism:doi, arxiv:doi and their kin end in "_doi", whatever prefix the feed chose.
    for key, value in entry.items():
        if isinstance(value, str) and (key in NAMED or key.endswith(("_doi", "_identifier"))):
            found.append(value)
    found += [link, _string(entry.get("link"))]
    is_arxivs = _is_arxivs(entry)  # whose API relates a paper to its own DOI
    for one in dicts_in(entry, "links"):
        if one.get("rel", "alternate") == "alternate" or (is_arxivs and one.get("title") == "doi"):
            found.append(_string(one.get("href")))
    return list(dict.fromkeys(found))


def _arxiv_id(entry: Entry, places: list[str]) -> tuple[str, int | None]:
    """The id, with its version if one of the places says it: arXiv's links do not, its guids do."""
    prefix = ARXIV_PREFIX.match(_string(entry.get("summary")))
    found = [arxiv_id_of(text) for text in (*places, prefix["id"] if prefix else "")]
    known = [(name, version) for name, version in found if name]
    if not known:
        return "", None
    name = known[0][0]
    return name, next((version for other, version in known if other == name and version), None)


def _authors(entry: Entry) -> list[str]:
    # One name may be all of them in one string; arXiv's may have 3,000 people. IEEE has an element of its own.
    stated = entry.get("authors")
    texts = [stated] if isinstance(stated, str) else [_string(one.get("name")) for one in dicts_in(entry, "authors")]
    names = [name for text in texts for name in _lines_of_names(text_of_html(text[:MAX_MARKUP]))]
    return names_in_line(names[0]) if len(names) == 1 else names


def _lines_of_names(text: str) -> list[str]:
    """The lines of a text, each a name or all of them; an address of mail is nobody's name."""
    lines = (one_line(MAIL.sub("", line), MAX_MARKUP) for line in text.splitlines())
    return [line for line in lines if any(sign.isalpha() for sign in line)]


def _categories(entry: Entry) -> list[str]:
    """The categories, arXiv's primary one first: its API lists it anywhere among them."""
    terms = [_string(tag.get("term")) for tag in dicts_in(entry, "tags")]
    stated = entry.get("arxiv_primary_category")
    primary = _string(stated.get("term")) if isinstance(stated, dict) else ""
    return sorted(terms, key=lambda term: term != primary)


def _published_on(entry: Entry) -> dt.date | None:
    return date_of(entry, "published_parsed") or date_of(entry, "updated_parsed")


def date_of(thing: Entry, key: str) -> dt.date | None:
    """The UTC day feedparser read under that key, None where it read none or an impossible one."""
    # feedparser answers "updated" with "published" where only that is there, and warns; so: is it there?
    moment = thing.get(key) if key in thing else None
    if not isinstance(moment, struct_time):
        return None
    try:
        return stated_day(dt.date(moment.tm_year, moment.tm_mon, moment.tm_mday))
    except (ValueError, OverflowError):
        return None


def dicts_in(thing: Entry, key: str) -> list[Entry]:
    """The dicts feedparser keeps under that key; none where the page smuggled something else in."""
    value = thing.get(key)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""
