"""Texts as cells of a CSV file that no spreadsheet runs, and back. Pure; what the export writes, the import reads."""

from __future__ import annotations

import re
from collections.abc import Iterable

# A spreadsheet runs a cell that begins so. An apostrophe in front is what spreadsheets take for "this is text".
_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
_ESCAPED = re.compile(r"\\([\\;])|;")


def guarded(text: str) -> str:
    """Return free text as a cell that no spreadsheet runs. `unguarded` is its inverse, for every text."""
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(cell: str) -> str:
    """Return the text of a cell, without the apostrophe that kept it from being a formula."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def interests_cell(lines: Iterable[str]) -> str:
    """Return interest lines as one cell; a semicolon inside a line is written with a backslash."""
    return guarded("\n".join(line.replace("\\", "\\\\").replace(";", "\\;") for line in lines))


def interest_lines(cell: str) -> str:
    """Return the lines of a cell, a line break between each two."""
    return _ESCAPED.sub(lambda found: found[1] or "\n", unguarded(cell))
