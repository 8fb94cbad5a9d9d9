"""RSS, RDF and Atom: arXiv's, preprint servers', journals', anybody's."""

from __future__ import annotations

import datetime as dt
import html
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import feedparser
import pytest

from digest.papers.sources import feed
from digest.papers.sources.parsed import EmptyEdition, ParsedEdition, ParsedListing, SourceError

NAMESPACES = (
    'xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:content="http://purl.org/rss/1.0/modules/content/" '
    'xmlns:prism="http://prismstandard.org/namespaces/basic/2.0/"'
)
DAY = "<pubDate>Fri, 14 Mar 2025 00:00:00 -0400</pubDate>"
ITEM = "<item><title>Kettles</title></item>"


def rss(items: str, channel: str = f"<title>Shelf</title>{DAY}") -> str:
    return f'<?xml version="1.0"?>\n<rss version="2.0" {NAMESPACES}><channel>{channel}\n{items}</channel></rss>'


def atom(entries: str, head: str = "<title>Shelf</title><updated>2025-03-14T23:30:00-02:00</updated>") -> str:
    return f'<feed xmlns="http://www.w3.org/2005/Atom" {NAMESPACES}>{head}{entries}</feed>'


def item(**elements: str) -> str:
    """An item of these elements; `dc_creator` stands for dc:creator, texts are escaped."""
    elements = {"title": "Kettles That Count"} | elements
    names = {key: key.replace("_", ":", 1) for key in elements}
    return "<item>" + "".join(f"<{names[k]}>{html.escape(v)}</{names[k]}>" for k, v in elements.items()) + "</item>"


def only(text: str) -> ParsedListing:
    edition = feed.parse(text)
    assert len(edition.listings) == 1
    return edition.listings[0]


def authors(creator: str) -> tuple[str, ...]:
    return only(rss(item(dc_creator=creator))).authors


# --- arXiv

ARXIV = item(
    title='A Bound on $a<b>c$ for K{\\"a}hler Kettles',
    link="https://arxiv.org/abs/2409.00123",
    description=(
        "arXiv:2409.00123v3 Announce Type: replace-cross \n"
        "Abstract: We bound $\\langle s\\rangle$ by <s> for all $p<q$ & $q>p$.\nSee https://example.org/?a=1&copy=2."
    ),
    guid="oai:arXiv.org:2409.00123v3",
    category="cs.LG",
    arxiv_announce_type="replace-cross",
    arxiv_DOI="10.1000/Kettle.7",
    dc_creator="Ada Byron, Paul Andr\\'e de Castro, Martin King, Jr., Li Wei",
    pubDate="Fri, 14 Mar 2025 00:00:00 -0400",
).replace("</item>", "<category>stat.ML</category></item>")


def test_it_reads_an_item_of_arxivs_rss() -> None:
    edition = feed.parse(rss(ARXIV))
    assert (edition.title, edition.date, edition.warnings) == ("Shelf", dt.date(2025, 3, 14), ())
    assert edition.listings == (
        ParsedListing(
            title='A Bound on $a<b>c$ for K{\\"a}hler Kettles',
            abstract=(
                "We bound $\\langle s\\rangle$ by <s> for all $p<q$ & $q>p$. See https://example.org/?a=1&copy=2."
            ),
            authors=("Ada Byron", "Paul André de Castro", "Martin King, Jr.", "Li Wei"),
            arxiv_id="2409.00123",
            arxiv_version=3,
            doi="10.1000/kettle.7",
            url="https://arxiv.org/abs/2409.00123",
            categories=("cs.LG", "stat.ML"),
            published_on=None,  # the day of the replacement is not the paper's
            announce_type="replace-cross",
        ),
    )


def test_the_announce_type_may_stand_in_the_description_only() -> None:
    listing = only(rss(item(description="arXiv:2409.00123v1 Announce Type: cross Abstract: On kettles.")))
    assert (listing.announce_type, listing.abstract) == ("cross", "On kettles.")
    assert (listing.arxiv_id, listing.arxiv_version) == ("2409.00123", 1)


def test_an_announce_type_nobody_knows_is_new() -> None:
    assert only(rss(item(arxiv_announce_type="retracted"))).announce_type == "new"


def test_new_papers_are_dated() -> None:
    listing = only(rss(item(guid="oai:arXiv.org:hep-th/9901001v2", pubDate="Fri, 14 Mar 2025 00:00:00 -0400")))
    assert (listing.arxiv_id, listing.arxiv_version) == ("hep-th/9901001", 2)
    assert listing.published_on == dt.date(2025, 3, 14)


def test_it_reads_an_entry_of_arxivs_api() -> None:
    edition = feed.parse(
        atom(
            "<entry><id>http://arxiv.org/abs/2609.28471v2</id><title>On\n  &lt;b&gt; in $a&lt;b$</title>"
            "<updated>2026-09-23T17:59:08Z</updated><published>2026-09-20T17:59:08Z</published>"
            '<link href="https://arxiv.org/abs/2609.28471v2" rel="alternate" type="text/html"/>'
            '<link rel="related" href="https://doi.org/10.1007/ABC_7" title="doi"/>'
            "<summary>  We write &lt;b&gt;\n  as it is. </summary>"
            '<category term="cs.CL"/><category term="cs.LG"/>'
            "<author><name>Ada Byron</name></author><author><name>Li Wei</name></author></entry>"
        )
    )
    assert edition.date == dt.date(2025, 3, 15)  # 23:30 two hours west of UTC
    assert edition.listings == (
        ParsedListing(
            title="On <b> in $a<b$",
            abstract="We write <b> as it is.",
            authors=("Ada Byron", "Li Wei"),
            arxiv_id="2609.28471",
            arxiv_version=2,
            doi="10.1007/abc_7",
            url="https://arxiv.org/abs/2609.28471v2",
            categories=("cs.CL", "cs.LG"),
            published_on=dt.date(2026, 9, 20),
        ),
    )


ARXIV_HOME = "<title>cs updates on arXiv.org</title><link>http://rss.arxiv.org/rss/cs</link>"


def test_an_empty_feed_of_arxiv_is_rightly_empty() -> None:
    with pytest.raises(EmptyEdition, match=r"'cs updates on arXiv\.org' is empty on Friday 2025-03-14"):
        feed.parse(rss("", ARXIV_HOME + DAY))
    with pytest.raises(EmptyEdition):
        feed.parse(atom("", '<link rel="self" href="https://rss.arxiv.org/atom/cs.AI"/>'))


@pytest.mark.parametrize("text", [rss(""), atom(""), atom("", "<id>https://evil.example/rss.arxiv.org</id>")])
def test_any_other_empty_feed_is_a_fault(text: str) -> None:
    with pytest.raises(SourceError, match="has no entries") as caught:
        feed.parse(text)
    assert not isinstance(caught.value, EmptyEdition)


def test_its_primary_category_goes_first_wherever_it_stands() -> None:
    categories = '<category term="cs.CL"/><arxiv:primary_category term="cs.SE"/><category term="cs.SE"/>'
    assert only(atom(f"<entry><title>Kettles</title>{categories}</entry>")).categories == ("cs.SE", "cs.CL")


@pytest.mark.parametrize(
    ("element", "is_withdrawn"),
    [
        ("<arxiv:comment>This paper has been withdrawn by the authors</arxiv:comment>", True),
        ("<arxiv:comment>12 pages, withdrawn from ICLR 2026</arxiv:comment>", False),
        ("<summary>This paper has been withdrawn due to an error in Lemma 3.</summary>", True),
        ("<summary>We study how papers are withdrawn by the authors.</summary>", False),
        ("", False),
    ],
)
def test_a_paper_its_authors_took_back_is_marked(element: str, is_withdrawn: bool) -> None:
    assert only(atom(f"<entry><title>Kettles</title>{element}</entry>")).is_withdrawn is is_withdrawn


def test_so_is_one_a_journal_took_back() -> None:
    assert only(rss(item(title="RETRACTED: Kettles That Count"))).is_withdrawn
    description = "arXiv:2409.00123v4 Announce Type: replace Abstract: This paper has been withdrawn by the author."
    assert only(rss(item(description=description))).is_withdrawn


OPENSEARCH = (
    "<title>arXiv Query</title><id>http://arxiv.org/api/x</id>"
    '<opensearch:totalResults xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/">{}</opensearch:totalResults>'
    '<opensearch:startIndex xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/">{}</opensearch:startIndex>'
)


def test_the_api_says_how_many_there_are_in_all() -> None:
    assert feed.parse(atom("<entry><title>Kettles</title></entry>", OPENSEARCH.format(119_894, 0))).total == 119_894
    assert feed.parse(atom("<entry><title>Kettles</title></entry>", OPENSEARCH.format("many", 0))).total is None
    assert feed.parse(rss(ITEM)).total is None


@pytest.mark.parametrize(("total", "start"), [(0, 0), (500, 500)])
def test_a_query_without_papers_is_no_fault(total: int, start: int) -> None:
    with pytest.raises(EmptyEdition, match="'arXiv Query' has no papers"):
        feed.parse(atom("", OPENSEARCH.format(total, start)))


def test_an_answer_that_counts_papers_and_holds_none_is_one() -> None:
    with pytest.raises(SourceError, match="counts 1,234 papers and holds none: fetch it again") as caught:
        feed.parse(atom("", OPENSEARCH.format(1234, 500)))
    assert not isinstance(caught.value, EmptyEdition)


def test_an_error_of_arxivs_api_is_not_a_paper() -> None:
    error = "<entry><id>http://arxiv.org/api/errors#bad_id</id><title>Error</title><summary>bad id</summary></entry>"
    with pytest.raises(SourceError, match="answered with an error, 'bad id'"):
        feed.parse(atom(error))


# --- preprint servers, journals, and what third parties make of the daily papers


def test_it_reads_rdf_with_initials_and_a_doi() -> None:
    edition = feed.parse(
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" '
        f"{NAMESPACES}><channel rdf:about='http://x.example'><title>Preprints</title></channel>"
        "<item rdf:about='http://x.example/857v1'><title>\n <![CDATA[ Kettle\n Cells ]]></title>"
        "<link>\n http://x.example/857v1?rss=1 </link><description><![CDATA[ Cells boil. ]]></description>"
        "<dc:creator><![CDATA[ Kukla, D., van der Berg, A.-B., Wu, K. ]]></dc:creator><dc:date>2019-11-29</dc:date>"
        "<dc:identifier>doi:10.1101/857789</dc:identifier></item></rdf:RDF>"
    )
    assert (edition.title, edition.date) == ("Preprints", None)
    assert edition.listings == (
        ParsedListing(
            title="Kettle Cells",
            abstract="Cells boil.",
            authors=("D. Kukla", "A.-B. van der Berg", "K. Wu"),
            doi="10.1101/857789",
            url="http://x.example/857v1?rss=1",
            published_on=dt.date(2019, 11, 29),
        ),
    )


DAILY = (
    '<p><img src="https://x.example/thumb.png" alt="thumb"/></p><p><b>Authors:</b> Ada Byron, Li Wei</p>'
    "<p><b>Upvotes:</b> 13</p><p><b>Summary:</b> We count p<q kettles.</p>"
)


@pytest.mark.parametrize("link", ["https://arxiv.org/abs/2409.00123", "https://huggingface.co/papers/2409.00123"])
def test_a_third_partys_daily_papers_are_taken_apart(link: str) -> None:
    listing = only(rss(item(link=link, description=DAILY)))
    assert (listing.arxiv_id, listing.url, listing.upvotes) == ("2409.00123", link, 13)
    assert (listing.authors, listing.abstract) == (("Ada Byron", "Li Wei"), "We count p<q kettles.")


def test_html_becomes_text() -> None:
    listing = only(
        rss(
            item(
                title="On <i>E. coli</i> &amp; 10<sup>3</sup> kettles",
                description="<p>One.</p><p>Two<br/>three, H<sub>2</sub>O</p><script>alert(1)</script>"
                "<style>p{}</style><ul><li>four</ul> a&nbsp;b &lt;c&gt; x<y &copy;",
            )
        )
    )
    assert listing.title == "On E. coli & 10^3 kettles"
    assert listing.abstract == "One. Two three, H2O four a b <c> x<y ©"


def test_atom_says_what_is_html() -> None:
    listing = only(
        atom(
            '<entry><title type="html">A &lt;b&gt;bold&lt;/b&gt; title</title>'
            '<content type="html">&lt;p&gt;Text.&lt;/p&gt;</content></entry>'
        )
    )
    assert (listing.title, listing.abstract) == ("A bold title", "Text.")


def test_the_whole_text_stands_in_for_a_missing_summary() -> None:
    assert only(rss(item(content_encoded="<div>All of it.</div>"))).abstract == "All of it."


@pytest.mark.parametrize(
    ("creator", "names"),
    [
        ("Ada Byron", ("Ada Byron",)),
        ("Ada Byron and Li Wei", ("Ada Byron", "Li Wei")),
        ("Ada Byron, Li Wei, and Bo Li", ("Ada Byron", "Li Wei", "Bo Li")),
        ("Byron, Ada; Wei, Li", ("Byron, Ada", "Wei, Li")),
        ("Byron, Ada", ("Byron, Ada",)),
        ("Jane Doe, Ren", ("Jane Doe", "Ren")),
        (
            "Erd\\H{o}s P\\'al, \\L{}ukasz S\\o{}n, Ga\\v sper \\'{I}\\~nigo",
            ("Erdős Pál", "Łukasz Søn", "Gašper Íñigo"),
        ),
        ("{\\'E}va {\\O}rsted, Bj\\o rn {Van} \\Strange", ("Éva Ørsted", "Bjørn Van \\Strange")),
        ("  ", ()),
    ],
)
def test_names_are_told_apart(creator: str, names: tuple[str, ...]) -> None:
    assert authors(creator) == names


def test_several_creators_are_several_names() -> None:
    creators = "<dc:creator>Byron, Ada</dc:creator><dc:creator>Li Wei</dc:creator></item>"
    assert only(rss(item().replace("</item>", creators))).authors == ("Byron, Ada", "Li Wei")


def test_an_address_is_not_an_author() -> None:
    assert only(rss(item(author="ada@example.org"))).authors == ()


@pytest.mark.parametrize(
    "elements",
    [
        {"prism_doi": "10.1000/Kettle"},
        {"dc_identifier": "doi:10.1000/kettle"},
        {"guid": "https://doi.org/10.1000/kettle"},
        {"link": "http://dx.doi.org/10.1000%2Fkettle"},
    ],
)
def test_a_doi_is_found_where_it_stands(elements: dict[str, str]) -> None:
    assert only(rss(item(**elements))).doi == "10.1000/kettle"


def test_a_doi_in_a_publishers_link_is_a_guess() -> None:
    listing = only(rss(item(link="https://journal.example/doi/abs/10.1000/kettle?af=R")))
    assert (listing.doi, listing.guessed_doi) == ("", "10.1000/kettle")


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "ftp://x.example/1", "/relative", "http://[", "https://a:b@x.example/"]
)
def test_a_link_that_is_not_safe_is_none(link: str) -> None:
    assert only(rss(item(link=link))).url == ""


@pytest.mark.parametrize(("date", "rests"), [("Sun, 15 Mar 2026", True), ("Mon, 16 Mar 2026", False)])
def test_an_empty_feed_may_rest_on_the_days_it_names(date: str, rests: bool) -> None:
    page = (
        f"<rss version='2.0'><channel><title>J</title><link>https://j.example/</link><pubDate>{date} 08:00:00 GMT"
        "</pubDate><skipDays><day>Saturday</day><day>Sunday</day></skipDays></channel></rss>"
    )
    with pytest.raises(SourceError) as caught:
        feed.parse(page)
    assert isinstance(caught.value, EmptyEdition) is rests


def test_everything_is_bounded() -> None:
    listing = only(
        rss(
            item(title="t" * 5_000, description="d " * 50_000, dc_creator=", ".join(["Ada Byron"] * 9_000)).replace(
                "</item>", "".join(f"<category>{number}</category>" for number in range(90)) + "</item>"
            )
        )
    )
    assert (len(listing.title), len(listing.authors), len(listing.categories)) == (1_000, 6_000, 50)
    assert 19_990 < len(listing.abstract) <= 20_000


def test_more_than_10_000_entries_are_an_error() -> None:
    with pytest.raises(SourceError, match="over 10,000 papers"):
        feed.parse(rss(ITEM * 10_001))


def test_an_entry_of_a_thousand_categories_is_an_error() -> None:
    many = "<category>c</category>"
    only(rss(item().replace("</item>", many * 1_000 + "</item>")))
    with pytest.raises(SourceError, match="over 1,000 categories"):
        feed.parse(rss(item().replace("</item>", many * 1_001 + "</item>")))
    feed.parse(rss(2 * item().replace("</item>", many * 600 + "</item>")))


def test_a_feed_of_nothing_but_elements_is_an_error() -> None:
    with pytest.raises(SourceError, match="over 300,000 elements"):
        feed.parse(rss("<x/>" * 300_000))


def test_an_entry_without_a_title_is_passed_over() -> None:
    edition = feed.parse(rss("<item><link>https://x.example/1</link></item><item/>" + ITEM))
    assert [(one.rank, one.title) for one in edition.listings] == [(3, "Kettles")]
    assert edition.warnings == (
        "entry 1 passed over: it has no title ('https://x.example/1')",
        "entry 2 passed over: it has no title",
    )


def test_a_feed_of_nothing_but_such_entries_is_an_error() -> None:
    with pytest.raises(SourceError, match="none a paper"):
        feed.parse(rss("<item/>"))


# --- dates and encodings


@pytest.mark.parametrize(
    ("channel", "date"),
    [
        ("<lastBuildDate>Fri, 14 Mar 2025 22:00:00 -0400</lastBuildDate>", dt.date(2025, 3, 15)),
        (f"{DAY}<lastBuildDate>Sat, 15 Mar 2025 10:00:00 GMT</lastBuildDate>", dt.date(2025, 3, 14)),
        ("<dc:date>2025-03-14</dc:date>", dt.date(2025, 3, 14)),
        ("<pubDate>someday</pubDate>", None),
        ("<published_parsed>2025</published_parsed>", None),
        ("", None),
    ],
)
def test_the_feed_says_its_day(channel: str, date: dt.date | None) -> None:
    assert feed.parse(rss(ITEM, channel)).date == date


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "iso-8859-1", "windows-1252", "utf-16", "utf-32"])
def test_the_declared_encoding_is_honoured(encoding: str) -> None:
    declared = encoding.removesuffix("-sig")
    text = rss(item(title="Café")).replace('"1.0"', f'"1.0" encoding="{declared}"')
    assert only_bytes(text.encode(encoding)).title == "Café"


def only_bytes(page: bytes) -> ParsedListing:
    edition = feed.parse(page)
    assert edition.warnings == ()
    return edition.listings[0]


def test_text_is_decoded_already_whatever_it_declares() -> None:
    assert only(rss(item(title="Café")).replace('"1.0"', '"1.0" encoding="iso-8859-1"')).title == "Café"


def test_a_wrong_encoding_is_read_with_a_warning() -> None:
    edition = feed.parse(rss(item(title="Café")).encode("windows-1252"))
    assert edition.listings[0].title == "Café"
    assert edition.warnings[0].startswith("the encoding is not the declared one: ")


def test_an_encoding_that_is_none_is_an_error() -> None:
    with pytest.raises(SourceError, match="declares an encoding that cannot be read"):
        feed.parse(rss(item(title="Café")).replace('"1.0"', '"1.0" encoding="undefined"').encode())


def test_a_blank_line_before_the_declaration_does_no_harm() -> None:
    assert feed.parse(b"\n " + rss(ITEM).encode()).listings[0].title == "Kettles"


# --- broken feeds


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (rss(item() * 3)[:-30], r"line 3, column \d+: the page is not well-formed XML .* cut off"),
        (rss("<item><title>A <B</title></item>"), r"line 3, column \d+: .*not well-formed.*: tell its publisher"),
        (rss("<x:y/>"), "unbound prefix"),
        (atom("<entry>").removesuffix("</feed>"), r"^line 1, column \d+: "),
        (rss("<a>" * 300 + "</a>" * 300), "nested more than 200 deep"),
        (rss(item(dc_creator="a" * 50_000)), "a name has over 1,000 letters"),
        ("<opml version='2.0'/>", "not a feed"),
        ("", "no element found"),
        (b"\xff\xfe<", "byte 2 .line 1. is not UTF-16"),
    ],
)
def test_a_broken_feed_is_an_error_that_names_the_place(text: str | bytes, says: str) -> None:
    with pytest.raises(SourceError, match=says) as caught:
        feed.parse(text)
    assert "\n" not in str(caught.value)


def test_entities_are_neither_multiplied_nor_fetched() -> None:
    bombs = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    for doctype in (
        f'<!DOCTYPE rss [<!ENTITY e0 "x">{bombs}]>',
        '<!DOCTYPE rss [<!ENTITY e11 SYSTEM "file:///etc/hosts">]>',
    ):
        with pytest.raises(SourceError):
            feed.parse(f"{doctype}{rss('<item><title>Kettles &e11;</title></item>')[22:]}")


@pytest.mark.parametrize("page", ["https://example.org/feed", "/etc/hosts", b"/etc/hosts"])
def test_nothing_is_ever_fetched_or_opened(page: str | bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError("a parser must not look outside")

    monkeypatch.setattr(feedparser.http, "get", refuse)
    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(SourceError):
        feed.parse(page)


@pytest.mark.parametrize("fault", [KeyError, ValueError, OverflowError, RecursionError, AttributeError])
def test_a_fault_of_feedparser_is_an_error_of_the_page(fault: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> NoReturn:
        raise fault("inside")

    monkeypatch.setattr(feedparser, "parse", fail)
    with pytest.raises(SourceError, match=f"cannot be read \\({fault.__name__}\\)"):
        feed.parse(rss(ITEM))


def test_elements_in_odd_places_do_no_harm() -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        feed.parse(rss(ITEM + "<gml:pos xmlns:gml='http://www.opengis.net/gml'>1</gml:pos>"))


# --- the real feeds


def read(shared_data: Path, *path: str) -> ParsedEdition:
    return feed.parse(shared_data.joinpath(*path).read_bytes())


def test_arxivs_own_feeds(shared_data: Path) -> None:
    edition = read(shared_data, "arxiv", "rss_new_cross_replace_2026-09-24.xml")
    assert edition.date == dt.date(2026, 9, 24)
    assert [(one.arxiv_id, one.arxiv_version, one.announce_type) for one in edition.listings] == [
        ("2609.26811", 1, "new"),
        ("2609.26820", 1, "new"),
        ("2205.06398", 2, "cross"),
        ("2009.13987", 3, "replace"),
    ]
    assert edition.listings[2].doi == "10.1093/bioinformatics/btac431"
    assert not any(one.abstract.startswith(("arXiv", "Abstract")) for one in edition.listings)
    edition = read(shared_data, "arxiv", "rss_atom_flavour_cs.AI_2025-08-20.xml")
    assert (len(edition.listings), edition.date) == (7, dt.date(2025, 8, 20))
    assert all(one.authors and one.arxiv_version and one.categories for one in edition.listings)


def test_arxivs_api_in_both_serialisations(shared_data: Path) -> None:
    old = read(shared_data, "arxiv", "api_atom_old_style_docs_1.xml").listings[0]
    assert (old.arxiv_id, old.arxiv_version, old.categories) == ("hep-ex/0307015", 1, ("hep-ex",))
    new = read(shared_data, "arxiv", "api_atom_new_style_2026-09-24.xml")
    assert [one.arxiv_id for one in new.listings] == ["2609.28471", "2609.28449", "2609.28442"]
    assert new.listings[0].doi == "10.1007/978-3-032-39150-6_7"


def test_arxivs_empty_sunday(shared_data: Path) -> None:
    with pytest.raises(EmptyEdition, match="Sunday 2025-04-27"):
        read(shared_data, "arxiv", "rss_empty_sunday_2025-04-27.xml")


def test_third_party_feeds_of_the_daily_papers(shared_data: Path) -> None:
    for path in sorted((shared_data / "hf_daily" / "rss_samples").glob("*.xml")):
        edition = feed.parse(path.read_bytes())
        assert edition.date == dt.date.fromisoformat(path.stem.removeprefix("hf_feed_"))
        for one in edition.listings:
            assert one.arxiv_id
            assert one.authors
            assert one.upvotes is not None
            assert "Upvotes:" not in one.abstract
            assert len(one.abstract) > 100


@pytest.mark.parametrize(
    ("name", "listings"),
    [
        ("encoding_ISO-8859-1", 40),
        ("large_rss", 25),
        ("no_encoding_ISO-8859-1", 9),
        ("rdf_UTF8", 60),
        ("small_atom", 20),
    ],
)
def test_anybodys_feeds(shared_data: Path, name: str, listings: int) -> None:
    edition = read(shared_data, "other_sources", "feeds_miniflux", f"{name}.xml")
    assert len(edition.listings) == listings
    assert not any(sign in one.abstract for one in edition.listings for sign in ("</p>", "&nbsp;", "&#"))


def test_feedparsers_sanitiser_cases_leave_no_script(shared_data: Path) -> None:
    read_from: Callable[[Path], ParsedEdition] = lambda path: feed.parse(path.read_bytes())  # noqa: E731
    for path in (shared_data / "hostile" / "feedparser" / "wellformed" / "sanitize").glob("*title*.xml"):
        try:
            texts = [one.title for one in read_from(path).listings]
        except SourceError:
            continue
        assert not any("<script" in text or "onload" in text for text in texts), path.name
