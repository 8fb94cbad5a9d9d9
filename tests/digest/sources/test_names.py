"""Names of people, and days, as records write them."""

from __future__ import annotations

import datetime as dt

import pytest

from digest.sources.dates import day_in, day_of
from digest.sources.names import full_name, given_first, names_in


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Ada Byron (1), Li Wei (1,2) ((1) Kettle U, (2) Pot U)", ["Ada Byron", "Li Wei"]),
        ("Ada Byron (MIT), Li Wei and Bo Li (Pots, Inc.)", ["Ada Byron", "Li Wei", "Bo Li"]),
        ("Ada (Augusta) Byron, Li Wei", ["Ada (Augusta) Byron", "Li Wei"]),
        ("Ada Byron (MIT, Li Wei", ["Ada Byron (MIT", "Li Wei"]),
    ],
)
def test_where_they_work_is_no_part_of_their_names(text: str, names: list[str]) -> None:
    assert names_in(text) == names


@pytest.mark.parametrize(
    ("name", "turned"),
    [
        ("Byron, Ada", "Ada Byron"),
        ("King, Martin, Jr.", "Martin King, Jr."),
        ("Kettles, Pots, and Pans Group", "Kettles, Pots, and Pans Group"),
        ("Plato", "Plato"),
        ('K\\"onig, J.', "J. König"),
        (",", ""),
    ],
)
def test_the_family_goes_last(name: str, turned: str) -> None:
    assert given_first(name) == turned


def test_a_name_of_parts() -> None:
    assert full_name("Ada", "Byron") == "Ada Byron"
    assert full_name("", "Kettle Collaboration") == "Kettle Collaboration"
    assert full_name("Martin", "King", "Jr.") == "Martin King, Jr."
    assert full_name("", ":") == ""


def test_a_name_that_never_ends_takes_no_time() -> None:
    assert full_name("", "\\'" + " " * 2_000_000 + "e") == given_first("\\'" + " " * 2_000_000 + "e") == "é"
    assert len(given_first("a" * 2_000_000)) == 1_000


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2017-12-14", dt.date(2017, 12, 14)),
        (" 2018-12-27T03:46:56Z ", dt.date(2018, 12, 27)),
        ("Mon, 2 Apr 2007 19:18:42 GMT", dt.date(2007, 4, 2)),
        ("29 Jun 2000", dt.date(2000, 6, 29)),
        ("1 September 2000", dt.date(2000, 9, 1)),
        ("2026", None),
        ("2026-03", None),
        ("2026-02-30", None),
        ("0000-01-01", None),
        ("2026-03-123", None),
        ("12 Foo 2026", None),
        ("c2001", None),
        ("", None),
    ],
)
def test_only_a_whole_day_is_a_day(text: str, day: dt.date | None) -> None:
    assert day_in(text) == day


def test_a_day_of_parts() -> None:
    assert day_of("2026", "Mar", "7") == day_of("2026", "03", "07") == dt.date(2026, 3, 7)
    assert day_of("2026", "", "7") is day_of("2026", "3", "") is day_of("9" * 400, "3", "1") is None
