"""RIS, as Zotero, EndNote, Mendeley and publishers export it: `TY  - JOUR`, a tag a line, `ER  - `.

https://en.wikipedia.org/wiki/RIS_(file_format). A line without a tag goes on with the one before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from digest.papers.sources.parsed import ParsedEdition, SourceError
from digest.papers.sources.plain_text import MAX_ABSTRACT, decoded
from digest.papers.sources.records import Record, edition_of_records
from subscriptions.delimited import lines_in

TAG = re.compile(r"(?P<tag>[A-Z][A-Z0-9])(?:  ?- ?|  ?-$)(?P<value>.*)", re.DOTALL)
FIRST_LINE = re.compile(r"\s*TY  ?- ?\S")
MAX_VALUES = 2_000  # of one tag in one record

SEVERAL = re.compile(r";\s+(?=https?://)|;(?=https?://)", re.IGNORECASE)

Fields = dict[str, list[str]]


def parse(page: bytes | str) -> ParsedEdition:
    """The references in their order."""
    return edition_of_records(_records(decoded(page)), _record, "the reference on line")


def _records(text: str) -> Iterator[tuple[int, Fields]]:
    """Each reference with the line it begins on. One that ends without ER, or is cut off, is one too."""
    fields: Fields = {}
    began, last = 0, ""
    for number, line in enumerate(lines_in(text), start=1):
        found = TAG.match(line)
        if found is None:
            if last and line.strip():
                _go_on(fields[last], line)
            continue
        last = found["tag"]
        if last in ("TY", "ER") and fields:
            yield began, fields
            fields = {}
        if last == "ER":
            last = ""
        elif last == "TY":
            began, fields = number, {"TY": [found["value"]]}
        elif not began:
            raise SourceError(f"line {number}: {last} stands before any TY: is the file's beginning missing?")
        elif len(values := fields.setdefault(last, [])) < MAX_VALUES:
            values.append(found["value"].strip())
    if fields:
        yield began, fields


def _go_on(values: list[str], line: str) -> None:
    # Bounded, since adding to a text time and again copies it.
    if len(values[-1]) < MAX_ABSTRACT:
        values[-1] += f" {line.strip()}"


def _record(fields: Fields) -> Record:
    # "T2" and the like are the journal's; the table knows which tags are the paper's. Zotero writes the
    # title into TI, EndNote into T1; both write PY as a year, DA as a day.
    record: dict[str, object] = {}
    for tag, values in fields.items():
        filled = [value for value in values if value]
        if tag in ("AU", "A1", "KW"):
            record[tag] = filled
        elif tag in ("UR", "LK"):  # several stand in one line with semicolons between them
            record[tag] = [part.strip() for value in filled for part in SEVERAL.split(value)]
        elif filled:
            record[tag] = " ".join(filled) if tag in ("AB", "N2") else filled
    return record
