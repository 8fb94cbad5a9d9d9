"""BibTeX and BibLaTeX, split by bibtexparser, which goes on after a broken entry.

Titles and abstracts lose the braces and the text commands of TeX; formulas stay as they are, as in every
other source. A child inherits its parent's date (`crossref`), but no DOI: that is the volume's.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping

from bibtexparser.entrypoint import parse_string
from bibtexparser.exceptions import ParserStateException
from bibtexparser.model import Block, Entry, ParsingFailedBlock, String

from digest.papers.sources.collect import PassedOver
from digest.papers.sources.dates import date_of_text, day_of, month_number
from digest.papers.sources.fragments import MAX_MARKUP
from digest.papers.sources.parsed import EmptyEdition, ParsedEdition, SourceError
from digest.papers.sources.plain_text import decoded, quoted
from digest.papers.sources.records import Record, edition_of_records
from digest.papers.sources.tex_text import plain_tex
from subscriptions.delimited import LINE_END

# An entry at the beginning of a line: a key and a comma, and then the line's end or a field.
ENTRY = re.compile(
    r"^[ \t]{0,20}@[A-Za-z]{2,30}\s{0,9}[{(]\s{0,99}[^\s,{}()\"=]{1,200}\s{0,9},"
    r"\s{0,99}(?:$|[A-Za-z_-]{1,40}\s{0,99}=)",
    re.MULTILINE,
)

# A value is made of these, joined by "#".
PIECE = re.compile(r"\s*(?:(?P<word>[^\s{}\"#,]+)|\"(?P<quoted>(?:[^\"{}]|\{[^{}]*\})*)\"|(?P<brace>\{))\s*(?:#|$)?")
JOINT = re.compile(r"[\s#]*")
BRACE = re.compile(r"(?<!\\)[{}]")
BRACE_OR_AND = re.compile(r"(?<!\\)[{}]| and ")
SIGN = re.compile(r"\\([&%_#$])")
COMMAND = re.compile(
    r"\\(?:emph|text[a-z]{2,9}|mbox|url|href|mkbibquote|relax|it|bf|em|rm|sc|tt|sl|sf)(?![A-Za-z])\s?\*?"
)
BRACES = str.maketrans("", "", "{}")
ARXIV_JOURNAL = re.compile(
    r"(?:arxiv(?: e-prints?| preprint)?,?\s*)?(?:arxiv:)\s*(?P<id>\S{5,30}).{0,20}", re.IGNORECASE
)
MONTH_AND_DAY = re.compile(r"\s*(?P<month>[A-Za-z]{3,9})[^A-Za-z0-9]{1,9}(?P<day>[0-9]{1,2})\s*")
DAY_AND_MONTH = re.compile(r"\s*(?P<day>[0-9]{1,2})[^A-Za-z0-9]{1,9}(?P<month>[A-Za-z]{3,9})\.?\s*")
ORDINAL = re.compile(r"(?<=[0-9])(?:st|nd|rd|th)$", re.IGNORECASE)
MAX_STRING = 1_000
INHERITED = ("year", "month", "day", "date")
VOLUMES = ("proceedings", "collection", "mvproceedings", "mvcollection")

Fields = dict[str, str]

# Every broken entry is in our own warnings already.
logging.getLogger("bibtexparser").setLevel(logging.CRITICAL)


def parse(page: bytes | str) -> ParsedEdition:
    """The entries in their order; a broken one is passed over, by its line."""
    try:
        text = decoded(page)
        blocks = parse_string(LINE_END.sub("\n", text) if "\r" in text else text, parse_stack=[]).blocks
    except (ParserStateException, RecursionError, LookupError, ValueError) as error:
        raise SourceError(f"the BibTeX cannot be read ({type(error).__name__}): export it again") from None
    strings: dict[str, str] = {}
    for block in blocks:
        if isinstance(block, String):
            # It knows those above it. Bounded, or a short file of long strings makes a text without end.
            strings[block.key.lower()] = _value(str(block.value), strings)[:MAX_STRING]
    entries = list(_entries(blocks))
    if not entries:
        raise EmptyEdition("the BibTeX has no entries: nothing is listed")
    parents = {entry.key.lower(): entry for _, entry in entries if isinstance(entry, Entry)}
    return edition_of_records(entries, lambda block: _record(block, parents, strings), "the entry on line")


def _entries(blocks: Iterable[Block]) -> Iterator[tuple[int, Block]]:
    """Entries and broken blocks, with the line they begin on. A key used twice is no fault of the papers."""
    for block in blocks:
        inner = block.ignore_error_block if isinstance(block, ParsingFailedBlock) else None
        if isinstance(block, Entry | ParsingFailedBlock) and not isinstance(inner, String):
            yield (block.start_line or 0) + 1, inner or block


def _record(block: Block, parents: Mapping[str, Entry], strings: Mapping[str, str]) -> Record:
    if not isinstance(block, Entry):
        fault = getattr(block, "error", None)
        raise PassedOver(f"it is broken ({quoted(str(getattr(fault, 'abort_reason', '')), 100)})")
    if block.entry_type.lower() in VOLUMES:
        raise PassedOver("it is a volume, not a paper")
    fields = _fields(block, strings)
    parent = parents.get(fields.get("crossref", "").lower())
    if parent is not None and not any(name in fields for name in INHERITED):
        fields |= {name: value for name, value in _fields(parent, strings).items() if name in INHERITED}
    return _as_record(fields)


def _fields(entry: Entry, strings: Mapping[str, str]) -> Fields:
    found: Fields = {}
    for field in entry.fields:
        found.setdefault(field.key.lower(), _value(str(field.value), strings))
    return found


def _value(raw: str, strings: Mapping[str, str]) -> str:
    """The text of a value: {braced}, "quoted", 2025, a name of @string, or several joined by "#"."""
    if raw.startswith("{") and raw.endswith("}") and "#" not in raw:
        return raw[1:-1]
    text = ""
    position = 0
    # Names of names of names may make a text without end of a short file.
    while position < len(raw) and len(text) < MAX_MARKUP and (found := PIECE.match(raw, position)):
        position = found.end()
        if found["brace"]:
            end = _closing(raw, found.start("brace"))
            text += raw[found.start("brace") + 1 : end]
            joint = JOINT.match(raw, min(end + 1, len(raw)))
            position = joint.end() if joint else len(raw)
        elif found["word"] is not None:
            text += strings.get(found["word"].lower(), found["word"])
        else:
            text += found["quoted"]
    return text if position >= len(raw) or len(text) >= MAX_MARKUP else raw.strip('"')


def _closing(text: str, opening: int) -> int:
    """Where the brace that opens there is closed; the end where it is not."""
    depth = 0
    for found in BRACE.finditer(text, opening):
        depth += 1 if found[0] == "{" else -1
        if depth == 0:
            return found.start()
    return len(text)


def _as_record(fields: Fields) -> Record:
    """The fields under the names that records have, TeX taken off."""
    record: dict[str, object] = {
        name: plain_tex(fields[name][:MAX_MARKUP])
        for name in ("title", "abstract", "keywords", "primaryclass")
        if name in fields
    }
    if subtitle := plain_tex(fields.get("subtitle", "")[:MAX_MARKUP]).strip():
        record["title"] = f"{record.get('title', '')}: {subtitle}".removeprefix(": ")
    record |= {name: _address(fields[name]) for name in ("doi", "url") if name in fields}
    record["author"] = [{"name": plain_tex(name)} for name in _people(fields.get("author", ""))]
    prefix = fields.get("archiveprefix", fields.get("eprinttype", "arxiv"))
    journal = ARXIV_JOURNAL.fullmatch(plain_tex(fields.get("journal", "")).strip())
    if "eprint" in fields and prefix.strip().lower() == "arxiv":
        record["eprint"] = fields["eprint"].strip()
    elif journal:  # Google Scholar's "arXiv preprint arXiv:2503.10613"
        record["eprint"] = journal["id"]
    if day := _day(fields):
        record["published_on"] = day
    return record


def _address(text: str) -> str:
    return SIGN.sub(r"\1", COMMAND.sub("", text)).translate(BRACES).strip()


def _people(text: str) -> Iterator[str]:
    """The names of an author field, which "and" parts outside of braces."""
    text = " ".join(text.split())
    if " and " not in text and text.count(",") > 1 and all(" " in part.strip() for part in text.split(",")):
        yield from text.split(",")  # a list as people write it: no name has three parts of several words
        return
    depth = start = 0
    for found in BRACE_OR_AND.finditer(text):
        if found[0] in "{}":
            depth += 1 if found[0] == "{" else -1
        elif depth <= 0:
            yield _of_parts(text[start : found.start()])
            start = found.end()
    yield _of_parts(text[start:])


def _of_parts(name: str) -> str:
    """The name, put together where BibLaTeX names its parts: "family=Byron, given=Ada, prefix=von"."""
    if "=" not in name:
        return name
    name = name.translate(BRACES).replace('"', "")
    pairs = (part.partition("=") for part in name.split(","))
    parts = {key.strip(): value.strip() for key, _, value in pairs}
    if "family" not in parts and "given" not in parts:
        return name
    words = (parts.get(part, "") for part in ("given", "prefix", "family"))
    whole = " ".join(word for word in words if word)
    return f"{whole}, {parts['suffix']}" if parts.get("suffix") else whole


def _day(fields: Fields) -> str:
    if day := date_of_text(fields.get("date")):
        return day.isoformat()
    year, month, number = (fields.get(name, "").strip() for name in ("year", "month", "day"))
    month, number = month.replace("~", " ").translate(BRACES), ORDINAL.sub("", number)
    if both := MONTH_AND_DAY.fullmatch(month) or DAY_AND_MONTH.fullmatch(month):
        month, number = both["month"], both["day"]
    known = month_number(month)
    if known is None or not (year.isascii() and year.isdigit() and number.isascii() and number.isdigit()):
        return ""
    found = day_of(int(year[:5]), known, int(number[:3]))
    return found.isoformat() if found else ""
