"""The API's addresses for a day of arXiv's feeds."""

from __future__ import annotations

import datetime as dt
from urllib.parse import parse_qs, urlsplit

import pytest

from digest.papers.sources import arxiv
from digest.papers.sources.parsed import SourceError

DAY = dt.date(2026, 1, 1)


def query(url: str, start: int = 0) -> dict[str, str]:
    address = arxiv.day_url(url, DAY, start)
    assert address.startswith("https://export.arxiv.org/api/query?")
    return {name: value for name, (value,) in parse_qs(urlsplit(address).query).items()}


def test_a_day_of_a_feed_has_an_address() -> None:
    assert query("https://rss.arxiv.org/rss/cs.CL+cs.AI", start=500) == {
        "search_query": "(cat:cs.CL OR cat:cs.AI) AND submittedDate:[202601010000 TO 202601012359]",
        "start": "500",
        "max_results": "500",
        "sortBy": "submittedDate",
        "sortOrder": "ascending",
    }


@pytest.mark.parametrize(
    ("url", "covers"),
    [
        ("https://rss.arxiv.org/atom/cs", "cat:cs.*"),
        ("http://rss.arxiv.org/rss/cs.ai+q-bio.NC/", "cat:cs.AI OR cat:q-bio.NC"),
        ("https://rss.arxiv.org/rss/cs.CL%2Bmath", "cat:cs.CL OR cat:math.*"),
        ("https://rss.arxiv.org/rss/hep-th", "cat:hep-th"),
        ("https://rss.arxiv.org/rss/physics.INS-DET", "cat:physics.ins-det"),
        ("https://export.arxiv.org/rss/cond-mat", "cat:cond-mat.*"),
        ("https://export.arxiv.org/api/query?search_query=au:byron+AND+cat:cs.CL&start=9", "au:byron AND cat:cs.CL"),
    ],
)
def test_it_covers_what_the_feed_covers(url: str, covers: str) -> None:
    assert arxiv.is_feed(url)
    assert query(url)["search_query"] == f"({covers}) AND submittedDate:[202601010000 TO 202601012359]"


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/rss/cs.CL",
        "https://arxiv.org/abs/2503.10613",
        "https://export.arxiv.org/api/query?id_list=2503.10613",
        "https://oaipmh.arxiv.org/oai?set=cs",
        "cs.CL",
    ],
)
def test_any_other_address_is_none_of_them(url: str) -> None:
    assert not arxiv.is_feed(url)
    with pytest.raises(SourceError, match="is not the address of a feed of arXiv"):
        arxiv.day_url(url, DAY)


@pytest.mark.parametrize("name", ["cs..CL", "-", "a.b.c"])
def test_what_is_no_category_is_an_error(name: str) -> None:
    with pytest.raises(SourceError, match="is not a category of arXiv"):
        arxiv.day_url(f"https://rss.arxiv.org/rss/{name}", DAY)
