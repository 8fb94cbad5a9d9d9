"""What a paper is known by."""

from __future__ import annotations

import pytest

from digest.papers.sources.identifiers import arxiv_id_of, doi_of, safe_url


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://arxiv.org/abs/2503.10613v2", ("2503.10613", 2)),
        ("http://export.arxiv.org/pdf/2503.10613.pdf", ("2503.10613", None)),
        ("https://www.arxiv.org/html/2503.10613v1/", ("2503.10613", 1)),
        ("https://arxiv.org/abs/hep-th/9901001", ("hep-th/9901001", None)),
        ("https://huggingface.co/papers/2503.10613?x=1", ("2503.10613", None)),
        ("arXiv:2503.10613", ("2503.10613", None)),
        ("oai:arXiv.org:2409.00123v1", ("2409.00123", 1)),
        ("math/0309136", ("math/0309136", None)),
        ("math.GT/0309136v3", ("math/0309136", 3)),
        ("arXiv:cond-mat.mes-hall/0204001", ("cond-mat/0204001", None)),
        ("https://arxiv.org/abs/math.GT/0309136", ("math/0309136", None)),
        ("0704.0001", ("0704.0001", None)),
        ("https://doi.org/10.48550/arXiv.2503.10613", ("2503.10613", None)),
        ("  2503.10613\n", ("2503.10613", None)),
    ],
)
def test_an_arxiv_id_is_known_in_any_dress(text: str, expected: tuple[str, int | None]) -> None:
    assert arxiv_id_of(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2503.1061",
        "2513.10613",
        "2503.106134",
        "2503.10613v0",
        "see 2503.10613",
        "and/1234567",
        "https://evil.example/abs/2503.10613",
        "https://arxiv.org.evil.example/abs/2503.10613",
        "https://arxiv.org/list/cs.CL/new",
        "https://[/abs/2503.10613",
        "٢٥٠٣.١٠٦١٣",
    ],
)
def test_what_is_no_arxiv_id_is_none(text: str) -> None:
    assert arxiv_id_of(text) == (("2503.1061", None) if text == "2503.1061" else ("", None))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.1101/2026.01.02.123456", "10.1101/2026.01.02.123456"),
        ("DOI: 10.1000/ABC(7)", "10.1000/abc(7)"),
        ("https://dx.doi.org/10.1002/x%3C7%3E", "10.1002/x<7>"),
        ("https://pubs.example/doi/full/10.1021/acs.7?x=1", "10.1021/acs.7"),
        ("10.1000/abc.", "10.1000/abc"),
        ("", ""),
        ("11.1000/abc", ""),
        ("see 10.1000/abc", ""),
        ("https://journal.example/10.1000", ""),
        ("10.1000/" + "x" * 400, ""),
    ],
)
def test_a_doi_is_lower_case_and_bare(text: str, expected: str) -> None:
    assert doi_of(text) == expected


@pytest.mark.parametrize(
    "url", ["http://x.example", "https://x.example:8080/a?b=1&c=(2)#d", "https://de.example/Schrödinger's_Katze"]
)
def test_a_web_address_is_safe(url: str) -> None:
    assert safe_url(f" {url}\n") == url


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "x.example",
            "//x.example",
            "javascript:alert(1)",
            "JAVASCRIPT://x.example/%0aalert(1)",
            "data:text/html,x",
        ),
        *("http://", "http://[", "https://u:p@x.example", 'https://x.example/"onload=', "https://x.example/<b>"),
        *("https://x.example/a b", "https://x.example/\u202egnp", "java\nscript:x", "https://x.example/" + "a" * 2_000),
    ],
)
def test_anything_else_is_not(url: str) -> None:
    assert safe_url(url) == ""
