"""Every real file that is not XML: what its README says it holds, field by field for its first and last paper.

Facts only: titles by their first words, abstracts by their length, authors by their number and the first.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from digest.papers.sources import kinds
from digest.papers.sources.parsed import EmptyEdition, ParsedListing, SourceError
from digest.papers.sources.plain_text import unpacked

HF = "https://huggingface.co/papers/"
S2 = "https://www.semanticscholar.org/paper/"
SEMANTIC_SCHOLAR = "other_sources/semanticscholar"


class Facts(NamedTuple):
    """What is known of one paper: `rest` is every other field that is not empty."""

    title: str
    abstract: int = 0
    authors: int = 0
    first: str = ""
    rest: dict[str, Any] = {}


class Page(NamedTuple):
    """What is known of one file."""

    kind: str
    papers: int
    first: Facts
    last: Facts
    date: dt.date | None = None
    month_day: tuple[int, int] | None = None
    warnings: int = 0


def hf(title: str, abstract: int, authors: int, first: str, day: str, number: str, *counts: int) -> Facts:
    """A paper of Hugging Face's list: its day at arXiv, its id, and rank, upvotes, comments."""
    rank, upvotes, comments = counts
    rest = {"arxiv_id": number, "rank": rank, "upvotes": upvotes, "comments": comments}
    return Facts(
        title, abstract, authors, first, rest | {"url": HF + number, "published_on": dt.date.fromisoformat(day)}
    )


def one(kind: str, facts: Facts) -> Page:
    """A file of one paper."""
    return Page(kind, 1, facts, facts)


def day(text: str) -> dict[str, dt.date]:
    return {"published_on": dt.date.fromisoformat(text)}


COSTA = hf("CoSTAast: Cost-Sensitive", 1540, 4, "Advait Gupta", "2025-03-13", "2503.10613", 1, 29, 7)
SILENT = hf('"Silent Is Not', 899, 2, "Mia Mohammad Imran", "2025-03-13", "2503.10072", 26, 1, 1)
DAYS = {
    "2024-05-27": Page(
        "huggingface-api",
        13,
        hf("ConvLLaVA: Hierarchical Backbones", 1463, 9, "Chunjiang Ge", "2024-05-24", "2405.15738", 1, 32, 3),
        hf("HDR-GS: Efficient High", 1316, 7, "Yuanhao Cai", "2024-05-24", "2405.15125", 13, 3, 0),
    ),
    "2024-12-13": Page(
        "huggingface-api",
        23,
        hf("InternLM-XComposer", 1789, 29, "Pan Zhang", "2024-12-12", "2412.09596", 1, 56, 1),
        hf("SAME: Learning Generic", 1141, 6, "Gengze Zhou", "2024-12-07", "2412.05552", 23, 2, 1),
    ),
    "2025-01-10": Page(
        "huggingface-api",
        9,
        hf("The GAN is dead", 1016, 4, "Yiwen Huang", "2025-01-09", "2501.05441", 1, 51, 4),
        hf("Building Foundations", 1151, 7, "Şaziye Betül Özateş", "2025-01-08", "2501.04828", 9, 6, 2),
        date=dt.date(2025, 1, 10),
    ),
    "2025-01-21": one(
        "huggingface-api", hf("GameFactory: Creating", 1465, 6, "Jiwen Yu", "2025-01-14", "2501.08325", 1, 28, 2)
    ),
    "2025-03-14": Page("huggingface-api", 26, COSTA, SILENT),
    "2025-06-10": Page(
        "huggingface-api",
        28,
        hf("Reinforcement Pre-Training", 942, 7, "Qingxiu Dong", "2025-06-09", "2506.08007", 1, 97, 3),
        hf("EVOREFUSE: Evolutionary", 1770, 9, "Xiaorui Wu", "2025-05-29", "2505.23473", 28, 0, 1),
        date=dt.date(2025, 6, 10),
    ),
    "2026-02-10": Page(
        "huggingface-api",
        33,
        hf("Modality Gap-Driven", 1648, 15, "Xiaomin Yu", "2026-02-02", "2602.07026", 1, 78, 1),
        hf("Aster: Autonomous", 1130, 1, "Emmett Bicker", "2026-02-03", "2602.07040", 33, 0, 0),
        date=dt.date(2026, 2, 10),
    ),
}
PAGES: dict[str, Page] = {
    "seeds/000_09e0d2716063a917.txt": Page(
        "text",
        52,
        Facts("Merging Models with Fisher", 1482),
        Facts("Boosting Tool Use", 1408, rest={"rank": 52}),
        month_day=(3, 14),
    ),
    "seeds/004_caf4c692b8e6159f.txt": Page(
        "text", 243, Facts("Establishing Task Scaling", 1295), Facts("Current Limitations", 1113, rest={"rank": 243})
    ),
    **{f"hf_api_daily_papers/{name}.json": page for name, page in DAYS.items()},
    "hf_html_reconstructed/RECONSTRUCTED_papers_2025-03-14.html": Page(
        "huggingface-html", 26, COSTA, SILENT, date=dt.date(2025, 3, 14)
    ),
    "hf_daily/hf_daily_dev.jsonl.gz": Page(
        "jsonl",
        6141,
        Facts(
            "ConvLLaVA: Hierarchical Backbones",
            1463,
            9,
            "Chunjiang Ge",
            {"arxiv_id": "2405.15738", "upvotes": 32, "comments": 3, "listed_on": dt.date(2024, 5, 27)}
            | day("2024-05-24"),
        ),
        Facts(
            "GraphLocator: Graph-guided",
            1847,
            7,
            "Wei Liu",
            {"arxiv_id": "2512.22469", "rank": 4, "upvotes": 1, "comments": 1, "listed_on": dt.date(2025, 12, 31)}
            | day("2025-12-27"),
        ),
    ),
    "hf_daily/hf_feed_extra_dev.jsonl.gz": Page(
        "jsonl",
        1761,
        Facts(
            "ViSMaP: Unsupervised",
            1756,
            4,
            "Jian Hu",
            {"arxiv_id": "2504.15921", "upvotes": 3, "listed_on": dt.date(2025, 4, 25)} | day("2025-04-22"),
        ),
        Facts(
            "Robo-Dopamine: General",
            1910,
            15,
            "Huajie Tan",
            {"arxiv_id": "2512.23703", "rank": 11, "upvotes": 4, "listed_on": dt.date(2025, 12, 31)}
            | day("2025-12-29"),
        ),
    ),
    "other_sources/crossref/PhysRevB.33.3547.2.json": one(
        "json",
        Facts(
            "Erratum: Polaronic behavior",
            0,
            2,
            "Marcos H. Degani",
            {
                "doi": "10.1103/physrevb.33.3547.2",
                "url": "http://dx.doi.org/10.1103/physrevb.33.3547.2",
                "categories": ("Condensed Matter Physics",),
            }
            | day("1986-03-01"),
        ),
    ),
    "other_sources/crossref/sample_crossref_record.json": one(
        "json",
        Facts(
            "Perturbative renormalization",
            0,
            2,
            "Michael I. Buchoff",
            {"doi": "10.1103/physrevd.93.016005", "url": "http://dx.doi.org/10.1103/physrevd.93.016005"}
            | day("2016-01-11"),
        ),
    ),
    # Issued in a month; its first whole day is that of its DOI.
    "other_sources/crossref/tasc.2017.2776938.json": one(
        "json",
        Facts(
            "Quench Protection Heater",
            0,
            15,
            "Kento Suzuki",
            {
                "doi": "10.1109/tasc.2017.2776938",
                "url": "http://dx.doi.org/10.1109/tasc.2017.2776938",
                "categories": (
                    "Electrical and Electronic Engineering",
                    "Electronic, Optical and Magnetic Materials",
                    "Condensed Matter Physics",
                ),
            }
            | day("2017-11-23"),
        ),
    ),
    "other_sources/publishers/aps_single_response.json": one(
        "json",
        Facts(
            "You can run, you",
            768,
            5,
            "OSQAR Collaboration",
            {"doi": "10.1103/physreve.92.052801", "categories": ("Quantum Information",)} | day("2015-11-02"),
        ),
    ),
    f"{SEMANTIC_SCHOLAR}/Author.json": Page(
        "json",
        60,
        Facts(
            "Dystopian or Utopian",
            1593,
            1,
            "A. Turing",
            {"url": f"{S2}5d10faffeae5e9f2ae868626b29e6e9b8047cecb", "categories": ("Art",)},
        ),
        Facts(
            "Computing Machinery and",
            1596,
            1,
            "A. Turing",
            {"url": f"{S2}4d81ff79406cd02e064285e5f61e5b6bde68f5e7", "rank": 60, "categories": ("Philosophy",)},
        ),
    ),
    f"{SEMANTIC_SCHOLAR}/test_get_paper.yaml": one("json", Facts("Computing Machinery and")),
    f"{SEMANTIC_SCHOLAR}/test_get_recommended_papers.yaml": Page(
        "json", 100, Facts("Report shows slight"), Facts("The Multiracial", rest={"rank": 100})
    ),
    f"{SEMANTIC_SCHOLAR}/test_get_recommended_papers_from_lists.yaml": Page(
        "json", 100, Facts("The path sequence"), Facts("BINARY FRUIT FLY", rest={"rank": 100})
    ),
    f"{SEMANTIC_SCHOLAR}/test_search_paper.yaml": Page(
        "json", 100, Facts("Using DeepSpeed and"), Facts("Turing patterns in", rest={"rank": 100})
    ),
    "hostile/hostile_papers.json": Page(
        "json",
        5,
        Facts("Graph methods", 4),
        Facts("LONG", 4, 1, "LONG", {"rank": 6}),
        warnings=2,  # titles of nothing but an image, a style sheet
    ),
}
ERRORS: dict[str, str] = {
    "hf_daily/hf_upvote_observations_dev.csv.gz": "no column for the title .its columns: 'paper_id', 'observed_at',",
    f"{SEMANTIC_SCHOLAR}/PaperWithNullValues.json": "it has no title .it has 'paperId', 'authors', 'citations',",
    f"{SEMANTIC_SCHOLAR}/test_bad_query_parameters.yaml": "an error, 'Unrecognized or unsupported fields: .unknown.'",
    f"{SEMANTIC_SCHOLAR}/test_empty_paginated_results.yaml": "the list holds no papers",
    # Only authors, a PDF or the year were asked for.
    f"{SEMANTIC_SCHOLAR}/test_get_papers.yaml": "lists 3 things, none a paper .record 1 passed over: it has no title",
    f"{SEMANTIC_SCHOLAR}/test_search_paper_open_access_pdf.yaml": "lists 100 things, none a paper",
    f"{SEMANTIC_SCHOLAR}/test_search_paper_year.yaml": "lists 21 things, none a paper",
    f"{SEMANTIC_SCHOLAR}/test_not_found.yaml": "an error, '(Paper|Author) with id 0 not found'",
    "hostile/blns/blns.json": "lists 515 things, none a paper",
    "hostile/blns/blns.txt": "line 106: the title .* has no abstract below it",
    "hostile/hf_awkward_titles.json": "no list of papers .its keys: 'latex', 'html_like'",
    "hostile/encodings_miniflux/encoding__iso-8859-1-meta-after-1024.html": "the HTML page 'Frédéric' shows no papers",
    "hostile/encodings_miniflux/encoding__iso-8859-1.html": "the HTML page 'Frédéric' shows no papers",
    "hostile/encodings_miniflux/encoding__utf8-meta-after-1024.html": "the HTML page 'Frédéric' shows no papers",
    "hostile/encodings_miniflux/encoding__utf8.html": "the HTML page 'Café' shows no papers",
}
NO_SOURCES = {
    "README.md": "about the data",
    "arxiv/docs_*.md": "arXiv's documentation",
    "hf_daily/hf_daily_raw_dev.tar.xz": "an archive of days, each read in test_huggingface_api.py",
    "eval/*": "judged sets for ranking",
    "cases/*": "small inputs, each read in test_cases.py",
    "hostile/mime_*": "e-mails, for delivery and bounces",
    "hostile/*/LICENSE": "a licence",
    "hostile/isemail/license.md": "a licence",
    "sealed.bin": "kept closed",
}


def contents(path: Path) -> list[bytes]:
    """The pages in a file: unpacked, or the answers that a recording (YAML) holds as quoted, folded texts."""
    if path.suffix != ".yaml":
        return [unpacked(path.read_bytes(), kinds.MAX_PAGE)]
    quoted = re.findall(r"(?:string|content): '((?:[^']|'')*)'", path.read_text(encoding="utf-8"))
    return [re.sub(r"\s*\n\s*", " ", text.replace("''", "'")).strip().encode() for text in quoted]


def agrees(listing: ParsedListing, facts: Facts) -> None:
    assert listing.title.startswith(facts.title)
    assert len(listing.abstract) == facts.abstract
    assert (len(listing.authors), listing.authors[:1]) == (facts.authors, (facts.first,) if facts.first else ())
    assert replace(listing, title="", abstract="", authors=()) == ParsedListing(title="", **facts.rest)


@pytest.mark.parametrize("name", PAGES)
def test_a_real_file_is_read_field_by_field(shared_data: Path, name: str) -> None:
    page = PAGES[name]
    (content,) = contents(shared_data / name)
    assert kinds.detect(content) == page.kind
    edition = kinds.parse(content)
    assert len(edition.listings) == page.papers
    assert (edition.date, edition.month_day, len(edition.warnings)) == (page.date, page.month_day, page.warnings)
    agrees(edition.listings[0], page.first)
    agrees(edition.listings[-1], page.last)


@pytest.mark.parametrize("name", ERRORS)
def test_a_real_file_that_lists_no_papers_says_why(shared_data: Path, name: str) -> None:
    pages = contents(shared_data / name)
    assert pages
    for content in pages:
        with pytest.raises(SourceError, match=ERRORS[name]) as caught:
            kinds.parse(content)
        assert isinstance(caught.value, EmptyEdition) == name.endswith("test_empty_paginated_results.yaml")


def test_every_row_of_the_normalised_days_keeps_its_day_and_place(shared_data: Path) -> None:
    for name, days in (("hf_daily_dev", 415), ("hf_feed_extra_dev", None)):
        (content,) = contents(shared_data / "hf_daily" / f"{name}.jsonl.gz")
        places: dict[dt.date | None, list[int]] = {}
        for listing in kinds.parse(content).listings:
            places.setdefault(listing.listed_on, []).append(listing.rank)
        assert None not in places
        assert all(ranks == list(range(1, len(ranks) + 1)) for ranks in places.values())
        assert days is None or len(places) == days


def test_every_file_that_is_not_xml_is_in_a_table_or_known_as_no_source(shared_data: Path) -> None:
    names = [str(path.relative_to(shared_data)) for path in sorted(shared_data.rglob("*")) if path.is_file()]
    unknown = [
        name
        for name in names
        if not name.endswith(".xml") and name not in {*PAGES, *ERRORS} and not any(fnmatch(name, p) for p in NO_SOURCES)
    ]
    assert not unknown
    assert not {*PAGES, *ERRORS} - set(names)
