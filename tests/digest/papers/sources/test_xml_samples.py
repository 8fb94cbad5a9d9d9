"""Every real page of XML, field by field, against values written down by reading the files.

Of titles and abstracts the first words stand here; the rest belongs to others and stays in the files.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from digest.papers.sources import kinds
from digest.papers.sources.parsed import EmptyEdition, ParsedListing

Day = dt.date


@dataclass(frozen=True)
class Wanted:
    """A listing as the file has it: title and abstract by their first words, authors by number, first and last."""

    title: str
    abstract: str
    authors: tuple[int, str, str] = (0, "", "")
    arxiv: tuple[str, int | None] = ("", None)
    doi: str = ""
    url: str = ""
    upvotes: int | None = None
    categories: tuple[str, ...] = ()
    published_on: Day | None = None
    announce_type: str = "new"
    listed_on: Day | None = None


@dataclass(frozen=True)
class Page:
    kind: str
    date: Day | None
    name: str
    count: int
    first: Wanted
    last: Wanted | None = None  # None: the first is the only one
    total: int | None = None
    warnings: tuple[str, ...] = field(default=())


def oai(date: Day, wanted: Wanted) -> Page:
    """An answer of arXiv's to GetRecord."""
    return Page("oai", date, "export.arxiv.org", 1, wanted)


HERA = Page(
    kind="feed",
    date=Day(2007, 10, 8),
    name="ArXiv Query: search_query=all:electron&id_list=&start=0&max_results=1",
    count=1,
    total=1000,
    first=Wanted(
        title="Multi-Electron Production at High Transverse Momenta",
        abstract="Multi-electron production is",
        authors=(1, "H1 Collaboration", "H1 Collaboration"),
        arxiv=("hep-ex/0307015", 1),
        url="http://arxiv.org/abs/hep-ex/0307015v1",
        categories=("hep-ex",),
        published_on=Day(2003, 7, 7),
    ),
)
UNRUH = Wanted(
    title="Irreversible degradation of quantum coherence",
    abstract="We study the",
    authors=(5, "Planck Collaboration", "Heng Fan"),
    arxiv=("1601.03238", None),
    doi="10.1103/physrevd.93.016005",
    url="https://arxiv.org/abs/1601.03238",
    categories=("quant-ph", "gr-qc", "hep-th"),
    published_on=Day(2016, 1, 13),
    listed_on=Day(2016, 1, 14),
)
DAILY = "Hugging Face Daily Papers"

PAGES = {
    "arxiv/api_atom_new_style_2026-09-24.xml": Page(
        kind="feed",
        date=Day(2026, 9, 24),
        name="arXiv Query: search_query=cat:cs.CL&id_list=&start=0&max_results=3",
        count=3,
        total=119_894,
        first=Wanted(
            title="Contrastive Learning for Authorship",
            abstract="Our results show",
            authors=(1, "Peter Kirby", "Peter Kirby"),
            arxiv=("2609.28471", 1),
            doi="10.1007/978-3-032-39150-6_7",
            url="https://arxiv.org/abs/2609.28471v1",
            categories=("cs.CL", "cs.LG"),
            published_on=Day(2026, 9, 23),
        ),
        last=Wanted(
            title="Order-Invariant Answers, Order-Sensitive",
            abstract="Reordering a set",
            authors=(1, "Zhixu Silvia Tao", "Zhixu Silvia Tao"),
            arxiv=("2609.28442", 1),
            url="https://arxiv.org/abs/2609.28442v1",
            categories=("cs.LG", "cs.AI", "cs.CL", "cs.SC"),
            published_on=Day(2026, 9, 23),
        ),
    ),
    "arxiv/api_atom_old_style_docs_1.xml": HERA,
    "arxiv/api_atom_old_style_docs_2.xml": HERA,
    "arxiv/rss_atom_flavour_cs.AI_2025-08-20.xml": Page(
        kind="feed",
        date=Day(2025, 8, 20),
        name="cs.AI updates on arXiv.org",
        count=7,
        first=Wanted(
            title="ALIGN: Word Association Learning",
            abstract="As large language",
            authors=(3, "Chunhua Liu", "Sukai Huang"),
            arxiv=("2508.13426", 1),
            url="https://arxiv.org/abs/2508.13426",
            categories=("cs.CL", "cs.AI"),
            announce_type="cross",
        ),
        last=Wanted(
            title="Reward Shaping in Multi-Agent",
            abstract="We study reward",
            authors=(2, "Carol White", "Dave Brown"),
            arxiv=("2508.14002", 1),
            url="https://arxiv.org/abs/2508.14002",
            categories=("cs.AI", "cs.MA"),
            published_on=Day(2025, 8, 20),
        ),
    ),
    "arxiv/rss_new_cross_replace_2026-09-24.xml": Page(
        kind="feed",
        date=Day(2026, 9, 24),
        name="cs.LG, cs.AI, cs.CL, stat.ML updates on arXiv.org",
        count=4,
        first=Wanted(
            title="The Drift Contract: Spectral",
            abstract="Local learning trains",
            authors=(1, "Fabien Polly", "Fabien Polly"),
            arxiv=("2609.26811", 1),
            url="https://arxiv.org/abs/2609.26811",
            categories=("cs.LG",),
            published_on=Day(2026, 9, 24),
        ),
        last=Wanted(
            title="Random Polytope Descriptors",
            abstract="We introduce a",
            authors=(3, "Michael Joswig", "Lukas Ruff"),
            arxiv=("2009.13987", 3),
            url="https://arxiv.org/abs/2009.13987",
            categories=("cs.LG", "math.MG", "stat.ML"),
            announce_type="replace",
        ),
    ),
    "arxiv/oai/arxiv-physics-hep-ex.xml": Page(
        kind="oai",
        date=Day(2017, 12, 14),
        name="export.arxiv.org physics:hep-ex",
        count=3,
        first=Wanted(
            title="Evaluation of Silicon Photomultipliers",
            abstract="Silicon photomultipliers (SiPMs)",
            authors=(13, "Tyler Anderson", "Mani Tripathi"),
            arxiv=("1706.05371", None),
            url="https://arxiv.org/abs/1706.05371",
            categories=("physics.ins-det", "hep-ex"),
            published_on=Day(2017, 6, 16),
            announce_type="replace",
            listed_on=Day(2017, 12, 14),
        ),
        last=Wanted(
            title="Implications of right-handed neutrinos in $B-L$",
            abstract="We investigate the",
            authors=(3, "Priyotosh Bandyopadhyay", "Rusa Mandal"),
            arxiv=("1707.00874", None),
            url="https://arxiv.org/abs/1707.00874",
            categories=("hep-ph", "astro-ph.CO", "hep-ex"),
            published_on=Day(2017, 7, 4),
            announce_type="replace",
            listed_on=Day(2017, 12, 14),
        ),
    ),
    "arxiv/oai/arxiv-single.xml": oai(
        Day(2018, 1, 26),
        Wanted(
            title="New integrable (3+1)-dimensional systems",
            abstract="We introduce a",
            authors=(1, "A. Sergyeyev", "A. Sergyeyev"),
            arxiv=("1401.2122", None),
            doi="10.1007/s11005-017-1013-4",
            url="https://arxiv.org/abs/1401.2122",
            categories=("math.AP", "hep-th", "math-ph", "math.DG", "math.MP", "nlin.SI"),
            published_on=Day(2014, 1, 9),
            announce_type="replace",
            listed_on=Day(2018, 1, 25),
        ),
    ),
    "arxiv/oai/sample_arxiv_record.xml": Page(
        kind="oai",
        date=Day(2016, 1, 14),
        name="export.arxiv.org",
        count=12,
        first=UNRUH,
        last=Wanted(
            title=r"Measurements of $\pi^{\pm}$, $K^{\pm}$ and proton",
            abstract="Measurements of the",
            authors=(8, "N. Abgrall", "M. Yu"),  # one more is called ":"
            arxiv=("1808.04927", None),
            url="https://arxiv.org/abs/1808.04927",
            categories=("hep-ex", "nucl-ex", "chao-dyn"),
            published_on=Day(2018, 8, 14),
            listed_on=Day(2018, 8, 16),
        ),
    ),
    "arxiv/oai/sample_arxiv_record0.xml": oai(
        Day(2016, 1, 14),  # three DOIs in one element; the record's namespace is missing
        Wanted(**{**vars(UNRUH), "categories": ("quant-ph", "gr-qc", "hep-th", "chao-dyn", "nlin.CD")}),
    ),
    "arxiv/oai/sample_arxiv_record1.xml": oai(
        Day(2016, 6, 29),
        Wanted(
            title="Neutrino Physics and Astrophysics",
            abstract="In this contribution",
            authors=(1, *("Teresa Maria Montaruli for the IceCube Collaboration",) * 2),
            arxiv=("1512.07978", None),
            url="https://arxiv.org/abs/1512.07978",
            categories=("astro-ph.HE",),
            published_on=Day(2015, 12, 25),
            listed_on=Day(2015, 12, 29),
        ),
    ),
    "arxiv/oai/sample_arxiv_record2.xml": oai(
        Day(2016, 6, 29),
        Wanted(
            title="Axial U(1) symmetry in the chiral symmetric phase of 2-flavor QCD at finite temperature",
            abstract="We discuss the",
            authors=(1, *("Sinya for JLQCD Collaboration",) * 2),
            arxiv=("1603.00997", None),
            url="https://arxiv.org/abs/1603.00997",
            categories=("hep-lat", "nucl-th"),
            published_on=Day(2016, 3, 3),
            listed_on=Day(2016, 3, 4),
        ),
    ),
    "arxiv/oai/sample_arxiv_record3.xml": oai(
        Day(2016, 6, 29),
        Wanted(
            title="An Intermediate Water Cherenkov",
            abstract="Recent neutrino oscillation",
            authors=(2, "Mark Scott for the NuPRISM", "Hyper-K collaborations"),
            arxiv=("1603.01251", None),
            url="https://arxiv.org/abs/1603.01251",
            categories=("physics.ins-det", "hep-ex"),
            published_on=Day(2016, 3, 3),
            listed_on=Day(2016, 3, 4),
        ),
    ),
    "arxiv/oai/sample_arxiv_record5.xml": oai(
        Day(2016, 6, 30),
        Wanted(
            title="Astrophysical components from Planck",
            abstract="The Planck Collaboration",
            authors=(5, "Günter Burigana", "Paolo Natoli"),
            arxiv=("1604.05585", None),
            url="https://arxiv.org/abs/1604.05585",
            categories=("astro-ph.GA", "astro-ph.CO"),
            published_on=Day(2016, 4, 19),
            listed_on=Day(2016, 4, 20),
        ),
    ),
    "arxiv/oai/sample_arxiv_record6.xml": oai(
        Day(2016, 6, 29),
        Wanted(
            title="The Evolution of Active Galactic Nuclei",
            abstract="The correlation between",
            authors=(3, "E. Bufanda", "for the DES Collaboration"),
            arxiv=("1606.06775", None),
            url="https://arxiv.org/abs/1606.06775",
            categories=("astro-ph.HE", "astro-ph.GA"),
            published_on=Day(2016, 6, 21),
            listed_on=Day(2016, 6, 23),
        ),
    ),
    "arxiv/oai/sample_arxiv_record7.xml": oai(
        Day(2016, 6, 29),
        Wanted(
            title="Dark matter concentrations in galactic nuclei",
            abstract="We calculate the",
            authors=(3, "Curtis J. Saxton Walton", "Kinwah Wu"),  # two keynames
            arxiv=("1606.07066", None),
            url="https://arxiv.org/abs/1606.07066",
            categories=("astro-ph.GA", "astro-ph.CO", "astro-ph.HE", "gr-qc"),
            published_on=Day(2016, 6, 22),
            listed_on=Day(2016, 6, 24),
        ),
    ),
    "arxiv/oai/sample_arxiv_record9.xml": oai(
        Day(2016, 7, 7),
        Wanted(
            title="Exclusive Photoproduction of Upsilon",
            abstract="Results of exclusive",
            authors=(2, "Ruchi Chudasama", "Dipanwita Dutta for the CMS Collaboration"),
            arxiv=("1607.00786", None),
            url="https://arxiv.org/abs/1607.00786",
            categories=("hep-ex",),
            published_on=Day(2016, 7, 4),
            listed_on=Day(2016, 7, 5),
        ),
    ),
    "hf_daily/rss_samples/hf_feed_2025-04-25.xml": Page(
        kind="feed",
        date=Day(2025, 4, 25),
        name=DAILY,
        count=15,
        first=Wanted(
            title="ViSMaP: Unsupervised Hour-long Video Summarisation",
            abstract="We introduce ViSMap",
            authors=(4, "Jian Hu", "Mariano Beguerisse-Diaz"),
            arxiv=("2504.15921", None),
            url="https://arxiv.org/abs/2504.15921",
            upvotes=3,
            published_on=Day(2025, 4, 22),
        ),
        last=Wanted(
            title="Token-Shuffle: Towards High-Resolution Image Generation with Autoregressive Models",
            abstract="Autoregressive (AR) models",
            authors=(25, "Xu Ma", "Yun Fu"),
            arxiv=("2504.17789", None),
            url="https://arxiv.org/abs/2504.17789",
            upvotes=4,
            published_on=Day(2025, 4, 24),
        ),
    ),
    "hf_daily/rss_samples/hf_feed_2025-06-25.xml": Page(
        kind="feed",
        date=Day(2025, 6, 25),
        name=DAILY,
        count=38,
        first=Wanted(
            title="SoK: Evaluating Jailbreak Guardrails",
            abstract="Large Language Models",
            authors=(6, "Xunguang Wang", "Shuai Wang"),
            arxiv=("2506.10597", None),
            url="https://arxiv.org/abs/2506.10597",
            upvotes=2,
            published_on=Day(2025, 6, 12),
        ),
        last=Wanted(
            title="TC-Light: Temporally Consistent Relighting",
            abstract="Editing illumination in",
            authors=(9, "Yang Liu", "Zhaoxiang Zhang"),
            arxiv=("2506.18904", None),
            url="https://arxiv.org/abs/2506.18904",
            upvotes=6,
            published_on=Day(2025, 6, 23),
        ),
    ),
    "hf_daily/rss_samples/hf_feed_2025-08-24.xml": Page(
        kind="feed",
        date=Day(2025, 8, 24),
        name=DAILY,
        count=16,
        first=Wanted(
            title="INTIMA: A Benchmark for",
            abstract="AI companionship, where",
            authors=(3, "Lucie-Aimée Kaffee", "Yacine Jernite"),
            arxiv=("2508.09998", None),
            url="https://arxiv.org/abs/2508.09998",
            upvotes=2,
            published_on=Day(2025, 8, 4),
        ),
        last=Wanted(
            title="Visual Autoregressive Modeling for",
            abstract="Recent advances in",
            authors=(8, "Qingyang Mao", "Tao Mei"),
            arxiv=("2508.15772", None),
            url="https://arxiv.org/abs/2508.15772",
            upvotes=7,
            published_on=Day(2025, 8, 21),
        ),
    ),
    "hf_daily/rss_samples/hf_feed_2025-10-24.xml": Page(
        kind="feed",
        date=Day(2025, 10, 24),
        name=DAILY,
        count=35,
        first=Wanted(
            title="DeLeaker: Dynamic Inference-Time Reweighting For Semantic Leakage Mitigation",
            abstract="Text-to-Image (T2I) models",
            authors=(5, "Mor Ventura", "Roi Reichart"),
            arxiv=("2510.15015", None),
            url="https://arxiv.org/abs/2510.15015",
            upvotes=2,
            published_on=Day(2025, 10, 16),
        ),
        last=Wanted(
            title="olmOCR 2: Unit Test",
            abstract="We present olmOCR 2",
            authors=(3, "Jake Poznanski", "Kyle Lo"),
            arxiv=("2510.19817", None),
            url="https://arxiv.org/abs/2510.19817",
            upvotes=8,
            published_on=Day(2025, 10, 22),
        ),
    ),
    "hf_daily/rss_samples/hf_feed_2025-12-23.xml": Page(
        kind="feed",
        date=Day(2025, 12, 23),
        name=DAILY,
        count=22,
        first=Wanted(
            title="An Anatomy of Vision-Language-Action",
            abstract="Vision-Language-Action (VLA) models",
            authors=(14, "Chao Xu", "Jiankang Deng"),
            arxiv=("2512.11362", None),
            url="https://arxiv.org/abs/2512.11362",
            upvotes=13,
            published_on=Day(2025, 12, 12),
        ),
        last=Wanted(
            title="Both Semantics and Reconstruction",
            abstract="Modern Latent Diffusion",
            authors=(14, "Shilong Zhang", "Ping Luo"),
            arxiv=("2512.17909", None),
            url="https://arxiv.org/abs/2512.17909",
            upvotes=29,
            published_on=Day(2025, 12, 19),
        ),
    ),
    "other_sources/biorxiv/biorxiv_rdf_rss.xml": Page(
        kind="feed",
        date=None,
        name="bioRxiv Subject Collection: Bioengineering",
        count=1,
        first=Wanted(
            title="Microscale Collagen and Fibroblast",
            abstract="Human liver models",
            authors=(4, "D. Kukla", "S. Khetani"),
            doi="10.1101/857789",
            url="http://biorxiv.org/cgi/content/short/857789v1?rss=1",
            published_on=Day(2019, 11, 29),
        ),
    ),
    "other_sources/feeds_miniflux/encoding_ISO-8859-1.xml": Page(
        kind="feed",
        date=Day(2018, 10, 28),
        name="Golem.de",
        count=40,
        first=Wanted(
            title="Red Dead Redemption 2:",
            abstract="Viele Spieler wünschen",
            url="https://www.golem.de/news/red-dead-redemption-2-hinweise-auf-pc-umsetzung-in-app-von-rockstar-games"
            "-1810-137358-rss.html",
            published_on=Day(2018, 10, 28),
        ),
        last=Wanted(
            title="Xiaomi: Das Mi Mix",
            abstract="Das Display von",
            url="https://www.golem.de/news/xiaomi-das-mi-mix-3-hat-keine-notch-und-eine-versteckte-frontkamera"
            "-1810-137319-rss.html",
            published_on=Day(2018, 10, 25),
        ),
    ),
    "other_sources/feeds_miniflux/large_rss.xml": Page(
        kind="feed",
        date=Day(2024, 3, 10),
        name="Artificial truth",
        count=25,
        first=Wanted(
            title="Using vale with vim",
            abstract="LWN recently published",
            authors=(1, "jvoisin", "jvoisin"),
            url="https://dustri.org/b/using-vale-with-vim.html",
            categories=("sysadmin",),
            published_on=Day(2024, 3, 10),
        ),
        last=Wanted(
            title="A sneaky Golang bug",
            abstract="Today at work",
            authors=(1, "jvoisin", "jvoisin"),
            url="https://dustri.org/b/a-sneaky-golang-bug.html",
            categories=("dev",),
            published_on=Day(2023, 8, 2),
        ),
    ),
    "other_sources/feeds_miniflux/no_encoding_ISO-8859-1.xml": Page(
        kind="feed",
        date=None,
        name="Flux RSS du magazine de psychologie Le Cercle Psy",
        count=9,
        first=Wanted(
            title="Perturbateurs endocriniens : quels",
            abstract="Si leur impact",
            url="https://le-cercle-psy.scienceshumaines.com/perturbateurs-endocriniens-quels-effets-sur-le-cerveau"
            "_sh_39995",
            published_on=Day(2018, 10, 17),
        ),
        last=Wanted(
            title="Psychologue à domicile :",
            abstract="Si tu ne",
            url="https://le-cercle-psy.scienceshumaines.com/psychologue-a-domicile-de-la-clinique-a-l-etat-brut"
            "_sh_35540",
            published_on=Day(2018, 10, 17),
        ),
        warnings=("the encoding is not the declared one", "entry 4 passed over: it has no title"),
    ),
    "other_sources/feeds_miniflux/rdf_UTF8.xml": Page(
        kind="feed",
        date=None,
        name="heise online News",
        count=60,
        first=Wanted(
            title="OLED-TVs: Vorsichtsmaßnahmen gegen",
            abstract="Wer gerade einen",
            url="https://www.heise.de/newsticker/meldung/OLED-TVs-Vorsichtsmassnahmen-gegen-Einbrennen-4205274.html"
            "?wt_mc=rss.ho.beitrag.rdf",
        ),
        last=Wanted(
            title="Mi Mix 3: Xiaomi-Flaggschiff",
            abstract="Xiaomis nächstes Flaggschiff",
            url="https://www.heise.de/newsticker/meldung/Mi-Mix-3-Xiaomi-Flaggschiff-mit-Kamera-Slider-und-10-GByte-RAM"
            "-4204655.html?wt_mc=rss.ho.beitrag.rdf",
        ),
    ),
    "other_sources/feeds_miniflux/small_atom.xml": Page(
        kind="feed",
        date=Day(2024, 3, 12),
        name="Recent Commits to v2:main",
        count=20,
        first=Wanted(
            title="Parse podcast categories",
            abstract="Parse podcast categories",
            authors=(1, "fguillot", "fguillot"),
            url="https://github.com/miniflux/v2/commit/6d97f8b4582414b6ce69467656824690057d4793",
            published_on=Day(2024, 3, 12),
        ),
        last=Wanted(
            title="Reuse a Reader instead",
            abstract="Reuse a Reader",
            authors=(1, "jvoisin", "jvoisin"),
            url="https://github.com/miniflux/v2/commit/111e3f2106646cd29f7f74c0102f2a570c598e2e",
            published_on=Day(2024, 3, 5),
        ),
    ),
    "other_sources/oai_cds/cds-cerncds-hep-ex.xml": Page(
        kind="oai",
        date=Day(2019, 1, 21),
        name="cds.cern.ch cerncds:hep-ex",
        count=2,
        first=Wanted(
            title=r"Determination of $\gamma/Z$ interference",
            abstract="An S--Matrix ansatz",
            authors=(5, "M. Acciarri", "J. Alcaraz"),
            arxiv=("hep-ex/0007006", None),
            doi="10.1016/s0370-2693(00)00889-3",
            url="https://arxiv.org/abs/hep-ex/0007006",
            categories=("hep-ex", "Particle Physics - Experiment"),
            published_on=Day(2000, 6, 29),
            listed_on=Day(2018, 12, 27),
        ),
        last=Wanted(
            title="Search for anomalous couplings",
            abstract="We search for",
            authors=(4, "M. Acciarri", "M. Aguilar-Benitez"),
            arxiv=("hep-ex/0008023", None),
            doi="10.1016/s0370-2693(00)00890-x",
            url="https://arxiv.org/abs/hep-ex/0008023",
            categories=("hep-ex", "Particle Physics - Experiment"),
            published_on=Day(2000, 7, 19),
            listed_on=Day(2018, 12, 27),
        ),
    ),
    "other_sources/oai_cds/cds-cerncds-hep-th.xml": Page(
        kind="oai",
        date=Day(2019, 1, 21),
        name="cds.cern.ch cerncds:hep-th",
        count=2,
        first=Wanted(
            title="Lectures on Heterotic-Type I",
            abstract="We present a",
            authors=(3, "Ignatios Antoniadis", "T.R. Taylor"),
            arxiv=("hep-th/9706211", None),
            doi="10.1016/s0920-5632(98)00114-5",
            url="https://arxiv.org/abs/hep-th/9706211",
            categories=("hep-th", "Particle Physics - Theory"),
            published_on=Day(1997, 7, 1),
            listed_on=Day(2018, 11, 23),
        ),
        last=Wanted(
            title="On type II NS",
            abstract="In this letter",
            authors=(1, "Mohsen Alishahiha", "Mohsen Alishahiha"),
            arxiv=("hep-th/0002198", None),
            doi="10.1016/s0370-2693(00)00732-2",
            url="https://arxiv.org/abs/hep-th/0002198",
            categories=("hep-th", "Particle Physics - Theory"),
            published_on=Day(2000, 2, 23),
            listed_on=Day(2019, 1, 16),
        ),
    ),
    "other_sources/oai_cds/cds-single.xml": Page(
        kind="oai",
        date=Day(2019, 1, 15),
        name="cds.cern.ch",
        count=1,
        first=Wanted(
            title="Photon and jet probes",
            abstract="Recent results from",
            authors=(1, "Martin Spousta", "Martin Spousta"),
            url="http://cds.cern.ch/record/2653609/files/ATL-PHYS-PROC-2019-010.pdf",  # the other one is restricted
            categories=("Particle Physics - Experiment", "Physics", "HEAVYIONS"),
            published_on=Day(2019, 1, 14),
            listed_on=Day(2019, 1, 14),
        ),
    ),
    "other_sources/publishers/hindawi_marc.xml": Page(
        kind="oai",
        date=Day(2016, 6, 16),
        name="www.hindawi.com HINDAWI.AA",
        count=1,
        first=Wanted(
            title="“Pi of the Sky” Detector",
            abstract="“Pi of the Sky” experiment has",
            authors=(2, "Katarzyna Małek", "Tadeusz Batsch"),
            doi="10.1155/2010/194946",
            url="http://dx.doi.org/10.1155/2010/194946",
            published_on=Day(2010, 1, 26),
            listed_on=Day(2015, 1, 5),
        ),
    ),
    "other_sources/publishers/iop_standard.xml": Page(
        kind="pubmed",
        date=None,
        name="",
        count=1,
        first=Wanted(
            title="A Modified Lynch Syndrome",
            abstract="Objectives: Somatic BRAF",
            authors=(6, "Rachel M Roth", "Wendy L Frankel"),
            doi="10.1309/ajcp4d7rxobhlkgj",  # the other DOI of the file has a digit too many
            url="https://doi.org/10.1309/ajcp4d7rxobhlkgj",
            categories=("BRAF", "MLH1", "Immunohistochemistry", "Cost-benefit analysis"),
            published_on=Day(2015, 1, 17),
        ),
    ),
    "other_sources/pubmed/efetch_one_article_2026.xml": Page(
        kind="pubmed",
        date=None,
        name="",
        count=1,
        first=Wanted(
            title="Reflections on wishes and needs",
            abstract="Aims and objectives: To investigate",
            authors=(2, "Pia Zinck Drivsholm", "Charlotte Handberg"),
            doi="10.1177/26323524261430769",
            url="https://pubmed.ncbi.nlm.nih.gov/41884685/",
            categories=(
                "Duchenne muscular dystrophy",
                "Interpretive Description",
                "end of life",
                "neuromuscular disease",
                "palliative rehabilitation",
            ),
            published_on=Day(2026, 3, 23),
        ),
    ),
}
EMPTY = {"arxiv/rss_empty_sunday_2025-04-27.xml": "Sunday 2025-04-27"}
# What a parser does with these is in test_hostile.py and test_cases.py.
NOT_SOURCES = ("hostile/", "cases/")


def sample(shared_data: Path, name: str) -> bytes:
    path = shared_data / name
    if not path.is_file():
        pytest.skip(f"the real data has no {name}")
    return path.read_bytes()


@pytest.mark.parametrize("name", PAGES)
def test_a_real_page_is_read_field_by_field(name: str, shared_data: Path) -> None:
    page, wanted = sample(shared_data, name), PAGES[name]
    assert kinds.detect(page) == wanted.kind
    edition = kinds.parse(page)
    assert (edition.date, edition.title, len(edition.listings)) == (wanted.date, wanted.name, wanted.count)
    assert (edition.total, edition.next_token, edition.month_day) == (wanted.total, "", None)
    assert len(edition.warnings) == len(wanted.warnings)
    assert all(said.startswith(words) for said, words in zip(edition.warnings, wanted.warnings, strict=True))
    passed_over = sum(words.startswith("entry") for words in wanted.warnings)
    assert (edition.listings[0].rank, edition.listings[-1].rank) == (1, wanted.count + passed_over)
    agrees(edition.listings[0], wanted.first)
    agrees(edition.listings[-1], wanted.last or wanted.first)
    assert not any(one.is_withdrawn for one in edition.listings)


def agrees(one: ParsedListing, wanted: Wanted) -> None:
    assert one.title.startswith(wanted.title)
    assert one.abstract.startswith(wanted.abstract)
    assert (len(one.authors), *(one.authors[:1] or ("",)), *(one.authors[-1:] or ("",))) == wanted.authors
    assert (one.arxiv_id, one.arxiv_version) == wanted.arxiv
    assert (one.doi, one.url) == (wanted.doi, wanted.url)
    assert (one.upvotes, one.comments) == (wanted.upvotes, None)
    assert one.categories == wanted.categories
    assert (one.published_on, one.listed_on) == (wanted.published_on, wanted.listed_on)
    assert one.announce_type == wanted.announce_type


@pytest.mark.parametrize("name", EMPTY)
def test_a_day_without_papers_is_no_fault(name: str, shared_data: Path) -> None:
    with pytest.raises(EmptyEdition, match=EMPTY[name]):
        kinds.parse(sample(shared_data, name))


def is_xml(path: Path) -> bool:
    suffixes = (".xml", ".rss", ".atom", ".rdf")
    return path.is_file() and (path.suffix in suffixes or path.read_bytes()[:5] == b"<?xml")


def test_every_real_page_of_xml_is_in_the_table(shared_data: Path) -> None:
    there = {str(path.relative_to(shared_data)) for path in shared_data.rglob("*") if is_xml(path)}
    assert {name for name in there if not name.startswith(NOT_SOURCES)} == PAGES.keys() | EMPTY.keys()
