"""The papers page, with its data and without."""

from __future__ import annotations

import datetime as dt
import html
import json
from pathlib import Path

import pytest

from digest.papers.sources import huggingface_api, huggingface_html
from digest.papers.sources.parsed import EmptyEdition, SourceError

ROW = {
    "paper": {
        "id": "2503.10613",
        "title": "Kettles \u201cThat\u201d\n  Count",
        "summary": "On $x<y$ &amp more.",
        "authors": [{"name": "Ada Byron"}],
        "submittedOnDailyAt": "2025-03-13T02:00:00.000Z",
        "upvotes": 29,
    }
}
ARTICLE = (
    '<article><a href="/papers/{0}"><img></a><div><h3> <a href="/papers/{0}" class="x">{1}</a></h3></div></article>'
)


def page(props: object, extra: str = "") -> str:
    text = html.escape(props if isinstance(props, str) else json.dumps(props))
    return f'<!doctype html><main><div data-target="DailyPapers" data-props="{text}"></div>{extra}</main>'


def articles(*pairs: tuple[str, str]) -> str:
    return "<!doctype html><title>Daily Papers</title>" + "".join(ARTICLE.format(*pair) for pair in pairs)


def test_the_rows_of_the_page_are_those_of_the_api() -> None:
    edition = huggingface_html.parse(page({"dailyPapers": [ROW]}))
    assert edition == huggingface_api.parse(json.dumps([ROW]))
    assert edition.listings[0].abstract == "On $x<y$ &amp more."


@pytest.mark.parametrize("key", ["dateString", "date"])
def test_the_page_says_which_day_it_shows(key: str) -> None:
    edition = huggingface_html.parse(page({key: "2025-03-14T00:00:00.000Z", "dailyPapers": [ROW]}))
    assert edition.date == dt.date(2025, 3, 14)


def test_without_a_day_of_its_own_the_rows_say_it() -> None:
    assert huggingface_html.parse(page({"date": None, "dailyPapers": [ROW]})).date == dt.date(2025, 3, 13)


def test_the_data_wins_over_the_visible_list() -> None:
    edition = huggingface_html.parse(page({"dailyPapers": [ROW]}, ARTICLE.format("2503.00001", "Other")))
    assert [listing.arxiv_id for listing in edition.listings] == ["2503.10613"]


def test_without_data_the_headings_are_read() -> None:
    edition = huggingface_html.parse(
        articles(("2503.10613", "Kettles\n   That <b>Count</b>"), ("2503.10614?tab=x", "Schr&ouml;dinger &amp; Co"))
    )
    assert [(one.title, one.arxiv_id, one.rank, one.abstract) for one in edition.listings] == [
        ("Kettles That Count", "2503.10613", 1, ""),
        ("Schrödinger & Co", "2503.10614", 2, ""),
    ]
    assert edition.listings[1].url == "https://huggingface.co/papers/2503.10614"
    assert edition.warnings == ("no data-props in the page: only titles and ids were read",)


def test_a_full_address_is_a_paper_too_and_each_paper_is_listed_once() -> None:
    twice = ("2503.10613", "Kettles"), ("2503.10613", "Kettles again")
    absolute = "<article><h3><a href='https://huggingface.co/papers/2503.10614'>Rooms</a></h3></article>"
    edition = huggingface_html.parse(articles(*twice) + absolute)
    assert [one.title for one in edition.listings] == ["Kettles", "Rooms"]


def test_a_heading_without_words_is_passed_over() -> None:
    edition = huggingface_html.parse(articles(("2503.10613", " "), ("2503.10614", "Rooms")))
    assert edition.warnings[1] == "article 1 passed over: it has no title ('2503.10613')"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html><title>Daily Papers</title><main>Soon</main></html>",
        "<article><h3><a href='/spaces/ada/kettle'>Not a paper</a></h3></article>",
        "<h3><a href='/papers/2503.10613'>Outside of an article</a></h3>",
    ],
)
def test_a_page_without_papers_says_what_to_do(text: str) -> None:
    with pytest.raises(SourceError, match=r"has no papers, its markup may have changed: use the API's JSON"):
        huggingface_html.parse(text)


def test_the_error_names_the_page() -> None:
    with pytest.raises(SourceError, match="the page 'Daily Papers' has no papers"):
        huggingface_html.parse("<title>Daily\n Papers</title>")


@pytest.mark.parametrize(
    ("props", "says"),
    [
        ('{"dailyPapers": [', "data-props: line 1, column 18: not JSON"),
        ("", "data-props: line 1, column 1: not JSON"),
        ("[" * 100_000, "nested too deeply"),
        ({"papers": []}, "hold no dailyPapers"),
        ([ROW], "hold no dailyPapers"),
        ({"dailyPapers": {}}, "hold no dailyPapers"),
        ({"dailyPapers": [None]}, "none a paper"),
    ],
)
def test_broken_data_is_an_error(props: object, says: str) -> None:
    with pytest.raises(SourceError, match=says):
        huggingface_html.parse(page(props))


def test_a_day_without_papers_is_rightly_empty() -> None:
    with pytest.raises(EmptyEdition):
        huggingface_html.parse(page({"dailyPapers": []}))


@pytest.mark.parametrize("charset", ["utf-8", "windows-1252", "iso-8859-1", "koi8-r", "utf-16"])
def test_the_declared_charset_is_honoured(charset: str) -> None:
    title = "Чайник" if charset == "koi8-r" else "Café"
    text = f'<meta charset="{charset}">' + articles(("2503.10613", title))
    assert huggingface_html.parse(text.encode(charset)).listings[0].title == title


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b'<meta charset="utf-8">\n\n\xe9', r"byte 24 \(line 3\) is not UTF-8"),
        (b"<article>\xe9", r"byte 9 \(line 1\) is not UTF-8"),
        (b'<meta charset="martian"><article>', "encoded as 'martian', which cannot be read"),
        (b'<meta charset="undefined"><article>\xe9', "encoded as 'undefined', which cannot be read"),
        (b'<meta charset="hex"><article>', "encoded as 'hex', which cannot be read"),
    ],
)
def test_bytes_that_do_not_fit_the_charset_are_an_error(text: bytes, says: str) -> None:
    with pytest.raises(SourceError, match=says):
        huggingface_html.parse(text)


def test_a_deep_page_does_no_harm() -> None:
    with pytest.raises(SourceError, match="has no papers"):
        huggingface_html.parse("<div>" * 20_000)


def test_the_rebuilt_page_agrees_with_the_api_of_that_day(shared_data: Path) -> None:
    rebuilt = next((shared_data / "hf_html_reconstructed").glob("*.html")).read_bytes()
    api = huggingface_api.parse((shared_data / "hf_api_daily_papers" / "2025-03-14.json").read_bytes())
    edition = huggingface_html.parse(rebuilt)
    assert edition.date == dt.date(2025, 3, 14)
    assert edition.listings == api.listings
