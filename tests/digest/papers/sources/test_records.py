"""PubMed, JATS and MARC 21, each rule on a small page of our own."""

from __future__ import annotations

import datetime as dt

import pytest

from digest.papers.sources import jats, marcxml, pubmed
from digest.papers.sources.parsed import ParsedListing, SourceError

# --- PubMed

TYPES = "<PublicationTypeList><PublicationType>{}</PublicationType></PublicationTypeList>"
ARTICLE = (
    "<Article><Journal><JournalIssue><PubDate><Year>2026</Year><Month>Mar</Month><Day>7</Day></PubDate></JournalIssue>"
    "</Journal><ArticleTitle>Kettles at 10<sup>3</sup> <i>pots</i>.</ArticleTitle>"
    '<ELocationID EIdType="doi" ValidYN="N">10.1000/wrong</ELocationID>'
    '<Abstract><AbstractText Label="BACKGROUND">We boil.</AbstractText>'
    '<AbstractText Label="UNLABELLED">We count <b>all</b>.</AbstractText></Abstract>'
    "<AuthorList><Author><LastName>Byron</LastName><ForeName>Ada</ForeName><Suffix>Jr</Suffix></Author>"
    "<Author><LastName>Wei</LastName><Initials>L</Initials></Author>"
    "<Author><CollectiveName>Kettle Group</CollectiveName></Author></AuthorList></Article>"
)
PUBMED = (
    f"<PubmedArticle><MedlineCitation><PMID>7</PMID>{ARTICLE}<MeshHeadingList><MeshHeading>"
    "<DescriptorName>Kitchens</DescriptorName><QualifierName>hot</QualifierName></MeshHeading></MeshHeadingList>"
    "<KeywordList><Keyword>boiling</Keyword></KeywordList></MedlineCitation><PubmedData><ArticleIdList>"
    '<ArticleId IdType="doi">10.1000/KETTLE.7</ArticleId></ArticleIdList><ReferenceList><Reference><ArticleIdList>'
    '<ArticleId IdType="doi">10.1000/other</ArticleId></ArticleIdList></Reference></ReferenceList></PubmedData>'
    "</PubmedArticle>"
)


def pubmed_only(record: str) -> ParsedListing:
    (one,) = pubmed.parse(f"<PubmedArticleSet>{record}<DeleteCitation/></PubmedArticleSet>").listings
    return one


def test_an_article_of_pubmed_is_read() -> None:
    assert pubmed_only(PUBMED) == ParsedListing(
        title="Kettles at 10^3 pots.",
        abstract="Background: We boil. We count all.",
        authors=("Ada Byron, Jr", "L Wei", "Kettle Group"),
        doi="10.1000/kettle.7",
        url="https://pubmed.ncbi.nlm.nih.gov/7/",
        categories=("boiling", "Kitchens"),
        published_on=dt.date(2026, 3, 7),
    )


def test_the_day_it_came_online_goes_before_the_issue() -> None:
    online = "<ArticleDate><Year>2026</Year><Month>02</Month><Day>03</Day></ArticleDate></Article>"
    assert pubmed_only(PUBMED.replace("</Article>", online)).published_on == dt.date(2026, 2, 3)


def test_an_issue_without_a_day_is_no_day_and_pubmeds_own_is_taken() -> None:
    monthly = PUBMED.replace("<Day>7</Day>", "")
    assert pubmed_only(monthly).published_on is None
    parts = "<Year>2026</Year><Month>3</Month><Day>9</Day>"
    history = f'<PubmedData><History><PubMedPubDate PubStatus="pubmed">{parts}</PubMedPubDate></History>'
    assert pubmed_only(monthly.replace("<PubmedData>", history)).published_on == dt.date(2026, 3, 9)


def test_a_title_in_its_own_language_stands_in() -> None:
    foreign = PUBMED.replace("Kettles at 10<sup>3</sup> <i>pots</i>.", "[Not Available].")
    with pytest.raises(SourceError, match=r"no title \(PMID 7\)"):
        pubmed_only(foreign.replace("[Not Available].", ""))
    vernacular = foreign.replace("</Article>", "<VernacularTitle>Wasserkessel.</VernacularTitle></Article>")
    assert pubmed_only(vernacular).title == "Wasserkessel."


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("</Article>", TYPES.format("Retracted Publication") + "</Article>"),
        ("</Article>", TYPES.format("Retraction of Publication") + "</Article>"),
        (
            "</MedlineCitation>",
            '<CommentsCorrectionsList><CommentsCorrections RefType="RetractionIn"/></CommentsCorrectionsList>'
            "</MedlineCitation>",
        ),
        ("Kettles at", "RETRACTED: Kettles at"),
    ],
)
def test_pubmed_says_what_was_taken_back(old: str, new: str) -> None:
    assert pubmed_only(PUBMED.replace(old, new, 1)).is_withdrawn


def test_an_expression_of_concern_takes_nothing_back() -> None:
    concern = (
        '<CommentsCorrectionsList><CommentsCorrections RefType="ExpressionOfConcernIn"/></CommentsCorrectionsList>'
    )
    assert not pubmed_only(PUBMED.replace("</MedlineCitation>", concern + "</MedlineCitation>")).is_withdrawn


def test_a_preprint_of_arxiv_is_known_by_its_doi() -> None:
    assert pubmed_only(PUBMED.replace("10.1000/KETTLE.7", "10.48550/arXiv.2603.00123")).arxiv_id == "2603.00123"


def test_a_book_has_its_own_place() -> None:
    book = (
        "<PubmedBookArticle><BookDocument><PMID>8</PMID><Book><BookTitle>Pots</BookTitle></Book></BookDocument>"
        "</PubmedBookArticle>"
    )
    assert (pubmed_only(book).title, pubmed_only(book).url) == ("Pots", "https://pubmed.ncbi.nlm.nih.gov/8/")


def test_a_number_that_is_none_makes_no_address() -> None:
    assert pubmed_only(PUBMED.replace("<PMID>7<", "<PMID>7/../x<")).url == "https://doi.org/10.1000/kettle.7"


# --- JATS

META = (
    '<article-id pub-id-type="doi">10.1000/KETTLE.7</article-id><article-id pub-id-type="pmid">9</article-id>'
    "<article-categories><subj-group><subject>Kitchens</subject></subj-group></article-categories>"
    "<title-group><article-title>Kettles in H<sub>2</sub>O<xref ref-type='fn'>*</xref></article-title>"
    "<subtitle>A count</subtitle></title-group><contrib-group>"
    '<contrib contrib-type="author"><name><surname>Byron</surname><given-names>Ada</given-names></name></contrib>'
    '<contrib contrib-type="editor"><name><surname>Boss</surname><given-names>The</given-names></name></contrib>'
    '<contrib contrib-type="author"><collab>Kettle Group</collab></contrib>'
    '<contrib contrib-type="author"><string-name>Wei, Li</string-name></contrib></contrib-group>'
    '<pub-date pub-type="ppub"><day>1</day><month>5</month><year>2026</year></pub-date>'
    '<pub-date pub-type="epub"><day>7</day><month>3</month><year>2026</year></pub-date>'
    '<pub-date pub-type="collection"><year>2026</year></pub-date>'
    '<abstract abstract-type="graphical"><p>A picture.</p></abstract>'
    "<abstract><title>Abstract</title><sec><title>Aim.</title><p>We boil.</p><p>Twice.</p></sec>"
    "<sec><p>We use <inline-formula><alternatives><mml>x</mml><tex-math>$x&lt;y$</tex-math></alternatives>"
    "</inline-formula>.</p></sec></abstract><kwd-group><kwd>boiling</kwd></kwd-group>"
)


def jats_page(meta: str = META, kind: str = "research-article") -> str:
    return f'<article article-type="{kind}"><front><article-meta>{meta}</article-meta></front><body/></article>'


def jats_only(page: str) -> ParsedListing:
    (one,) = jats.parse(page).listings
    return one


def test_an_article_of_jats_is_read() -> None:
    assert jats_only(jats_page()) == ParsedListing(
        title="Kettles in H2O: A count",
        abstract="Aim: We boil. Twice. We use $x<y$.",
        authors=("Ada Byron", "Kettle Group", "Li Wei"),
        doi="10.1000/kettle.7",
        url="https://doi.org/10.1000/kettle.7",
        categories=("Kitchens", "boiling"),
        published_on=dt.date(2026, 3, 7),
    )


def test_many_articles_stand_in_any_wrapper() -> None:
    listings = jats.parse(f"<pmc-articleset>{jats_page()}{jats_page()}</pmc-articleset>").listings
    assert [one.rank for one in listings] == [1, 2]


def test_jats_1_2_writes_its_dates_in_other_words() -> None:
    plain = META.replace("epub", "x").replace("ppub", "x")
    dated = '<pub-date date-type="pub" publication-format="electronic" iso-8601-date="2026-04-02"/>'
    assert jats_only(jats_page(plain + dated)).published_on == dt.date(2026, 4, 2)


def test_without_a_doi_the_articles_own_address_is_taken() -> None:
    address = '<self-uri xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="https://journal.example/7"/>'
    one = jats_only(jats_page(META.replace("10.1000/KETTLE.7", "none") + address))
    assert (one.doi, one.url) == ("", "https://journal.example/7")


def test_jats_says_what_was_taken_back() -> None:
    assert jats_only(jats_page(kind="retraction")).is_withdrawn
    assert jats_only(jats_page(META + '<related-article related-article-type="retraction-forward"/>')).is_withdrawn
    assert not jats_only(jats_page(META + '<related-article related-article-type="commentary"/>')).is_withdrawn


def test_an_article_without_a_title_is_none() -> None:
    with pytest.raises(SourceError, match="no title"):
        jats.parse(jats_page(""))


# --- MARC 21


def marc_field(tag: str, ind2: str = " ", **subfields: str) -> str:
    inside = "".join(f'<subfield code="{code[-1]}">{text}</subfield>' for code, text in subfields.items())
    return f'<datafield tag="{tag}" ind1=" " ind2="{ind2}">{inside}</datafield>'


MARC = (
    marc_field("024", a="10.1000/KETTLE.7", _2="DOI")
    + marc_field("037", _9="arXiv", a="arXiv:2603.00123", c="cs.CL")
    + marc_field("100", a="Byron, Ada")
    + marc_field("245", a="Kettles :", b="a count /", c="Ada Byron")
    + marc_field("260", c="2026")
    + marc_field("269", c="14 Jan 2026")
    + marc_field("520", a="We count.")
    + marc_field("650", a="Kitchens")
    + marc_field("700", a="Wei, Li")
    + marc_field("856", u="https://lib.example/secret", y="Restricted to staff")
    + marc_field("856", u="https://lib.example/7.pdf")
)


def marc_only(fields: str, leader: str = "00000cam") -> ParsedListing:
    record = f'<leader>{leader}</leader><controlfield tag="001">77</controlfield>{fields}'
    (one,) = marcxml.parse(
        f'<collection xmlns="http://www.loc.gov/MARC21/slim"><record>{record}</record></collection>'
    ).listings
    return one


def test_a_record_of_marc_is_read() -> None:
    assert marc_only(MARC) == ParsedListing(
        title="Kettles: a count",
        abstract="We count.",
        authors=("Ada Byron", "Li Wei"),
        arxiv_id="2603.00123",
        doi="10.1000/kettle.7",
        url="https://arxiv.org/abs/2603.00123",
        categories=("cs.CL", "Kitchens"),
        published_on=dt.date(2026, 1, 14),
    )


def test_its_own_address_goes_first_and_a_restricted_one_never() -> None:
    assert marc_only(MARC + marc_field("856", "0", u="https://lib.example/7")).url == "https://lib.example/7"
    nameless = MARC.replace("10.1000/KETTLE.7", "none").replace("arXiv:2603.00123", "KET-7")
    assert marc_only(nameless).url == "https://lib.example/7.pdf"


def test_a_collaboration_stands_in_for_people() -> None:
    group = MARC.replace('tag="100"', 'tag="xxx"').replace('tag="700"', 'tag="xxx"') + marc_field(
        "710", g="Kettle Group"
    )
    assert marc_only(group).authors == ("Kettle Group",)


def test_marc_says_what_was_deleted() -> None:
    assert marc_only(MARC, "00000dam").is_withdrawn
    assert marc_only(MARC + marc_field("980", c="DELETED")).is_withdrawn
    assert not marc_only(MARC).is_withdrawn


def test_one_record_alone_is_a_list_too() -> None:
    assert len(marcxml.parse(f"<record>{MARC}</record>").listings) == 1
    with pytest.raises(SourceError, match=r"no title \(77\)"):
        marc_only("")


@pytest.mark.parametrize("parse", [pubmed.parse, jats.parse, marcxml.parse])
def test_a_page_of_another_kind_says_what_it_is(parse: type[object]) -> None:
    with pytest.raises(SourceError, match="its root is 'rss'"):
        parse("<rss/>")
