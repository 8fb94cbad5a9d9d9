"""Tables: CSV, TSV and their kin, as Zotero, Scopus, Web of Science, Google Scholar, Excel and people save them.

The first row names the columns; what their names mean is in `record_names.py`. The delimiter is the one
that makes the most of that row. A row with too few or too many fields is passed over: its columns have moved.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from digest.papers.sources.collect import PassedOver
from digest.papers.sources.parsed import EmptyEdition, ParsedEdition, SourceError
from digest.papers.sources.plain_text import decoded, quoted
from digest.papers.sources.record_names import NAMES, known_names
from digest.papers.sources.records import Record, edition_of_records
from subscriptions import delimited
from subscriptions.delimited import TableError, TableRow

MAX_COLUMNS = 1_000
LONGEST_NAME = 60  # characters of a column's name
# A sentence has a space after its comma, and a full stop.
COLUMN_NAME = re.compile(r"\ufeff?[^\W_](?:[\w#/()%:+, -]{0,58}[\w)%])?")
SHOWN = 12
NOTHING = frozenset({"", "nan", "n/a", "null", "none", "nat", "<na>"})  # what pandas and R write where nothing is


def parse(page: bytes | str) -> ParsedEdition:
    """The table's rows in their order."""
    text = decoded(page)
    delimiter, start = delimited.delimiter_of(text, _worth)
    rows = delimited.rows(text[start:] if start else text, delimiter, 2 if start else 1)
    try:
        header = next((row.cells for row in rows), [])
        _check_header(header)
        return edition_of_records(_some(rows), lambda row: _record(header, row), "line")
    except TableError as error:
        raise SourceError(f"line {error.line}: {error}: export the table again") from None


def _some(rows: Iterator[TableRow]) -> Iterator[tuple[int, TableRow]]:
    first = next(rows, None)
    if first is None:
        raise EmptyEdition("the table has a header and no rows: nothing is listed")
    yield first.line, first
    for row in rows:
        yield row.line, row


def _worth(header: Sequence[str]) -> tuple[int, int]:
    return len(known_names(header)), len(header)


def looks_like_table(head: str) -> bool:
    """Whether the beginning of a text is a table's header and rows, and never prose.

    Either its first row names a title and one thing more that is known, or it is made of names, and the
    rows below have as many fields.
    """
    delimiter, start = delimited.delimiter_of(head, _worth)
    rows = [row.cells for row in islice(delimited.rows(head[start : delimited.HEAD], delimiter), 6)]
    header = [cell.strip() for cell in rows[0]] if rows else []
    if len(header) < 2 or not all(not cell or COLUMN_NAME.fullmatch(cell) for cell in header):
        return False
    known = known_names(header)
    if "title" in known and len(known) > 1:
        return True
    if ", " in head.lstrip().partition("\n")[0]:
        return False  # "Kettles, pots, and pans" is a title
    wide = rows[1:-1] or rows[1:]  # the last may be cut off
    return len(header) > 2 and len(wide) > 0 and all(len(cells) == len(header) for cells in wide)


def _check_header(header: Sequence[str]) -> None:
    if len(header) > MAX_COLUMNS:
        raise SourceError(f"line 1: the table has {len(header):,} columns: export only the papers' own")
    if {"title", "name"} & known_names(header):
        return
    found = ", ".join(quoted(name, 30) for name in header[:SHOWN])
    known = ", ".join(field for field in NAMES if field not in ("name", "places", "day"))
    raise SourceError(
        f"the table has no column for the title (its columns: {found}): name one of them title; known are {known}"
    )


def _record(header: Sequence[str], row: TableRow) -> Record:
    cells = row.cells
    if len(cells) < len(header):
        raise PassedOver(f"it has {len(cells)} fields, the header {len(header)} (a quotation mark not closed?)")
    if any(cell.strip() for cell in cells[len(header) :]):
        raise PassedOver(f"it has {len(cells)} fields, the header {len(header)} (a delimiter not quoted?)")
    # Of two columns of one name, the first that is filled counts.
    record: dict[str, object] = {}
    for name, cell in zip(header, cells, strict=False):
        if cell and cell.strip().lower() not in NOTHING:
            record.setdefault(name, cell)
    return record
