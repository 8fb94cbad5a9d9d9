"""What somebody typed as a source's address, and which one was meant."""

from __future__ import annotations

import re

import pytest

from digest.models import Source
from digest.papers.ingest import addresses
from digest.papers.ingest.addresses import HUGGINGFACE_URL
from digest.papers.sources.parsed import SourceError

CS_CL = "https://rss.arxiv.org/rss/cs.CL"


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("cs.CL", CS_CL),
        (" cs.cl ", CS_CL),
        ("cs.CL+cs.LG", "https://rss.arxiv.org/rss/cs.CL+cs.LG"),
        ("cs.CL, cs.LG", "https://rss.arxiv.org/rss/cs.CL+cs.LG"),
        ("cs.CL+cs.CL", CS_CL),
        ("hep-th", "https://rss.arxiv.org/rss/hep-th"),
        ("cond-mat.mtrl-sci", "https://rss.arxiv.org/rss/cond-mat.mtrl-sci"),
        ("physics.optics", "https://rss.arxiv.org/rss/physics.optics"),
        ("arxiv.org/list/cs.CL/recent", CS_CL),
        ("https://www.arxiv.org/list/cs.CL/new?skip=0", CS_CL),
        ("https://rss.arxiv.org/rss/cs.CL", CS_CL),
        ("https://rss.arxiv.org/atom/cs.CL%2Bcs.LG", "https://rss.arxiv.org/rss/cs.CL+cs.LG"),
        ("http://export.arxiv.org/rss/cs.CL/", CS_CL),
        ("https://export.arxiv.org/api/query?search_query=cat:cs.CL&max_results=9", CS_CL),
        ("https://export.arxiv.org/api/query?search_query=cat:cs.CL+OR+cat:cs.LG", f"{CS_CL}+cs.LG"),
    ],
)
def test_arxiv_is_meant(typed: str, url: str) -> None:
    assert addresses.understood(typed) == addresses.Address(url, Source.Kind.ARXIV)


@pytest.mark.parametrize(
    "typed",
    ["huggingface.co", "huggingface.co/papers", "https://huggingface.co/papers/date/2026-03-16", "hf.co/papers",
     "https://huggingface.co/api/daily_papers?limit=5", "Hugging Face", "https://huggingface.co/papers/trending"],
)  # fmt: skip
def test_hugging_face_is_meant(typed: str) -> None:
    assert addresses.understood(typed) == addresses.Address(HUGGINGFACE_URL, Source.Kind.HUGGINGFACE)


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("https://example.org/oai?verb=ListRecords&metadataPrefix=oai_dc&set=math&from=2026-01-01",
         "https://example.org/oai?metadataPrefix=oai_dc&set=math"),
        ("example.org/cgi?verb=Identify", "https://example.org/cgi"),
        ("https://oaipmh.arxiv.org/oai?verb=ListRecords&set=cs&metadataPrefix=arXiv",
         "https://oaipmh.arxiv.org/oai?set=cs&metadataPrefix=arXiv"),
        ("export.arxiv.org/oai2?set=cs", "https://export.arxiv.org/oai2?set=cs"),
    ],
)  # fmt: skip
def test_an_archive_is_meant(typed: str, url: str) -> None:
    assert addresses.understood(typed) == addresses.Address(url, Source.Kind.OAI)


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("example.org", "https://example.org"),
        ("  <https://Example.ORG/Feed.xml#top> ", "https://example.org/Feed.xml"),
        ("//example.org/feed", "https://example.org/feed"),
        ("feed://example.org/rss", "https://example.org/rss"),
        ("feed:http://example.org/rss", "http://example.org/rss"),
        ("nature.com", "https://nature.com"),
        ("math.com", "https://math.com"),
        ("huggingface.co/blog/feed.xml", "https://huggingface.co/blog/feed.xml"),
        ("https://export.arxiv.org/api/query?search_query=ti:rain+AND+cat:cs.CL",
         "https://export.arxiv.org/api/query?search_query=ti:rain+AND+cat:cs.CL"),
    ],
)  # fmt: skip
def test_any_other_address_is_kept_and_its_answer_tells_the_kind(typed: str, url: str) -> None:
    assert addresses.understood(typed) == addresses.Address(url)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "no address"),
        ("hello", "not a web address"),
        ("cs.CL and example.org", "not one address"),
        ("ftp://example.org/feed", "http:// or https://"),
        ("javascript:alert(1)", "not a web address"),
        ("https://user:secret@example.org/feed", "take it out"),
        ("http://[::1/feed", "not a web address"),
        ("http://example.org:port/", "not a web address"),
        ("https://arxiv.org/abs/2603.00001", "one paper"),
        ("https://arxiv.org/", "names no category"),
        ("https://arxiv.org/list/cs.CLX/new", "names no category"),
        ("https://example.org/" + "a" * 1000, "over 1,000"),
    ],
)
def test_what_cannot_be_an_address_is_said(typed: str, said: str) -> None:
    with pytest.raises(SourceError, match=re.escape(said)):
        addresses.understood(typed)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://Example.org/feed", "http://example.org/feed/", True),
        ("https://example.org:443/feed", "https://example.org/feed", True),
        ("https://example.org", "https://example.org/", True),
        ("https://example.org/feed", "https://example.org/Feed", False),
        ("https://example.org/feed?set=a", "https://example.org/feed?set=b", False),
        ("https://example.org:8000/feed", "https://example.org/feed", False),
    ],
)
def test_two_addresses_ask_for_the_same(one: str, other: str, same: bool) -> None:
    assert (addresses.key(one) == addresses.key(other)) is same
