"""BibTeX and BibLaTeX."""

from __future__ import annotations

import datetime as dt

import pytest

from digest.papers.sources import bibtex, kinds
from digest.papers.sources.parsed import EmptyEdition, ParsedListing, SourceError


def only(fields: str, before: str = "") -> ParsedListing:
    page = f"{before}@article{{key,\n  title = {{Kettles}},\n  {fields}\n}}\n"
    return bibtex.parse(page).listings[0]


def test_an_entry_is_read_field_by_field() -> None:
    page = r"""% Encoding: UTF-8
@string{pots = "Journal of " # "Pots"}
Anything between entries is a comment.

@Article{byron:2025,
  author        = {Byron, Ada and {The Kettle Team} and Erd{\H o}s, P{\'a}l and others},
  title         = {Counting {K}ettles with $x_{1}$ \& \emph{Pots} --- {\"U}ber~All},
  abstract      = {We count
                   {Kettles} in $O(n^{2})$.},
  journal       = pots,
  year          = 2025, month = mar, day = {14},
  doi           = {https://doi.org/10.1000/ABC\_d},
  url           = {\url{https://example.org/~byron/a_b}},
  eprint        = {2503.10613v2}, archivePrefix = "arXiv", primaryClass = {cs.CL},
}
"""
    assert kinds.detect(page) == "bibtex"
    assert kinds.parse(page).listings == (
        ParsedListing(
            title="Counting Kettles with $x_{1}$ & Pots — Über All",
            abstract="We count Kettles in $O(n^{2})$.",
            authors=("Ada Byron", "The Kettle Team", "Pál Erdős"),
            arxiv_id="2503.10613",
            arxiv_version=2,
            doi="10.1000/abc_d",
            url="https://example.org/~byron/a_b",
            categories=("cs.CL",),
            published_on=dt.date(2025, 3, 14),
        ),
    )


@pytest.mark.parametrize(
    ("fields", "day"),
    [
        ("year = 2025, month = 3, day = 14", dt.date(2025, 3, 14)),
        ("year = {2025}, month = {March}, day = {14}", dt.date(2025, 3, 14)),
        ('year = 2025, month = mar # "~14"', dt.date(2025, 3, 14)),
        ('year = 2025, month = "14~" # mar', dt.date(2025, 3, 14)),
        ("year = 2025, month = mar, day = {14th}", dt.date(2025, 3, 14)),
        ("date = {2025-03-14}", dt.date(2025, 3, 14)),
        ("date = {2025-03}, year = 2025", None),
        ("year = 2025, month = mar", None),
        ("year = 2025", None),
        ("year = 2025, month = 13, day = 40", None),
        ("year = {in press}, month = mar, day = 1", None),
    ],
)
def test_only_a_whole_date_is_a_day(fields: str, day: dt.date | None) -> None:
    assert only(fields).published_on == day


@pytest.mark.parametrize(
    ("fields", "arxiv_id"),
    [
        ("eprint = {2503.10613}", "2503.10613"),
        ("eprint = {arXiv:2503.10613}, eprinttype = {arxiv}", "2503.10613"),
        ("eprint = {hep-th/9901001}, archiveprefix = {arXiv}", "hep-th/9901001"),
        ("eprint = {2503.10613}, eprinttype = {jstor}", ""),
        ("journal = {arXiv preprint arXiv:2503.10613}", "2503.10613"),
        ("journal = {arXiv e-prints, arXiv:2503.10613 [cs.CL]}", "2503.10613"),
        ("journal = {CoRR, abs/2503.10613}", ""),
        ("doi = {10.48550/arXiv.2503.10613}", "2503.10613"),
        ("url = {https://arxiv.org/abs/2503.10613}", "2503.10613"),
    ],
)
def test_the_arxiv_id_stands_in_many_places(fields: str, arxiv_id: str) -> None:
    assert only(fields).arxiv_id == arxiv_id


@pytest.mark.parametrize(
    ("author", "names"),
    [
        ("Ada Byron and Li Wei", ("Ada Byron", "Li Wei")),
        ("Byron, Ada", ("Ada Byron",)),
        ("Byron, Jr., Ada", ("Ada Byron, Jr.",)),
        ("{Barnes and Noble} and {van der Berg}, Jan", ("Barnes and Noble", "Jan van der Berg")),
        ("Byron, Ada\n  and\n  Wei, Li", ("Ada Byron", "Li Wei")),
        (r"M{\"u}ller, J\"urgen and {\L}ukasz {\O}re", ("Jürgen Müller", "Łukasz Øre")),
        ("others", ()),
        ("", ()),
    ],
)
def test_authors_are_parted_by_and_outside_of_braces(author: str, names: tuple[str, ...]) -> None:
    assert only(f"author = {{{author}}}").authors == names


def test_a_broken_entry_is_passed_over_by_its_line_and_the_next_is_read() -> None:
    edition = bibtex.parse("@misc{a, title={A}}\n@misc{b, title={B}\n@misc{c, title={C}}\n@misc{d, title={cut o")
    assert [listing.title for listing in edition.listings] == ["A", "C"]
    assert [warning[:43] for warning in edition.warnings] == [
        "the entry on line 2 passed over: it is brok",
        "the entry on line 4 passed over: it is brok",
    ]


def test_a_key_or_a_field_used_twice_loses_no_paper() -> None:
    edition = bibtex.parse("@misc{a, title={A}}\n@misc{a, title={B}, title={C}}\n@misc{a, title={D}}\n")
    assert [listing.title for listing in edition.listings] == ["A", "B", "D"]
    assert edition.warnings == ()


def test_a_child_has_its_volumes_date_but_not_its_doi() -> None:
    edition = bibtex.parse(
        "@inproceedings{a, title={A}, crossref={V}}\n"
        "@proceedings{V, title={Volume}, year=2025, month=3, day=14, doi={10.1000/volume}}\n"
    )
    (listing,) = edition.listings
    assert (listing.title, listing.published_on, listing.doi) == ("A", dt.date(2025, 3, 14), "")
    assert edition.warnings == ("the entry on line 2 passed over: it is a volume, not a paper",)


def test_strings_of_strings_stay_short() -> None:
    doubling = "".join(f"@string{{s{n} = s{n - 1} # s{n - 1}}}\n" for n in range(1, 60))
    page = f'@string{{s0 = "kettle "}}\n{doubling}@misc{{a, title = s59}}\n'
    assert bibtex.parse(page).listings[0].title.startswith("kettle kettle")


@pytest.mark.parametrize("page", ["@comment{nothing}\n", "% only a remark", "@string{a = {b}}\n"])
def test_a_bibliography_without_entries_is_rightly_empty(page: str) -> None:
    with pytest.raises(EmptyEdition, match="no entries"):
        bibtex.parse(page)


def test_nothing_but_broken_entries_is_an_error() -> None:
    with pytest.raises(SourceError, match=r"none a paper \(the entry on line 1 passed over: it is broken"):
        bibtex.parse("@misc{a, title={A}\n")


@pytest.mark.parametrize(
    "page",
    [
        "@inproceedings{a,\n  title={A}}",
        "\n\n  @misc {a, title={A}}",
        "Made by a program\n\n@misc(a,\n title={A})",
        '@comment{x}\n@string{y = {z}}\n@online{a:b/c-1,\r\n title = "A"}',
    ],
)
def test_a_bibliography_is_told_by_its_entries(page: str) -> None:
    assert kinds.detect(page) == "bibtex"
    assert kinds.parse(page).listings[0].title == "A"


def test_prose_that_speaks_of_bibtex_is_none() -> None:
    text = "Kettles\n\nWe count kettles and cite @misc{a, title={A}} in each. There are seven, and all of them boil.\n"
    assert kinds.detect(text) == "text"
