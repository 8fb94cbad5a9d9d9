"""Readers as a CSV file: bytes in, checked rows or errors by line out. Pure: no database, no clock.

The same checks as on the sign-up page (forms.PreferencesForm), with its defaults where a cell is empty.
`guarded` and `interests_cell` are what the export writes; reading takes both off again.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from django.core.exceptions import ValidationError
from django.db import models

from subscriptions import addresses
from subscriptions.forms import InterestsForm
from subscriptions.models import Subscriber
from subscriptions.preferences import COLUMNS, DEFAULTS, SETTINGS, Preferences, SettingsForm, limits, offered

MAX_BYTES = 20_000_000
MAX_ROWS = 200_000
MAX_SHOWN = 20  # errors listed; the rest is counted
CHOSEN = ("email", "interests", *SETTINGS)
HISTORY = ("status", "created_at", "confirmed_at")  # what an export adds; of these, an import heeds the status
HEADER = (*CHOSEN, *HISTORY)
SAVE_AS = "save it from the spreadsheet as “CSV UTF-8 (comma delimited)”"

# A spreadsheet runs a cell that begins so. An apostrophe in front is what spreadsheets take for "this is text".
_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
_ESCAPED = re.compile(r"\\([\\;])|;")


class Fault(ValueError):
    """What is wrong, where, and what to do. Line 0: the whole file; column "": the whole line."""

    def __init__(self, line: int, column: str, text: str) -> None:
        super().__init__(line, column, text)
        self.line, self.column, self.text = line, column, text

    def __str__(self) -> str:
        place = ", ".join(filter(None, [f"Line {self.line}" if self.line else "", self.column]))
        whole = f"{place}: {self.text}" if place else self.text
        # What stood in the file goes to a terminal: no escape sequence of it may.
        return "".join(sign if sign.isprintable() else "�" for sign in whole)


@dataclass(frozen=True, slots=True)
class Row:
    """A reader to be: checked, and small, for there may be many."""

    line: int
    address: str
    interests: str  # lines as typed, joined by line breaks: a tuple of texts would be four times as large
    settings: Preferences  # without lines; one object for all rows that ask the same
    status: str = ""

    @property
    def preferences(self) -> Preferences:
        return Preferences(**vars(self.settings) | {"lines": self.interests.split("\n")})

    def asks_as(self, other: Row) -> bool:
        return (self.interests, self.settings, self.status) == (other.interests, other.settings, other.status)


@dataclass(slots=True)
class Sheet:
    """What a file holds: rows by the compared form of their address, and the first of its faults."""

    rows: dict[str, Row] = field(default_factory=dict)
    repeats: int = 0
    faults: list[Fault] = field(default_factory=list)
    fault_count: int = 0

    def complain(self, faults: Iterable[Fault]) -> None:
        """Keep the first MAX_SHOWN, count all."""
        for fault in faults:
            self.fault_count += 1
            if len(self.faults) < MAX_SHOWN:
                self.faults.append(fault)

    def add(self, row: Row) -> None:
        """Take a row; a second one for its address must ask for the same."""
        first = self.rows.setdefault(addresses.key(row.address), row)
        if first is row:
            return
        if not row.asks_as(first):
            text = f"line {first.line} has this address too, and asks for something else: keep one of the two."
            self.complain([Fault(row.line, "email", text)])
        self.repeats += 1


def read(content: bytes) -> Sheet:
    """The rows of a CSV file, or all that is wrong with it. Rows are good for use only where there is no fault."""
    sheet = Sheet()
    try:
        for line, cells in _records(content):
            faults: list[Fault] = []
            row = _row(line, cells, faults)
            sheet.complain(faults)
            if row and not faults:
                sheet.add(row)
    except Fault as fault:  # nothing behind this place can be read
        sheet.complain([fault])
    return sheet


def guarded(text: str) -> str:
    """Free text as a cell that no spreadsheet runs. `unguarded` is its inverse, for every text."""
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(cell: str) -> str:
    """The text of a cell, without the apostrophe that kept it from being a formula."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def interests_cell(lines: Iterable[str]) -> str:
    """Interest lines as one cell; a semicolon inside a line is written with a backslash."""
    return guarded("\n".join(line.replace("\\", "\\\\").replace(";", "\\;") for line in lines))


def interest_lines(cell: str) -> str:
    """A cell's lines, a line break between each two."""
    return _ESCAPED.sub(lambda found: found[1] or "\n", unguarded(cell))


# --- from bytes to cells
def _records(content: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row's first line number and its cells by column, stripped. Raises Fault where reading must end."""
    _check_bytes(content)
    text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="")
    columns: list[str] = []
    count = 0
    for line, cells in _csv(text):
        if not columns:
            columns = _columns(line, cells)
            continue
        count += 1
        if count > MAX_ROWS:
            raise Fault(line, "", f"more than {MAX_ROWS:,} rows: split the file, and import its parts one by one.")
        if len(cells) > len(columns):
            mend = f"{len(cells)} cells for {len(columns)} columns: put a cell that holds a comma in quotation marks."
            raise Fault(line, "", mend)
        yield line, dict(zip(columns, (cell.strip(" ") for cell in cells), strict=False))
    if not columns:
        raise Fault(0, "", f"The file is empty. Its first line names the columns: {', '.join(CHOSEN)}.")


def _check_bytes(content: bytes) -> None:
    """Raises Fault for what is too large or no UTF-8 text."""
    if len(content) > MAX_BYTES:
        raise Fault(0, "", f"The file has over {MAX_BYTES // 1_000_000} MB: split it, and import its parts one by one.")
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise Fault(0, "", f"The file is UTF-16: {SAVE_AS}.")
    nul = content.find(0)
    if nul >= 0:
        raise Fault(_line_at(content, nul), "", f"there is a NUL byte, so this is no text: {SAVE_AS}.")
    try:
        content.decode()
    except UnicodeDecodeError as error:
        found = f"the byte 0x{content[error.start]:02X} is not UTF-8"
        raise Fault(_line_at(content, error.start), "", f"{found}: {SAVE_AS}.") from error


def _line_at(content: bytes, place: int) -> int:
    return content.count(b"\n", 0, place) + 1


def _csv(text: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not empty, each with the number of its first line."""
    reader = csv.reader(text, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            mend = "look for a quotation mark that is never closed; inside a cell, each is written twice."
            raise Fault(line, "", f"this cannot be read as CSV ({error}): {mend}") from error
        if any(cell.strip() for cell in cells):
            yield line, cells


def _columns(line: int, cells: list[str]) -> list[str]:
    """The header's names. Raises Fault for one we do not know, one that comes twice and one that is missing."""
    names = [cell.strip().lower() for cell in cells]
    if len(names) == 1 and re.search(r"[;\t]", names[0]):
        raise Fault(line, "", f"the columns are not separated by commas: {SAVE_AS}.")
    known = f"The first line names the columns: {', '.join(CHOSEN)}."
    if unknown := [name for name in names if name not in HEADER]:
        raise Fault(line, "", f"there is no column {', '.join(f'“{name[:60]}”' for name in unknown[:5])}. {known}")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise Fault(line, "", f"the column {', '.join(twice)} comes twice: take one out.")
    if missing := [name for name in ("email", "interests") if name not in names]:
        raise Fault(line, "", f"the column {' and '.join(missing)} is missing. {known}")
    return names


# --- from cells to rows
def _row(line: int, cells: dict[str, str], faults: list[Fault]) -> Row | None:
    """The row; its faults are added to those given."""
    address = _address(line, unguarded(cells.get("email", "")), faults)
    interests = _interests(line, cells.get("interests", ""), faults)
    settings, wrong = _settings(tuple(cells.get(name, "") for name in SETTINGS))
    faults += [Fault(line, column, text) for column, text in wrong]
    status = cells.get("status", "")
    if status and status not in Subscriber.Status.values:
        faults.append(Fault(line, "status", f"“{status[:60]}” is not one of {', '.join(Subscriber.Status.values)}."))
    return Row(line, address, interests, settings, status) if settings else None


def _address(line: int, text: str, faults: list[Fault]) -> str:
    if not text:
        faults.append(Fault(line, "email", "the address is missing: add it, or take the line out."))
        return ""
    try:
        return addresses.read(text)
    except addresses.AddressError as error:
        faults.append(Fault(line, "email", f"{error} Correct it, or take the line out."))
        return ""


def _interests(line: int, cell: str, faults: list[Fault]) -> str:
    form = InterestsForm({"interests": interest_lines(cell)})
    if form.is_valid():
        return "\n".join(form.cleaned_data["interests"])
    if form.line_errors:
        faults += [Fault(line, "interests", f"“{bad.line[:120]}”: {bad.error}") for bad in form.line_errors]
    else:
        faults += [Fault(line, "interests", str(text)) for text in form.errors["interests"]]
    return ""


@lru_cache(maxsize=4096)
def _settings(cells: tuple[str, ...]) -> tuple[Preferences | None, tuple[tuple[str, str], ...]]:
    """Return preferences without lines, or (column, what to do) for each cell that is wrong."""
    given = {name: cell for name, cell in zip(SETTINGS, cells, strict=True) if cell}
    stored = {name: text for name, cell in given.items() if (text := _as_stored(name, cell))}
    # To the form, what staff may store is as good as stored: it then stands among the choices.
    form = SettingsForm({name: str(value) for name, value in DEFAULTS.items()} | given | stored, initial=stored)
    if form.is_valid():
        return Preferences((), **form.setting_values()), ()
    return None, tuple((name, _what_to_do(form, name, given[name])) for name in form.errors)


def _as_stored(name: str, cell: str) -> str:
    """Return the value that the column takes for this cell, as text; "" where it takes none."""
    column = COLUMNS[name]
    if isinstance(column, models.IntegerField) and not (cell.isascii() and cell.isdecimal()):
        return ""
    if isinstance(column, models.BooleanField):
        cell = cell.capitalize()  # a spreadsheet writes TRUE
    try:
        return str(column.clean(cell, None))
    except ValidationError:
        return ""


def _what_to_do(form: SettingsForm, name: str, cell: str) -> str:
    if of := limits(name):
        return f"“{cell[:60]}” is not a whole number from {of[0]} to {of[1]}."
    if choices := offered(name):
        return f"“{cell[:60]}” is not one of {', '.join(map(str, choices))}."
    try:
        COLUMNS[name].clean(cell, None)
    except ValidationError as error:
        return error.messages[0]
    return " ".join(map(str, form.errors[name]))
