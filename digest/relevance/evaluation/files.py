"""The files of a judged set: JSON lines and tables, plain or packed; one that cannot be read is named."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

# What reading a file may end in: gone, cut off, packed badly, not UTF-8.
UNREADABLE = (OSError, EOFError, UnicodeDecodeError, zlib.error)


class SetError(Exception):
    """A judged set that cannot be read; the message says which file and why."""


def find(folder: Path, name: str) -> Path | None:
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)


def need(folder: Path, name: str) -> Path:
    path = find(folder, name)
    if path is None:
        raise SetError(f"{folder / name} is missing (nor is there a {name}.gz).")
    return path


def opened(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig")
    return path.open(encoding="utf-8-sig")  # a byte order mark is no part of the first line


def rows(path: Path, *keys: str) -> Iterator[dict[str, Any]]:
    """The objects of a JSON lines file. Raises SetError naming the line."""
    number = 0
    try:
        with opened(path) as lines:
            for number, line in enumerate(lines, start=1):
                if not line.strip():
                    continue
                row = of_json(line)
                missing = [key for key in keys if not isinstance(row, dict) or key not in row]
                if missing:
                    raise SetError(f"{path}, line {number}: no “{missing[0]}”.")
                yield row
    except UNREADABLE as error:
        raise SetError(f"{path} cannot be read: {error}.") from error
    except ValueError as error:
        raise SetError(f"{path}, line {number}: no JSON ({error}).") from error


def of_json(text: str) -> Any:
    """Raises ValueError, also for what is nested without end."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def said(value: Any) -> str:
    """A text that may be missing; half a character, which no file or database takes, becomes a question mark."""
    return "" if value is None else str(value).encode("utf-8", "replace").decode()


def cells(path: Path) -> Iterator[list[str]]:
    """The rows of a table with tabs; TREC's blanks will do where a line has none. Raises SetError."""
    try:
        with opened(path) as lines:
            for line in lines:
                yield [cell.strip() for cell in (line.split("\t") if "\t" in line else line.split())]
    except UNREADABLE as error:
        raise SetError(f"{path} cannot be read: {error}.") from error
