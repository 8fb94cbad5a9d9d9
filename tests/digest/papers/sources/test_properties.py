"""What holds of every parser, whatever it is given. `make fuzz` tries more: FUZZ_EXAMPLES says how many.

A parser raises nothing but SourceError; no title shows a tag or a text command; no DOI ends in a part of a link; no
record is lost because of its neighbour.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.papers.sources import kinds
from digest.papers.sources.identifiers import VIEWS, guessed_doi, named_in, stated_doi
from digest.papers.sources.parsed import ParsedEdition, SourceError
from subscriptions.interests.parser import InterestError, parse

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "25"))
some = settings(max_examples=EXAMPLES)

PIECES = [
    *(
        "Kettles",
        " ",
        "&",
        "&amp;",
        "&lt;i&gt;",
        "&nbsp;",
        "&#3;",
        "\x0b",
        "\x1f",
        "<i>",
        "</i>",
        "<sub>2</sub>",
        "]]>",
    ),
    *("<math><mfrac><mn>1</mn><mn>2</mn></mfrac></math>", "<mml:math><mml:mi>x</mml:mi></mml:math>", "<inf>2</inf>"),
    *("{\\textless}", "\\enquote{q}", "{\\'{\\i}}", "\\textbackslashPot", "{", "}", "\\", "$x_1$", "%", "~", '"', ";"),
    *("10.1000/xyz", "https://a.example/doi/10.1000/x/full", "2401.12345", "\n", "\t", ",", "ü", "\u202e", "\ud800"),
]
texts = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
TAG = re.compile(r"</?(?:i|b|sub|sup|inf|scp|math|mml:[a-z]+|mfrac|mn|mi|jats:[a-z]+)(?:\s[^<>]*)?>", re.IGNORECASE)
COMMAND = re.compile(r"\\(?:text[a-z]{2,}|enquote|emph|i|'|\"|url)\b")


def rss(title: str) -> str:
    return f"<rss version='2.0'><channel><title>J</title>{_items(title)}</channel></rss>"


def _items(title: str) -> str:
    return f"<item><title>First</title></item><item><title>{title}</title></item><item><title>Last</title></item>"


def atom(title: str) -> str:
    entry = "<entry><title type='html'>{}</title><id>urn:1</id></entry>".format
    body = entry("First") + entry(escape(title)) + entry("Last")
    return f"<feed xmlns='http://www.w3.org/2005/Atom'><title>J</title>{body}</feed>"


def oai(title: str) -> str:
    record = (
        "<record><header><identifier>x</identifier></header><metadata><dc><title>{}</title></dc></metadata></record>"
    )
    body = "".join(record.format(one) for one in ("First", title, "Last"))
    return f"<OAI-PMH><ListRecords>{body}</ListRecords></OAI-PMH>"


def as_json(title: str) -> str:
    return json.dumps([{"title": one} for one in ("First", title, "Last")])


def as_lines(title: str) -> str:
    return "\n".join(json.dumps({"title": one, "abstract": "x"}) for one in ("First", title, "Last"))


def table(title: str) -> str:
    cell = title.replace('"', '""')
    return f'title,abstract\nFirst,x\n"{cell}",x\nLast,x\n'


def ris(title: str) -> str:
    return "".join(f"TY  - JOUR\nTI  - {one}\nER  - \n" for one in ("First", " ".join(title.split()), "Last"))


MAKERS: dict[str, Callable[[str], str]] = {
    "feed": rss, "atom": atom, "oai": oai, "json": as_json, "jsonl": as_lines, "csv": table, "ris": ris,
}  # fmt: skip


def read(page: bytes | str, kind: str) -> ParsedEdition | None:
    try:
        return kinds.parse(page, kind)
    except SourceError:
        return None


@pytest.mark.parametrize("maker", MAKERS)
@some
@given(title=texts)
def test_no_record_is_lost_because_of_its_neighbour_nor_shows_markup(maker: str, title: str) -> None:
    kind = "feed" if maker == "atom" else maker
    edition = read(MAKERS[maker](title), kind)
    assert edition is not None
    titles = [listing.title for listing in edition.listings]
    assert titles[0] == "First" and titles[-1] == "Last"
    assert not any(TAG.search(one) for one in titles)


@some
@given(title=texts)
def test_no_title_of_a_bibliography_shows_a_command(title: str) -> None:
    balanced = title.replace("{", "").replace("}", "").replace('"', "").replace("\\", "")
    for text in (balanced, "{\\textless}" + balanced + "\\enquote{x}{\\textquotedblright}"):
        edition = read(
            f"@misc{{a, title={{First}}}}\n@misc{{b, title={{{text}}}}}\n@misc{{c, title={{Last}}}}\n", "bibtex"
        )
        assert edition is not None
        titles = [listing.title for listing in edition.listings]
        assert titles[0] == "First" and titles[-1] == "Last"
        assert not any(TAG.search(one) or COMMAND.search(one) for one in titles)


@pytest.mark.parametrize("kind", kinds.PARSERS)
@some
@given(text=st.one_of(texts, st.text(max_size=200)), cut=st.integers(0, 400))
def test_no_parser_raises_anything_but_a_source_error(kind: str, text: str, cut: int) -> None:
    for page in (text, *(maker(text) for maker in MAKERS.values())):
        read(page, kind)
        read(page[:cut].encode(errors="replace"), kind)


@pytest.mark.parametrize("kind", kinds.PARSERS)
@some
@given(page=st.binary(max_size=200))
def test_no_bytes_raise_anything_but_a_source_error(kind: str, page: bytes) -> None:
    read(page, kind)


SUFFIXES = st.from_regex(r"[a-z]{1,6}[.-]?[0-9]{1,8}", fullmatch=True)
TAILS = (
    "",
    "/abstract",
    "/full",
    "/full.html",
    "/pdf",
    "/epdf",
    "/meta",
    "/suppl_file/x.pdf",
    "/7654321",
    "/7654321/A-Title",
)


@some
@given(suffix=SUFFIXES, tail=st.sampled_from(TAILS), query=st.sampled_from(("", "?rss=1", "#top")))
def test_no_doi_ends_in_a_part_of_a_link(suffix: str, tail: str, query: str) -> None:
    link = f"https://publisher.example/article/doi/10.1000/{suffix}{tail}{query}"
    assert stated_doi(link) == ""
    assert guessed_doi(link) in ("", f"10.1000/{suffix}")
    assert not VIEWS.fullmatch(stated_doi(f"10.1000/{suffix}{tail}").rpartition("/")[2])


@some
@given(text=st.one_of(texts, st.text(max_size=100)))
def test_names_and_interests_are_read_or_refused(text: str) -> None:
    named_in(text)
    try:
        parse(text)
    except InterestError as error:
        assert str(error.message)
