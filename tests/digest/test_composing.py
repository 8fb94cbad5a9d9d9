"""The mail, as it goes over the wire."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from email.message import EmailMessage

import pytest
from bs4 import BeautifulSoup

from digest.composing import compose
from digest.models import Digest, Paper
from digest.selecting import select_due
from subscriptions.models import Subscriber
from tests.conftest import MORNING, listing, make_reader
from tests.smtp import parsed

pytestmark = pytest.mark.django_db


def mail() -> EmailMessage:
    select_due(MORNING)
    return parsed(compose(Digest.objects.get(), MORNING).message().as_bytes(linesep="\r\n"))


def part(message: EmailMessage, kind: str) -> str:
    found = message.get_body((kind,))
    assert found is not None
    return str(found.get_content())


def test_it_has_what_bulk_mail_must_have(alice: Subscriber, papers: list[Paper]) -> None:
    message = mail()
    for name in ("From", "To", "Date", "Subject", "Message-ID", "MIME-Version", "List-Id", "List-Unsubscribe"):
        assert len(message.get_all(name) or []) == 1, name
    assert re.fullmatch(r"<https?://[^>]+/unsubscribe/[^>]+/>", message["List-Unsubscribe"].strip())
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["To"] == "alice@example.org"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]


def test_both_parts_carry_the_same_papers_reasons_and_ways_out(alice: Subscriber, papers: list[Paper]) -> None:
    message = mail()
    text, html = part(message, "plain"), BeautifulSoup(part(message, "html"), "lxml")
    links = {str(link["href"]) for link in html.find_all("a")}
    page = " ".join(html.get_text(" ").split())
    for title in ("Diffusion for Weather", "Thinking Aloud"):
        assert title in text
        assert title in page
    assert "A Survey of Diffusion" not in text + page
    for line in ("diffusion", '"chain of thought"'):
        assert line in text
        assert line in page
    for link in ("https://arxiv.org/abs/2603.00001", "https://arxiv.org/pdf/2603.00001"):
        assert link in text
        assert link in links
    for word in ("/unsubscribe/", "/preferences/", "/digest/"):
        assert word in text
        assert any(word in link for link in links)


def test_the_matched_words_are_marked(alice: Subscriber, papers: list[Paper]) -> None:
    html = BeautifulSoup(part(mail(), "html"), "lxml")
    assert {mark.get_text() for mark in html.select(".hit")} == {"Diffusion", "diffusion", "Chain-of-thought"}


def test_text_is_not_escaped_and_html_is(papers: list[Paper]) -> None:
    make_reader("alan@example.org", "agents")
    message = mail()
    assert message["Subject"] == "R&D: p < 0.05 for Agents"
    assert "R&D: p < 0.05 for Agents" in part(message, "plain")
    assert "R&amp;D: p &lt; 0.05 for " in part(message, "html")
    assert "<b>badly</b>" not in part(message, "html")


def test_the_subject_names_the_best_paper_and_how_many_more(alice: Subscriber, papers: list[Paper]) -> None:
    assert re.fullmatch(r"(Diffusion for Weather|Thinking Aloud) \+ 1 more", mail()["Subject"])


@pytest.mark.parametrize(
    "title", ["Agents\r\nBcc: x@y.example", "Agents\x1b\x07 bell", "Agents " + "very " * 150 + "long"]
)
def test_a_hostile_title_breaks_no_header(title: str, store: Callable[..., list[Paper]]) -> None:
    make_reader("alan@example.org", "agents")
    store(listing("Agents plain"))
    Paper.objects.update(title=title)
    message = mail()
    assert message["Bcc"] is None
    assert str(message["Subject"]).isprintable()
    assert len(str(message["Subject"])) < 120


def test_lines_are_short_and_ascii_whatever_an_abstract_holds(store: Callable[..., list[Paper]]) -> None:
    make_reader("alan@example.org", "agents")
    store(listing("Agents für München ☃", "x" * 5000 + " é " + "word " * 400))
    select_due(MORNING)
    raw = compose(Digest.objects.get(), MORNING).message().as_bytes(linesep="\r\n")
    lines = raw.split(b"\r\n")
    assert max(map(len, lines)) <= 998
    assert all(byte < 128 for byte in raw)
    assert b"\n" not in raw.replace(b"\r\n", b"")


def test_it_stays_under_100_kb_with_100_papers(store: Callable[..., list[Paper]]) -> None:
    make_reader("alan@example.org", "agents", max_papers=100)
    store(
        *(
            listing(
                f"Agents {number} " + "of a long title that goes on " * 9,
                "We study agents & <things> in a sentence. " * 60,
                authors=tuple(f"Author {n} Name" for n in range(9)),
                arxiv_id=f"2603.{number:05}",
            )
            for number in range(100)
        )
    )
    message = mail()
    html = part(message, "html")
    assert len(Digest.objects.get().picks) == 100
    assert len(html.encode()) < 100_000
    assert "more would not fit" in html
    assert "more would not fit" in part(message, "plain")
    assert "Unsubscribe" in html


def test_the_message_id_is_the_same_each_time_and_differs_by_reader_and_date(
    alice: Subscriber, papers: list[Paper]
) -> None:
    make_reader("alan@example.org", "agents")
    select_due(MORNING)
    Subscriber.objects.update(next_digest_at=MORNING + dt.timedelta(days=1), trending_share=50)
    select_due(MORNING + dt.timedelta(days=1))
    digests = list(Digest.objects.exclude(picks=[]))
    ids = [compose(digest, MORNING).extra_headers["Message-ID"] for digest in digests]
    again = [compose(digest, MORNING + dt.timedelta(hours=3)).extra_headers["Message-ID"] for digest in digests]
    assert ids == again
    assert len(set(ids)) == len(digests) >= 3


def test_the_html_needs_nothing_from_elsewhere(alice: Subscriber, papers: list[Paper]) -> None:
    html = BeautifulSoup(part(mail(), "html"), "lxml")
    assert not html.find_all(["script", "img", "form", "link", "iframe"])
    assert html.html and html.html["lang"] == "en"
    assert len(html.find_all("h1")) == 1
    assert all(table["role"] == "presentation" for table in html.find_all("table"))


def test_the_postal_address_is_there_when_set(alice: Subscriber, papers: list[Paper], settings: object) -> None:
    settings.POSTAL_ADDRESS = "1 Library Lane, Exampleton"  # type: ignore[attr-defined]
    message = mail()
    assert "1 Library Lane" in part(message, "plain")
    assert "1 Library Lane" in part(message, "html")
