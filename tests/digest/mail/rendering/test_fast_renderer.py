"""The fast way to the wire: equal to the plain way when both are parsed, and good on the wire."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import os
import re
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from hypothesis import example, given
from hypothesis import strategies as st

from digest import links
from digest.mail.messages import Letter
from digest.mail.rendering import Press, compose, order_of
from digest.mail.rendering.pick_cache import PickCache
from digest.mail.rendering.quoted_printable import Quoted, header, quote, quote_address, quote_html
from digest.mail.rendering.signed_links import Desk
from digest.models import Delivery, Digest, Lane, Match, Paper, Pick, Reason, ReasonKind
from digest.papers.sample.sample import PATH
from digest.papers.sources.parsed import ParsedListing
from digest.picks.selection.select import select_due
from digest.relevance import match_papers
from subscriptions import links as reader_links
from subscriptions.models import Interest, Subscriber
from tests.conftest import MORNING, listing, make_reader
from tests.smtp import parsed

pytestmark = pytest.mark.django_db
READERS = 160


def plain(digest: Digest) -> EmailMessage:
    return parsed(compose(digest, MORNING).message().as_bytes(linesep="\r\n"))


def texts(message: EmailMessage) -> list[str]:
    return [str(part.get_content()) for part in message.iter_parts()]


def assert_same(letter: Letter, digest: Digest) -> None:
    """Headers and parts, one by one; only the boundary between the parts is another."""
    fast, slow = parsed(letter.data), plain(digest)
    assert not fast.defects
    assert sorted(fast.keys()) == sorted(slow.keys())
    for name in set(slow.keys()) - {"Content-Type"}:
        assert fast[name].strip() == slow[name].strip(), name  # a fold before the first word leaves a blank
    for ours, theirs in zip(fast.iter_parts(), slow.iter_parts(), strict=True):
        assert ours["Content-Type"] == theirs["Content-Type"]
    for ours, theirs in zip(texts(fast), texts(slow), strict=True):
        assert ours.splitlines() == theirs.splitlines()
        assert ours == theirs


def assert_good_on_the_wire(data: bytes) -> None:
    head, _, body = data.partition(b"\r\n\r\n")
    assert b"\n" not in data.replace(b"\r\n", b"")
    assert b"\r" not in data.replace(b"\r\n", b"")
    assert data.isascii()
    assert data.endswith(b"\r\n")
    assert b"\0" not in data
    assert b"\n." not in data
    assert max(map(len, body.split(b"\r\n"))) <= 76
    # An address of the web cannot be folded (RFC 2369 and 8058): all else can.
    assert all(len(line) <= 78 or line.startswith(b" <http") for line in head.split(b"\r\n"))
    boundary = re.search(rb'boundary="([^"]+)"', head)
    assert boundary
    assert body.count(boundary.group(1)) == 3
    assert body.count(b"\r\n--" + boundary.group(1)) == 2  # and once at the start of the body


def real_papers(count: int) -> list[ParsedListing]:
    """The last papers of the real data; where that is missing, the bundled sample."""
    folder = Path(os.environ.get("PAPER_ROUND_DATA") or Path(__file__).resolve().parents[5] / "shared" / "data")
    daily = folder / "hf_daily" / "hf_daily_dev.jsonl.gz"
    if daily.is_file():
        with gzip.open(daily, "rt", encoding="utf-8") as file:
            rows = [json.loads(line) for line in file][-count:]
    else:
        sample = [row["paper"] for row in json.loads(PATH.read_text())][:count]
        rows = [
            {"title": row["title"], "abstract": row["summary"], "authors": [one["name"] for one in row["authors"]]}
            for row in sample
        ]
    return [
        listing(row["title"], row["abstract"], authors=tuple(row["authors"]), arxiv_id=f"2603.{n:05}", upvotes=99 - n)
        for n, row in enumerate(rows)
    ]


def many_readers(papers: list[ParsedListing]) -> None:
    """Each with lines and wishes of their own, from the words of the papers."""
    found = [re.findall(r"[A-Za-z]{8,}", f"{one.title} {one.abstract}") for one in papers]
    for number in range(READERS):
        words = [found[(number * step) % len(found)][(number + step) % 20] for step in (1, 5, 7, 11)]
        reader = Subscriber.objects.at_address(f"reader{number}@example.org")
        reader.status, reader.next_digest_at = Subscriber.Status.ACTIVE, MORNING
        reader.frequency = Subscriber.Frequency.WEEKLY if number % 5 == 0 else Subscriber.Frequency.DAILY
        reader.max_papers, reader.trending_share = (1, 3, 10, 30)[number % 4], (0, 0, 30)[number % 3]
        reader.save()
        reader.set_lines([words[0], f"{words[1]} OR {words[2]}", f'"{words[3]} {words[0]}"', "model"])
    match_papers.match_interests(MORNING)


def test_for_many_readers_both_ways_say_the_same(store: Callable[..., list[Paper]]) -> None:
    papers = real_papers(45)
    store(*papers)
    Paper.objects.filter(pk__in=[3, 5]).update(replaced_on=dt.date(2026, 3, 16), arxiv_version=2)
    many_readers(papers)
    select_due(MORNING)
    digests = list(Digest.objects.select_related("subscriber").order_by("pk"))
    for number, digest in enumerate(digests):
        digest.notice = "A source is late. Some papers may be missing." if number % 7 == 0 else ""
        digest.is_catch_up = number % 11 == 0
        if number % 13 == 0:
            digest.picks = []
        if number % 6 == 0 and len(digest.picks) > 2:
            *others, last = digest.picks
            digest.picks = [*others, last._replace(lane=Lane.OVERFLOW)]
    press = Press()
    letters = [press.letter(digest, MORNING) for digest in digests]
    assert len(digests) == READERS
    assert len({letter.data for letter in letters}) == READERS
    for letter, digest in zip(letters, digests, strict=True):
        assert_same(letter, digest)
        assert_good_on_the_wire(letter.data)


AWKWARD = (
    "R&D: p < 0.05 > \"quoted\" 'single' &amp; =3D a=b",
    "Line one\r\nBcc: victim@example.org\r\n\r\nbody",
    "كيف نتعلم من البيانات: agents שלום",
    "大型语言模型的推理。它很慢！agents 真的吗？",
    "🤖👩‍🔬 agents émigré naïve\u00a0space \u200b\u202e\u2028",
    "\ufdd0\ufdd3\ufde0 agents \ue000 \x00\x1b\x07",
    "<script>alert(1)</script><img src=x> agents </p></td>",
    "agents " + "antidisestablishmentarianism" * 9,
    ".\n.\nFrom agents",
)


@pytest.mark.parametrize("text", AWKWARD)
def test_awkward_texts_pass_both_ways_alike(text: str, store: Callable[..., list[Paper]]) -> None:
    make_reader("alan@example.org", "agents", "naïve OR p")
    store(listing("Agents one", "We study agents."), listing("Agents two", "They study agents.", authors=("Ada",)))
    if connection.vendor == "postgresql":
        text = text.replace("\x00", "")  # it stores no such thing
    Paper.objects.filter(title="Agents one").update(title=text, abstract=f"{text}. {text}", authors=[text])
    select_due(MORNING)
    digest = Digest.objects.select_related("subscriber").get()
    letter = Press().letter(digest, MORNING)
    assert_same(letter, digest)
    assert_good_on_the_wire(letter.data)
    assert parsed(letter.data)["Bcc"] is None


def test_hostile_papers_of_others_pass_both_ways_alike(shared_data: Path, store: Callable[..., list[Paper]]) -> None:
    make_reader("alan@example.org", "agents", max_papers=30)
    strings = json.loads((shared_data / "hostile" / "blns" / "blns.json").read_text())
    hostile = [text for text in strings if text.strip()][::9]
    store(*(listing(f"Agents {n}", "Agents.", arxiv_id=f"2603.{n:05}") for n in range(30)))
    for paper, title, abstract in zip(Paper.objects.order_by("pk"), hostile, reversed(hostile), strict=False):
        paper.title, paper.abstract = f"Agents {title}"[:1000], f"{abstract}. {title}"
        paper.save()
    select_due(MORNING)
    digest = Digest.objects.select_related("subscriber").get()
    letter = Press().letter(digest, MORNING)
    assert_same(letter, digest)
    assert_good_on_the_wire(letter.data)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_none_one_and_two_papers(count: int, alice: Subscriber, store: Callable[..., list[Paper]]) -> None:
    store(*(listing(f"Diffusion {n}", "By diffusion. Again.", arxiv_id=f"2603.{n:05}") for n in range(count)))
    select_due(MORNING)
    digest = Digest.objects.select_related("subscriber").get()
    assert len(digest.picks) == count
    assert_same(Press().letter(digest, MORNING), digest)


def test_a_mail_that_is_too_large_is_cut_at_the_same_paper(store: Callable[..., list[Paper]]) -> None:
    make_reader("alan@example.org", "agents", max_papers=100)
    long = "Agents & <things> in a sentence that goes on for a while, as they do. " * 20
    store(*(listing(f"Agents {n} {long[:200]}", long, arxiv_id=f"2603.{n:05}") for n in range(100)))
    select_due(MORNING)
    digest = Digest.objects.select_related("subscriber").get()
    letter = Press().letter(digest, MORNING)
    assert_same(letter, digest)
    assert len(texts(parsed(letter.data))[1].encode()) < 90_000


def test_a_paper_that_was_first_shown_in_brief_is_whole_in_the_next_mail(
    alice: Subscriber, papers: list[Paper]
) -> None:
    select_due(MORNING)
    digest = Digest.objects.select_related("subscriber").get()
    picks = digest.picks
    press = Press()
    digest.picks = [pick._replace(lane=Lane.OVERFLOW) for pick in picks]
    assert_same(press.letter(digest, MORNING), digest)
    digest.picks = picks
    assert_same(press.letter(digest, MORNING), digest)


def test_a_paper_deleted_since_is_left_out(alice: Subscriber, papers: list[Paper]) -> None:
    select_due(MORNING)
    digest = Digest.objects.select_related("subscriber").get()
    Paper.objects.get(pk=digest.paper_ids[0]).delete()
    assert_same(Press().letter(digest, MORNING), digest)


def test_a_name_and_an_address_in_other_letters(papers: list[Paper], settings: Any) -> None:
    settings.SITE_NAME, settings.DEFAULT_FROM_EMAIL = "Papier für alle", "Papier für alle <post@münchen.example>"
    make_reader("münchen@bücher.example", "agents")
    select_due(MORNING)
    digest = Digest.objects.select_related("subscriber").get()
    letter = Press().letter(digest, MORNING)
    assert_same(letter, digest)
    assert letter.sender == "post@xn--mnchen-3ya.example"


def test_letters_of_a_chunk_carry_their_delivery_and_papers_are_read_once(
    papers: list[Paper], django_assert_num_queries: Callable[..., CaptureQueriesContext]
) -> None:
    for number in range(9):
        make_reader(f"reader{number}@example.org", "agents", "diffusion")
    select_due(MORNING)
    deliveries = list(Delivery.objects.select_related("digest__subscriber").order_by("pk"))
    orders = [order_of(one.digest, one.pk) for one in deliveries]
    press = Press()
    with django_assert_num_queries(4):  # lines, places of matches, papers, their lists
        letters = press.letters(orders, MORNING)
    with django_assert_num_queries(1):  # lines
        again = press.letters(orders, MORNING)
    assert letters == again
    assert [(letter.key, letter.recipient) for letter in letters] == [
        (one.pk, one.digest.subscriber.email) for one in deliveries
    ]


def test_another_press_writes_the_same_bytes(alice: Subscriber, papers: list[Paper]) -> None:
    select_due(MORNING)
    digest = Digest.objects.select_related("subscriber").get()
    assert Press().letter(digest, MORNING) == Press().letter(digest, MORNING)


def test_what_a_paper_says_is_read_again_after_a_while(alice: Subscriber, papers: list[Paper]) -> None:
    select_due(MORNING)
    digest = Digest.objects.select_related("subscriber").get()
    press = Press()
    before = press.letter(digest, MORNING).data
    Paper.objects.update(upvotes=4321)
    assert b"4321 upvotes" not in before + press.letter(digest, MORNING + dt.timedelta(minutes=5)).data
    assert b"4321 upvotes" in press.letter(digest, MORNING + dt.timedelta(minutes=11)).data


def test_quick_links_are_those_of_the_others_and_can_be_read(alice: Subscriber, papers: list[Paper]) -> None:
    select_due(MORNING)
    digest = Digest.objects.select_related("subscriber").get()
    own = Desk().links(order_of(digest))
    assert own.web_copy == links.web_copy(digest)
    assert own.feedback == links.feedback(digest)
    assert own.preferences == reader_links.preferences(alice)
    assert own.unsubscribe == reader_links.unsubscribe(alice)
    assert links.digest_of(own.web_copy.split("/")[-2]) == digest
    assert links.feedback_on(own.feedback.split("/")[-2]) == digest
    assert own.message_id == compose(digest, MORNING).extra_headers["Message-ID"]


def decoded(data: bytes) -> str:
    message = parsed(
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + data
    )
    return str(message.get_content())


TEXT = st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc"), include_characters="."), max_size=300)
DOTTED = st.text(alphabet=".ab\n ", max_size=300)


@given(st.lists(TEXT, max_size=5))
@example(["00\xa0\xa0\xa0\xa0\xa0\xa0\U00010000\U00010000\U0001000000"])  # a last line of 76
def test_quoted_pieces_join_to_the_text(pieces: list[str]) -> None:
    data = b"".join(quote(piece) for piece in pieces)
    assert decoded(data) == "".join(pieces)
    assert all(len(line) <= 76 for line in data.split(b"\r\n"))


@given(DOTTED, st.integers(0, 300), st.integers(0, 300))
@example("aaa..", 3, 5)
def test_no_line_begins_with_a_dot(text: str, one: int, other: int) -> None:
    line = text.replace("\n", "")
    start, end = sorted((min(one, len(line)), min(other, len(line))))
    pieces = {quote(text): text, quote_address(line): line, Quoted(line).piece(start, end): line[start:end]}
    for data, said in pieces.items():
        assert decoded(data).replace("\r\n", "\n") == said
        assert not any(part.startswith(b".") or len(part) > 76 for part in data.split(b"\r\n"))


@given(TEXT, st.integers(0, 300), st.integers(0, 300))
def test_any_part_of_a_quoted_text_is_a_piece(text: str, one: int, other: int) -> None:
    start, end = sorted((min(one, len(text)), min(other, len(text))))
    piece = Quoted(text).piece(start, end)
    assert decoded(piece) == decoded(quote_html(text[start:end]))
    assert all(len(line) <= 76 for line in piece.split(b"\r\n"))


@given(st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp", "Cf")), min_size=1, max_size=120))
def test_a_header_is_folded_and_reads_as_it_was(text: str) -> None:
    text = " ".join(text.split())
    lines = header("Subject", text).split(b"\r\n")
    assert all(len(line) <= 78 or " " not in text for line in lines)
    assert all(line.isascii() for line in lines)


def test_each_language_has_its_own_parts(alice: Subscriber, papers: list[Paper]) -> None:
    select_due(MORNING)
    digest = Digest.objects.select_related("subscriber").get()
    press = Press()
    for language in ("en", "de", "en"):
        with translation.override(language):
            assert_same(press.letter(digest, MORNING), digest)


def test_picks_that_differ_in_their_points_are_one(alice: Subscriber, papers: list[Paper]) -> None:
    interest = alice.interest_lines.first().interest_id
    exact, faint = Reason(ReasonKind.MATCH, interest, 150), Reason(ReasonKind.FAINT, 0, 1)
    cache, found = PickCache(), []
    for points, more in ((150, ()), (151, (faint,)), (153, (faint._replace(points=3),))):
        digest = Digest(subscriber=alice, issue_date=MORNING.date())
        digest.picks = [Pick(papers[0].pk, Lane.INTERESTS, points, 0, (exact, *more))]
        found += cache.read([order_of(digest)])[0]
    assert len({id(one) for one in found}) == 1


def test_a_line_is_said_as_its_own_subscriber_typed_it(papers: list[Paper]) -> None:
    make_reader("ada@example.org", "DIFFUSION")
    make_reader("bob@example.org", "diffusion")
    select_due(MORNING)
    digests = Digest.objects.select_related("subscriber").order_by("subscriber__email")
    letters = Press().letters([order_of(digest) for digest in digests], MORNING)
    assert ["Matches: DIFFUSION" in texts(parsed(letter.data))[0] for letter in letters] == [True, False]
    for letter, digest in zip(letters, digests, strict=True):
        assert_same(letter, digest)


def test_what_a_reason_referred_to_may_be_gone(papers: list[Paper]) -> None:
    reader = make_reader("ada@example.org", "diffusion")
    select_due(MORNING)
    digest = Digest.objects.select_related("subscriber").get()
    Match.objects.all().delete()
    assert_same(Press().letter(digest, MORNING), digest)
    reader.interest_lines.all().delete()
    assert_same(Press().letter(digest, MORNING), digest)
    Interest.objects.all().delete()
    letter = Press().letter(digest, MORNING)
    assert_same(letter, digest)
    assert "one of your earlier interests" in texts(parsed(letter.data))[0]


@given(st.text(alphabet=st.characters(codec="ascii", exclude_categories=("Cc", "Zs")), max_size=300))
def test_a_quoted_address_is_the_address(text: str) -> None:
    data = quote_address(text)
    assert decoded(data) == text
    assert all(len(line) <= 76 for line in data.split(b"\r\n"))
