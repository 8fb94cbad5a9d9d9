"""RIS as Zotero, EndNote and publishers write it."""

from __future__ import annotations

import datetime as dt

import pytest

from digest.papers.sources import kinds, ris
from digest.papers.sources.parsed import ParsedListing, SourceError

ZOTERO = """TY  - JOUR
TI  - Kettles, Counted
AU  - Byron, Ada
AU  - Wei, Li
T2  - Journal of Pots
AB  - We count
kettles.

All boil.
DA  - 2025/03/14/
PY  - 2025
DO  - 10.1000/ABC
UR  - http://arxiv.org/abs/2503.10613
Y2  - 2026/01/01/10:00:00
L1  - http://arxiv.org/pdf/2503.10613v2
KW  - iron
KW  - cookery
ER  -

"""
ENDNOTE = """TY  - JOUR
A1  - Byron, Ada
A1  - Wei, Li
T1  - Kettles, Counted
JF  - Journal of Pots
Y1  - 2025/03/14
N2  - We count kettles. All boil.
DO  - 10.1000/abc
UR  - http://arxiv.org/abs/2503.10613v2
KW  - iron
KW  - cookery
ER  -
"""


@pytest.mark.parametrize("page", [ZOTERO, ENDNOTE], ids=["zotero", "endnote"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_reference_is_read_field_by_field(page: str, encoding: str, ending: str) -> None:
    content = page.replace("\n", ending).encode(encoding)
    assert kinds.detect(content) == "ris"
    (listing,) = kinds.parse(content).listings
    assert listing == ParsedListing(
        title="Kettles, Counted",
        abstract="We count kettles. All boil.",
        authors=("Ada Byron", "Li Wei"),
        arxiv_id="2503.10613",
        arxiv_version=2,
        doi="10.1000/abc",
        url=listing.url,
        categories=("iron", "cookery"),
        published_on=dt.date(2025, 3, 14),
    )
    assert listing.url.startswith("http://arxiv.org/abs/2503.10613")


def test_references_end_with_er_with_the_next_ty_or_with_the_file() -> None:
    edition = ris.parse("TY  - JOUR\nTI  - A\nER  - \nstray\nTY  - JOUR\nTI  - B\nTY  - CONF\nTI  - C\nAB  - cut o")
    assert [(listing.rank, listing.title) for listing in edition.listings] == [(1, "A"), (2, "B"), (3, "C")]


def test_a_reference_without_a_title_is_passed_over_by_its_line() -> None:
    edition = ris.parse("TY  - JOUR\nAU  - Byron, Ada\nER  - \nTY  - JOUR\nTI  - B\nER  - \n")
    assert [listing.title for listing in edition.listings] == ["B"]
    assert edition.warnings == ("the reference on line 1 passed over: it has no title (it has 'TY', 'AU')",)


@pytest.mark.parametrize(
    ("page", "says"),
    [
        ("AU  - Byron, Ada\nTI  - A\n", "line 1: AU stands before any TY"),
        ("TY  - JOUR\nER  - \n", "none a paper"),
        ("nothing\n", "it is empty"),
    ],
)
def test_what_is_no_reference_says_so(page: str, says: str) -> None:
    with pytest.raises(SourceError, match=says):
        ris.parse(page)


def test_a_year_alone_is_no_day() -> None:
    assert ris.parse("TY  - JOUR\nTI  - A\nPY  - 2025///\nY1  - 2025\nER  - ").listings[0].published_on is None
