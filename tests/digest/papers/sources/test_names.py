"""People's names as files write them."""

from __future__ import annotations

import datetime as dt

import pytest

from digest.papers.sources.dates import day_in, day_of_parts
from digest.papers.sources.names import author_names, full_name, names_in_line, plain_name
from digest.papers.sources.plain_text import MAX_AUTHORS, MAX_NAME

TWO = ("Ada Byron", "Li Wei")


@pytest.mark.parametrize(
    "value",
    [
        "Ada Byron; Li Wei",
        "Byron, Ada; Wei, Li",
        "Byron, Ada; Wei, Li; ",
        "Ada Byron | Li Wei",
        "Ada Byron and Li Wei",
        "Ada Byron & Li Wei",
        "Ada Byron, Li Wei",
        "Byron, Ada and Wei, Li",
        "Byron, Ada and Wei, Li and others",
        "Ada Byron, Li Wei, et al.",
        "Byron, Ada (57190000000); Wei, Li (57190000001)",
        ["Ada Byron", "Li Wei"],
        ["Ada Byron; Li Wei"],
        ["Byron, Ada", None, 5, {}, "Wei, Li"],
        [{"name": "Ada Byron"}, {"name": "Li Wei", "hidden": True}],
        [{"given": "Ada", "family": "Byron"}, {"family": "Wei", "given": "Li"}],
        [{"firstname": "Ada", "surname": "Byron"}, {"firstName": "Li", "lastName": "Wei", "creatorType": "author"}],
        [{"author": {"display_name": "Ada Byron"}}, {"person_or_org": {"name": "Wei, Li"}}],
        [{"full_name": "Byron, Ada"}, {"givenName": "Li", "familyName": "Wei"}],
        {"author": ["Ada Byron", "Li Wei"]},
        {"authors": [{"full_name": "Ada Byron"}, {"full_name": "Li Wei"}]},
        [{"creator": "Byron, Ada"}, {"creator": "Wei, Li"}],
        [["Byron", "Ada", ""], ["Wei", "Li"]],
    ],
    ids=str,
)
def test_every_shape_of_two_authors_is_the_same(value: object) -> None:
    assert author_names(value) == TWO


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("Byron, Ada", ("Ada Byron",)),
        ("de la Cruz, J.", ("J. de la Cruz",)),
        ("Byron, A., Shelley, M.", ("A. Byron", "M. Shelley")),
        ("John Smith, Jr., Li Wei", ("John Smith, Jr.", "Li Wei")),
        ("Byron, Jr., Ada; Wei, Li, III", ("Ada Byron, Jr.", "Li Wei, III")),
        (["ACME Inc."], ("ACME Inc.",)),
        ([{"family": "Wagman"}], ("Wagman",)),
        ([{"name": "OSQAR Collaboration", "type": "Collaboration"}], ("OSQAR Collaboration",)),
        (r"Erd{\H o}s, P{\'a}l", ("Pál Erdős",)),
        (["M&uuml;ller, <i>Ada</i>"], ("Ada Müller",)),
        ("", ()),
        ("; ;", ()),
        (None, ()),
        (7, ()),
        ({}, ()),
        ([None, {"name": None}, {"name": " "}, [], [["A"]], [5]], ()),
        ({"author": {"author": {"author": []}}}, ()),
    ],
    ids=str,
)
def test_a_name_is_written_as_it_is_spoken(value: object, names: tuple[str, ...]) -> None:
    assert author_names(value) == names


def test_no_more_names_are_kept_than_a_paper_may_have() -> None:
    assert len(author_names("; ".join(f"Ada{number} Byron" for number in range(9_000)))) == MAX_AUTHORS
    assert len(author_names([{"name": f"Ada{number}"} for number in range(9_000)])) == MAX_AUTHORS


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
    assert names_in_line(text) == names


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
    assert plain_name(name) == turned


def test_a_name_of_parts() -> None:
    assert full_name("Ada", "Byron") == "Ada Byron"
    assert full_name("", "Kettle Collaboration") == "Kettle Collaboration"
    assert full_name("Martin", "King", "Jr.") == "Martin King, Jr."
    assert full_name("", ":") == ""


def test_a_name_that_never_ends_takes_no_time() -> None:
    assert full_name("", "\\'" + " " * 2_000_000 + "e") == "é"
    assert len(plain_name("\\'" + " " * 2_000_000 + "e")) < 10
    assert len(plain_name("a" * 2_000_000)) == 2 * MAX_NAME


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
def test_only_a_whole_day_at_the_beginning_is_a_day(text: str, day: dt.date | None) -> None:
    assert day_in(text) == day


def test_a_day_of_parts() -> None:
    assert day_of_parts("2026", "Mar", "7") == day_of_parts("2026", "03", "07") == dt.date(2026, 3, 7)
    assert day_of_parts("2026", "", "7") is day_of_parts("2026", "3", "") is day_of_parts("9" * 400, "3", "1") is None


@pytest.mark.parametrize(
    ("tex", "name"),
    [
        (r"Y{\i}ld{\i}z, Ay{\c s}e", "Ayşe Yıldız"),  # a dotless i without an accent is a letter of its own
        (r"I{\c s}{\i}k, Da{\u g}", "Dağ Işık"),
        (r"Garc{\'{\i}}a, Jos\'e", "José García"),
        (r"na{\"\i}ve, {\v\j}", "ǰ naïve"),
    ],
)
def test_a_dotless_letter_gets_its_dot_under_an_accent_alone(tex: str, name: str) -> None:
    assert author_names([tex]) == (name,)
