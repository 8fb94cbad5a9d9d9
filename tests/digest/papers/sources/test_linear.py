"""No page takes a parser longer than in proportion to its size: long runs of each kind of sign, in each field."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.papers.sources import bibtex, kinds, ris
from digest.papers.sources.names import names_in_line
from digest.papers.sources.parsed import SourceError
from digest.papers.sources.tex_names import name_without_tex
from digest.picks.suggestions.suggest import MOST_PASTED, read

pytestmark = pytest.mark.slow

RUNS = (
    *(" ", "\n", "a", "1", '"', "'", "{", "}", "(", ")", "[", "]", ",", ";", " and ", "and ", "<", "&", "\\", "@", "#"),
    *("$", "%", "=", "\u0301", "é", "a,", "{a}", "\\'", "\\(", "<p>", "<b>", "<!--", "&amp;", "@a{", "@a{b,\n"),
    *("- ", "{}", "a # ", "\n@string{a={b}}", "\nT2  - a", "\nTY  - a",),
    *("\nAB  - a", "\\a ", "<a b", "</p>", "<div>", "author:"),
)  # fmt: skip


def _bibtex(field: str) -> Callable[[str], str]:
    return lambda run: f"@article{{a,\n title = {{A title}}, {field} = {{A {run}}},\n year = 2026\n}}\n"


def _feed(element: str) -> Callable[[str], str]:
    start = '<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><item><title>A title</title>'
    return lambda run: f"{start}<{element}><![CDATA[A {run}]]></{element}></item></channel></rss>"


def _ris(tag: str) -> Callable[[str], str]:
    return lambda run: f"TY  - JOUR\nTI  - A title\n{tag}  - A {run}\nER  - \n"


def _records(run: str) -> str:
    fields = ("abstract", "authors", "doi", "url", "date", "keywords", "categories")
    return json.dumps([{"title": f"A {run}", **dict.fromkeys(fields, run)}])


PAGES: dict[str, tuple[str, Callable[[str], str]]] = {
    **{f"bibtex {field}": ("bibtex", _bibtex(field)) for field in ("title", "author", "journal", "month", "doi")},
    "bibtex, quoted": ("bibtex", lambda run: f'@article{{a, title = "A {run}"}}\n'),
    "bibtex, between": ("bibtex", lambda run: f"@article{{a, title = {{A}}}}\n{run}\n@article{{b, title = {{B}}}}\n"),
    "bibtex, string": ("bibtex", lambda run: f"@string{{s = {run}}}\n@article{{a, title = s # s}}\n"),
    **{f"ris {tag}": ("ris", _ris(tag)) for tag in ("TI", "AU", "DA")},
    **{f"feed {name}": ("feed", _feed(name)) for name in ("title", "description", "dc:creator", "pubDate", "guid")},
    "table": ("csv", lambda run: f'title,authors,date\nA,"{run}",B\n'),
    "text": ("text", lambda run: f"A title\nAn abstract that ends with a full stop. And more {run}.\n"),
    "html": ("huggingface-html", lambda run: f"<article><h3><a href=/papers/2503.10613>A {run}</a></h3></article>"),
    "json": ("json", _records),
    "lines of json": ("jsonl", lambda run: _records(run)[1:-1] + "\n" + _records(run)[1:-1]),
}  # fmt: skip
SMALL, TIMES = 12_000, 4
QUICK = 0.05  # seconds for SMALL: no need to look at how it grows
MOST_GROWTH = 9.0  # in proportion it is 4, quadratic 16


def seconds(work: Callable[[], object], tries: int = 3) -> float:
    """CPU time of the fastest try."""
    best = float("inf")
    for _ in range(tries):
        began = time.process_time()
        with contextlib.suppress(SourceError):
            work()
        best = min(best, time.process_time() - began)
        if best < QUICK:
            break
    return best


@pytest.mark.parametrize("where", PAGES)
def test_the_time_grows_with_the_page_and_no_faster(where: str) -> None:
    kind, page = PAGES[where]
    for run in RUNS:
        took = seconds(lambda run=run: kinds.parse(page(run * (SMALL // len(run))), kind))
        if took > QUICK:
            longer = seconds(lambda run=run: kinds.parse(page(run * (SMALL * TIMES // len(run))), kind))
            assert longer < MOST_GROWTH * took, f"{run!r}: {took:.2f} s, four times of it {longer:.2f} s"


@pytest.mark.parametrize("run", RUNS)
def test_the_kind_of_a_page_is_told_quickly(run: str) -> None:
    for start in ("", "<", "{", "[", "@article{a,", "TY  - "):
        assert seconds(lambda start=start: kinds.detect(start + run * (200_000 // len(run)))) < 2


# --- what once hung both workers, and the page that proposes interests
def test_three_megabytes_of_white_space_in_a_name_are_read() -> None:
    page = b"@article{a,\n title = {A title},\n author = {Byron, Ada" + b" " * 3_000_000 + b"and Shelley, Mary},\n}\n"
    began = time.process_time()
    assert bibtex.parse(page).listings[0].authors == ("Ada Byron", "Mary Shelley")
    assert time.process_time() - began < 5


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize(
    "start", ["@article{a,\n title = {A}, author = {A", "TY  - JOUR\nTI  - A\nAU  - A", "A. ", "title:"]
)
def test_whatever_is_pasted_is_read_within_a_second(start: str, run: str) -> None:
    text = start + run * (MOST_PASTED // len(run)) + "x},\n}\n"
    assert seconds(lambda: read(text)) < 1


def test_long_strings_that_are_named_often_make_no_long_text() -> None:
    names = ", ".join(f"f{number} = s" for number in range(1_000))
    page = "@string{s = {" + "a" * 40_000 + "}}\n@article{a, title = {A}, " + names + ", abstract = s # s}\n"
    (listing,) = bibtex.parse(page).listings
    assert len(listing.abstract) == 2 * bibtex.MAX_STRING


# --- names
NAMES = st.lists(st.text("abcABC é'-.", min_size=1, max_size=12).map(str.strip).filter(bool), min_size=1, max_size=5)
BLANKS = st.text(" \t\n", min_size=1, max_size=5)
TEXTS = st.text(st.sampled_from("aA and{}\\\"'(),;:<>&$#@~^= \n\té\u0301-.1"), max_size=80)


@given(NAMES.filter(lambda names: not any("and" in name.split() for name in names)), st.data())
def test_names_of_bibtex_are_parted_by_and_with_any_white_space(names: list[str], data: st.DataObject) -> None:
    text = names[0]
    for name in names[1:]:
        text += f"{data.draw(BLANKS)}and{data.draw(BLANKS)}{name}"
    assert list(bibtex._people(text)) == [" ".join(name.split()) for name in names]


@given(NAMES)
def test_names_in_braces_are_not_parted(names: list[str]) -> None:
    text = "{" + " and ".join(names) + "}"
    assert list(bibtex._people(text)) == [" ".join(text.split())]


@settings(max_examples=200)
@given(TEXTS)
def test_any_text_is_read_or_refused(text: str) -> None:
    for page in (
        f"@article{{a,\n title={{{text}}}, author={{{text}}}}}",
        f"TY  - JOUR\nTI  - {text}\nAU  - {text}",
        text,
    ):
        for parse in (bibtex.parse, ris.parse):
            try:
                assert parse(page).listings
            except SourceError as error:
                assert str(error)
    assert isinstance(names_in_line(text), list)
    assert isinstance(bibtex.plain_tex(text), str)


@given(st.sampled_from(["\\'", "\\`", '\\"', "\\~"]), st.text(" ", max_size=3), st.booleans())
def test_an_accent_finds_its_letter_behind_blanks_and_brace(accent: str, blanks: str, braced: bool) -> None:
    inside = f"{{{blanks}e}}" if braced else f"{blanks}e"
    assert len(name_without_tex(accent + inside)) == 1
