"""OAI-PMH 2.0 (http://www.openarchives.org/OAI/openarchivesprotocol.html): arXiv, CERN, repositories, journals.

One answer is one page of a list: `next_token` asks for the next page, "" ends the list. A record's
datestamp says when its data last changed, which is the day it is listed, not the day of the paper.
"""

from __future__ import annotations

import datetime as dt
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

from digest.papers.sources import arxiv_record, dublin_core, jats, marcxml
from digest.papers.sources.collect import PassedOver, collected
from digest.papers.sources.dates import day_in
from digest.papers.sources.identifiers import arxiv_id_of, first_doi, is_host
from digest.papers.sources.parsed import EmptyEdition, ParsedEdition, ParsedListing, SourceError
from digest.papers.sources.plain_text import MAX_COUNT, MAX_TITLE, one_line, quoted
from digest.papers.sources.web_query import with_query
from digest.papers.sources.xml_tree import first_text, text_of, tree_of, wrong_root

LISTS = ("ListRecords", "GetRecord")
ARGUMENTS = ("verb", "metadataPrefix", "set", "from", "until", "identifier", "resumptionToken")
# What to do about each error code of the protocol (section 3.6) that is one.
ADVICE = {
    "badResumptionToken": "it has expired: ask for the day again, from its first page",
    "badArgument": "correct metadataPrefix and set in the source's address",
    "badVerb": "give the server's base address, without a verb",
    "cannotDisseminateFormat": "put metadataPrefix=oai_dc, which every server has, into the source's address",
    "idDoesNotExist": "correct the identifier",
    "noMetadataFormats": "correct the identifier",
    "noSetHierarchy": "take the set out of the source's address",
}
MAX_TOKEN = 2_000


def parse(page: bytes | str) -> ParsedEdition:
    """The answer's records in their order, deleted ones as withdrawn; dated by the day asked for, else answered."""
    root, notes = tree_of(page)
    if root.tag != "OAI-PMH":
        raise wrong_root(root, "an answer of OAI-PMH")
    _refuse_error(root)
    answer = next((found for verb in LISTS if (found := root.find(verb)) is not None), None)
    if answer is None:
        verbs = [child.tag for child in root if child.tag not in ("responseDate", "request")]
        raise SourceError(f"the server answers {quoted(' '.join(verbs))}, not ListRecords: check the source's address")
    token = text_of(answer.find("resumptionToken")).strip()
    if len(token) > MAX_TOKEN:
        raise SourceError(f"the server's resumption token has over {MAX_TOKEN:,} letters: tell its operator")
    records = answer.findall("record")
    if all(_is_gone(record) and not _known_name(record) for record in records):
        said = "only deleted records, which have no names" if records else "no records"
        raise EmptyEdition(f"the server lists {said}; nothing to do", next_token=token)
    listings, warnings = collected(records, _listing, "record")
    return ParsedEdition(
        listings=listings,
        date=_date(root),
        title=_title(root),
        next_token=token,
        total=_total(answer.find("resumptionToken")),
        warnings=(*notes, *warnings),
    )


def _refuse_error(root: Element) -> None:
    errors = root.findall("error")
    for error in errors:
        code = error.get("code", "")
        if code == "noRecordsMatch" and len(errors) == 1:
            raise EmptyEdition("the server has no records of that day; nothing to do")
        if code != "noRecordsMatch":
            advice = ADVICE.get(code, "check the source's address")
            raise SourceError(f"the server answers {quoted(code)} ({quoted(text_of(error), 200)}): {advice}")


def _listing(record: Element, rank: int) -> ParsedListing:
    identifier = first_text(record, "header/identifier")
    datestamp = day_in(first_text(record, "header/datestamp"))
    if _is_gone(record):
        return _deleted(record, rank, datestamp)
    metadata = record.find("metadata")
    content = metadata[0] if metadata is not None and len(metadata) else None
    if content is None:
        raise PassedOver(f"it has no metadata ({quoted(identifier)})")
    if content.tag in ("arXiv", "arXivRaw"):
        return arxiv_record.listing_of(content, rank, datestamp)
    if content.tag == "dc":
        return dublin_core.listing_of(content, rank, datestamp, identifier)
    if content.tag in ("record", "collection"):
        marc = content.find("record") if content.tag == "collection" else content
        return marcxml.listing_of(content if marc is None else marc, rank, datestamp)
    if content.tag == "article":
        return jats.listing_of(content, rank, datestamp)
    raise PassedOver(f"its format {quoted(content.tag, 30)} is not read: use metadataPrefix=oai_dc")


def _is_gone(record: Element) -> bool:
    header = record.find("header")
    return header is not None and header.get("status") == "deleted"


def _known_name(record: Element) -> str:
    """The paper's arXiv id or DOI in the record's identifier ("oai:hindawi.com:10.1155/…"), "" if it has none."""
    identifier = first_text(record, "header/identifier")
    return arxiv_id_of(identifier)[0] or first_doi([identifier, identifier.rpartition(":")[2]])


def _deleted(record: Element, rank: int, datestamp: dt.date | None) -> ParsedListing:
    """A deleted record has a name and nothing else, so its name stands for the title."""
    name = _known_name(record)
    if not name:
        raise PassedOver(f"it is deleted ({quoted(first_text(record, 'header/identifier'))})")
    arxiv_id, _ = arxiv_id_of(name)
    return ParsedListing(
        title=f"arXiv:{arxiv_id}" if arxiv_id else f"doi:{name}",
        arxiv_id=arxiv_id,
        doi="" if arxiv_id else name,
        rank=rank,
        announce_type="replace",
        is_withdrawn=True,
        listed_on=datestamp,
    )


def _date(root: Element) -> dt.date | None:
    request = root.find("request")
    first, last = (day_in(request.get(name, "")) if request is not None else None for name in ("from", "until"))
    return first if first and first == last else day_in(first_text(root, "responseDate"))


def _title(root: Element) -> str:
    request = root.find("request")
    if request is None:
        return ""
    try:
        host = urlsplit(text_of(request).strip()).hostname or ""
    except ValueError:
        host = ""
    return one_line(f"{host} {request.get('set', '')}", MAX_TITLE)


def _total(token: Element | None) -> int | None:
    size = token.get("completeListSize", "") if token is not None else ""
    return int(size) if size.isascii() and size.isdigit() and len(size) < len(str(MAX_COUNT)) else None


def day_url(url: str, day: dt.date) -> str:
    """The address of one day's records (UTC): of `url`, a base address with `set` and `metadataPrefix` if need be."""
    default = "arXiv" if is_host(url, "arxiv.org") else "oai_dc"
    return with_query(
        url,
        {"verb": "ListRecords", "from": day.isoformat(), "until": day.isoformat()},
        drop=("identifier", "resumptionToken"),
        defaults={"metadataPrefix": default},
    )


def token_url(url: str, token: str) -> str:
    """The address of the next page; the protocol forbids any other argument beside the token."""
    return with_query(url, {"verb": "ListRecords", "resumptionToken": token}, drop=ARGUMENTS)
