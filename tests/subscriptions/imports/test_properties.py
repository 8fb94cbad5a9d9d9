"""What holds of a subscribers' file, whatever it is. `make fuzz` tries more: FUZZ_EXAMPLES says how many."""

from __future__ import annotations

import csv
import io
import os

from hypothesis import given, settings
from hypothesis import strategies as st

from subscriptions import delimited
from subscriptions.imports import report
from subscriptions.imports.sheet import Fault, Options, Sheet, read

some = settings(max_examples=int(os.environ.get("FUZZ_EXAMPLES", "25")))
PIECES = st.sampled_from(
    [
        *('"', '""', ",", ";", "\t", "|", "\n", "\r\n", "\r", " ", "\xa0", "\ufeff", "\0", "\u202e", "'"),
        *("=", "@", "<", ">"),
        *("email", "interests", "status", "attributes", "a@example.org", "b@example.org", "pots", "-iron", "(", "8:00"),
        *("unsubscribed", '{""hour"": 7}', "Europe/Berlin", "sep=;", "mailto:", "Ada <a@example.org>", "\\;", "é"),
        "\ud800",
    ]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=30).map("".join)
HEADERS = st.sampled_from(["", "email,interests\n", "email;interests;status\r\n", "uuid,email,attributes,status\n"])
# Rows that a neighbour must not take away. None of them has a quotation mark.
FIRST, LAST = "first@example.org,pots\n", "last@example.org,pots\n"


def checked(content: bytes) -> Sheet:
    sheet = read(content, Options(interests="pots"))
    assert all(isinstance(fault, Fault) and str(fault).isprintable() for fault in sheet.faults)
    assert bool(sheet.faults) == bool(sheet.rejected or sheet.broken)
    return sheet


@some
@given(header=HEADERS, text=TEXTS, encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1"]))
def test_any_text_is_rows_or_faults(header: str, text: str, encoding: str) -> None:
    checked((header + text).encode(encoding, errors="replace"))


@some
@given(content=st.binary(max_size=300))
def test_any_bytes_are_rows_or_faults(content: bytes) -> None:
    checked(content)
    checked(b"email,interests\n" + content)


@some
@given(middle=TEXTS)
def test_no_row_is_lost_because_of_its_neighbour(middle: str) -> None:
    middle = middle.replace("\0", "")
    text = f"email,interests\n{FIRST}{middle}\n{LAST}"
    sheet = checked(text.encode(errors="replace"))
    kept = {row.address for row in sheet.rows.values()}
    assert "first@example.org" in kept
    if "last@example.org" not in kept:  # a cell that was opened and closed well may hold a line that looks like a row
        assert any("last@example.org" in cell for cells in csv.reader(io.StringIO(text), strict=True) for cell in cells)


@some
@given(middle=TEXTS)
def test_rows_to_correct_are_written_safely_and_can_be_read_again(middle: str) -> None:
    sheet = checked(f"email,interests\n{FIRST}{middle}".replace("\0", "").encode(errors="replace"))
    out = io.StringIO(newline="")
    assert report.write_rejected(sheet, out) == len(sheet.rejected)
    cells = [cell for row in csv.reader(io.StringIO(out.getvalue(), newline="")) for cell in row]
    assert not any(cell.startswith(tuple("=+-@\t\r")) for cell in cells)
    again = read(out.getvalue().encode(errors="replace"), Options(interests="pots"))
    assert again.broken is None and len(again.rejected) + len(again.rows) + len(again.repeats) >= bool(sheet.rejected)


@some
@given(text=TEXTS, delimiter=st.sampled_from(delimited.DELIMITERS))
def test_the_lines_of_rows_rise_and_no_row_is_blank(text: str, delimiter: str) -> None:
    rows = list(delimited.rows(text, delimiter))
    assert [row.line for row in rows] == sorted({row.line for row in rows})
    assert all(any(cell.strip(delimited.BLANK) for cell in row.cells) for row in rows)
