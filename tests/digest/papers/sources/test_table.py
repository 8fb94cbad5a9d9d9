"""Tables as reference managers, indexes and people export them."""

from __future__ import annotations

import datetime as dt

import pytest

from digest.papers.sources import kinds, table
from digest.papers.sources.parsed import EmptyEdition, ParsedEdition, ParsedListing, SourceError

ZOTERO = (
    '"Key","Item Type","Publication Year","Author","Title","Publication Title","ISBN","DOI","Url","Abstract Note",'
    '"Date","Date Added","Manual Tags"\n'
    '"K1","journalArticle","2025","Byron, Ada; Wei, Li","Kettles, Counted","Pots","","10.1000/ABC",'
    '"https://example.org/1","We count\nkettles.","2025-03-14","2025-06-01 10:00:00","iron; cookery"\n'
)
SCOPUS = (
    '"Authors","Author full names","Author(s) ID","Title","Year","Source title","DOI","Link","Abstract",'
    '"Author Keywords"\n'
    '"Byron A.; Wei L.","Byron, Ada (57190000000); Wei, Li (57190000001)","57190000000; 57190000001",'
    '"Kettles, Counted","2025","Pots","10.1000/ABC","https://example.org/1","We count kettles.","iron; cookery"\n'
)
WEB_OF_SCIENCE = (
    "PT\tAU\tAF\tTI\tSO\tDE\tAB\tPD\tPY\tDI\tUT\n"
    "J\tByron, A; Wei, L\tByron, Ada; Wei, Li\tKettles, Counted\tPots\tiron; cookery\tWe count kettles.\tMAR 14\t2025\t"
    "10.1000/abc\tWOS:1\n"
)
SCHOLAR = (
    "Authors,Title,Publication,Volume,Number,Pages,Year,Publisher\n"
    '"Byron, Ada; Wei, Li; ","Kettles, Counted",Pots,1,,1-2,2025,Iron\n'
)
OURS = (
    "title;abstract;authors;arxiv_id;doi;link;upvotes;published_on;listed_on\n"
    '"Kettles, Counted";We count kettles.;"Ada Byron; Li Wei";2503.10613;;https://arxiv.org/abs/2503.10613;7;'
    "2025-03-12;2025-03-14\n"
)
COMMON = {"title": "Kettles, Counted", "authors": ("Ada Byron", "Li Wei")}
MORE = COMMON | {"abstract": "We count kettles.", "doi": "10.1000/abc", "categories": ("iron", "cookery")}
LINK = "https://example.org/1"


@pytest.mark.parametrize(
    ("page", "listing"),
    [
        (ZOTERO, ParsedListing(**MORE, url=LINK, published_on=dt.date(2025, 3, 14))),
        (SCOPUS, ParsedListing(**MORE, url=LINK)),
        (WEB_OF_SCIENCE, ParsedListing(**MORE)),
        (SCHOLAR, ParsedListing(**COMMON)),
        (
            OURS,
            ParsedListing(
                **COMMON,
                abstract="We count kettles.",
                arxiv_id="2503.10613",
                url="https://arxiv.org/abs/2503.10613",
                upvotes=7,
                published_on=dt.date(2025, 3, 12),
                listed_on=dt.date(2025, 3, 14),
            ),
        ),
    ],
    ids=["zotero", "scopus", "web-of-science", "scholar", "ours"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_each_export_is_read_field_by_field(page: str, listing: ParsedListing, encoding: str, ending: str) -> None:
    content = page.replace("\n", ending).encode(encoding)
    assert kinds.detect(content) == "csv"
    edition = table.parse(content)
    assert edition == ParsedEdition(listings=(listing,))


@pytest.mark.parametrize(
    "page",
    [
        "sep=;\ntitle;doi\nKettles, Pots;10.1000/abc\n",
        "title|doi\nKettles, Pots|10.1000/abc\n",
        "title\tdoi\nKettles, Pots\t10.1000/abc",
        'title, doi\n"Kettles, Pots", 10.1000/abc\n',
        '\n  \n"Title","DOI"\n\n"Kettles, Pots","10.1000/abc"\n\n',
        'TITLE,DOI,,\n"Kettles, Pots",10.1000/abc,,\n',
        'title,doi\n"Kettles, Pots",10.1000/abc,,\n',
        'Document Title,doi_link,Doi\n"Kettles, Pots",,https://doi.org/10.1000/ABC\n',
    ],
)
def test_the_delimiter_and_the_names_are_found(page: str) -> None:
    assert kinds.detect(page) == "csv"
    (listing,) = kinds.parse(page).listings
    assert (listing.title, listing.doi) == ("Kettles, Pots", "10.1000/abc")


def test_rows_of_another_length_are_passed_over_by_their_line() -> None:
    edition = table.parse('title,doi,url\n"two\nlines",,\nShort\nLong,,,x\nLast,,\n')
    assert [listing.title for listing in edition.listings] == ["two lines", "Last"]
    assert edition.warnings == (
        "line 4 passed over: it has 1 fields, the header 3 (a quotation mark not closed?)",
        "line 5 passed over: it has 4 fields, the header 3 (a delimiter not quoted?)",
    )


@pytest.mark.parametrize(
    "broken",
    [
        '"Pots,x',  # closed nowhere
        '"Pots,x\n"Pans, ""deep""",y',  # a quotation mark below opens a cell of its own
        '"Pots,x\n,"y"',
        'Pots,"x',
        '"Pots" and pans,"x',
        '"Pots,"x"\n"Pans"s,y',
    ],
)
def test_a_quotation_mark_that_is_not_closed_takes_no_other_row_with_it(broken: str) -> None:
    many = "".join(f"Kettle {number},z\n" for number in range(1_500))
    page = f'title,abstract\n"First\nof all","a ""b""\nc"\n{broken}\n"Next, and near","x\ny"\n{many}'
    titles = [listing.title for listing in table.parse(page).listings]
    assert titles[0] == "First of all"
    assert titles[-1_501:] == ["Next, and near", *(f"Kettle {number}" for number in range(1_500))]


@pytest.mark.parametrize(
    ("page", "says"),
    [
        (
            "paper_id,seen_at,upvotes\n2405.1,x,7\n",
            r"no column for the title .its columns: 'paper_id', 'seen_at', 'upvotes'",
        ),
        ("a,b,c\n1,2,3\n", "known are title, abstract, authors, doi"),
        ('title,doi\n"' + "x," * 70_000, "line 2 passed over: it has 1 fields, the header 2 .a quotation mark not"),
        ("title,doi\n" + '"a","\n' * 250_000, "line [0-9]+: too many quotation marks are never closed"),
        ("title," + "x," * 2_000 + "\n", "the table has 2,002 columns"),
        ("title,doi\n,10.1/x\n", r"line 2 passed over: it has no title .it has 'doi'"),
        (b"title,doi\nCaf\xe9,\n", r"byte 13 \(line 2\) is not UTF-8"),
    ],
)
def test_a_table_that_cannot_be_read_says_why(page: str | bytes, says: str) -> None:
    with pytest.raises(SourceError, match=says) as caught:
        table.parse(page)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("page", ["title,doi\n", "title,doi\n\n,\n"])
def test_a_header_without_rows_is_rightly_empty(page: str) -> None:
    with pytest.raises(EmptyEdition, match="no rows"):
        table.parse(page)


@pytest.mark.parametrize(
    "prose",
    [
        "Kettles, pots, and pans\n\nWe count kettles, pots, and pans. There are seven, and all of them boil.\n",
        "Title, abstract and authors\n\nWe count kettles, and pots. There are seven of them, and all of them boil.\n",
        "Kettles,pots,pans\nWe count kettles, pots, and pans; there are seven, and all boil.\nPots\nWe look at pots.\n",
        "Subscribe\nMar 14, 2025\n\nKettles\n\nWe count kettles. There are seven of them, and all of them boil.\n",
        "Kettles; a Survey\nWe count kettles; there are seven of them; and all of them boil, at last.\n",
        "Fast|Slow\n\nWe count kettles. There are seven of them, and all of them boil.\n",
    ],
)
def test_prose_is_no_table(prose: str) -> None:
    assert kinds.detect(prose) == "text"


def test_a_day_that_half_the_world_reads_otherwise_is_no_date_and_said_so() -> None:
    page = "title,date,authors\nA kettle,20/11/2026,Ada\nA pot,3/4/2026,Bob\nA pan,2026-11-19,Cy\nA cup,,Di\n"
    edition = table.parse(page)
    assert [listing.published_on for listing in edition.listings] == [None, None, dt.date(2026, 11, 19), None]
    (warning,) = edition.warnings
    assert warning.startswith("line 2: '20/11/2026' and 1 more may be read day first or month first")
    assert warning.endswith("write 2026-11-20")
