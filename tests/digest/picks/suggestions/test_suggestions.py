"""Lines proposed from what somebody pasted or liked."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.http import HttpResponse
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from digest.models import Feedback, Paper
from digest.picks.suggestions.keyphrases import best, heard, uses
from digest.picks.suggestions.suggest import from_liked, from_text, read
from digest.relevance.vectors import Text, Vocabulary
from subscriptions import links, signup
from subscriptions.interests.parser import parse
from subscriptions.mail_requests import handle_requests
from subscriptions.models import Interest, Subscriber
from tests.conftest import MORNING, listing, make_reader
from tests.subscriptions.conftest import answers

ABSTRACT = (
    "Sparse attention kernels make long contexts cheap. We measure sparse attention on phones, where memory is scarce, "
    "and find that KV-cache pruning helps sparse attention most. Our KV cache holds less."
)


@pytest.fixture(autouse=True)
def _in_the_morning() -> Iterator[None]:
    with time_machine.travel(MORNING, tick=False):
        yield


@pytest.fixture
def library(store: Callable[..., list[Paper]]) -> list[Paper]:
    """Papers enough that some words are seldom and some common."""
    ada = ("Ada Lovelace",)
    return store(
        *(listing(f"Trees of kind {n}", f"We grow trees, and count leaves of kind {n}.", arxiv_id=f"2603.1{n:04}")
          for n in range(20)),
        listing("Sparse Attention Kernels", "Sparse attention is fast.", arxiv_id="2603.20001", authors=ada),
        listing("Sparse Attention on Phones", "Phones run sparse attention.", arxiv_id="2603.20002", authors=ada),
        listing("Attention that is Sparse", "Nothing else.", arxiv_id="2603.20003", authors=ada),
    )  # fmt: skip


def proposed(answer: HttpResponse) -> list[str]:
    return [str(box["value"]) for box in BeautifulSoup(answer.content, "lxml").select("input[name=add]")]


def text_of(answer: HttpResponse) -> str:
    return " ".join(BeautifulSoup(answer.content, "lxml").get_text(" ").split())


# what a pasted text is


def test_identifiers_are_papers() -> None:
    found = read("https://arxiv.org/abs/2603.20001v2, arXiv:2603.20002\n\n2603.20003 10.1234/ABC.5")
    assert [one.arxiv_id or one.doi for one in found.listings] == [
        "2603.20001", "2603.20002", "2603.20003", "10.1234/abc.5",
    ]  # fmt: skip
    assert not found.lines
    assert not found.prose


def test_short_lines_are_lines() -> None:
    assert read('diffusion models\n"chain of thought"\n\ndiffusion models\n-survey').lines == (
        "diffusion models", '"chain of thought"', "-survey",
    )  # fmt: skip


def test_an_abstract_is_prose_however_it_is_wrapped() -> None:
    wrapped = ABSTRACT.replace(" on phones", "\non phones").replace(" and find", "\nand find")
    assert read(wrapped).prose == ABSTRACT
    assert not read(ABSTRACT).lines


def test_entries_of_bibtex_and_ris_are_papers() -> None:
    entry = "@article{a,\n title={Sparse Attention},\n eprint={2603.20001},\n archiveprefix={arXiv}\n}\n"
    assert [one.arxiv_id for one in read(entry).listings] == ["2603.20001"]
    assert [one.title for one in read("TY  - JOUR\nTI  - Sparse Attention\nER  - \n").listings] == ["Sparse Attention"]


def test_an_entry_cut_off_in_the_middle_still_says_something() -> None:
    found = read("@article{a,\n title={Sparse Attention for Phones and other small machines that people carry,\n")
    assert found.listings or "Sparse Attention" in found.prose


@given(st.text(max_size=400))
def test_whatever_is_pasted_is_read(text: str) -> None:
    found = read(text)
    for line in found.lines:
        parse(line)


# which words tell


def test_what_stands_often_here_and_seldom_elsewhere_comes_first() -> None:
    vocabulary = Vocabulary()
    papers = [Text.of("Sparse attention", "We use models.", vocabulary) for _ in range(3)]
    papers += [Text.of("Other", "Strong language models learn.", vocabulary) for _ in range(60)]
    found = uses([("", f"{ABSTRACT} Strong language models learn. Strong language models learn.")])
    lines = best(found, heard(found, papers, vocabulary), len(papers))
    assert lines[0] == "sparse attention"
    assert "KV-cache" in " ".join(lines)
    assert "language models" not in lines


def test_heard_counts_papers_and_not_times() -> None:
    vocabulary = Vocabulary()
    papers = [Text.of("Sparse attention", "Sparse attention and sparse attention.", vocabulary)]
    assert heard([("spars", "attent"), ("attent",), ("unheard", "of")], papers, vocabulary) == {
        ("spars", "attent"): 1, ("attent",): 1, ("unheard", "of"): 0,
    }  # fmt: skip


def test_words_divided_by_a_sign_or_a_small_word_are_no_pair() -> None:
    assert {("spars", "attent"), ("attent", "phone")}.isdisjoint(uses([("", "Sparse. Attention for phones")]))


@given(st.lists(st.tuples(st.text(max_size=80), st.text(max_size=200)), max_size=3))
def test_whatever_the_texts_the_best_are_bounded_and_shown(texts: list[tuple[str, str]]) -> None:
    found = uses(texts)
    for line in best(found, heard(found, [], Vocabulary()), 0):
        assert line.strip()


# lines proposed


@pytest.mark.django_db
def test_lines_come_with_what_they_would_have_brought(library: list[Paper]) -> None:
    found = {one.line: one.rate.papers for one in from_text(ABSTRACT, MORNING).lines}
    assert found["sparse attention"] == 3
    assert len(found) <= 8


@pytest.mark.django_db
def test_papers_found_by_id_speak_with_their_abstracts_and_their_authors(library: list[Paper]) -> None:
    found = from_text("2603.20001\n2603.20002\n2603.20003\n2603.99999", MORNING)
    assert [paper.arxiv_id for paper in found.papers] == ["2603.20001", "2603.20002", "2603.20003"]
    assert found.lacking == 1
    lines = [one.line for one in found.lines]
    assert "sparse attention" in lines
    assert 'author:"Ada Lovelace"' in lines


@pytest.mark.django_db
def test_lines_somebody_has_are_not_proposed_again(library: list[Paper]) -> None:
    assert "sparse attention" not in [one.line for one in from_text(ABSTRACT, MORNING, ["attention sparse"]).lines]


@pytest.mark.django_db
def test_lines_that_were_pasted_stand_as_they_were_typed(library: list[Paper]) -> None:
    found = from_text('"chain of thought"\nsparse attention', MORNING).lines
    assert [(one.line, one.is_good) for one in found] == [("sparse attention", True), ('"chain of thought"', False)]


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["", " \n", "\x00", "the of and", "@article{", "a" * 60_000, "((((", "１２３"])
def test_what_says_nothing_proposes_nothing(text: str, library: list[Paper]) -> None:
    assert len(from_text(text, MORNING).lines) <= 1


@pytest.mark.django_db
def test_without_any_papers_something_is_proposed_all_the_same() -> None:
    assert "sparse attention" in [one.line for one in from_text(ABSTRACT, MORNING).lines]


@pytest.mark.django_db
def test_what_was_liked_proposes_lines(library: list[Paper]) -> None:
    reader = make_reader("dora@example.org", "trees")
    assert from_liked(reader, MORNING).lines == ()
    for paper in Paper.objects.filter(arxiv_id__startswith="2603.2000"):
        Feedback.objects.create(subscriber=reader, paper=paper, kind=Feedback.Kind.MORE, at=MORNING)
    assert "sparse attention" in [one.line for one in from_liked(reader, MORNING).lines]
    Feedback.objects.update(undone_at=MORNING)
    assert from_liked(reader, MORNING).lines == ()


# at sign-up


@pytest.mark.django_db
def test_sign_up_proposes_lines_and_loses_nothing_that_was_typed(library: list[Paper], client: Client) -> None:
    answer = client.post("/suggest/", answers(interests="trees", hour="20", paste=ABSTRACT))
    assert "sparse attention" in proposed(answer)
    soup = BeautifulSoup(answer.content, "lxml")
    assert soup.select_one("textarea[name=interests]").get_text().strip() == "trees"
    assert soup.select_one("#id_email")["value"] == "dora@example.org"
    assert soup.select_one('#id_hour option[value="20"]').has_attr("selected")
    assert soup.select_one("textarea[name=paste]").get_text().strip() == ABSTRACT
    assert not Subscriber.objects.exists()


@pytest.mark.django_db
def test_ticked_lines_are_previewed_and_subscribed_to(library: list[Paper], client: Client) -> None:
    ticked = answers(interests="trees") | {"add": ["sparse attention", "trees"]}
    answer = client.post("/preview/", ticked)
    soup = BeautifulSoup(answer.content, "lxml")
    assert soup.select_one("textarea[name=interests]").get_text().split("\n")[-2:] == ["trees", "sparse attention"]
    client.post("/subscribe/", ticked)
    handle_requests(MORNING)
    assert Subscriber.objects.get().lines() == ["trees", "sparse attention"]


@pytest.mark.django_db
def test_a_mend_keeps_what_was_ticked(client: Client) -> None:
    ticked = answers(interests='"open', mend="1.0") | {"add": ["sparse attention"]}
    soup = BeautifulSoup(client.post("/preview/", ticked).content, "lxml")
    assert "sparse attention" in soup.select_one("textarea[name=interests]").get_text()


@pytest.mark.django_db
def test_pasted_papers_become_likes_when_the_address_says_yes(library: list[Paper], client: Client) -> None:
    page = client.post("/suggest/", answers(paste="2603.20001 2603.20002"))
    assert "2 of the papers you named are known here" in text_of(page)
    papers = BeautifulSoup(page.content, "lxml").select_one("input[name=papers]")["value"]
    preview = client.post("/preview/", answers(papers=papers))
    assert BeautifulSoup(preview.content, "lxml").select_one("input[name=papers]")["value"] == papers
    client.post("/subscribe/", answers(papers=papers))
    handle_requests(MORNING)
    reader = Subscriber.objects.get()
    assert not Feedback.objects.exists()
    assert "the 2 you named" in text_of(client.get(links.confirm(reader)))
    client.post(links.confirm(reader))
    assert sorted(Feedback.objects.values_list("paper__arxiv_id", "kind")) == [
        ("2603.20001", "more"), ("2603.20002", "more"),
    ]  # fmt: skip
    reader.refresh_from_db()
    assert reader.pasted == []


@pytest.mark.django_db
@pytest.mark.parametrize("papers", ["x", "-1,0", "999999", ",,,", "1" * 5000, "１", "1;2", "\x00"])
def test_numbers_that_are_no_papers_do_no_harm(papers: str, client: Client) -> None:
    client.post("/subscribe/", answers(papers=papers))
    handle_requests(MORNING)
    for reader in Subscriber.objects.all():
        signup.confirm(reader, page="/", now=MORNING)
    assert not Feedback.objects.exists()


@pytest.mark.django_db
def test_who_signs_up_somebody_else_gives_them_no_likes(
    alice: Subscriber, library: list[Paper], client: Client
) -> None:
    client.post("/subscribe/", answers(email=alice.email, papers=str(library[0].pk)))
    handle_requests(MORNING)
    alice.refresh_from_db()
    assert alice.pasted == []
    assert not Feedback.objects.exists()


# in preferences


@pytest.mark.django_db
def test_a_reader_gets_proposals_and_saves_what_is_ticked(library: list[Paper], client: Client) -> None:
    reader = make_reader("dora@example.org", "trees")
    page = client.post(f"{links.access(reader)}suggest/", answers(interests="trees", paste=ABSTRACT))
    assert "sparse attention" in proposed(page)
    assert "no-store" in page["Cache-Control"]
    assert reader.lines() == ["trees"]
    client.post(links.access(reader), answers(interests="trees") | {"add": ["sparse attention"]})
    assert reader.lines() == ["trees", "sparse attention"]


@pytest.mark.django_db
def test_a_reader_gets_proposals_from_what_they_liked(library: list[Paper], client: Client) -> None:
    reader = make_reader("dora@example.org", "trees")
    address = f"{links.access(reader)}suggest/"
    assert "No paper you liked" in text_of(client.post(address, answers() | {"from": "liked"}))
    client.post(address, {"like": ",".join(str(paper.pk) for paper in library[-3:])})
    assert Feedback.objects.filter(kind="more").count() == 3
    assert "sparse attention" in proposed(client.post(address, answers() | {"from": "liked"}))


@pytest.mark.django_db
def test_a_reader_gets_narrower_lines_from_what_their_own_find(library: list[Paper], client: Client) -> None:
    reader = make_reader("dora@example.org", "attention", "-trees")
    page = client.post(f"{links.access(reader)}suggest/", answers() | {"from": "found"})
    assert "sparse attention" in proposed(page)
    assert not [line for line in proposed(page) if "tree" in line]


@pytest.mark.django_db
def test_a_like_that_was_taken_back_or_turned_round_stays_so(library: list[Paper], client: Client) -> None:
    reader = make_reader("dora@example.org", "trees")
    Feedback.objects.create(subscriber=reader, paper=library[0], kind="less", at=MORNING)
    Feedback.objects.create(subscriber=reader, paper=library[1], kind="more", at=MORNING, undone_at=MORNING)
    client.post(f"{links.access(reader)}suggest/", {"like": f"{library[0].pk},{library[1].pk}"})
    assert not Feedback.objects.filter(kind="more", undone_at=None).exists()


@pytest.mark.django_db
def test_proposing_stores_nothing(library: list[Paper], client: Client) -> None:
    before = Interest.objects.count(), Feedback.objects.count(), Subscriber.objects.count()
    client.post("/suggest/", answers(paste=ABSTRACT))
    assert (Interest.objects.count(), Feedback.objects.count(), Subscriber.objects.count()) == before
    assert client.get("/suggest/").status_code == 405


@pytest.mark.django_db
def test_what_is_pasted_is_text_and_never_markup(library: list[Paper], client: Client) -> None:
    page = client.post(
        "/suggest/", answers(paste="</textarea><script>x</script>", email='"><script>y')
    ).content.decode()
    assert "<script>x" not in page
    assert "<script>y" not in page
