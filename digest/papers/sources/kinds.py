"""The register of kinds: which parser reads which page, and which page is of which kind."""

from __future__ import annotations

import re
from collections.abc import Callable

from digest.papers.sources import (
    bibtex,
    feed,
    huggingface_api,
    huggingface_html,
    jats,
    json_feed,
    json_lines,
    json_records,
    marcxml,
    oai,
    pubmed,
    ris,
    table,
    text_listing,
)
from digest.papers.sources.parsed import ParsedEdition, SourceError
from digest.papers.sources.plain_text import one_line, quoted, wide_encoding
from subscriptions.delimited import marked_encoding

PARSERS: dict[str, Callable[..., ParsedEdition]] = {
    "text": text_listing.parse,
    "huggingface-api": huggingface_api.parse,
    "huggingface-html": huggingface_html.parse,
    "feed": feed.parse,
    "oai": oai.parse,
    "marcxml": marcxml.parse,
    "pubmed": pubmed.parse,
    "jats": jats.parse,
    "json-feed": json_feed.parse,
    "json": json_records.parse,
    "jsonl": json_lines.parse,
    "csv": table.parse,
    "bibtex": bibtex.parse,
    "ris": ris.parse,
}
LINKING = ("feed", "json-feed")  # their links may be relative to where the page was

MAX_PAGE = 50_000_000  # a full arXiv feed of 2,000 entries takes about 5 MB
HEAD = 65_536  # some feeds begin with a licence in a comment

BINARIES = (
    (b"%PDF-", "a PDF"),
    (b"\x89PNG", "an image (PNG)"),
    (b"\xff\xd8\xff", "an image (JPEG)"),
    (b"GIF8", "an image (GIF)"),
    (b"RIFF", "an image or a sound (RIFF)"),
    (b"\x1f\x8b", "gzip data, still packed"),
    (b"PK\x03\x04", "a ZIP archive (a spreadsheet? Save it as CSV)"),
    (b"\xd0\xcf\x11\xe0", "an old Office file (a spreadsheet? Save it as CSV)"),
    (b"\x28\xb5\x2f\xfd", "zstd data, still packed"),
    (b"BZh", "bzip2 data, still packed"),
    (b"\xfd7zXZ", "xz data, still packed"),
    (b"SQLite format 3", "a database (SQLite)"),
    (b"\x7fELF", "a program"),
)
# Two lines of a header, since papers are called "X-Prompt: ..." too.
MAIL_START = re.compile(
    r"(?:Return-Path|Received|Delivered-To|Message-ID|MIME-Version|Content-Type|X-[\w-]+|From|To|Date|Subject):\s"
    r"[^\r\n]*\r?\n(?:[ \t]|[A-Za-z][A-Za-z0-9-]{0,60}:[\s])|From \S+@",
    re.IGNORECASE,
)
# Formats of reference managers that are not read, and what to export instead.
UNREAD = (
    (re.compile(r"PMID- ?[0-9]"), "in PubMed's own format (.nbib): save it as XML (efetch), or as RIS or CSV"),
    (re.compile(r"%0 [A-Z][^\n]{0,60}\n%[0-9A-Z] "), "in EndNote's format (.enw): export RIS or BibTeX"),
    (
        re.compile(r"(?:FN (?:Clarivate|Thomson|ISI)|PT [JBSP]\r?\n)"),
        "in Web of Science's tagged format: export a tab-delimited file, RIS or BibTeX",
    ),
)
JSON_START = re.compile(r"\[\s*(?:[\[{\"\]]|$)|\{\s*(?:[\"}]|$)")
# Two objects with nothing but a line's end between them are no JSON, but lines of it.
JSON_LINES = re.compile(r"\}[ \t\r]*\n\s*\{")
JSON_FEED = re.compile(r"\"version\"\s*:\s*\"https?:\\?/\\?/(?:www\.)?jsonfeed\.org\\?/version", re.IGNORECASE)
# The rows of Hugging Face's API, or their Python reprs as texts in a list.
HUGGINGFACE_ROW = re.compile(r"\"(?:paper\"\s*:\s*\{|submittedOnDailyAt\"|dailyPapers\")|\[\s*\"\{(?:'|\\\")")
# What may stand before the root of an XML or HTML page; a comment that never ends takes the rest.
PROLOGUE = re.compile(r"\s*(?:<\?.*?\?>|<!--.*?(?:-->|$)|<!doctype[^>\[]*(?:\[.*?\]\s*)?>)", re.IGNORECASE | re.DOTALL)
ROOT = re.compile(r"\s*<(?P<name>[A-Za-z_][\w:.-]*)")
ROOTS = {
    **dict.fromkeys(("rss", "rdf", "feed"), "feed"),
    "oai-pmh": "oai",
    **dict.fromkeys(("pubmedarticleset", "articleset"), "pubmed"),
}
# Roots that many vocabularies have, and what else must stand in a page of ours.
SHARED_ROOTS = {
    **dict.fromkeys(("collection", "record"), ("marcxml", re.compile(r"loc\.gov/MARC21|datafield"))),
    **dict.fromkeys(("article", "articles", "pmc-articleset"), ("jats", re.compile("<article-meta"))),
}
PAPERS_PAGE = re.compile(r"data-target=[\"']?DailyPapers|href=[\"']?(?:https?://huggingface\.co)?/papers/")
PAGE_TITLE = re.compile(r"<title[^>]{0,200}>([^<]{1,300})", re.IGNORECASE)


def parse(page: bytes | str, kind: str | None = None, url: str = "") -> ParsedEdition:
    """The page's edition, of the given kind or the kind its content shows; SourceError and nothing else.

    `url` is where the page was, "" for a file.
    """
    kind = detect(page) if kind is None else kind
    if kind not in PARSERS:
        raise SourceError(f"there is no kind {quoted(kind)}: use one of {', '.join(PARSERS)}")
    _check_size(page)
    return PARSERS[kind](page, url) if kind in LINKING else PARSERS[kind](page)


def kind_of(page: bytes | str, name: str) -> str:
    """The kind of a file of that name; a table whose columns have unknown names is told by its name alone."""
    kind = detect(page)
    return "csv" if kind == "text" and name.lower().endswith((".csv", ".tsv")) else kind


def detect(page: bytes | str) -> str:
    """The kind of the page, by its content; SourceError that says what it is, where it is none of them."""
    _check_size(page)
    head = _head(page)
    if not head.strip():
        raise SourceError("the page is empty: fetch or save it again")
    if head.lstrip().startswith("<"):
        return _markup_kind(head, page)
    if JSON_START.match(head.lstrip()):
        return _json_kind(head.lstrip(), page)
    if "\x00" in head:
        raise SourceError("the page is binary data, not text: is it the right file or address?")
    if MAIL_START.match(head):
        raise SourceError("the page is an e-mail: save the list it speaks of, not the message")
    return _text_kind(head)


def _json_kind(head: str, page: bytes | str) -> str:
    # A first line longer than the head may be a record of hundreds of authors: then all of the page is asked.
    whole = head if "\n" in head or len(page) <= HEAD else _as_text(page)
    if head.startswith("{") and JSON_LINES.search(whole):
        return "jsonl"
    if JSON_FEED.search(head):
        return "json-feed"
    return "huggingface-api" if HUGGINGFACE_ROW.search(head) else "json"


def _text_kind(head: str) -> str:
    for start, words in UNREAD:
        if start.match(head.lstrip()):
            raise SourceError(f"the page is {words}")
    if ris.FIRST_LINE.match(head):
        return "ris"
    if bibtex.ENTRY.search(head):
        return "bibtex"
    return "csv" if table.looks_like_table(head) else "text"


def _check_size(page: bytes | str) -> None:
    if len(page) > MAX_PAGE:
        raise SourceError(f"the page is larger than {MAX_PAGE:,} bytes: is it a list of papers of one day?")


def _head(page: bytes | str) -> str:
    """The beginning as text, good enough to tell the kinds apart; the parsers decode strictly."""
    if isinstance(page, str):
        return _as_text(page[:HEAD])
    for start, name in BINARIES:
        if page.startswith(start):
            raise SourceError(f"the page is {name}: check the source's address")
    return _as_text(page[:HEAD])


def _as_text(page: bytes | str) -> str:
    if isinstance(page, bytes):
        page = page.decode(wide_encoding(page) or marked_encoding(page) or "utf-8", errors="replace")
    return page.removeprefix("\ufeff")


def _markup_kind(head: str, page: bytes | str) -> str:
    root = _root(head)
    name = root.rpartition(":")[2].lower()
    if name in ROOTS:
        return ROOTS[name]
    if name in SHARED_ROOTS and SHARED_ROOTS[name][1].search(head):
        return SHARED_ROOTS[name][0]
    if name != "html" and head.lstrip().startswith("<?xml"):
        raise SourceError(
            f"the page is XML of no kind that is read (its root is {quoted(root or 'out of sight')}): "
            "use RSS, Atom, OAI-PMH or JSON"
        )
    html = huggingface_html.decoded_html(page)
    if PAPERS_PAGE.search(html):
        return "huggingface-html"
    raise SourceError(f"{_called(html)} shows no papers (a login or error page?): open it in a browser")


def _root(head: str) -> str:
    """The name of the first element, "" where none is in sight."""
    position = 0
    while found := PROLOGUE.match(head, position):
        position = found.end()
    root = ROOT.match(head, position)
    return root["name"] if root else ""


def _called(html: str) -> str:
    title = PAGE_TITLE.search(html)
    return f"the HTML page {quoted(one_line(title[1], 100))}" if title else "the HTML page"
