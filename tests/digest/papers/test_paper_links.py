"""Where a paper's links lead: to the web and nowhere else, by whichever exit."""

from __future__ import annotations

import re

import pytest
from bs4 import BeautifulSoup
from django.test import Client

from digest.mail.rendering import Press, compose
from digest.models import Digest, Lane, Paper, Pick
from digest.web.pages.citations import bibtex, ris
from subscriptions.models import Subscriber
from tests.conftest import MORNING

pytestmark = pytest.mark.django_db

NO_WEB = (
    "javascript:alert(1)", "JaVaScRiPt:alert(1)//https://example.org", "data:text/html,<script>1</script>",
    "vbscript:x", "ftp://example.org/x", "//example.org/x", "https:///nowhere", "http://ada:secret@example.org/",
    "https://example.org/\nhttps://b.example", 'https://example.org/"onclick="x', "file:///etc/passwd", " javascript:x",
)  # fmt: skip


def at(paper: Paper, url: str, **more: object) -> Paper:
    Paper.objects.filter(pk=paper.pk).update(**{"arxiv_id": None, "doi": None, "url": url} | more)
    return Paper.objects.get(pk=paper.pk)


@pytest.mark.parametrize("url", NO_WEB)
def test_an_address_that_is_not_of_the_web_is_printed_nowhere(
    papers: list[Paper], alice: Subscriber, client: Client, url: str
) -> None:
    paper = at(papers[0], url)
    assert paper.link == f"http://127.0.0.1:8000/paper/{paper.pk}/"
    picks = [Pick(paper.pk, lane, 100, 0) for lane in (Lane.INTERESTS, Lane.OVERFLOW)]
    digest = Digest.objects.create(subscriber=alice, issue_date=MORNING.date(), created_at=MORNING, picks=picks)
    mail = compose(digest, MORNING)
    sent = Press().letter(digest, MORNING).data.decode("ascii").replace("=\r\n", "").replace("=3D", "=")
    exits = [
        client.get(paper.get_absolute_url()).content.decode(), client.get("/").content.decode(),
        client.get("/feeds/papers.atom").content.decode(), client.get(f"/api/v1/papers/{paper.pk}/").content.decode(),
        bibtex([paper]), ris([paper]), str(mail.body), str(mail.alternatives[0][0]), sent,
    ]  # fmt: skip
    for said in exits:
        assert url.strip() not in said
        assert not re.search(r"(?:javascript|vbscript|data|ftp|file):", said, re.IGNORECASE)
    for html in (exits[0], exits[1], exits[7]):
        links = BeautifulSoup(html, "lxml").find_all("a", href=True)
        assert links and all(re.match(r"https?://|/|#|\?", str(link["href"])) for link in links)


def test_the_page_shows_no_link_to_a_source_that_has_none(papers: list[Paper], client: Client) -> None:
    paper = at(papers[0], "javascript:alert(1)")
    assert ">Source</a>" not in client.get(paper.get_absolute_url()).content.decode()
    paper = at(papers[0], "https://example.org/x?a=1&b=2")
    assert paper.link == "https://example.org/x?a=1&b=2"
    assert (
        '<a href="https://example.org/x?a=1&amp;b=2">Source</a>'
        in client.get(paper.get_absolute_url()).content.decode()
    )


def test_a_doi_is_quoted_as_the_path_it_is(papers: list[Paper]) -> None:
    paper = at(papers[0], "", doi='10.1002/(sici)1096<1::aid-x#2>3.0.co;2-"')
    assert paper.link == "https://doi.org/10.1002/(sici)1096%3C1::aid-x%232%3E3.0.co;2-%22"
