"""JSON of any vocabulary: one record of each, the wrappers they come in, and the answers that are errors."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from digest.papers.sources import json_records, records
from digest.papers.sources.parsed import EmptyEdition, ParsedEdition, ParsedListing, SourceError

MARCH_14 = dt.date(2025, 3, 14)


def parse(answer: object) -> ParsedEdition:
    return json_records.parse(json.dumps(answer))


def only(**record: Any) -> ParsedListing:
    return parse([{"title": "Kettles"} | record]).listings[0]


CROSSREF = {
    "DOI": "10.1000/ABC",
    "title": ["Kettles That <i>Count</i>"],
    "abstract": "<jats:title>Abstract</jats:title><jats:p>We count\nkettles &amp; pots.</jats:p>",
    "author": [{"given": "Ada", "family": "Byron", "sequence": "first"}, {"family": "Wagman"}],
    "issued": {"date-parts": [[2025, 3]]},
    "created": {"date-parts": [[2025, 3, 14]], "timestamp": 1},
    "deposited": {"date-parts": [[2026, 1, 1]]},
    "subject": ["Cookery"],
    "URL": "https://doi.org/10.1000/abc",
    "link": [{"URL": "https://example.org/full.pdf"}],
    "score": 1.0,
    "reference": [{"DOI": "10.1000/other"}],
}
SEMANTIC_SCHOLAR = {
    "paperId": "2d5673caa9e6af3a7b82a43f19ee920992db07ad",
    "externalIds": {"ArXiv": "2503.10613", "DOI": "10.1000/ABC", "CorpusId": 1},
    "url": "https://www.semanticscholar.org/paper/2d56",
    "title": "Kettles That Count",
    "abstract": None,
    "tldr": None,
    "year": 2025,
    "publicationDate": "2025-03-14",
    "fieldsOfStudy": None,
    "s2FieldsOfStudy": [{"category": "Art", "source": "s2"}, {"category": "Art", "source": "external"}],
    "openAccessPdf": {"url": "https://arxiv.org/pdf/2503.10613v2"},
    "authors": [{"authorId": "1", "name": "A. Byron"}],
    "references": None,
}
OPENALEX = {
    "id": "https://openalex.org/W1",
    "doi": "https://doi.org/10.1000/abc",
    "display_name": "Kettles That Count",
    "publication_year": 2025,
    "publication_date": "2025-03-14",
    "is_retracted": True,
    "authorships": [{"author": {"display_name": "Ada Byron"}, "raw_author_name": "Byron A"}],
    "abstract_inverted_index": {"We": [0, 3], "count": [1], "kettles.": [2], "boil": [4]},
    "primary_location": {"landing_page_url": "http://arxiv.org/abs/2503.10613"},
    "topics": [{"id": "t", "display_name": "Cookery"}],
    "created_date": "2026-01-01",
}
APS = {
    "id": "10.1103/PhysRevE.92.1",
    "title": {"value": "Kettles <sub>2</sub>", "format": "html"},
    "abstract": {"value": "<p>We count.</p>", "format": "html"},
    "authors": [{"type": "Person", "name": "Ada Byron", "firstname": "Ada", "surname": "Byron"}],
    "date": "2025-03-14",
    "identifiers": {"doi": "10.1103/PhysRevE.92.1"},
    "classificationSchemes": {"subjectAreas": [{"id": "q", "label": "Cookery"}]},
}
ARXIV_DUMP = {
    "id": "2503.10613",
    "title": "Kettles That\n  Count",
    "authors": "Ada Byron, L\\'i Wei and Mary Shelley",
    "categories": "cs.CL math.CO",
    "comments": "7 pages, 3 figures",
    "doi": None,
    "abstract": "  We count $x<y$.\n",
    "versions": [{"version": "v1", "created": "Fri, 14 Mar 2025 10:00:00 GMT"}],
    "update_date": "2025-06-01",
}
OURS = {
    "id": 12,
    "title": "Kettles That Count",
    "abstract": "We count.",
    "authors": ["Ada Byron"],
    "categories": ["cs.CL"],
    "arxiv_id": "2503.10613",
    "doi": None,
    "upvotes": 0,
    "published_on": "2025-03-12",
    "first_listed_on": "2025-03-14",
    "link": "https://arxiv.org/abs/2503.10613",
    "page": "https://papers.example.org/paper/12/",
}


@pytest.mark.parametrize(
    ("record", "listing"),
    [
        (
            CROSSREF,
            ParsedListing(
                title="Kettles That Count",
                abstract="Abstract We count kettles & pots.",
                authors=("Ada Byron", "Wagman"),
                doi="10.1000/abc",
                url="https://doi.org/10.1000/abc",
                categories=("Cookery",),
                published_on=MARCH_14,
            ),
        ),
        (
            SEMANTIC_SCHOLAR,
            ParsedListing(
                title="Kettles That Count",
                authors=("A. Byron",),
                arxiv_id="2503.10613",
                arxiv_version=2,
                doi="10.1000/abc",
                url="https://www.semanticscholar.org/paper/2d56",
                categories=("Art",),
                published_on=MARCH_14,
            ),
        ),
        (
            OPENALEX,
            ParsedListing(
                title="Kettles That Count",
                abstract="We count kettles. We boil",
                authors=("Ada Byron",),
                arxiv_id="2503.10613",
                doi="10.1000/abc",
                url="http://arxiv.org/abs/2503.10613",
                categories=("Cookery",),
                published_on=MARCH_14,
                is_withdrawn=True,
            ),
        ),
        (
            APS,
            ParsedListing(
                title="Kettles 2",
                abstract="We count.",
                authors=("Ada Byron",),
                doi="10.1103/physreve.92.1",
                categories=("Cookery",),
                published_on=MARCH_14,
            ),
        ),
        (
            ARXIV_DUMP,
            ParsedListing(
                title="Kettles That Count",
                abstract="We count $x<y$.",
                authors=("Ada Byron", "Lí Wei", "Mary Shelley"),
                arxiv_id="2503.10613",
                categories=("cs.CL", "math.CO"),
                published_on=MARCH_14,
            ),
        ),
        (
            OURS,
            ParsedListing(
                title="Kettles That Count",
                abstract="We count.",
                authors=("Ada Byron",),
                arxiv_id="2503.10613",
                url="https://arxiv.org/abs/2503.10613",
                upvotes=0,
                categories=("cs.CL",),
                published_on=dt.date(2025, 3, 12),
                listed_on=MARCH_14,
            ),
        ),
    ],
    ids=["crossref", "semantic-scholar", "openalex", "aps", "arxiv-dump", "ours"],
)
def test_each_vocabulary_is_read_field_by_field(record: dict[str, Any], listing: ParsedListing) -> None:
    assert parse([record]).listings == (listing,)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda rows: rows,
        lambda rows: {"data": rows, "total": 1, "offset": 0},
        lambda rows: {"status": "ok", "message-type": "work-list", "message": {"total-results": 1, "items": rows}},
        lambda rows: {"status": "ok", "message": rows[0]},
        lambda rows: {"meta": {"count": 1}, "results": rows},
        lambda rows: {"count": 1, "next": None, "results": rows},
        lambda rows: {"recommendedPapers": rows},
        lambda rows: {"authorId": "1", "name": "A. Byron", "papers": rows},
        lambda rows: {"messages": [{"status": "ok"}], "collection": rows},
        lambda rows: {"response": {"numFound": 1, "docs": rows}},
        lambda rows: {"hits": {"total": 1, "hits": [{"_id": "1", "_source": row} for row in rows]}},
        lambda rows: {"data": [{"id": "x", "type": "dois", "attributes": row} for row in rows]},
        lambda rows: [{"key": "K", "version": 3, "data": row} for row in rows],
        lambda rows: {"offset": 0, "data": [{"citedPaper": row} for row in rows]},
        lambda rows: rows[0],
    ],
)
def test_a_list_may_stand_in_any_known_wrapper(wrap: Any) -> None:
    record = {"title": "Kettles", "DOI": "10.1000/abc", "message": "ignored"}
    (listing,) = parse(wrap([record])).listings
    assert (listing.title, listing.doi) == ("Kettles", "10.1000/abc")


def test_a_paper_by_itself_is_one_paper_whatever_it_refers_to() -> None:
    paper = {"title": "Kettles", "error": None, "references": [{"title": "Pots"}], "citations": [{"title": "Pans"}]}
    assert [listing.title for listing in parse(paper).listings] == ["Kettles"]


DATACITE = {
    "doi": "10.1000/abc",
    "titles": [{"title": "Kettles"}],
    "creators": [{"name": "Byron, Ada", "givenName": "Ada", "familyName": "Byron"}],
    "descriptions": [{"description": "We count.", "descriptionType": "Abstract"}],
    "subjects": [{"subject": "Cookery"}],
    "dates": [{"date": "2025-03-14", "dateType": "Issued"}],
    "url": "https://example.org/1",
}


def test_datacites_lists_of_objects_are_read() -> None:
    assert parse({"data": [{"id": "10.1000/abc", "type": "dois", "attributes": DATACITE}]}).listings == (
        ParsedListing(
            title="Kettles",
            abstract="We count.",
            authors=("Ada Byron",),
            doi="10.1000/abc",
            url="https://example.org/1",
            categories=("Cookery",),
            published_on=MARCH_14,
        ),
    )


KETTLES = ("Kettles", "We count.", ("Ada Byron",), "10.1000/abc")


@pytest.mark.parametrize(
    "answer",
    [
        {
            "messages": [{"status": "ok"}],
            "collection": [
                {"doi": "10.1000/abc", "title": "Kettles", "authors": "Byron, Ada", "abstract": "We count."}
            ],
        },
        {
            "resultList": {
                "result": [
                    {"doi": "10.1000/abc", "title": "Kettles", "authorString": "Ada Byron", "abstractText": "We count."}
                ]
            }
        },
        {
            "hits": {
                "total": 1,
                "hits": [
                    {
                        "metadata": {
                            "titles": [{"title": "Kettles"}],
                            "abstracts": [{"value": "We count."}],
                            "authors": [{"full_name": "Byron, Ada"}],
                            "dois": [{"value": "10.1000/abc"}],
                        }
                    }
                ],
            }
        },
        {
            "response": {
                "docs": [
                    {
                        "title": ["Kettles"],
                        "author": ["Byron, Ada"],
                        "abstract": "We count.",
                        "identifier": ["arXiv:2503.10613", "10.1000/abc"],
                    }
                ]
            }
        },
        {
            "response": {
                "docs": [
                    {
                        "title_s": ["Kettles"],
                        "authFullName_s": ["Ada Byron"],
                        "abstract_s": ["We count."],
                        "doiId_s": "10.1000/abc",
                    }
                ]
            }
        },
        {
            "articles": [
                {
                    "title": "Kettles",
                    "authors": {"authors": [{"full_name": "Ada Byron"}]},
                    "abstract": "We count.",
                    "doi": "10.1000/abc",
                }
            ]
        },
        {
            "records": [
                {
                    "title": "Kettles",
                    "creators": [{"creator": "Byron, Ada"}],
                    "abstract": "We count.",
                    "identifier": "doi:10.1000/abc",
                    "url": [{"format": "html", "value": "https://example.org/1"}],
                }
            ]
        },
        {
            "search-results": {
                "opensearch:totalResults": "1",
                "entry": [
                    {
                        "dc:title": "Kettles",
                        "dc:creator": "Byron, Ada",
                        "dc:description": "We count.",
                        "prism:doi": "10.1000/abc",
                    }
                ],
            }
        },
    ],
    ids=["biorxiv", "europe-pmc", "inspire", "ads", "hal", "ieee", "springer", "scopus"],
)
def test_the_answers_of_other_indexes_are_read(answer: object) -> None:
    (listing,) = parse(answer).listings
    assert (listing.title, listing.abstract, listing.authors, listing.doi) == KETTLES


@pytest.mark.parametrize(
    "answer",
    [
        [],
        {"data": []},
        {"total": 0, "offset": 0},
        {"status": "ok", "message": {"total-results": 0, "items": []}},
        {"count": 0, "next": None, "previous": None, "results": []},
    ],
    ids=str,
)
def test_a_list_of_nothing_is_rightly_empty(answer: object) -> None:
    with pytest.raises(EmptyEdition, match="no papers"):
        parse(answer)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"error": "Paper with id 0 not found"}, "error, 'Paper with id 0 not found'"),
        ({"error": {"code": 3}}, "an error, "),
        ({"message": "Too Many Requests", "code": "429"}, "message, 'Too Many Requests'"),
        ({"message": "Forbidden"}, "'Forbidden'"),
        ({"type": "about:blank", "title": "Not Found", "status": 404, "detail": "No paper."}, "error, 'No paper.'"),
        (
            {"status": "failed", "message-type": "validation-failure", "message": [{"value": "x"}]},
            "answered with an error",
        ),
        ({"a": 1, "b": 2}, r"no list of papers \(its keys: 'a', 'b'\)"),
        ({}, "its keys: none"),
        (7, "the JSON is a int"),
        (["a", None, 3], "lists 3 things, none a paper .record 1 passed over: it is no object .'a'"),
        ({"paperId": "1", "authors": None}, "record 1 passed over: it has no title .it has 'paperId', 'authors'"),
        ([{"title": "*"}], "its title says nothing"),
        ([{}], "it is empty"),
        ({"errors": [{"message": "Field missing"}], "data": None}, "an error, .*Field missing"),
        # Semantic Scholar's authors, OpenAlex's journals: names, but not of papers.
        ({"data": [{"authorId": "1", "name": "A. Byron", "url": "https://example.org"}]}, "it has no title"),
        ({"results": [{"id": "S1", "display_name": "Journal of Pots", "works_count": 3}]}, "it has no title"),
    ],
    ids=str,
)
def test_what_is_no_list_says_what_it_is(answer: object, says: str) -> None:
    with pytest.raises(SourceError, match=says) as caught:
        parse(answer)
    assert not isinstance(caught.value, EmptyEdition)
    assert "\n" not in str(caught.value)


def test_a_bad_record_is_passed_over_by_its_number() -> None:
    edition = parse([{"title": "A"}, {"id": 3}, None, {"title": "B"}])
    assert [listing.title for listing in edition.listings] == ["A", "B"]
    assert edition.warnings == (
        "record 2 passed over: it has no title (it has 'id')",
        "record 3 passed over: it is no object (NoneType)",
    )


@pytest.mark.parametrize(
    ("beside", "published", "listed"),
    [
        ({}, MARCH_14, None),
        ({"year": 2025, "volume": "3"}, MARCH_14, None),
        ({"rank": 0}, None, MARCH_14),
        ({"upvotes": 3}, None, MARCH_14),
        ({"published_at": "2025-03-10T00:00:00Z"}, dt.date(2025, 3, 10), MARCH_14),
        ({"published": "NA"}, MARCH_14, None),
        ({"listed_on": "2025-03-16"}, MARCH_14, dt.date(2025, 3, 16)),
    ],
    ids=str,
)
def test_a_bare_date_is_the_lists_only_beside_what_lists_say(
    beside: dict[str, Any], published: dt.date | None, listed: dt.date | None
) -> None:
    listing = only(date="2025-03-14", **beside)
    assert (listing.published_on, listing.listed_on) == (published, listed)


def test_a_year_alone_is_no_day() -> None:
    assert only(year=2025, published="2025", issued={"date-parts": [[2025]]}).published_on is None


def test_the_date_around_a_list_is_the_lists() -> None:
    assert parse({"date": "2025-03-14", "papers": [{"title": "Kettles"}]}).date == MARCH_14
    assert parse({"date": "2025-03-14", "title": "Kettles"}).date is None


def test_ranks_count_from_one_within_a_day() -> None:
    rows = [("2025-03-13", "A"), ("2025-03-13", "B"), ("2025-03-14", "C")]
    edition = parse([{"listed_on": day, "title": title} for day, title in rows])
    assert [listing.rank for listing in edition.listings] == [1, 2, 1]


@pytest.mark.parametrize("first", [0, 1])
def test_stated_ranks_win_and_may_begin_at_nought(first: int) -> None:
    edition = parse([{"title": "B", "rank": first + 1}, {"title": "A", "rank": first}])
    assert [(listing.title, listing.rank) for listing in edition.listings] == [("B", 2), ("A", 1)]


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("the <think> token and </think>", "the <think> token and </think>"),
        ("$p<q$ & $a</b$", "$p<q$ & $a</b$"),
        ("see <a href='x'>this</a>", "see this"),
        ("R&amp;D", "R&D"),
        ("<script>alert(1)</script>Kettles", "Kettles"),
        ("a < b & c; d", "a < b & c; d"),
    ],
)
def test_only_what_must_be_html_is_read_as_html(text: str, seen: str) -> None:
    assert only(abstract=text).abstract == seen


@pytest.mark.parametrize("value", ["x", 5, True, None, [], {}, [[]], [None], {"a": {}}, "", [{"b": [1]}], 1e308])
def test_a_value_of_a_wrong_shape_is_left_out(value: object) -> None:
    names = "abstract authors doi externalIds id url link published date listed_on upvotes comments rank is_retracted"
    listing = only(**dict.fromkeys([*names.split(), "abstract_inverted_index", "openAccessPdf"], value))
    assert (listing.arxiv_id, listing.doi, listing.url, listing.published_on, listing.listed_on) == (
        "",
        "",
        "",
        None,
        None,
    )


@pytest.mark.parametrize("places", [[-1, 10**9, True, "0", None, 0.5], "01", None, {"0": 1}])
def test_an_inverted_index_of_nonsense_is_no_abstract(places: object) -> None:
    assert only(abstract_inverted_index={"word": places}).abstract == ""


@pytest.mark.parametrize(("value", "flag"), [(True, True), ("true", True), ("no", False), (1, False), (None, False)])
def test_a_paper_taken_back_is_marked_only_where_it_is_said(value: object, flag: bool) -> None:
    assert only(is_retracted=value).is_withdrawn is flag


def test_more_records_than_a_file_may_hold_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    assert records.MAX_RECORDS == 100_000
    monkeypatch.setattr(records, "MAX_RECORDS", 3)
    assert len(parse([{"title": "x"}] * 3).listings) == 3
    with pytest.raises(SourceError, match="more than 3 papers: split it"):
        parse([{"title": "x"}] * 4)
