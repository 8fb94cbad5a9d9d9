"""People's names as files write them."""

from __future__ import annotations

import pytest

from digest.sources.names import author_names

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
    assert len(author_names("; ".join(f"Ada{number} Byron" for number in range(3_000)))) == 500
    assert len(author_names([{"name": f"Ada{number}"} for number in range(3_000)])) == 500
