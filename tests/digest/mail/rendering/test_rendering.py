"""The mail, as it goes over the wire."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from email.message import EmailMessage

import pytest
from bs4 import BeautifulSoup
from django.test import Client

from digest import links
from digest.mail.rendering import compose
from digest.models import Digest, Lane, Paper, Reason, ReasonKind
from digest.picks.selection.select import select_due
from subscriptions.models import Subscriber
from tests.conftest import MORNING, all_sent, listing, make_reader
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
    all_sent()
    Subscriber.objects.update(next_digest_at=MORNING + dt.timedelta(days=1), trending_share=50)
    select_due(MORNING + dt.timedelta(days=1))
    digests = list(Digest.objects.exclude(packed_picks=b""))
    ids = [compose(digest, MORNING).extra_headers["Message-ID"] for digest in digests]
    again = [compose(digest, MORNING + dt.timedelta(hours=3)).extra_headers["Message-ID"] for digest in digests]
    assert ids == again
    assert len(set(ids)) == len(digests) >= 3


def test_the_html_needs_nothing_from_elsewhere(alice: Subscriber, papers: list[Paper]) -> None:
    html = BeautifulSoup(part(mail(), "html"), "lxml")
    assert not html.find_all(["script", "img", "form", "link", "iframe"])
    assert html.html
    assert html.html["lang"] == "en"
    assert len(html.find_all("h1")) == 1
    assert all(table["role"] == "presentation" for table in html.find_all("table"))


def test_the_postal_address_is_there_when_set(alice: Subscriber, papers: list[Paper], settings: object) -> None:
    settings.POSTAL_ADDRESS = "1 Library Lane, Exampleton"
    message = mail()
    assert "1 Library Lane" in part(message, "plain")
    assert "1 Library Lane" in part(message, "html")


def composed(reader: Subscriber | None = None) -> EmailMessage:
    """The mail of the only digest, or of this reader's."""
    digest = Digest.objects.get(subscriber=reader) if reader else Digest.objects.get()
    return parsed(compose(digest, MORNING).message().as_bytes(linesep="\r\n"))


def headings(message: EmailMessage) -> list[str]:
    return [found.get_text() for found in BeautifulSoup(part(message, "html"), "lxml").find_all("h2")]


def test_each_paper_can_be_answered_by_four_links(alice: Subscriber, papers: list[Paper]) -> None:
    message = mail()
    html = BeautifulSoup(part(message, "html"), "lxml")
    said = [str(link["href"]) for link in html.find_all("a") if "/feedback/" in str(link["href"])]
    first = Digest.objects.get().picks[0].paper
    assert [link.rpartition("?")[2] for link in said[:4]] == [
        f"paper={first}&say={say}" for say in ("more", "less", "save", "mute")
    ]
    assert len({link.partition("?")[0] for link in said}) == 1
    assert said[0] in part(message, "plain")


def test_where_and_when_a_paper_was_listed_is_said(alice: Subscriber, papers: list[Paper]) -> None:
    Paper.objects.filter(arxiv_id="2603.00002").update(replaced_on=dt.date(2026, 3, 16), arxiv_version=2)
    Paper.objects.get(arxiv_id="2603.00001").listings.update(announce_type="cross")
    message = mail()
    html = BeautifulSoup(part(message, "html"), "lxml").get_text()
    for text in (html, part(message, "plain")):
        assert "Updated 16 March, version 2" in text
        assert "Cross-listed 16 March" in text
        assert "Hugging Face Daily Papers" in text


def test_a_weekly_mail_shows_the_week_and_the_best_in_full(store: Callable[..., list[Paper]]) -> None:
    make_reader("alan@example.org", "agents", frequency=Subscriber.Frequency.WEEKLY, weekday=0)
    store(*(listing(f"Agents {n}", "We study agents.", arxiv_id=f"2603.{n:05}", upvotes=90 - n) for n in range(8)))
    message = mail()
    html = BeautifulSoup(part(message, "html"), "lxml")
    assert message["Subject"] == "Your week: Agents 0 + 7 more"
    assert "10 March to 16 March" in html.get_text()
    assert (len(html.select(".paper")), len(html.select(".brief"))) == (5, 3)
    assert "10 March to 16 March 2026: 8" in part(message, "plain")


def test_a_day_without_a_match_is_honest(alice: Subscriber) -> None:
    select_due(MORNING)
    message = composed()
    assert message["Subject"] == "Nothing for you today"
    assert "we send no filler" in part(message, "plain")
    assert headings(message) == []


def test_what_was_left_out_for_the_cap_stands_last_by_title_only(alice: Subscriber, papers: list[Paper]) -> None:
    select_due(MORNING)
    digest = Digest.objects.get()
    *others, last = digest.picks
    digest.picks = [*others, last._replace(lane=Lane.OVERFLOW)]
    digest.save()
    message = composed()
    assert headings(message) == ["For you", "Also matched, beyond the number you asked for"]
    assert " more" not in message["Subject"]
    assert len(BeautifulSoup(part(message, "html"), "lxml").select(".paper")) == 1


def test_after_a_pause_the_best_are_whole_and_the_others_brief(store: Callable[..., list[Paper]]) -> None:
    make_reader("alan@example.org", "agents")
    store(*(listing(f"Agents {n}", "We study agents.", arxiv_id=f"2603.{n:05}", upvotes=90 - n) for n in range(8)))
    select_due(MORNING)
    Digest.objects.update(notice="The best of the 9 days you were away.", is_catch_up=True)
    message = composed()
    html = BeautifulSoup(part(message, "html"), "lxml")
    assert message["Subject"] == "While you were away: Agents 0 + 7 more"
    assert [heading.get_text() for heading in html.find_all("h1")] == ["While you were away"]
    assert (len(html.select(".paper")), len(html.select(".brief"))) == (5, 3)
    assert "While you were away, until Monday 16 March 2026: 8" in part(message, "plain")
    assert "The best of the 9 days you were away." in part(message, "plain")


def test_the_notice_comes_before_the_papers(alice: Subscriber, papers: list[Paper]) -> None:
    select_due(MORNING)
    Digest.objects.update(notice="You were away: the best of 9 to 15 March.")
    message = composed()
    html, text = BeautifulSoup(part(message, "html"), "lxml").get_text(), part(message, "plain")
    for found in (html, text):
        assert found.index("You were away") < found.upper().index("FOR YOU")
        assert "may be missing" not in found


def test_the_web_copy_names_what_matters_and_folds_how_points_add_up(
    client: Client, alice: Subscriber, papers: list[Paper]
) -> None:
    select_due(MORNING)
    digest = Digest.objects.get()
    pick, *others = digest.picks
    faint = Reason(ReasonKind.FAINT, 0, 25)
    digest.picks = [pick._replace(points=pick.points + 25, reasons=(*pick.reasons, faint)), *others]
    digest.save()
    why = BeautifulSoup(client.get(links.web_copy(digest)).content, "lxml").select(".why")[0]
    folded = why.details.extract().p.get_text(" ")
    assert "a little" not in why.get_text()
    assert "a little of other lines 0.25" in folded
    terms, _, total = folded.rpartition(" = ")
    added = sum(float(term.rsplit(None, 1)[-1]) for term in terms.split(" + "))
    assert float(total) == pytest.approx(added, abs=0.011)
