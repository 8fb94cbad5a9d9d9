"""Subscribers out of a CSV file: bytes in, checked rows or faults by line out. Pure: no database, no clock.

The same checks as on the sign-up page (forms.PreferencesForm), with its defaults where a cell is empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from django.core.exceptions import ValidationError
from django.db import models

from subscriptions import addresses, delimited
from subscriptions.csv_cells import interest_lines, unguarded
from subscriptions.delimited import TableError, TableRow
from subscriptions.edit_interests import MAX_LINES
from subscriptions.forms import InterestsForm
from subscriptions.imports import values
from subscriptions.imports.columns import NAMES, ColumnError, Columns, columns_of, compared
from subscriptions.interest_form import MAX_TYPED, typed_lines
from subscriptions.interests.parser import InterestError, parse
from subscriptions.models import Subscriber
from subscriptions.preferences import COLUMNS, DEFAULTS, SETTINGS, Preferences, SettingsForm, limits, offered

MAX_BYTES = 20_000_000
MAX_ROWS = 200_000
MAX_SHOWN = 20  # faults listed; the rest is counted
CHOSEN = ("email", "interests", *SETTINGS)
HISTORY = ("status", "created_at", "confirmed_at")  # what an export adds; of these, an import heeds the status
HEADER = (*CHOSEN, *HISTORY)
SAVE_AS = "save it from the spreadsheet as “CSV UTF-8 (comma delimited)”"
# Those who had stopped elsewhere: their addresses are suppressed.
STOPPED = (Subscriber.Status.UNSUBSCRIBED, Subscriber.Status.BOUNCED, Subscriber.Status.COMPLAINED)


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
class Options:
    """What the operator says about a file: interests for rows without any, and a column to take them from."""

    interests: str = ""
    interests_from: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A subscriber to be: checked, and small, for there may be many."""

    line: int
    address: str
    interests: str  # lines as typed, joined by line breaks: a tuple of texts would be four times as large
    settings: Preferences  # without lines; one object for all rows that ask the same
    status: str = ""
    since: str = ""  # when they subscribed elsewhere, as it is written there

    @property
    def preferences(self) -> Preferences:
        return Preferences(**vars(self.settings) | {"lines": self.interests.split("\n")})

    @property
    def has_stopped(self) -> bool:
        return self.status in STOPPED

    def asks_as(self, other: Row) -> bool:
        return (self.interests, self.settings, self.status) == (other.interests, other.settings, other.status)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that cannot be imported, as it stands in the file, and why."""

    line: int
    cells: Sequence[str]
    faults: Sequence[Fault]


@dataclass(slots=True)
class Sheet:
    """What a file holds: rows by the compared form of their address, and those that must be corrected first."""

    rows: dict[str, Row] = field(default_factory=dict)
    repeats: list[int] = field(default_factory=list)  # their lines
    header: Sequence[str] = ()
    service: str = ""
    unused: Sequence[str] = ()  # columns
    rejected: list[Rejected] = field(default_factory=list)
    broken: Fault | None = None  # why nothing in the file can be imported
    faults: list[Fault] = field(default_factory=list)  # the first of them
    fault_count: int = 0

    def complain(self, faults: Iterable[Fault]) -> None:
        """Keep the first MAX_SHOWN, count all."""
        for fault in faults:
            self.fault_count += 1
            if len(self.faults) < MAX_SHOWN:
                self.faults.append(fault)

    def reject(self, line: int, cells: Sequence[str], faults: Sequence[Fault]) -> None:
        self.complain(faults)
        self.rejected.append(Rejected(line, cells, faults))

    def add(self, row: Row, cells: Sequence[str]) -> None:
        """Take a row; a second one for its address must ask for the same."""
        first = self.rows.setdefault(addresses.key(row.address), row)
        if first is row:
            return
        if row.asks_as(first):
            self.repeats.append(row.line)
            return
        text = f"line {first.line} has this address too, and asks for something else: keep one of the two."
        self.reject(row.line, cells, [Fault(row.line, "email", text)])


def read(content: bytes, options: Options = Options()) -> Sheet:  # frozen
    """Return the rows of a CSV file and all that is wrong with it."""
    sheet = Sheet()
    try:
        for row, columns in _rows(content, options, sheet):
            faults: list[Fault] = []
            found = _row(row, columns, options, faults)
            if found and not faults:
                sheet.add(found, row.cells)
            else:
                sheet.reject(row.line, row.cells, faults)
    except Fault as fault:
        sheet.broken = fault
        sheet.complain([fault])
    return sheet


# --- from bytes to cells
def _rows(content: bytes, options: Options, sheet: Sheet) -> Iterator[tuple[TableRow, Columns]]:
    """Yield the rows below the header. Raises Fault where nothing in the file can be used."""
    text = _text(content)
    delimiter, start = delimited.delimiter_of(text, _worth)
    rows = delimited.rows(text[start:] if start else text, delimiter, 2 if start else 1)
    columns: Columns | None = None
    count = 0
    try:
        for row in rows:
            if columns is None:
                columns = _columns(row, options, sheet)
                continue
            count += 1
            if count > MAX_ROWS:
                text = f"more than {MAX_ROWS:,} rows: split the file, and import its parts one by one."
                raise Fault(row.line, "", text)
            yield row, columns
    except TableError as error:
        raise Fault(error.line, "", f"{error}: {SAVE_AS}.") from error
    if columns is None:
        raise Fault(0, "", f"The file is empty. Its first line names the columns: {', '.join(CHOSEN)}.")


def _worth(header: Sequence[str]) -> tuple[int, int]:
    known = {name for names in NAMES.values() for name in names.split()}
    return sum(compared(name) in known for name in header), len(header)


def _columns(row: TableRow, options: Options, sheet: Sheet) -> Columns:
    header = [cell.strip() for cell in row.cells]
    while header and not header[-1]:
        del header[-1]
    try:
        columns = columns_of(header, options.interests_from)
    except ColumnError as error:
        known = f"The first line names the columns: {', '.join(CHOSEN)}."
        raise Fault(row.line, "", f"{error} {known}") from error
    sheet.header, sheet.service, sheet.unused = header, columns.service, columns.unused
    return columns


def _text(content: bytes) -> str:
    """Raises Fault for what is too large or no text."""
    if len(content) > MAX_BYTES:
        raise Fault(0, "", f"The file has over {MAX_BYTES // 1_000_000} MB: split it, and import its parts one by one.")
    try:
        encoding = delimited.marked_encoding(content) or "utf-8"
    except TableError as error:
        raise Fault(0, "", f"The file is {error}: {SAVE_AS}.") from error
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found = f"the byte 0x{content[error.start]:02X} is not {encoding.removesuffix('-sig').upper()}"
        raise Fault(line, "", f"{found}: {SAVE_AS}.") from error
    if (nul := text.find("\0")) >= 0:
        line = text.count("\n", 0, nul) + 1
        raise Fault(line, "", f"there is a NUL byte, so this is no text: {SAVE_AS}.")
    return text.removeprefix("\ufeff")


# --- from cells to rows
def _row(row: TableRow, columns: Columns, options: Options, faults: list[Fault]) -> Row | None:
    """Return the row; its faults are added to those given."""
    line, width = row.line, len(columns.meanings)
    if row.fault:
        correct = "look for a quotation mark that is never closed; inside a cell, each is written twice."
        faults.append(Fault(line, "", f"this cannot be read as CSV ({row.fault}): {correct}"))
        return None
    if any(cell.strip() for cell in row.cells[width:]):
        correct = f"{len(row.cells)} cells for {width} columns: put a cell that holds a comma in quotation marks."
        faults.append(Fault(line, "", correct))
        return None
    cells = columns.cells(row.cells)
    for meaning, cell in values.details_in(cells["details"]) if "details" in cells else ():
        cells.setdefault(meaning, cell)
    status = _status(line, cells, columns, faults)
    address = _address(line, cells.get("email", ""), faults)
    if status in (*STOPPED, values.NEVER):
        return Row(line, address, "", _settings((), False)[0] or _no_settings(), status)
    interests = _interests(line, cells, columns, options, faults)
    settings, wrong = _settings(tuple(cells.get(name, "").strip() for name in SETTINGS), columns.is_foreign)
    faults += [Fault(line, column, text) for column, text in wrong]
    return Row(line, address, interests, settings, status, cells.get("since", "").strip()[:40]) if settings else None


def _status(line: int, cells: dict[str, str], columns: Columns, faults: list[Fault]) -> str:
    try:
        return values.state_in(cells, columns.service)
    except ValueError as error:
        text = f"“{str(error)[:60]}” is not one of {', '.join(Subscriber.Status.values)}."
        faults.append(Fault(line, "status", text))
        return ""


def _address(line: int, cell: str, faults: list[Fault]) -> str:
    text = values.address_in(unguarded(cell.strip(" ")))
    if not text:
        faults.append(Fault(line, "email", "the address is missing: add it, or take the line out."))
        return ""
    try:
        return addresses.read(text)
    except addresses.AddressError as error:
        faults.append(Fault(line, "email", f"{error} Correct it, or take the line out."))
        return ""


def _interests(line: int, cells: dict[str, str], columns: Columns, options: Options, faults: list[Fault]) -> str:
    cell = cells.get("interests", "").strip(" ")
    if not cell and not options.interests and not columns.has("interests") and not columns.has("details"):
        # The same in every row: said once.
        raise Fault(
            1, "", "the column interests is missing. Add it, name the column that holds them (--interests-from), or "
            "say what everybody gets (--interests “topic; another topic”).",
        )  # fmt: skip
    lines, wrong = _lines(interest_lines(cell) if cell else interest_lines(options.interests))
    faults += [Fault(line, "interests", text) for text in wrong]
    return lines


@lru_cache(maxsize=4096)  # many ask for the same
def _lines(text: str) -> tuple[str, tuple[str, ...]]:
    """Return the lines, checked, and what is wrong with them, which the form of the sign-up page knows how to say."""
    lines = [line for line in typed_lines(text) if line]
    if len(text) <= MAX_TYPED and 0 < len(lines) <= MAX_LINES and all(map(_is_interest, lines)):
        return "\n".join(lines), ()
    form = InterestsForm({"interests": text})
    if form.is_valid():
        return "\n".join(form.cleaned_data["interests"]), ()
    if form.line_errors:
        return "", tuple(f"“{bad.line[:120]}”: {bad.error}" for bad in form.line_errors)
    return "", tuple(str(error) for error in form.errors["interests"])


@lru_cache(maxsize=16_384)
def _is_interest(line: str) -> bool:
    try:
        parse(line)
    except InterestError:
        return False
    return True


@lru_cache(maxsize=1)
def _no_settings() -> Preferences:
    return Preferences(())


@lru_cache(maxsize=4096)
def _settings(cells: tuple[str, ...], is_foreign: bool) -> tuple[Preferences | None, tuple[tuple[str, str], ...]]:
    """Return preferences without lines, or (column, what to do) for each cell that is wrong.

    What another service says of a time zone or a language that does not exist here is left out.
    """
    if not cells:
        return _no_settings(), ()
    given = {name: values.setting_in(name, cell) for name, cell in zip(SETTINGS, cells, strict=True) if cell}
    stored = {name: text for name, cell in given.items() if (text := _as_stored(name, cell))}
    if is_foreign:
        given = {name: cell for name, cell in given.items() if name in stored}
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
