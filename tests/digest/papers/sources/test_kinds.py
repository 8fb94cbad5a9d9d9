"""Which page is of which kind, and what may leave the parsers: an edition or a SourceError."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from digest.papers.sources import kinds
from digest.papers.sources.parsed import ParsedEdition, SourceError

pytestmark = pytest.mark.slow

ITEM = "<item><title>Kettles</title></item>"
RSS = f'<?xml version="1.0"?><rss version="2.0"><channel><title>S</title>{ITEM}</channel></rss>'
RDF = (
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">'
    f"{ITEM}</rdf:RDF>"
)
ATOM = '<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>Kettles</title></entry></feed>'
JSON = json.dumps([{"paper": {"id": "2503.10613", "title": "Kettles", "upvotes": 3}}])
REPR = json.dumps([repr({"paper": {"id": "2503.10613", "title": "Kettles"}})])
HTML = '<!DOCTYPE html><html><article><h3><a href="/papers/2503.10613">Kettles</a></h3></article></html>'
PROPS = f"<html><div data-target=DailyPapers data-props='{{\"dailyPapers\": {JSON}}}'></div></html>"
TEXT = "Subscribe\nMar 14\n\nKettles\n\nWe count kettles. There are seven of them, and all of them boil.\n"
OAI = (
    '<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><ListRecords><record><header/><metadata>'
    "<dc><title>Kettles</title></dc></metadata></record></ListRecords></OAI-PMH>"
)
PUBMED = "<PubmedArticleSet><PubmedArticle><ArticleTitle>Kettles</ArticleTitle></PubmedArticle></PubmedArticleSet>"
SENT_IN = f'<!DOCTYPE ArticleSet PUBLIC "-//NLM//DTD PubMed 2.6//EN" "PubMed.dtd">{PUBMED.replace("Pubmed", "")}'
FIELD = '<datafield tag="245"><subfield code="a">Kettles</subfield></datafield>'
MARC = f'<marc:record xmlns:marc="http://www.loc.gov/MARC21/slim">{FIELD}</marc:record>'
JATS = (
    "<article><front><article-meta><title-group><article-title>Kettles</article-title></title-group>"
    "</article-meta></front></article>"
)
PAGES = {
    **{RSS: "feed", RDF: "feed", ATOM: "feed", f"<!-- {'x' * 9_000} -->\n{RSS[21:]}": "feed"},
    **{JSON: "huggingface-api", f'\n {{"data": {JSON}}}': "huggingface-api", REPR: "huggingface-api"},
    **{HTML: "huggingface-html", PROPS: "huggingface-html", f"<?xml version='1.0'?>{HTML}": "huggingface-html"},
    **{OAI: "oai", f"<?xml version='1.0'?><?xml-stylesheet href='x'?>{OAI}": "oai"},
    **{PUBMED: "pubmed", SENT_IN: "pubmed", JATS: "jats", f"<articles>{JATS}</articles>": "jats"},
    **{MARC: "marcxml", f"<collection><record>{FIELD}</record></collection>": "marcxml"},
    **{TEXT: "text", f"[Re] {TEXT[18:]}": "text"},
    "X-Kettles: Counted\n\nWe count kettles. There are seven of them, and all of them boil.\n": "text",
    **{
        '[{"title": "Kettles"}]': "json",
        '{\n "data": [\n  {"title": "Kettles"}\n ]\n}': "json",
        '{"title":"Kettles"}': "json",
    },
    **{
        '{"title": "Kettles"}\n{"title": "Pots"}': "jsonl",
        f'{{"title": "Kettles"}}\r\n\n{{"x": "{"y" * 70_000}"}}': "jsonl",
    },
    f'{{"title": "Kettles", "authors": "{"y" * 70_000}"}}\n{{"title": "Pots"}}': "jsonl",
    '{"version": "https:\\/\\/jsonfeed.org\\/version\\/1", "items": [{"title": "Kettles"}]}': "json-feed",
    **{
        "title,doi\nKettles,": "csv",
        "@misc{k, title = {Kettles}}": "bibtex",
        "TY  - JOUR\nTI  - Kettles\nER  - ": "ris",
    },
}


@pytest.mark.parametrize(("page", "kind"), PAGES.items(), ids=range(len(PAGES)))
@pytest.mark.parametrize("encoding", [None, "utf-8", "utf-8-sig", "utf-16"])
def test_the_kind_is_told_by_the_content(page: str, kind: str, encoding: str | None) -> None:
    given = page.encode(encoding) if encoding else page
    assert kinds.detect(given) == kind
    assert kinds.parse(given).listings[0].title.removeprefix("[Re] ") in ("Kettles", "X-Kettles: Counted")
    assert kinds.parse(given, kind) == kinds.parse(given)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
def test_a_feed_may_come_in_any_encoding_xml_knows(encoding: str) -> None:
    assert kinds.parse(RSS.encode(encoding)).listings[0].title == "Kettles"


@pytest.mark.parametrize(
    ("page", "says"),
    [
        (b"", "the page is empty"),
        ("\n ", "the page is empty"),
        (b"\xef\xbb\xbf", "the page is empty"),
        (b"%PDF-1.7\n%", "is a PDF"),
        (b"\x89PNG\r\n\x1a\n", "is an image"),
        (b"\xff\xd8\xff\xe0", "is an image"),
        (b"GIF89a", "is an image"),
        (b"\x1f\x8b\x08", "gzip data"),
        (b"PK\x03\x04", r"a ZIP archive \(a spreadsheet\? Save it as CSV\)"),
        (b"\xd0\xcf\x11\xe0", r"an old Office file \(a spreadsheet\? Save it as CSV\)"),
        (b"\x00\x01\x02", "binary data"),
        (b"<!DOCTYPE html><title>Sign\n in</title><form></form>", "the HTML page 'Sign in' shows no papers"),
        (b"<html><body>502 Bad Gateway</body></html>", "the HTML page shows no papers"),
        (b"<!-- nothing else", "the HTML page shows no papers"),
        (b'<?xml version="1.0"?><opml/>', "XML of no kind that is read \\(its root is 'opml'\\)"),
        (b'<?xml version="1.0"?><collection/>', "its root is 'collection'"),
        (b'<?xml version="1.0"?><article><para>DocBook</para></article>', "its root is 'article'"),
        (b'<?xml version="1.0"?>', "out of sight"),
        (b"Return-Path: <a@b.example>\nSubject: Papers\n", "is an e-mail"),
        (b"From ada@example.org Fri Mar 14", "is an e-mail"),
        (b"Caf\xe9\n\n", r"byte 3 \(line 1\) is not UTF-8"),
        (b"Too Many Requests", "holds no papers"),
        (b'{"error": "nope"}', "error, 'nope'"),
        (b"x" * 50_000_001, "larger than 50,000,000 bytes"),
    ],
)
def test_what_is_none_of_them_says_what_it_is(page: bytes | str, says: str) -> None:
    with pytest.raises(SourceError, match=says) as caught:
        kinds.parse(page)
    assert "\n" not in str(caught.value)


def test_a_kind_nobody_knows_names_those_that_are() -> None:
    with pytest.raises(SourceError, match="no kind 'pdf': use one of text, huggingface-api, huggingface-html, feed"):
        kinds.parse(TEXT, "pdf")


@pytest.mark.parametrize("kind", kinds.PARSERS)
@pytest.mark.parametrize("page", [*PAGES, b"", b"\x89PNG\r\n\x1a\n\x00", b"\xff\xfe\x00", "\ud800", "\x00<"])
def test_a_page_of_another_kind_is_an_error_or_an_edition(page: bytes | str, kind: str) -> None:
    holds(page, kind)


def holds(page: bytes | str, kind: str | None = None) -> None:
    """The rule: a good edition or a SourceError of one line, and nothing else."""
    try:
        edition = kinds.parse(page, kind)
    except SourceError as error:
        assert "\n" not in str(error)
        assert len(str(error)) < 1_000
        str(error).encode()
    else:
        assert_good(edition)


def assert_good(edition: ParsedEdition) -> None:
    assert edition.listings
    for one in edition.listings:
        texts = [one.title, one.abstract, one.doi, one.url, one.arxiv_id, *one.authors, *one.categories]
        "".join(texts).encode()
        assert not any(sign in text for text in texts for sign in "\n\r\t\x00\u202e")
        assert one.title == one.title.strip() != ""
        assert len(one.title) <= 1_000
        assert len(one.abstract) <= 20_000
        assert one.url.startswith(("http://", "https://")) or not one.url
        assert one.rank >= 1
        assert one.upvotes is None or one.upvotes >= 0


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_mutation_of_a_page_breaks_the_rule(data: st.DataObject) -> None:
    page = data.draw(st.sampled_from(sorted(PAGES))).encode()
    holds(mutated(data, page), data.draw(st.sampled_from([None, *kinds.PARSERS])))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200), st.sampled_from([None, *kinds.PARSERS]))
@example(b"\xff\xfe<\x00", None)
@example('<rss version="2.0"><channel><links>x</links></channel></rss>', "feed")
@example("<rss><item><title>T</title><title_detail>x</title_detail><tags>y</tags></item></rss>", "feed")
@example("<feed><entry><title_detail>x</title_detail><title>T</title></entry></feed>", "feed")
@example("[" * 5_000, None)
def test_no_noise_breaks_the_rule(page: bytes | str, kind: str | None) -> None:
    holds(page, kind)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just("2503.10613"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "paper id title summary authors name upvotes publishedAt submittedOnDailyAt data date".split()
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(st.lists(VALUES | st.fixed_dictionaries({"title": st.text(max_size=9), "paper": VALUES}), max_size=3))
def test_no_json_breaks_the_rule(rows: list[object]) -> None:
    holds(json.dumps(rows), "huggingface-api")
    holds(json.dumps([repr(row) for row in rows]), "huggingface-api")
    holds(f"<div data-target='DailyPapers' data-props=\"{json.dumps(rows)}\">", "huggingface-html")


def mutated(data: st.DataObject, page: bytes) -> bytes:
    """The page cut, with bytes swapped, or with bytes put in; once or a few times."""
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(page)))
        change = data.draw(st.sampled_from(["cut", "drop", "swap", "insert"]))
        if change == "cut":
            page = page[:place]
        elif change == "drop":
            page = page[:place] + page[place + data.draw(st.integers(1, 40)) :]
        elif change == "swap":
            page = page[:place] + page[place : place + 2][::-1] + page[place + 2 :]
        else:
            page = page[:place] + data.draw(st.binary(min_size=1, max_size=8) | TOKENS) + page[place:]
    return page


TOKENS = st.sampled_from(
    [
        *(b"<item>", b"</item>", b"<entry>", b"<author>", b"<category>", b"<link>", b"<![CDATA[", b' type="html"'),
        *(b"&nbsp;", b"&#0;", b"&#xD800;", b' encoding="utf-7"', b"\xff\xfe", b'"', b"{", b"\\ud800", b"\n"),
        *(b"-", b"9" * 5_000),
    ]
)


# --- real pages


def test_every_hostile_and_foreign_file_keeps_the_rule(shared_data: Path) -> None:
    seen = 0
    for folder in ("hostile", "other_sources", "arxiv", "seeds", "hf_api_daily_papers", "hf_html_reconstructed"):
        for path in sorted((shared_data / folder).rglob("*")):
            if path.is_file():
                holds(path.read_bytes())
                seen += 1
    assert seen > 950


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_no_mutation_of_a_real_page_breaks_the_rule(shared_data: Path, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(real_pages(shared_data)))
    holds(mutated(data, path.read_bytes()), data.draw(st.sampled_from([None, None, *kinds.PARSERS])))


def real_pages(shared_data: Path) -> list[Path]:
    patterns = (
        "arxiv/*.xml",
        "other_sources/*/*.xml",
        "seeds/*.txt",
        "hf_html_reconstructed/*",
        "hf_api_daily_papers/*",
    )
    return [path for pattern in patterns for path in sorted(shared_data.glob(pattern))]
