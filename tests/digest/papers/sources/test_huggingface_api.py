"""The daily papers API, as served and as stored by others."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import tarfile
import unicodedata
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from digest.papers.sources import huggingface_api
from digest.papers.sources.parsed import EmptyEdition, ParsedEdition, ParsedListing, SourceError


def row(**changes: Any) -> dict[str, Any]:
    paper = {
        "id": "2503.10613",
        "title": "Kettles That\n  Count",
        "summary": "We count\nkettles in $x<y$.",
        "authors": [{"name": "Ada Byron", "hidden": False}, {"name": "Li Wei", "hidden": True}],
        "publishedAt": "2025-03-12T17:55:45.000Z",
        "submittedOnDailyAt": "2025-03-14T02:19:43.123Z",
        "upvotes": 29,
    }
    return {"paper": paper | changes, "title": "outer", "publishedAt": "2025-03-12T17:55:45.000Z", "numComments": 7}


def parse(*rows: object) -> ParsedEdition:
    return huggingface_api.parse(json.dumps(rows))


def only(**changes: Any) -> ParsedListing:
    return parse(row(**changes)).listings[0]


def test_it_reads_a_row() -> None:
    edition = parse(row())
    assert edition.date == dt.date(2025, 3, 14)
    assert edition.listings == (
        ParsedListing(
            title="Kettles That Count",
            abstract="We count kettles in $x<y$.",
            authors=("Ada Byron", "Li Wei"),
            arxiv_id="2503.10613",
            url="https://huggingface.co/papers/2503.10613",
            rank=1,
            upvotes=29,
            comments=7,
            published_on=dt.date(2025, 3, 12),
        ),
    )


def test_the_date_is_never_the_day_of_publication() -> None:
    assert parse(row(submittedOnDailyAt=None)).date is None


def test_the_date_is_the_most_common_day_of_submission_in_utc() -> None:
    late = row(submittedOnDailyAt="2025-03-13T23:00:00-02:00")
    assert parse(row(submittedOnDailyAt="2025-03-10T00:00:00Z"), late, row()).date == dt.date(2025, 3, 14)


def test_keys_may_stand_at_either_level() -> None:
    bare = {"paper": {"id": "2503.10613"}, **{key: value for key, value in row()["paper"].items() if key != "id"}}
    assert parse(bare).date == dt.date(2025, 3, 14)
    assert parse(bare).listings[0].title == "Kettles That Count"
    assert only(title=None).title == "outer"


def test_a_flat_row_with_an_arxiv_id_is_a_paper() -> None:
    assert parse(row()["paper"]).listings[0].authors == ("Ada Byron", "Li Wei")


def test_somebody_elses_json_is_not_a_list_of_papers() -> None:
    with pytest.raises(SourceError, match="no arXiv id"):
        parse({"paperId": "77", "title": "Found Elsewhere", "authors": [{"name": "A"}]})


@pytest.mark.parametrize("wrapped", [True, False])
def test_rows_stored_as_the_text_of_python_dicts_are_read(wrapped: bool) -> None:
    rows = [repr(row(submittedOnDailyAt=None)), repr(row(id="2503.10614", title='It\'s "Quoted"'))]
    answer = {"status": "success", "date": "2025-03-14", "count": 2, "data": rows} if wrapped else rows
    edition = huggingface_api.parse(json.dumps(answer))
    assert [listing.title for listing in edition.listings] == ["Kettles That Count", 'It\'s "Quoted"']
    assert edition.date == dt.date(2025, 3, 14)


def test_the_wrapper_says_the_date_where_the_rows_do_not() -> None:
    answer = {"status": "success", "date": "2025-01-10", "count": 1, "data": [row(submittedOnDailyAt=None)]}
    assert huggingface_api.parse(json.dumps(answer)).date == dt.date(2025, 1, 10)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').getcwd()",
        "{'paper': [}",
        "[" * 9_000,
        "-" * 9_000 + "1",
        "1+" * 9_000 + "1",
        "{[]: 1}",
        "\x00",
        "{'paper': {'title': '" + "x" * 300_000 + "'}}",
    ],
    ids=["call", "broken", "deep", "signs", "sum", "unhashable", "nul", "long"],
)
def test_a_text_that_is_no_dict_is_passed_over(text: str) -> None:
    edition = parse(text, row())
    assert [listing.rank for listing in edition.listings] == [2]
    assert edition.warnings[0].startswith("row 1 passed over: it is no object")


def test_rows_without_a_title_are_passed_over_and_keep_their_rank() -> None:
    edition = parse(row(title="  "), None, [1], {"paper": None}, row(title="*"), row())
    assert [(listing.rank, listing.title) for listing in edition.listings] == [(6, "Kettles That Count")]
    assert len(edition.warnings) == 5
    assert edition.warnings[0] == "row 1 passed over: it has no title (id '2503.10613')"


def test_a_list_of_nothing_but_such_rows_is_an_error() -> None:
    with pytest.raises(SourceError, match="lists 2 things, none a paper"):
        parse(None, 5)


@pytest.mark.parametrize("value", [-1, True, 1.5, "29", None, 10**30, [], {}])
def test_a_count_that_is_not_sane_is_none(value: object) -> None:
    listing = parse(row(upvotes=value) | {"numComments": value}).listings[0]
    assert (listing.upvotes, listing.comments) == (None, None)


def test_a_count_of_nothing_is_nothing() -> None:
    assert only(upvotes=0).upvotes == 0


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        ("2503.10613", ("2503.10613", None, "https://huggingface.co/papers/2503.10613")),
        ("2503.10613v2", ("2503.10613", 2, "https://huggingface.co/papers/2503.10613v2")),
        ("hep-th/9901001", ("hep-th/9901001", None, "https://huggingface.co/papers/hep-th/9901001")),
        ("a b", ("", None, "")),
        ("../<script>", ("", None, "")),
        ("", ("", None, "")),
        (7, ("", None, "")),
    ],
)
def test_the_id_makes_the_link(identifier: object, expected: tuple[str, int | None, str]) -> None:
    listing = only(id=identifier)
    assert (listing.arxiv_id, listing.arxiv_version, listing.url) == expected


@pytest.mark.parametrize("authors", [None, 5, "Ada", {}, [None, 1, {}, {"name": None}, {"name": " "}]])
def test_odd_authors_are_none(authors: object) -> None:
    assert only(authors=authors).authors == ()


def test_everything_is_bounded() -> None:
    names = [{"name": f"{number} " + "x" * 400} for number in range(7_000)]
    listing = only(title="t" * 5_000, summary="s" * 50_000, authors=names)
    assert (len(listing.title), len(listing.abstract), len(listing.authors)) == (1_000, 20_000, 6_000)
    assert max(map(len, listing.authors)) == 200


def test_more_than_10_000_rows_are_an_error() -> None:
    with pytest.raises(SourceError, match="10,001 papers"):
        parse(*[row()] * 10_001)


def test_signs_that_are_no_text_are_dropped() -> None:
    listing = huggingface_api.parse(
        '[{"paper": {"id": "1", "title": "\\u202Egnol\\u202C R\\u0065\\u0301sum\\u00e9 \\ud83e\\u0000 \\ufeff"}}]'
    ).listings[0]
    assert listing.title == "gnol Résumé"
    listing.title.encode()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[{"paper": {"id": "2503', r"line 1, column 19: not JSON .* cut off"),
        ("[\n{}\n,]", "line 3, column 2"),
        ("[" * 100_000, "nested too deeply"),
        ("[" + "1" * 5_000 + "]", "a number"),
        ('{"error": "Rate limit"}', "error, 'Rate limit'"),
        ('{"message": {}, "status": 1}', "keys: 'message', 'status'"),
        ("{}", "keys: none"),
        ("7", "the JSON is a int"),
        ('"list"', "the JSON is a str"),
        ("", "not JSON"),
        (b"[\xff]", r"byte 1 \(line 1\) is not UTF-8"),
        (b"[\n\n\xe9]", r"byte 3 \(line 3\) is not UTF-8"),
        ("[]".encode("utf-32"), "UTF-32"),
    ],
)
def test_what_is_no_list_says_so_in_one_line(text: str | bytes, says: str) -> None:
    with pytest.raises(SourceError, match=says) as caught:
        huggingface_api.parse(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["[]", '{"status": "success", "data": []}'])
def test_a_list_of_nothing_is_rightly_empty(text: str) -> None:
    with pytest.raises(EmptyEdition, match="no papers"):
        huggingface_api.parse(text)


@pytest.mark.parametrize("value", [5, "yesterday", "2025-02-30", "0001-01-01T00:00:00+14:00", {}])
def test_a_day_that_is_none_is_none(value: object) -> None:
    edition = parse(row(submittedOnDailyAt=value, publishedAt=value))
    assert (edition.date, edition.listings[0].published_on) == (None, None)


# --- the real days


def test_the_saved_days_of_each_schema_parse(shared_data: Path) -> None:
    for path in sorted((shared_data / "hf_api_daily_papers").glob("*.json")):
        edition = huggingface_api.parse(path.read_bytes())
        assert edition.warnings == ()
        assert edition.date in (None, dt.date.fromisoformat(path.stem))
        assert all(one.arxiv_id and one.abstract and one.authors for one in edition.listings)


def test_all_415_raw_days_agree_with_the_normalised_ones_paper_by_paper(shared_data: Path) -> None:
    expected = _normalised(shared_data)
    read, html = 0, set()
    with tarfile.open(shared_data / "hf_daily" / "hf_daily_raw_dev.tar.xz") as archive:
        for member in archive:
            content = archive.extractfile(member)
            if content is None or not member.name.endswith(".json"):
                continue
            edition = huggingface_api.parse(content.read())
            day = Path(member.name).stem
            assert edition.warnings == ()
            assert edition.date in (None, dt.date.fromisoformat(day))
            assert edition.date or day < "2025-03-17"  # from then on the rows say the day themselves
            assert len(edition.listings) == len(expected[day])
            for found, (wanted, abstract) in zip(edition.listings, expected[day], strict=True):
                assert replace(found, abstract="", url="") == wanted
                assert found.url == f"https://huggingface.co/papers/{found.arxiv_id}"
                if found.abstract != abstract:
                    html.add(found.arxiv_id)
                    assert "</a>" in abstract
            read += 1
    assert read == len(expected) == 415
    # By rule: text is never HTML. By rule too, and in `_normalised`: one line, NFC, no names of nothing.
    assert html == {"2507.03745"}


def _normalised(shared_data: Path) -> dict[str, list[tuple[ParsedListing, str]]]:
    """Every paper but its abstract as it should be parsed, and its abstract, by day and in order."""
    days: dict[str, list[tuple[ParsedListing, str]]] = defaultdict(list)
    with gzip.open(shared_data / "hf_daily" / "hf_daily_dev.jsonl.gz", "rt", encoding="utf-8") as lines:
        for paper in map(json.loads, lines):
            title, abstract, *names = (
                " ".join(unicodedata.normalize("NFC", text).split())
                for text in (paper["title"], paper["abstract"], *paper["authors"])
            )
            wanted = ParsedListing(
                title=title,
                authors=tuple(filter(None, names)),
                arxiv_id=paper["id"],
                rank=paper["rank"] + 1,
                upvotes=paper["upvotes"],
                comments=paper["num_comments"],
                published_on=dt.date.fromisoformat(paper["published_at"][:10]),
            )
            days[paper["date"]].append((wanted, abstract))
    return days


def test_text_that_is_html_is_read_as_a_reader_sees_it() -> None:
    listing = only(title="Kettles &amp; Pots", summary="We <think> of $x<y$: <a href='x'>more</a>.")
    assert (listing.title, listing.abstract) == ("Kettles & Pots", "We <think> of $x<y$: more.")
