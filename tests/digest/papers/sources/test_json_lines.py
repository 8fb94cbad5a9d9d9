"""JSON Lines."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from digest.papers.sources import json_lines
from digest.papers.sources.parsed import SourceError


def line(title: str, **more: object) -> str:
    return json.dumps({"title": title} | more)


def test_rows_that_name_their_lists_day_keep_it_and_their_rank() -> None:
    rows = [
        line("A", date="2025-03-13", rank=0, id="2503.00001", abstract="We\n  count.", upvotes=3, num_comments=1),
        line("B", date="2025-03-13", rank=1, id="2503.00002", authors=["Ada Byron"], upvotes=0),
        line("C", date="2025-03-14", rank=0, id="2503.00003", pub_date="Wed, 12 Mar 2025 18:00:00 +0000"),
    ]
    first, second, third = json_lines.parse("\n".join(rows)).listings
    assert (first.listed_on, first.rank, first.arxiv_id) == (dt.date(2025, 3, 13), 1, "2503.00001")
    assert (first.abstract, first.upvotes, first.comments, first.published_on) == ("We count.", 3, 1, None)
    assert (second.rank, second.authors, second.upvotes) == (2, ("Ada Byron",), 0)
    assert (third.listed_on, third.rank, third.published_on) == (dt.date(2025, 3, 14), 1, dt.date(2025, 3, 12))


def test_bad_lines_are_passed_over_by_their_number_blank_ones_counted() -> None:
    page = "\n".join([line("A"), "", '{"title": "B', "[1]", '{"id": "C"}', "[" * 100_000, "[" + "1" * 5_000, line("D")])
    edition = json_lines.parse(page)
    assert [listing.title for listing in edition.listings] == ["A", "D"]
    assert edition.warnings == (
        "line 3 passed over: not JSON (Unterminated string starting at, column 11)",
        "line 4 passed over: it is no object (list)",
        "line 5 passed over: it has no title (it has 'id')",
        "line 6 passed over: not JSON that can be read",
        "line 7 passed over: not JSON that can be read",
    )


def test_nothing_but_bad_lines_is_an_error() -> None:
    with pytest.raises(SourceError, match=r"lists 2 things, none a paper \(line 1 passed over: not JSON"):
        json_lines.parse('{"a"\n{"b"\n')


def test_u2028_inside_a_string_ends_no_line() -> None:
    assert json_lines.parse(f'{{"title": "A\u2028B"}}\r\n{line("C")}\r\n').listings[0].title == "A B"


def test_many_bad_lines_are_counted_and_not_all_told() -> None:
    edition = json_lines.parse("\n".join(["{"] * 60 + [line("A")]))
    assert len(edition.warnings) == 51
    assert edition.warnings[-1] == "and 10 more passed over"
