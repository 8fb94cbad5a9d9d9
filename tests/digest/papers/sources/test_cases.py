"""Small files as real sources and tools write them: what comes of each paper, and how many warnings.

A paper is its title, authors, arXiv id, DOI, ~guessed DOI, link and day, those that it has.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from digest.papers.sources import kinds
from digest.papers.sources.identifiers import named_in
from digest.papers.sources.parsed import ParsedListing, SourceError

PAGE = "http://127.0.0.1:8190/x/feed.xml"
# ruff: noqa: E501
PAGES: dict[str, tuple[int, list[str]]] = {
    "acl.xml": (
        0,
        [
            "“Say What?” Kettles in English | Ada Byron; Li Wei; Mei Lin | https://aclanthology.org/2026.paclic-1.113/ | 2026-11-30",
        ],
    ),
    "altlinks.xml": (
        1,
        [
            "Ladles one | https://example.org/ladle/1 | 2026-11-30",
            "Ladles two | https://example.org/ladle/2 | 2026-11-30",
            "Ladles three: enclosure only | https://example.org/ladle/3 | 2026-11-30",
            "Ladles four: self and edit only | https://example.org/ladle/4 | 2026-11-30",
            "Ladles five: related first | https://example.org/ladle/5 | 2026-11-30",
            "Ladles six: future | https://example.org/ladle/6",
            "Ladles seven: year 0001 | https://example.org/ladle/7",
            "Ladles eight: epoch | https://example.org/ladle/8",
            "Ladles nine: link with spaces | https://example.org/ladle/9%20a%20b | 2026-11-30",
            "Ladles ten: IRI | https://münchen.example/schöpfkelle?q=ü | 2026-11-30",
            "Ladles eleven: uppercase scheme | https://Example.org/ladle/11 | 2026-11-30",
            "Ladles thirteen: replies link | https://example.org/ladle/13 | 2026-11-30",
        ],
    ),
    "amp-rss.xml": (
        1,
        [
            "Pots & pans | http://127.0.0.1:8190/1?a=1&b=2",
        ],
    ),
    "atom-xhtml-title.xml": (
        0,
        [
            "H2O at 10^5 Pa | http://127.0.0.1:8190/p1 | 2026-11-30",
            "Wrapped twice | http://127.0.0.1:8190/p2 | 2026-11-30",
            "Text with literal tags | http://127.0.0.1:8190/p3 | 2026-11-30",
            "Plain title with & double escape | http://127.0.0.1:8190/p4 | 2026-11-30",
        ],
    ),
    "bib-odd.bib": (
        3,
        [
            "After the unbalanced one | Ada Byron | 2026-12-01",
            "Production of $\\Sigma^{0}$ Hyperon and Search of $\\Sigma$$^{0}$ Hypernuclei with KETTLE | Alexander Borissov; Sergei Solokhin | 10.1134/s1063778823010131",
            "Kettle GPT: in vitro 50% of $5 & more_or_less – a “test” | Jürgen Müller; Søren Østergaard; OpenAI Team; José García; Jiří Šimeček; P. Erdős; A. Nguyễn | 2611.00001 | http://arxiv.org/abs/2611.00001",
            "Mendeley style kettle | Ada Byron; Li Wei | 10.1000/mend_1 | https://doi.org/10.1000/mend_1",
            "Child of a crossref | Li Wei | 2026-12-01",
            "Quoted inner quotes | Li Wei",
            "Good after bad quotes | Li Wei",
            "Entry in parentheses | Li Wei",
            "Duplicate field | Li Wei",
            "No key | Li Wei",
            "Upper and space | World Health Organization; John Doe, Jr. | 2026-11-29",
            "Biblatex: And a Subtitle | Ada von Byron; Li Wei | 2611.00002 | 2026-11-28",
            "The last one | Li Wei",
        ],
    ),
    "bib-textcommands.bib": (
        0,
        [
            "Effect at p < 0.05 and n > 3 – a 20 °C, 5 × 5 µm study—part 2 | Li Wei",
            "The “kettle” and ‘pot’ C# \\n ~50 |x| ® | Li Wei",
            "$\\alpha$-decay, α-helix, íslands, naïve, coöperate, ß, ð, þ, Đ, ŋ, æon, ı, &c | Li Wei; Ágúst Ðorðarson; İlker Şahin; X D; Hồà Lê",
            "H2O and 10^3 and CO$_2$ 10$^{-3}$ | Li Wei",
            "Dashes: 1–2, a—b, “quoted”, ‘single’, … and …, 5 mm, 20%, ©, §3, ø, € | Li Wei",
            "Extended | Ada von Byron; Li Wei",
            "Month form one | Li Wei | 2026-11-04",
            "Month form two | Li Wei | 2026-11-04",
            "Month number | Li Wei | 2026-11-04",
            "Many names | Ada Byron; Li Wei",
            "Comma list | Ada Byron; Li Wei; Mei Lin",
            "Newline and tabs in title | Ada Byron; Li Wei",
        ],
    ),
    "bib-zotero-mendeley.bib": (
        0,
        [
            "Sets {a, b} of ~50 at p < 0.05 | Li Wei",
            "E. coli in kettles and CO2 | Li Wei",
            "Weights <1 kg, T>300 K | Li Wei",
            "DNA Is Longer Than 5 m – A Study of E. coli and “quoted” text | Alexander van Deursen; Jan Dijk | 2026-11-05",
            "Gödel, Escher & Müller's Café naïve øre Ångström ça va | Petr Hořava; T Sjöstrand; J Gutiérrez-Vega; A Étienne; B Łukasz; C Å",
        ],
    ),
    "biorxiv.xml": (
        0,
        [
            "[NEW] Kettle neurons in C. elegans | A. Byron; L. Wei; J. van der Berg | 10.1101/2026.11.28.123456 | http://biorxiv.org/cgi/content/short/2026.11.28.123456v1?rss=1 | 2026-11-29",
        ],
    ),
    "cp1252.xml": (
        0,
        [
            "Müller – “quoted” | http://127.0.0.1:8190/1",
        ],
    ),
    "creators.xml": (
        0,
        [
            "c1 | Ada Byron; Li Wei | http://127.0.0.1:8190/1",
            "c2 | A. Byron; L. Wei | http://127.0.0.1:8190/2",
            "c3 | Ada Byron; Li Wei | http://127.0.0.1:8190/3",
            "c4 | Ada Byron | http://127.0.0.1:8190/4",
            "c5 | http://127.0.0.1:8190/5",
            "c6 | Ada Byron; Li Wei | http://127.0.0.1:8190/6",
            "c7 | Ada Byron; Li Wei | http://127.0.0.1:8190/7",
            "c8 | Ada Byron; Li Wei | http://127.0.0.1:8190/8 | 2026-11-28",
            "c9 | BYRON, ADA | http://127.0.0.1:8190/9 | 2026-11-28",
            "c10 | Byron A; Wei L; Mei X | http://127.0.0.1:8190/10 | 2026-11-28",
            "c11 | Ada Byron; Li Wei | http://127.0.0.1:8190/11 | 2026-11-28",
            "c12 | Byron, A.; Wei, L. | http://127.0.0.1:8190/12 | 2026-11-29",
            "c13 | Ada Byron; Li Wei | http://127.0.0.1:8190/13",
        ],
    ),
    "crossref-mathml.json": (
        0,
        [
            "Decay of ^38Ca in 0^+ kettles | Ada Byron | 10.1103/physrevx.16.000001",
            "Irrationality of √2 and 1/2 | Li Wei | 10.1103/physrevx.16.000002",
            "Collisions at √(s_{NN}) = 19.6 GeV | Li Wei | 10.1103/physrevx.16.000003",
            "Limit ∑_i^n, mean x̄, phantom | Li Wei | 10.1103/physrevx.16.000004",
            "Growth of Bi2Te3 and DNA for E. coli: x & y | Li Wei | 10.1016/j.x.2026.1",
        ],
    ),
    "ctrl-rss.xml": (
        1,
        [
            "Form feed control char | http://127.0.0.1:8190/1",
        ],
    ),
    "ctrl16.xml": (
        1,
        [
            "Control char ladle | http://127.0.0.1:8190/1",
        ],
    ),
    "ctrl8.xml": (
        1,
        [
            "Control char ladle | http://127.0.0.1:8190/1",
        ],
    ),
    "doi-suffix.xml": (
        0,
        [
            "Kettles and language models | Ada Byron | ~10.1162/tacl_a_00632 | https://direct.mit.edu/tacl/article/doi/10.1162/tacl_a_00632/119276/Kettles-and-Language?rss=1",
            "Kettles in bioinformatics | Li Wei | 10.1093/bioinformatics/btaf001 | https://academic.oup.com/bioinformatics/article/doi/10.1093/bioinformatics/btaf001/7654321?rss=1",
            "Kettles in plants | Mei Lin | ~10.1111/tpj.12145 | http://onlinelibrary.wiley.com/doi/10.1111/tpj.12145/abstract",
            "Boiling of kettles | Mei Lin | ~10.1063/5.0200001 | https://pubs.aip.org/aip/apl/article/doi/10.1063/5.0200001/3267890/Boiling-of-kettles",
            "Kettles in Taylor | ~10.1080/00000000.2026.1 | https://www.tandfonline.com/doi/full/10.1080/00000000.2026.1?af=R",
        ],
    ),
    "dup-guid.xml": (
        0,
        [
            "First of same guid | Ada Byron | http://127.0.0.1:8190/issue",
            "Second of same guid | Li Wei | http://127.0.0.1:8190/issue",
            "Third without authors | http://127.0.0.1:8190/issue",
            "Third without authors | http://127.0.0.1:8190/other",
            "Editorial | http://127.0.0.1:8190/ed1",
            "Editorial | http://127.0.0.1:8190/ed2",
        ],
    ),
    "editorial-1.xml": (
        0,
        [
            "Reading group notes | http://127.0.0.1:8190/notes/2026-11-24 | 2026-11-24",
            "Reading group notes | http://127.0.0.1:8190/notes/2026-11-30 | 2026-11-30",
        ],
    ),
    "encwrong1.xml": (
        0,
        [
            "Müller declared latin1 is utf8 | http://127.0.0.1:8190/1",
        ],
    ),
    "encwrong2.xml": (
        1,
        [
            "Müller declared utf8 is latin1 – dash | http://127.0.0.1:8190/1",
        ],
    ),
    "ent-rss.xml": (
        2,
        [
            "The Kettle’s boil — part 1 | http://127.0.0.1:8190/1",
            "Second fine | http://127.0.0.1:8190/2",
        ],
    ),
    "hugo-zero-date.atom": (
        0,
        [
            "Whisks in Atom at year one | http://127.0.0.1:8190/wa/1",
        ],
    ),
    "hugo-zero-date.xml": (
        0,
        [
            "Whisks at work: an undated page | http://127.0.0.1:8190/w/1/",
            "Whisks at epoch | http://127.0.0.1:8190/w/2/",
            "Whisks without any date | http://127.0.0.1:8190/w/3/",
            "Whisks of the far future | http://127.0.0.1:8190/w/4/",
        ],
    ),
    "ieee-day.xml": (
        0,
        [
            "Saucepans that the feed did not hold yesterday | http://127.0.0.1:8190/d/2 | 2026-11-11",
            "Saucepans known since yesterday | http://127.0.0.1:8190/d/1 | 2026-11-05",
        ],
    ),
    "ieee.xml": (
        0,
        [
            "Kettles by Wire | Ada Byron; Li Wei | http://ieeexplore.ieee.org/document/10000001 | 2026-11-25",
        ],
    ),
    "jsonfeed-odd.json": (
        1,
        [
            "Numeric id ladle | Ada Byron | https://example.org/j/1 | 2026-11-30",
            "Id only ladle | Ada Byron; Li Wei | https://example.org/j/2",
            "Linkblog ladle | 2611.00042 | https://example.org/j/3",
            "Ladle bold it em | https://example.org/j/5 | 2026-11-29",
            "Null url ladle",
            "Feed author ladle | https://example.org/j/7",
        ],
    ),
    "leadblank.xml": (
        0,
        [
            "Leading blank lines | http://127.0.0.1:8190/1",
        ],
    ),
    "markup-titles.xml": (
        0,
        [
            "CO2 uptake in Ti^3+ oxides | http://127.0.0.1:8190/1",
            "Search for e^{kt} growth | http://127.0.0.1:8190/2",
            "Fraction 1/2 spin and √s = 13 TeV | http://127.0.0.1:8190/3",
            "Rings of Z_p | http://127.0.0.1:8190/4",
            "A & B: AT&T's E. coli model | http://127.0.0.1:8190/5",
            "p<0.05 considered harmful & x<y | http://127.0.0.1:8190/6",
            "[ASAP] Kettles in Water | ~10.1021/acs.x.6c00001 | https://pubs.acs.org/doi/10.1021/acs.x.6c00001?af=R",
            "Math with mml H^2 norm | http://127.0.0.1:8190/7",
            "10^−3 M and H2O, xi, boldit | http://127.0.0.1:8190/8",
            "Using List<String> and vector<int> in C++ templates | http://127.0.0.1:8190/9",
        ],
    ),
    "merge-a1.bib": (
        0,
        [
            "Boiling kettles with transformers at scale | Ada Byron; Li Wei | 2611.01001 | http://arxiv.org/abs/2611.01001",
        ],
    ),
    "merge-a2.json": (
        0,
        [
            "Boiling kettles with transformers at scale | Ada Byron; Li Wei | 10.1000/jkl.2026.1001",
        ],
    ),
    "merge-b1.bib": (
        0,
        [
            "Cooling kettles with transformers at scale | Ada Byron; Li Wei | 2611.01002 | http://arxiv.org/abs/2611.01002",
        ],
    ),
    "merge-b2.json": (
        0,
        [
            "Cooling kettles with transformers at scale | Ada Byron; Li Wei | 10.1000/jkl.2026.1002",
        ],
    ),
    "merge-c2.json": (
        0,
        [
            "Kettles in bioinformatics | Li Wei | 10.1093/bioinformatics/btaf001",
            "Kettles and language models | Ada Byron | 10.1162/tacl_a_00632",
        ],
    ),
    "nber.xml": (
        0,
        [
            "The Price of Kettles | Ada Byron; Li Wei | https://www.nber.org/papers/w30001#fromrss",
        ],
    ),
    "oai-ctrl.xml": (
        1,
        [
            "Kettle with end of text | Ada Byron | https://example.org/1 | 2026-11-30",
            "Second kettle | Ada Byron | https://example.org/2 | 2026-11-30",
        ],
    ),
    "openreview.json": (
        0,
        [
            "OpenReview kettle | Ada Byron; Li Wei | https://openreview.net/forum?id=abc",
        ],
    ),
    "p-odd.csv": (
        1,
        [
            "Year only ladle | Byron A.; Wei L. | 10.1000/yo",
            "Formula ladle | =cmd; x | 10.1000/fo",
            "Next ladle | Ada",
        ],
    ),
    "p-scopus.csv": (
        0,
        [
            "Scopus ladle | A. Byron; L. Wei",
        ],
    ),
    "p-semi.csv": (
        0,
        [
            "Semicolon ladle; with one | Ada Byron; Li Wei | 2026-11-28",
            "Short ladle | Ada Byron | 2026-11-28",
        ],
    ),
    "p-trail.csv": (
        0,
        [
            "Trailing ladle | Ada Byron",
            "Two ladle | Ada Byron; Li Wei",
        ],
    ),
    "p-utf16.txt": (
        0,
        [
            "UTF16 ladle | Ada Byron; Li Wei",
        ],
    ),
    "p-zotero.csv": (
        0,
        [
            'Zotero CSV ladle: "quoted" and newline | Ada Byron; Li Wei | 10.1000/zcsv | https://example.org/z | 2026-11-28',
        ],
    ),
    "p.jsonl": (
        1,
        [
            "jsonl ladle | Ada",
            "jsonl two ladle | Ada Byron; Li Wei",
        ],
    ),
    "paperscool.xml": (
        0,
        [
            "Non-Kettle catalysis | Ada Byron; Li Wei | 2611.18591 | https://papers.cool/arxiv/2611.18591 | 2026-11-30",
        ],
    ),
    "preface.json": (
        0,
        [
            "Preface to the workshop on trivets | https://example.org/2025/preface | 2025-11-30",
            "Preface to the workshop on trivets | https://example.org/2026/preface | 2026-11-30",
        ],
    ),
    "pubmedrss.xml": (
        0,
        [
            "Kettle use in adults | Ada Byron; Li Wei | 10.1000/pm1 | https://pubmed.ncbi.nlm.nih.gov/40000001/?utm_source=Other&utm_medium=rss | 2026-11-30",
        ],
    ),
    "rel-atom.xml": (
        0,
        [
            "Kettle diffusion models boil | Ada Byron | http://127.0.0.1:8190/lab/papers/1/ | 2026-11-30",
            "Rooted diffusion of kettles | Li Wei | http://127.0.0.1:8190/papers/2/ | 2026-11-30",
        ],
    ),
    "rel-json.json": (
        0,
        [
            "Relative JSON feed paper on diffusion | Ada Byron | http://127.0.0.1:8190/posts/1 | 2026-11-30",
            "Item with id as address | http://127.0.0.1:8190/posts/2 | 2026-11-30",
        ],
    ),
    "rel-rss.xml": (
        0,
        [
            "Pots and diffusion at scale | http://127.0.0.1:8190/news/7 | 2026-11-30",
            "Pans by permalink guid alone | http://127.0.0.1:8190/news/8 | 2026-11-30",
            "Scheme relative saucepans | http://127.0.0.1:8190/news/9",
        ],
    ),
    "ris-bom.ris": (
        0,
        [
            "BOM and CRLF kettle | J. Müller",
        ],
    ),
    "ris-cr.ris": (
        0,
        [
            "CR only kettle | J. Mill",
        ],
    ),
    "ris-odd.ris": (
        0,
        [
            "Standard kettle: with a wrapped title line | Ada Byron; Li Wei, Jr.; J. van der Berg | 10.1000/ris1 | https://example.org/a | 2026-11-30",
            "One space kettle | Ada Byron",
            "No ER at the end | Li Wei",
            "Primary TI | Li Wei; A. Byron | 2026-11-28",
            "Lower doi prefix | 10.1000/ris3",
            "arXiv RIS | Li Wei | 2611.00003 | http://arxiv.org/abs/2611.00003 | 2026-11-27",
        ],
    ),
    "s2.json": (
        0,
        [
            "S2 kettle | Ada Byron | 2611.00077 | https://www.semanticscholar.org/paper/0123 | 2026-11-29",
        ],
    ),
    "sciencedirect.xml": (
        0,
        [
            "Deep kettles for in situ recognition | Ada Byron; Li Wei; Mei Lin | https://www.sciencedirect.com/science/article/pii/S0031320326000001?dgcid=rss_sd_all",
        ],
    ),
    "xmlbase-atom.xml": (
        0,
        [
            "Based kettles | http://127.0.0.1:8190/base/p1 | 2026-11-30",
        ],
    ),
    "xsl-rss.xml": (
        0,
        [
            "RSS 0.91 item | http://127.0.0.1:8190/1",
        ],
    ),
}
ERRORS = {
    "cloudflare.html": "the HTML page 'Just a moment...' shows no papers (a login or error page?): open it in a browser",
    "cutoff.xml": "line 1, column 210: the page is not well-formed XML (no element found): was it cut off? Fetch it again",
    "endnote.enw": "the page is in EndNote's format (.enw): export RIS or BibTeX",
    "nbib.txt": "the page is in PubMed's own format (.nbib): save it as XML (efetch), or as RIS or CSV",
    "phpwarn.xml": "line 4, column 3: the page is not well-formed XML (XML or text declaration not at start of entity): tell its publisher",
}
NOT_PAPERS = ("README.md", "paper_id_forms.txt", "sub-")


def facts(one: ParsedListing) -> str:
    guess = f"~{one.guessed_doi}" if one.guessed_doi else ""
    day = str(one.published_on or "")
    parts = (one.title, "; ".join(one.authors), one.arxiv_id, one.doi, guess, one.url, day)
    return " | ".join(part for part in parts if part)


@pytest.mark.parametrize("name", PAGES)
def test_every_paper_of_a_case_is_read_rightly(shared_data: Path, name: str) -> None:
    edition = kinds.parse((shared_data / "cases" / name).read_bytes(), url=PAGE)
    assert (len(edition.warnings), [facts(one) for one in edition.listings]) == PAGES[name]


@pytest.mark.parametrize("name", ERRORS)
def test_a_case_that_cannot_be_read_says_why(shared_data: Path, name: str) -> None:
    with pytest.raises(SourceError, match=re.escape(ERRORS[name])):
        kinds.parse((shared_data / "cases" / name).read_bytes(), url=PAGE)


def test_every_case_is_in_a_table(shared_data: Path) -> None:
    names = {path.name for path in (shared_data / "cases").iterdir()}
    assert {name for name in names if not name.startswith(NOT_PAPERS)} == PAGES.keys() | ERRORS.keys()


# Forms that name no paper: a month of 99, an author's page, a translator's copy, an id of OpenReview's.
NO_NAMES = ("9999.99999", "https://arxiv.org/a/", "https://translate.goog/", "https://openreview.net/")


def test_every_form_of_an_identifier_names_its_paper(shared_data: Path) -> None:
    forms = (shared_data / "cases" / "paper_id_forms.txt").read_text().splitlines()
    assert [form for form in forms if not any(named_in(form))] == [f for f in forms if f.startswith(NO_NAMES)]
    for form in forms:
        arxiv_id, doi = named_in(form)
        if "2401.12345" in form and not form.startswith(NO_NAMES):
            assert (arxiv_id, doi) == ("2401.12345", "")
        if "xyz123" in form.lower():
            assert (arxiv_id, doi) == ("", "10.1000/xyz123")
