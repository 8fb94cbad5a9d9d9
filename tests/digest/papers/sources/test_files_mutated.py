"""No damage to a page of any kind brings anything but an edition or a SourceError of one line."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digest.papers.sources import kinds
from digest.papers.sources.plain_text import unpacked
from tests.digest.papers.sources.test_kinds import holds

RECORDS: list[dict[str, object]] = [
    {
        "title": ["Kettles <i>That</i> Count"],
        "abstract": "<jats:p>We count.</jats:p>",
        "author": [{"given": "Ada", "family": "Byron"}],
        "issued": {"date-parts": [[2025, 3, 14]]},
        "DOI": "10.1000/abc",
        "URL": "https://doi.org/10.1000/abc",
    },
    {
        "title": "Pots",
        "abstract_inverted_index": {"We": [0], "count": [1]},
        "authors": "Byron, Ada; Wei, Li",
        "externalIds": {"ArXiv": "2503.10613"},
        "date": "2025-03-14",
        "rank": 0,
        "upvotes": 3,
        "categories": "cs.CL cs.LG",
        "is_retracted": True,
    },
]
OWN = {
    "json": json.dumps({"status": "ok", "message": {"total-results": 2, "items": RECORDS}}),
    "jsonl": "\n".join(map(json.dumps, RECORDS)),
    "json-feed": json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "Kettles", "items": RECORDS}),
    "csv": (
        'Title,Author,Date,DOI,Abstract\n"Kettles, Counted","Byron, Ada; Wei, Li",2025-03-14,10.1/x,"We\ncount."\n'
        "Pots,,,,\n"
    ),
    "bibtex": (
        '@string{pots = "Pots " # "and"}\n@article{a, title = {{K}ettles $x_{1}$ \\"{u}},\n'
        ' author = {Byron, Ada and {Wei}}, year = 2025, month = mar # "~14", eprint = {2503.10613}}\n'
        "@misc(b, title = pots # {Pans})\n"
    ),
    "ris": (
        "TY  - JOUR\nTI  - Kettles\nAU  - Byron, Ada\nAB  - We\ncount.\nDA  - 2025/03/14/\n"
        "UR  - https://e.org\nER  - \n"
    ),
}
TOKENS = st.sampled_from(
    [
        *(
            b'"',
            b"{",
            b"}",
            b"[",
            b"]",
            b",",
            b"\n",
            b"\r",
            b";",
            b"\t",
            b"@",
            b"#",
            b"\\",
            b"$",
            b"=",
            b"\x00",
            b"\xff",
        ),
        *(
            b"null",
            b"true",
            b"-1",
            b"1e999",
            b"9" * 5_000,
            b"\\ud800",
            b"\\u0000",
            b"@misc{x,",
            b"TY  - X\n",
            b"ER  - \n",
        ),
        *(b"<p>", b"</p>", b"&amp;", b"\xef\xbb\xbf", b"\xff\xfe", "\u202e".encode(), b" and ", b"10.1/", b"arXiv:"),
    ]
)


@st.composite
def damaged(draw: st.DrawFn, pages: st.SearchStrategy[bytes]) -> bytes:
    """A page cut short, with parts taken out, swapped, doubled or put in; once or a few times."""
    page = draw(pages)
    for _ in range(draw(st.integers(1, 4))):
        a, b, c = sorted(draw(st.integers(0, len(page))) for _ in range(3))
        page = draw(
            st.sampled_from(
                [
                    page[:c],
                    page[:a] + page[b:],
                    page[:a] + page[b:c] + page[a:b] + page[c:],
                    page[:b] + page[a:b] + page[b:],
                ]
            )
            | TOKENS.map(lambda token, page=page, b=b: page[:b] + token + page[b:])
            | st.binary(min_size=1, max_size=8).map(lambda noise, page=page, b=b: page[:b] + noise + page[b:])
        )
    return page


@pytest.mark.parametrize("kind", OWN)
def test_an_undamaged_page_is_of_its_kind(kind: str) -> None:
    assert kinds.detect(OWN[kind]) == kind
    assert kinds.parse(OWN[kind]).warnings == ()


@settings(max_examples=400, deadline=None)
@given(damaged(st.sampled_from([page.encode() for page in OWN.values()])), st.sampled_from([None, None, *OWN]))
def test_no_damage_to_an_own_page_breaks_the_rule(page: bytes, kind: str | None) -> None:
    holds(page, kind)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just("2025-03-14"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from("name value given family author date-parts DOI ArXiv url items data title text".split()),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
NAMES = (
    "title abstract authors doi externalIds id url date published issued listed_on categories upvotes rank versions"
    " abstract_inverted_index is_retracted data items message status total"
)


@settings(max_examples=400, deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES.split()), VALUES), st.booleans())
def test_no_json_breaks_the_rule(record: dict[str, object], alone: bool) -> None:
    page = json.dumps(record if alone else [{"title": "Kettles"} | record])
    for kind in ("json", "jsonl", "json-feed"):
        holds(page, kind)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_no_damage_to_a_real_file_breaks_the_rule(shared_data: Path, data: st.DataObject) -> None:
    page = data.draw(damaged(st.sampled_from(real_pages(shared_data))))
    holds(page, data.draw(st.sampled_from([None, None, *OWN])))


@cache
def real_pages(shared_data: Path) -> list[bytes]:
    """The files that are not XML, no more than their first 60,000 bytes."""
    patterns = (
        "seeds/*.txt",
        "hf_api_daily_papers/*",
        "other_sources/*/*.json",
        "hostile/*.json",
        "hf_daily/*_dev.*.gz",
    )
    paths = [path for pattern in patterns for path in sorted(shared_data.glob(pattern))]
    return [unpacked(path.read_bytes(), 20_000_000)[:60_000] for path in paths]
