"""Delimited text (CSV, TSV and their kin) as spreadsheets, reference managers and mailing services write it. Pure.

Tables of papers (digest.papers.sources.table) and of subscribers (subscriptions.imports) are both read here.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

DELIMITERS = (",", "\t", ";", "|")
# Excel's own first line, where it is told not to guess: "sep=;"
SEP = re.compile(r"\s*\"?sep=(?P<delimiter>[,;|\t])\"?[ \t]*(?:\r\n|\r|\n)", re.IGNORECASE)
# Line ends as editors count them. str.splitlines also splits at form feeds and U+2028, which stand inside text
# copied out of PDFs.
LINE_END = re.compile(r"\r\n|\r|\n")
BLANK = " \t\r\n\v\f\xa0,;|"  # a row of other delimiters says nothing either
HEAD = 65_536  # characters looked at to find the delimiter

LONGEST_ROW = 1_000  # lines of one row: no cell has more, so a quotation mark that is open for longer was never closed
MOST_REREAD = 200_000  # lines read again in all, so that a file full of stray quotation marks takes linear time

NEVER_CLOSED = "a quotation mark that is never closed"
UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# UTF-32 first: its little-endian mark begins with UTF-16's.
UTF32_MARKS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)


class TableError(ValueError):
    """Why no table can be read from here on; `line` is where, 0 for the whole file."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line = line


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row that is not blank, the line it begins on, and what is wrong with its quotation marks, if anything."""

    line: int
    cells: list[str]
    fault: str = ""


def marked_encoding(content: bytes) -> str:
    """Return the encoding that a byte order mark names, or the zeros of UTF-16 without one; "" for none.

    Raises TableError for UTF-32.
    """
    if content.startswith(UTF32_MARKS):
        raise TableError(0, "UTF-32")
    if content.startswith(UTF16_MARKS):
        return "utf-16"
    if content.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    first, second = content[:2] if len(content) > 3 else (1, 1)
    if bool(first) == bool(second) or bool(content[2]) == bool(content[3]):
        return ""
    return "utf-16-le" if first else "utf-16-be"


def lines_in(text: str) -> Iterator[str]:
    """The lines without their ends, one at a time: a list of them would hold the text twice."""
    start = 0
    for end in LINE_END.finditer(text):
        yield text[start : end.start()]
        start = end.end()
    if start < len(text):
        yield text[start:]


def delimiter_of(text: str, worth: Callable[[Sequence[str]], Any]) -> tuple[str, int]:
    """Return the delimiter and where the table begins: the delimiter stated by `sep=`, or else the one whose first
    row is worth most.
    """
    if stated := SEP.match(text):
        return stated["delimiter"], stated.end()
    head = text[:HEAD]
    return max(DELIMITERS, key=lambda delimiter: worth(first_row(head, delimiter))), 0


def first_row(text: str, delimiter: str) -> list[str]:
    """Return the cells of the first row that is not blank, [] where there is none."""
    return next((row.cells for row in rows(text, delimiter)), [])


def rows(text: str, delimiter: str, first_line: int = 1) -> Iterator[TableRow]:
    """The rows that are not blank. A row with a broken quotation mark ends with its line: the next ones are read.

    Where a quoted cell goes on over several lines, its row must be without fault and no wider than the first row. If
    it is not, the quotation mark is taken for one that was never closed, and the rows begin again on the next line.
    """
    lines = _Lines(lines_in(text), first_line)
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True)
    width = 0
    while True:
        line = lines.begin_row()
        try:
            cells, fault = next(reader), ""
        except StopIteration:
            return
        except (csv.Error, _TooLong) as error:
            cells, fault = [], str(error)
        if len(lines.taken) > 1 and (fault or (width and _width(cells) > width)):
            fault = NEVER_CLOSED
            lines.give_back()
        if fault:
            cells, fault = _read_leniently(lines.taken[0], delimiter), _explained(fault)
        if any(cell.strip(BLANK) for cell in cells):
            width = width or len(cells)
            yield TableRow(line, cells, fault)


def _width(cells: Sequence[str]) -> int:
    """Return the number of cells without the empty ones at the end."""
    return next((place for place in range(len(cells), 0, -1) if cells[place - 1].strip()), 0)


def _read_leniently(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error:  # a cell of more than csv.field_size_limit() characters
        return [line[:HEAD]]


def _explained(fault: str) -> str:
    if "limit" in fault:
        return f"a cell of more than {csv.field_size_limit():,} characters"
    is_open = fault == NEVER_CLOSED or "unexpected end" in fault
    return NEVER_CLOSED if is_open else "text behind a closing quotation mark"


class _TooLong(Exception):
    """More lines than any row has."""


class _Lines:
    """Lines for csv.reader, counted, that can be read again."""

    def __init__(self, lines: Iterable[str], first_line: int) -> None:
        self._lines = iter(lines)
        self._returned: deque[str] = deque()
        self._next_line = first_line
        self._reread = 0
        self.taken: list[str] = []

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if len(self.taken) > LONGEST_ROW:
            raise _TooLong(NEVER_CLOSED)
        line = self._returned.popleft() if self._returned else f"{next(self._lines)}\n"
        self.taken.append(line)
        return line

    def begin_row(self) -> int:
        """Count the lines of the row before; return the number of the first line of the next one."""
        self._next_line += len(self.taken)
        self.taken = []
        return self._next_line

    def give_back(self) -> None:
        """Have all lines of this row but the first read again."""
        self._reread += len(self.taken)
        if self._reread > MOST_REREAD:
            raise TableError(self._next_line, "too many quotation marks are never closed from here on")
        self._returned.extendleft(reversed(self.taken[1:]))
        del self.taken[1:]
