"""Days as sources write them."""

from __future__ import annotations

import datetime as dt

import pytest

from digest.papers.sources.dates import date_of, month_number

PI_DAY = dt.date(2025, 3, 14)


@pytest.mark.parametrize(
    "value",
    [
        "2025-03-14",
        "2025-3-14",
        "2025/03/14",
        "2025/03/14/",
        "2025/03/14/spring",
        "2025.03.14",
        "2025-03-14T02:19:43.123Z",
        "2025-03-14 02:19:43",
        "2025-03-13T23:00:00-02:00",
        "Fri, 14 Mar 2025 18:57:44 +0000",
        "13 Mar 2025 23:00:00 -0200",
        "14 March 2025",
        "14th March, 2025",
        "March 14, 2025",
        "Mar. 14 2025",
        "2025 Mar 14",
        "14.03.2025",
        "14. 3. 2025",
        "14-MAR-2025",
        {"date-parts": [[2025, 3, 14]]},
        {"date-time": "2025-03-14T01:00:00Z"},
        [{"version": "v1", "created": "Fri, 14 Mar 2025 18:57:44 GMT"}, {"created": "Mon, 2 Jun 2025 18:57:44 GMT"}],
        ["2025-03-14"],
    ],
)
def test_a_day_is_read(value: object) -> None:
    assert date_of(value) == PI_DAY


@pytest.mark.parametrize(
    "value",
    [
        *(
            "2025",
            "2025-03",
            "March 2025",
            "2025///",
            "2025/03//",
            "3/14/2025",
            "3.14.2025",
            "14.3.25",
            "14/03/2025",
            "2025-02-30",
            "0000-01-01",
        ),
        *("yesterday", "", "NA", "x" * 10_000, "Fri, 14 Mar 2025 99:99:99 +9999", "20250314"),
        *({"date-parts": [[2025, 3]]}, {"date-parts": [[None]]}, {"date-parts": [[2025, 3, True]]}, {"date-parts": []}),
        *({"date-parts": [[10**30, 1, 1]]}, {"date-parts": 5}, {}, [], [[]], 2025, 20250314, True, None, 1.5),
    ],
    ids=str,
)
def test_what_is_no_day_is_none(value: object) -> None:
    assert date_of(value) is None


@pytest.mark.parametrize(
    ("text", "number"), [("3", 3), ("mar", 3), ("March ", 3), ("12", 12), ("13", None), ("x", None)]
)
def test_a_month_is_a_number_or_a_name(text: str, number: int | None) -> None:
    assert month_number(text) == number
