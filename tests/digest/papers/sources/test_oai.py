"""OAI-PMH: records of five formats, deleted ones, pages and tokens, errors, addresses."""

from __future__ import annotations

import datetime as dt

import pytest

from digest.papers.sources import oai
from digest.papers.sources.parsed import EmptyEdition, ParsedListing, SourceError

DAY = dt.date(2026, 3, 16)
REQUEST = '<request verb="ListRecords" from="2026-03-16" until="2026-03-16" set="cs">https://oai.example/oai</request>'
TITLE = "<title>Kettles\n  That Count</title>"
ARXIV = (
    "<arXiv><id>2603.00123</id><created>2026-03-14</created><authors>"
    '<author><keyname>K\\"onig</keyname><forenames>Ada</forenames><suffix>Jr.</suffix></author>'
    "<author><keyname>Kettle Collaboration</keyname></author><author><keyname>:</keyname></author></authors>"
    f"{TITLE}<categories>cs.CL stat.ML</categories><doi>10.1000/A.1, 10.1000/B</doi>"
    "<abstract>  We count $p&lt;q$\nkettles.</abstract></arXiv>"
)
RAW = (
    "<arXivRaw><id>math/0309136</id><submitter>Somebody Else</submitter>"
    '<version version="v1"><date>Mon, 8 Sep 2003 19:18:42 GMT</date></version>'
    '<version version="v3"><date>Sun, 15 Mar 2026 09:00:00 GMT</date></version>'
    f"{TITLE}<authors>Ada Byron (1), Li Wei (2) ((1) Kettle U, (2) Pot U)</authors><categories>math.GT</categories>"
    "<comments>12 pages</comments><abstract>We count.</abstract></arXivRaw>"
)
DC = (
    '<dc xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Kettles &amp;amp; &lt;i&gt;Pots&lt;/i&gt;</dc:title>'
    "<dc:creator>Byron, Ada</dc:creator><dc:creator>King, Martin, Jr.</dc:creator><dc:creator>Plato</dc:creator>"
    "<dc:description>5 p.</dc:description><dc:description>&lt;p&gt;We count kettles.&lt;/p&gt;</dc:description>"
    "<dc:subject>Kitchens</dc:subject><dc:date>2026</dc:date><dc:date>2026-03-12</dc:date><dc:date>2026-03-10</dc:date>"
    "<dc:identifier>https://repo.example/files/7.pdf</dc:identifier>"
    "<dc:identifier>https://repo.example/record/7</dc:identifier>"
    "<dc:identifier>https://doi.org/10.1000/KETTLE.7</dc:identifier>"
    "<dc:relation>10.1000/another</dc:relation></dc>"
)
MARC = (
    '<record xmlns="http://www.loc.gov/MARC21/slim"><datafield tag="245"><subfield code="a">Kettles</subfield>'
    "</datafield></record>"
)
JATS = (
    "<article><front><article-meta><title-group><article-title>Kettles</article-title></title-group></article-meta>"
    "</front></article>"
)


def record(content: str, name: str = "oai:oai.example:7", status: str = "") -> str:
    attribute = f' status="{status}"' if status else ""
    metadata = f"<metadata>{content}</metadata>" if content else ""
    stamp = "<datestamp>2026-03-16T08:00:00Z</datestamp>"
    return f"<record><header{attribute}><identifier>{name}</identifier>{stamp}</header>{metadata}</record>"


def answer(records: str, request: str = REQUEST, token: str = "", verb: str = "ListRecords") -> str:
    return (
        '<?xml version="1.0"?>\n<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">'
        f"<responseDate>2026-03-20T10:00:00Z</responseDate>{request}<{verb}>{records}{token}</{verb}></OAI-PMH>"
    )


def error(code: str, words: str = "") -> str:
    return f'<OAI-PMH><responseDate>2026-03-20</responseDate><error code="{code}">{words}</error></OAI-PMH>'


def only(content: str, name: str = "oai:oai.example:7") -> ParsedListing:
    listings = oai.parse(answer(record(content, name))).listings
    assert len(listings) == 1
    return listings[0]


# --- the formats


def test_arxivs_format_is_read() -> None:
    assert only(ARXIV) == ParsedListing(
        title="Kettles That Count",
        abstract="We count $p<q$ kettles.",
        authors=("Ada König, Jr.", "Kettle Collaboration"),
        arxiv_id="2603.00123",
        doi="10.1000/a.1",
        url="https://arxiv.org/abs/2603.00123",
        categories=("cs.CL", "stat.ML"),
        published_on=dt.date(2026, 3, 14),
        listed_on=DAY,
    )


def test_dois_that_never_end_take_no_time() -> None:
    assert only(ARXIV.replace("10.1000/B", " ;," * 600_000)).doi == ""


def test_arxivs_raw_format_is_read_with_its_versions() -> None:
    one = only(RAW)
    assert (one.arxiv_id, one.arxiv_version, one.published_on) == ("math/0309136", 3, dt.date(2003, 9, 8))
    assert (one.authors, one.announce_type) == (("Ada Byron", "Li Wei"), "replace")


def test_a_first_version_is_new_in_both_of_arxivs_formats() -> None:
    first = '<version version="v3"><date>Sun, 15 Mar 2026 09:00:00 GMT</date></version>'
    one = only(RAW.replace(first, "").replace("8 Sep 2003", "15 Mar 2026"))
    assert (one.arxiv_version, one.announce_type) == (1, "new")


def test_an_updated_record_of_arxiv_is_a_replacement() -> None:
    assert only(ARXIV.replace("</created>", "</created><updated>2026-03-15</updated>")).announce_type == "replace"


@pytest.mark.parametrize(("created", "announced"), [("2026-02-14", "new"), ("2026-02-13", "replace")])
def test_arxivs_changed_data_of_an_old_paper_are_no_new_paper(created: str, announced: str) -> None:
    assert only(ARXIV.replace("2026-03-14", created)).announce_type == announced


def test_dublin_core_is_read() -> None:
    assert only(DC) == ParsedListing(
        title="Kettles & Pots",
        abstract="We count kettles.",
        authors=("Ada Byron", "Martin King, Jr.", "Plato"),
        doi="10.1000/kettle.7",
        url="https://repo.example/record/7",
        categories=("Kitchens",),
        published_on=dt.date(2026, 3, 10),
        listed_on=DAY,
    )


def test_arxivs_dublin_core_is_tex_and_named_by_its_record() -> None:
    content = (
        "<dc><title>On $&lt;b&gt;$</title><description>We count.</description>"
        "<description>Comment: This paper has been withdrawn by the authors</description></dc>"
    )
    one = only(content, "oai:arXiv.org:math.GT/0309136")
    assert (one.title, one.abstract) == ("On $<b>$", "We count.")
    assert (one.arxiv_id, one.url) == ("math/0309136", "https://arxiv.org/abs/math/0309136")
    assert one.is_withdrawn


@pytest.mark.parametrize(
    ("dates", "announced"),
    [
        ("<date>2026-03-14</date>", "new"),
        ("", "new"),
        ("<date>2026-03-13</date><date>2026-03-14</date>", "replace"),
        ("<date>2019-03-14</date>", "replace"),
    ],
)
def test_a_second_version_or_an_old_paper_is_not_new_in_arxivs_dublin_core(dates: str, announced: str) -> None:
    content = f"<dc><title>Kettles</title>{dates}</dc>"
    assert only(content, "oai:arXiv.org:2603.00123").announce_type == announced
    assert only(content).announce_type == "new"  # elsewhere a record may be of a paper that was printed long ago


def test_a_doi_may_stand_in_the_record_name_or_in_a_relation() -> None:
    related = "<relation>info:eu-repo/semantics/altIdentifier/doi/10.1000/x</relation></dc>"
    assert only(DC.replace("https://doi.org/10.1000/KETTLE.7", "7").replace("</dc>", related)).doi == "10.1000/x"
    assert only("<dc><title>T</title></dc>").doi == ""


@pytest.mark.parametrize("content", [MARC, f"<collection>{MARC}</collection>", JATS])
def test_marc_and_jats_are_read_too(content: str) -> None:
    one = only(content)
    assert (one.title, one.listed_on) == ("Kettles", DAY)


def test_a_format_nobody_reads_says_which_to_ask_for() -> None:
    with pytest.raises(SourceError, match="its format 'mods' is not read: use metadataPrefix=oai_dc"):
        oai.parse(answer(record("<mods><title>Kettles</title></mods>")))


def test_records_that_are_no_papers_are_passed_over_with_a_warning() -> None:
    edition = oai.parse(answer(record("<dc/>") + record("") + record(ARXIV)))
    assert [one.rank for one in edition.listings] == [3]
    assert edition.warnings == (
        "record 1 passed over: it has no title (oai:oai.example:7)",
        "record 2 passed over: it has no metadata ('oai:oai.example:7')",
    )


# --- the list


def test_the_day_is_the_one_asked_for_or_else_that_of_the_answer() -> None:
    assert oai.parse(answer(record(ARXIV))).date == DAY
    assert oai.parse(answer(record(ARXIV), "<request/>")).date == dt.date(2026, 3, 20)
    assert oai.parse(answer(record(ARXIV), REQUEST.replace('until="2026-03-16"', ""))).date == dt.date(2026, 3, 20)
    assert oai.parse(answer(record(ARXIV)).replace("2026-03-20T", "soon")).date == DAY


def test_the_list_is_named_by_server_and_set() -> None:
    assert oai.parse(answer(record(ARXIV))).title == "oai.example cs"
    assert oai.parse(answer(record(ARXIV), "")).title == ""
    assert oai.parse(answer(record(ARXIV), "<request>http://[</request>")).title == ""


def test_a_token_asks_for_more_and_an_empty_one_ends() -> None:
    token = '<resumptionToken completeListSize="1234" cursor="0">a|b&amp;c=</resumptionToken>'
    edition = oai.parse(answer(record(ARXIV), token=token))
    assert (edition.next_token, edition.total) == ("a|b&c=", 1234)
    edition = oai.parse(answer(record(ARXIV), token='<resumptionToken completeListSize="all"/>'))
    assert (edition.next_token, edition.total) == ("", None)
    with pytest.raises(SourceError, match="over 2,000 letters"):
        oai.parse(answer(record(ARXIV), token=f"<resumptionToken>{'t' * 2_001}</resumptionToken>"))


def test_get_record_is_a_list_of_one() -> None:
    assert len(oai.parse(answer(record(ARXIV), verb="GetRecord")).listings) == 1


@pytest.mark.parametrize(
    ("name", "arxiv_id", "doi", "title"),
    [
        ("oai:arXiv.org:2603.00123", "2603.00123", "", "arXiv:2603.00123"),
        ("oai:hindawi.com:10.1155/2010/1", "", "10.1155/2010/1", "doi:10.1155/2010/1"),
    ],
)
def test_a_deleted_record_that_can_be_named_is_withdrawn(name: str, arxiv_id: str, doi: str, title: str) -> None:
    edition = oai.parse(answer(record("", name, "deleted")))
    assert edition.listings == (
        ParsedListing(
            title=title, arxiv_id=arxiv_id, doi=doi, announce_type="replace", is_withdrawn=True, listed_on=DAY
        ),
    )


def test_one_that_cannot_is_passed_over() -> None:
    edition = oai.parse(answer(record("", status="deleted") + record(ARXIV)))
    assert [one.arxiv_id for one in edition.listings] == ["2603.00123"]
    assert edition.warnings == ("record 1 passed over: it is deleted ('oai:oai.example:7')",)


def test_a_page_of_nothing_but_those_is_empty_and_not_the_end() -> None:
    with pytest.raises(EmptyEdition, match="only deleted records") as caught:
        oai.parse(answer(record("", status="deleted"), token="<resumptionToken>t2</resumptionToken>"))
    assert caught.value.next_token == "t2"


def test_an_empty_list_is_empty() -> None:
    with pytest.raises(EmptyEdition, match="lists no records; nothing to do"):
        oai.parse(answer(""))


# --- errors


def test_no_records_of_a_day_are_no_fault() -> None:
    with pytest.raises(EmptyEdition, match="no records of that day") as caught:
        oai.parse(error("noRecordsMatch"))
    assert caught.value.next_token == ""


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("badResumptionToken", "ask for the day again"),
        ("badArgument", "correct metadataPrefix and set"),
        ("badVerb", "base address"),
        ("cannotDisseminateFormat", "metadataPrefix=oai_dc"),
        ("idDoesNotExist", "correct the identifier"),
        ("noSetHierarchy", "take the set out"),
        ("madeUp", "check the source's address"),
    ],
)
def test_an_error_says_what_to_do(code: str, advice: str) -> None:
    with pytest.raises(SourceError, match=rf"answers '{code}' \('too bad'\): .*{advice}") as caught:
        oai.parse(error(code, "too bad"))
    assert not isinstance(caught.value, EmptyEdition)


def test_an_error_beside_no_records_is_an_error() -> None:
    both = error("noRecordsMatch").replace("</OAI-PMH>", '<error code="badArgument">set</error></OAI-PMH>')
    with pytest.raises(SourceError, match="badArgument"):
        oai.parse(both)


@pytest.mark.parametrize(
    ("page", "says"),
    [
        (answer("", verb="Identify"), "answers 'Identify', not ListRecords"),
        ("<rss/>", "not an answer of OAI-PMH \\(its root is 'rss'\\)"),
        (answer(record(ARXIV))[:-60], "not well-formed XML"),
        ("", "no element found"),
    ],
)
def test_a_page_that_is_no_list_says_what_it_is(page: str, says: str) -> None:
    with pytest.raises(SourceError, match=says):
        oai.parse(page)


# --- addresses


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "https://oaipmh.arxiv.org/oai?set=cs:cs:CL",
            "https://oaipmh.arxiv.org/oai?metadataPrefix=arXiv&set=cs%3Acs%3ACL&verb=ListRecords"
            "&from=2026-03-16&until=2026-03-16",
        ),
        (
            "https://repo.example/oai.php?journal=7&verb=Identify&from=2020-01-01&resumptionToken=t#top",
            "https://repo.example/oai.php?metadataPrefix=oai_dc&journal=7&verb=ListRecords"
            "&from=2026-03-16&until=2026-03-16",
        ),
        (
            "https://cds.example/oai2d?metadataPrefix=marcxml",
            "https://cds.example/oai2d?metadataPrefix=marcxml&verb=ListRecords&from=2026-03-16&until=2026-03-16",
        ),
    ],
)
def test_a_day_has_an_address(url: str, expected: str) -> None:
    assert oai.day_url(url, DAY) == expected


def test_a_token_stands_alone() -> None:
    url = "https://repo.example/oai.php?journal=7&metadataPrefix=oai_dc&set=cs&from=2026-03-16"
    assert oai.token_url(url, "a|b&c=") == (
        "https://repo.example/oai.php?journal=7&verb=ListRecords&resumptionToken=a%7Cb%26c%3D"
    )


def test_what_is_no_address_is_an_error() -> None:
    with pytest.raises(SourceError, match="is not a web address"):
        oai.day_url("http://[", DAY)
