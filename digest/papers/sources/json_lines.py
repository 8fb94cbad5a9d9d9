"""JSON Lines: a record a line, of any vocabulary (https://jsonlines.org). Read a line at a time, never as a list."""

from __future__ import annotations

import json

from digest.papers.sources.collect import PassedOver
from digest.papers.sources.json_records import record_of
from digest.papers.sources.parsed import ParsedEdition
from digest.papers.sources.plain_text import decoded
from digest.papers.sources.records import Record, edition_of_records
from subscriptions.delimited import lines_in


def parse(page: bytes | str) -> ParsedEdition:
    """The records of the lines; a line that cannot be read is passed over, by its number."""
    lines = enumerate(lines_in(decoded(page)), start=1)
    return edition_of_records(((number, line) for number, line in lines if line.strip()), _record_of_line, "line")


def _record_of_line(line: str) -> Record:
    try:
        return record_of(json.loads(line, strict=False))
    except json.JSONDecodeError as error:
        raise PassedOver(f"not JSON ({error.msg}, column {error.colno})") from None
    except (RecursionError, ValueError):  # nested too deeply; an integer of more than 4,300 digits
        raise PassedOver("not JSON that can be read") from None
