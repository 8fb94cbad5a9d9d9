"""What an import says: a line for each row, a summary, and a file of rows to correct."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from subscriptions.addresses import masked
from subscriptions.csv_cells import guarded
from subscriptions.imports.columns import IGNORED, shown
from subscriptions.imports.sheet import Sheet
from subscriptions.imports.store import Decision, Outcome
from subscriptions.visible import visible

SAYS = {
    Outcome.ACTIVE: "new, active at once",
    Outcome.PENDING: "new, asked to confirm",
    Outcome.KNOWN: "known already, left as it is",
    Outcome.SUPPRESSED: "suppressed here, not imported",
    Outcome.STOPPED: "left or bounced there, suppressed",
    Outcome.NEVER: "never subscribed there, not imported",
}


def line_by_line(sheet: Sheet, decisions: Iterable[Decision]) -> Iterator[str]:
    """Yield what becomes of each row of the file, in its order. Addresses are masked."""
    said = {one.row.line: f"{masked(one.row.address)}: {SAYS[one.outcome]}" for one in decisions}
    said |= dict.fromkeys(sheet.repeats, "repeated in the file, left out")
    lines = [(line, f"Line {line}: {text}") for line, text in said.items()]
    lines += [(bad.line, str(fault)) for bad in sheet.rejected for fault in bad.faults]
    yield from (text for _, text in sorted(lines, key=lambda one: one[0]))


def summary(sheet: Sheet, counts: Counter[str]) -> str:
    """Return how many rows became what, in one sentence."""
    parts = [f"{of(counts['active'] + counts['pending'], 'new reader')}"]
    if counts["pending"]:
        parts.append(f"{counts['pending']:,} of them asked to confirm with the worker's next look")
    parts.append(f"{counts['known']:,} known already and left as they are")
    parts.append(f"{counts['suppressed']:,} suppressed")
    more = {
        "stopped": f"{counts['stopped']:,} left or bounced there and suppressed now",
        "never": f"{counts['never']:,} never subscribed there and left out",
    }
    parts += [text for word, text in more.items() if counts[word]]
    if sheet.repeats:
        parts.append(f"{len(sheet.repeats):,} repeated in the file")
    if sheet.rejected:
        parts.append(f"{of(len(sheet.rejected), 'row')} to correct")
    return ", ".join(parts) + "."


def recognised(sheet: Sheet) -> str:
    """Return which service wrote the file and which columns are not used; "" where there is nothing to say."""
    parts = [f"An export of {sheet.service}."] if sheet.service else []
    if sheet.unused:
        parts.append(f"Columns that are not used: {shown(sheet.unused)}.")
    return " ".join(parts)


def write_rejected(sheet: Sheet, file: Any) -> int:
    """Write the rows that must be corrected, with what is wrong with each in a last column. Return how many."""
    writer = csv.writer(file)
    width = len(sheet.header)
    writer.writerow([guarded(visible(cell)) for cell in sheet.header] + [IGNORED])
    for bad in sheet.rejected:
        cells = [guarded(visible(cell)) for cell in bad.cells[:width]]
        problem = " ".join(f"{fault.column}: {fault.text}" if fault.column else fault.text for fault in bad.faults)
        writer.writerow([*cells, *[""] * (width - len(cells)), guarded(visible(problem))])
    return len(sheet.rejected)


def of(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"
