"""The papers page saved as text."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import unicodedata
from collections import defaultdict
from pathlib import Path

import pytest

from digest.papers.sources import text_listing
from digest.papers.sources.parsed import ParsedEdition, SourceError

TITLES = ("Kettles That Count Their Steps", "A Map of Quiet Rooms", "What Do Hinges Know? A Study of Doors")
ABSTRACTS = (
    "We ask whether a kettle can count. It can, up to seven, and we show how it learns to do so.",
    "Quiet rooms are hard to find on a map. We draw one from 40,000 hours of silence.",
    "Hinges turn. We measure what they remember of each turn, and find that oil makes them forget.",
)
BLOCKS = [text for pair in zip(TITLES, ABSTRACTS, strict=True) for text in pair]
HEADER = ["new", "Get trending papers in your email inbox!", "Subscribe", "byAK and the research community", "Mar 14"]


def page(*blocks: str, blank: bool = True, end: str = "\n") -> str:
    return (end * (2 if blank else 1)).join(blocks) + end


def titles(edition: ParsedEdition) -> list[str]:
    return [listing.title for listing in edition.listings]


def assert_reads_all(edition: ParsedEdition) -> None:
    assert titles(edition) == list(TITLES)
    assert [listing.abstract for listing in edition.listings] == list(ABSTRACTS)
    assert [listing.rank for listing in edition.listings] == [1, 2, 3]


def test_it_reads_a_page_with_blank_lines_and_a_day_without_a_year() -> None:
    edition = text_listing.parse(page(*HEADER, *BLOCKS))
    assert_reads_all(edition)
    assert (edition.date, edition.month_day, edition.warnings) == (None, (3, 14), ())


def test_it_reads_a_page_without_blank_lines_and_with_the_button_glued_to_the_first_title() -> None:
    header = "Get trending papers in your email inbox once a day!", "Get trending papers in your email inbox!"
    edition = text_listing.parse(page(*header, "Subscribe" + BLOCKS[0], *BLOCKS[1:], blank=False))
    assert_reads_all(edition)
    assert (edition.date, edition.month_day) == (None, None)


@pytest.mark.parametrize("first", ["Subscribers and Their Habits", "Subscribe to Learn", "Subscribed: A Life"])
def test_a_title_that_begins_with_the_word_on_the_button_keeps_it(first: str) -> None:
    assert titles(text_listing.parse(page(first, *BLOCKS[1:]))) == [first, *TITLES[1:]]


@pytest.mark.parametrize("first", ["iKettle: Steps", "3D Kettles", "“Kettles” Counted", "$K$-Kettles"])
def test_the_button_comes_off_a_title_that_begins_oddly(first: str) -> None:
    assert titles(text_listing.parse(page("Subscribe" + first, *BLOCKS[1:])))[0] == first


@pytest.mark.parametrize(
    "written",
    [
        page(*BLOCKS),
        page(*BLOCKS, blank=False),
        page(*BLOCKS, blank=False).rstrip("\n"),
        page(*HEADER, *BLOCKS, end="\r\n"),
        page(*HEADER, *BLOCKS, end="\r"),
        "\ufeff" + page(*BLOCKS),
        page(*HEADER, *BLOCKS).encode("utf-8-sig"),
        page(*HEADER, *BLOCKS).encode("utf-16"),
        page("A Reading List", "Nothing but good papers", *BLOCKS),
        page("Chosen by people who read.", "2025-03-14", *BLOCKS, blank=False),
        page("\n\n\n  ", "My papers", "  \t ", *BLOCKS),
    ],
    ids=["none", "dense", "no end", "crlf", "cr", "mark", "utf-8 mark", "utf-16", "own", "sentence", "blanks"],
)
def test_any_header_or_none_and_any_line_end_will_do(written: str | bytes) -> None:
    assert_reads_all(text_listing.parse(written))


def test_a_sentence_in_the_header_is_told_from_long_abstracts() -> None:
    long = [text * 12 if index % 2 else text for index, text in enumerate(BLOCKS)]
    edition = text_listing.parse(page("Paper Shelf", "Picked for you each day.", *long))
    assert titles(edition) == list(TITLES)
    assert edition.warnings == (
        "line 1 taken for a header: 'Paper Shelf'",
        "line 3 taken for a header: 'Picked for you each day.'",
    )


@pytest.mark.parametrize(
    ("line", "date", "month_day"),
    [
        ("Mar 14", None, (3, 14)),
        ("Sept. 3", None, (9, 3)),
        ("Feb 29", None, (2, 29)),
        ("Papers of March 14, 2025", dt.date(2025, 3, 14), None),
        ("March 14th, 2025", dt.date(2025, 3, 14), None),
        ("14 March 2025", dt.date(2025, 3, 14), None),
        ("Fri, 14 Mar", None, (3, 14)),
        ("2025-03-14", dt.date(2025, 3, 14), None),
        ("as of 2025-03-14T08:00Z", dt.date(2025, 3, 14), None),
        ("Feb 30", None, None),
        ("2025-13-01", None, None),
        ("Marketing 12", None, None),
        ("June", None, None),
    ],
)
def test_the_header_dates_the_list(line: str, date: dt.date | None, month_day: tuple[int, int] | None) -> None:
    edition = text_listing.parse(page("Papers", line, *BLOCKS))
    assert (edition.date, edition.month_day) == (date, month_day)
    assert_reads_all(edition)


def test_a_full_date_wins_over_a_day_without_a_year() -> None:
    edition = text_listing.parse(page("Mar 14", "Saved 2025-03-15", *BLOCKS))
    assert (edition.date, edition.month_day) == (dt.date(2025, 3, 15), None)


def test_a_date_in_an_abstract_is_not_the_lists() -> None:
    edition = text_listing.parse(page(TITLES[0], "On 2024-01-01 we boiled water. It was hot."))
    assert edition.date is None


@pytest.mark.parametrize("text", ["", "\n\n", "Only one line", "One\nTwo\nThree", "Mar 14\nSubscribe\n", "A sentence."])
def test_a_text_without_papers_is_an_error(text: str) -> None:
    with pytest.raises(SourceError, match="holds no papers"):
        text_listing.parse(text)


def test_a_page_cut_off_after_a_title_names_the_line() -> None:
    with pytest.raises(SourceError, match=r"^line 5: the title 'What Do Hinges.* has no abstract"):
        text_listing.parse(page(*BLOCKS[:5], blank=False))


def test_two_titles_in_a_row_name_the_line() -> None:
    with pytest.raises(SourceError, match=r"^line 3: the title 'A Map of Quiet Rooms' has no abstract"):
        text_listing.parse(page(*BLOCKS[:3], *BLOCKS[4:], blank=False))


@pytest.mark.parametrize("times", [1, 8])
def test_two_abstracts_in_a_row_name_the_line(times: int) -> None:
    second = ABSTRACTS[1] * times
    with pytest.raises(SourceError, match=r"^line 3: two abstracts in a row \('Quiet rooms"):
        text_listing.parse(page(*BLOCKS[:2], second, *BLOCKS[4:], blank=False))


def test_two_abstracts_at_the_end_are_an_error() -> None:
    with pytest.raises(SourceError, match=r"^line 7: two abstracts in a row"):
        text_listing.parse(page(*BLOCKS, "One more abstract that no title has.", blank=False))


def test_a_page_that_begins_with_an_abstract_is_an_error() -> None:
    with pytest.raises(SourceError, match=r"^line 1: an abstract has no title above it"):
        text_listing.parse(page(ABSTRACTS[0] * 5, *BLOCKS))


def test_a_title_may_end_with_a_full_stop() -> None:
    odd = "Hinges are all you need."
    assert titles(text_listing.parse(page(*BLOCKS[:2], odd, *BLOCKS[3:])))[1] == odd


def test_unicode_tex_and_addresses_come_through() -> None:
    title = "Schrödinger's 猫: $\\mathcal{O}(n^2)$ in X^{2}-Space 🐈‍⬛"
    abstract = "For $a<b$ & \\emph{all} <i>c</i> we find 10% \u2014 see https://example.org/?a=1&copy=2#x. {n}, None."
    listing = text_listing.parse(page(title, abstract)).listings[0]
    assert (listing.title, listing.abstract) == (title, abstract)


def test_accents_are_composed_and_invisible_signs_dropped() -> None:
    written = page("\u202egnol yrev\u202c Re\u0301sume\u0301\x00\ufeff", ABSTRACTS[0])
    assert titles(text_listing.parse(written)) == ["gnol yrev Résumé"]


def test_long_abstracts_are_cut() -> None:
    assert len(text_listing.parse(page(TITLES[0], "A word. " * 9_000)).listings[0].abstract) <= 20_000


def test_a_title_of_signs_only_is_passed_over_with_a_warning() -> None:
    edition = text_listing.parse(page(*BLOCKS[:2], "***", *BLOCKS[3:], blank=False))
    assert titles(edition) == [TITLES[0], TITLES[2]]
    assert [listing.rank for listing in edition.listings] == [1, 3]
    assert edition.warnings == ("paper 2 passed over: line 3 is no title ('***')",)


def test_more_than_10_000_papers_are_an_error() -> None:
    with pytest.raises(SourceError, match="10,001 papers"):
        text_listing.parse(page(*BLOCKS[:2]) * 10_001)


# --- the real pages


def test_the_two_saved_pages_hold_52_and_243_listings_of_286_papers(shared_data: Path) -> None:
    first, second = (text_listing.parse(path.read_bytes()) for path in sorted((shared_data / "seeds").glob("*.txt")))
    assert (len(first.listings), first.month_day, first.warnings) == (52, (3, 14), ())
    assert (len(second.listings), second.month_day, second.warnings) == (243, None, ())
    assert len({listing.title for edition in (first, second) for listing in edition.listings}) == 286
    assert second.listings[0].title.startswith("Establishing Task")
    assert all(len(listing.abstract) > 400 for edition in (first, second) for listing in edition.listings)


def test_every_real_day_written_as_text_reads_back(shared_data: Path) -> None:
    days: dict[str, list[tuple[str, str]]] = defaultdict(list)
    with gzip.open(shared_data / "hf_daily" / "hf_daily_dev.jsonl.gz", "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            texts = (" ".join(unicodedata.normalize("NFC", row[key]).split()) for key in ("title", "abstract"))
            days[row["date"]].append(tuple(texts))
    for day, papers in days.items():
        blocks = [text for paper in papers for text in paper]
        for written in (page("Daily Papers", day, *blocks), page("A list", *blocks, blank=False)):
            edition = text_listing.parse(written)
            assert [(one.title, one.abstract) for one in edition.listings] == papers, day
    assert len(days) == 415
