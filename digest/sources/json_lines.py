"""JSON Lines: a record a line, of any vocabulary (https://jsonlines.org). Read a line at a time, never as a list."""

from __future__ import annotations

import json
from collections.abc import Iterator

from digest.sources import ParsedEdition
from digest.sources.collecting import PassedOver
from digest.sources.json_records import record_of
from digest.sources.plain import decoded
from digest.sources.records import Record, edition_of_records


def parse(page: bytes | str) -> ParsedEdition:
    """The records of the lines; a line that cannot be read is passed over, by its number."""
    return edition_of_records(_lines(decoded(page)), _record_of_line, "line")


def _lines(text: str) -> Iterator[tuple[int, str]]:
    # str.splitlines would keep all of them beside the text, and also split at U+2028 inside strings.
    number = start = 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        number += 1
        if line := text[start:end].strip():
            yield number, line
        start = end + 1


def _record_of_line(line: str) -> Record:
    try:
        return record_of(json.loads(line))
    except json.JSONDecodeError as error:
        raise PassedOver(f"not JSON ({error.msg}, column {error.colno})") from None
    except (RecursionError, ValueError):  # nested too deeply; an integer of more than 4,300 digits
        raise PassedOver("not JSON that can be read") from None
