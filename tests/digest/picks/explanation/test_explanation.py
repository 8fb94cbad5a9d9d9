"""Why not this paper? Each case through the page of preferences or the function behind it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.core.management import call_command
from django.test import Client

from digest.models import Delivery, Digest, Feedback, Paper
from digest.picks.explanation import answers
from digest.picks.explanation.explain import Explanation, explain
from digest.picks.selection.choose import choose
from digest.picks.selection.select import select_due
from subscriptions import links
from subscriptions.models import Subscriber
from tests.conftest import MORNING, PAPERS, listing, make_reader

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


def said(found: Explanation) -> str:
    return " ".join((found.answer, *found.more))


def adds_up(found: Explanation) -> bool:
    assert found.score is not None
    return sum(round(100 * points) for points, _ in found.points) == round(100 * found.score)


def test_what_comes_next_has_its_place_and_a_sum(alice: Subscriber, papers: list[Paper]) -> None:
    found = explain(alice, "2603.00001", MORNING)
    picks = choose([alice], MORNING)[alice.pk]
    place = [pick.paper for pick in picks].index(found.paper.pk) + 1
    assert f"number {place} of your next mail" in found.answer
    assert found.score == picks[place - 1].points / 100
    assert adds_up(found)
    assert ("Diffusion", True) in found.title
    assert ("diffusion", True) in found.abstract


def test_what_is_below_the_cut_has_its_place_and_the_points_of_the_last_one_taken(store: Callable[..., object]) -> None:
    reader = make_reader("dora@example.org", "agents", max_papers=2)
    store(*(listing(f"Paper {n}", "Agents " * n, arxiv_id=f"2603.0010{n}", upvotes=n) for n in range(1, 6)))
    everything = explain(reader, "2603.00101", MORNING)
    taken = choose([reader], MORNING)[reader.pk]
    assert "number 5 of the papers for you" in everything.answer
    assert f"the last one taken has {taken[-1].points / 100:.2f}" in everything.answer
    assert "room for 2 papers" in said(everything)
    assert everything.score < taken[-1].points / 100
    assert adds_up(everything)


def test_what_was_sent_has_its_date_and_what_became_of_the_mail(alice: Subscriber, papers: list[Paper]) -> None:
    select_due(MORNING)
    found = explain(alice, "2603.00002", MORNING + DAY)
    digest = Digest.objects.get()
    assert "of your mail of 16 March 2026" in found.answer
    assert "still on its way" in said(found)
    assert found.score == next(pick.points / 100 for pick in digest.picks if pick.paper == found.paper.pk)
    assert adds_up(found)
    Delivery.objects.update(status="sent", sent_at=MORNING)
    assert "left on 16 March 2026 at 08:00" in said(explain(alice, "2603.00002", MORNING + DAY))
    Delivery.objects.update(status="bounced")
    assert "did not arrive" in said(explain(alice, "2603.00002", MORNING + DAY))


def test_a_paper_sent_under_its_other_record_was_sent(alice: Subscriber, papers: list[Paper]) -> None:
    select_due(MORNING)
    younger = Paper.objects.get(arxiv_id="2603.00001")
    older = Paper.objects.create(title="Other", title_key="x", first_listed_on=MORNING.date(), doi="10.1234/abc")
    Paper.objects.filter(pk=younger.pk).update(merged_into=older)
    assert "of your mail of 16 March 2026" in explain(alice, "10.1234/abc", MORNING).answer


def test_a_mute_says_which_words_it_means(alice: Subscriber, papers: list[Paper]) -> None:
    found = explain(alice, "A survey of diffusion", MORNING)
    assert found.answer == "Your line “-survey” keeps it away: the paper has “Survey” in the title."
    assert "“diffusion” would find it" in said(found)
    assert ("Survey", True) in found.title


def test_the_line_that_comes_nearest_says_what_it_lacks(papers: list[Paper]) -> None:
    reader = make_reader("dora@example.org", "entomology", "pruning rain trips weather")
    found = explain(reader, "2603.00005", MORNING)
    assert "No line of yours matches it." in found.answer
    assert "“pruning rain trips weather” comes nearest: the paper has “pruning”" in said(found)
    assert "and the paper lacks “rain”, “trips” and “weather”." in said(found)
    assert ("Pruning", True) in found.title


def test_a_phrase_whose_words_stand_apart_says_so(papers: list[Paper]) -> None:
    reader = make_reader("dora@example.org", '"networks accuracy" rain trips weather survey fewer')
    assert "lacks “networks accuracy side by side”, “rain”" in said(explain(reader, "2603.00005", MORNING))


def test_what_the_line_itself_excludes_is_named(papers: list[Paper]) -> None:
    reader = make_reader("dora@example.org", "source:huggingface -rain")
    assert "has “rain”, which the line excludes" in said(explain(reader, "2603.00001", MORNING))


def test_a_paper_of_another_subject_shares_no_word(papers: list[Paper]) -> None:
    reader = make_reader("dora@example.org", "entomology")
    assert "none of the words" in said(explain(reader, "2603.00005", MORNING))


def test_likeness_is_explained_by_the_paper_it_is_like(store: Callable[..., list[Paper]]) -> None:
    reader = make_reader("dora@example.org", "phones")
    liked, *_ = store(
        listing("Sparse Attention Kernels", "Sparse attention kernels run fast on GPUs.", arxiv_id="2603.00201"),
        listing("Attention Kernels on Phones", "Sparse kernels of attention on phones.", arxiv_id="2603.00202"),
        *PAPERS,
    )
    Feedback.objects.create(subscriber=reader, paper=liked, kind=Feedback.Kind.SAVE, at=MORNING)
    found = explain(reader, "2603.00202", MORNING)
    assert adds_up(found)
    assert any("like “Sparse Attention Kernels”, which you saved" in voice for _, voice in found.points)


def test_a_line_that_only_comes_close_says_what_it_lacks(papers: list[Paper]) -> None:
    reader = make_reader("dora@example.org", "pruning networks fewer weights transformers")
    found = explain(reader, "2603.00005", MORNING)
    assert adds_up(found)
    assert found.points[0][1] == (
        "“pruning networks fewer weights transformers” comes close: the paper lacks “transformers”"
    )
    assert [text for text, is_marked in found.abstract if is_marked] == ["Fewer", "weights"]


def test_what_is_too_old_says_its_days_and_how_it_stood(store: Callable[..., object]) -> None:
    reader = make_reader("dora@example.org", "agents", max_papers=1)
    store(*(listing(f"Paper {n}", "Agents " * n, arxiv_id=f"2603.0010{n}", upvotes=n) for n in range(1, 4)))
    select_due(MORNING)
    found = explain(reader, "2603.00101", MORNING + 20 * DAY)
    assert "too old for a mail now" in found.answer
    assert "For your mail of 16 March 2026 it had" in found.answer
    assert f"the last of the 1 papers taken had {Digest.objects.get().picks[0].points / 100:.2f}" in found.answer
    assert "could come until 23 March 2026" in said(found)
    assert adds_up(found)


def test_what_no_mail_was_made_for(papers: list[Paper]) -> None:
    reader = make_reader("dora@example.org", "diffusion", next_digest_at=None)
    assert "none was made for you while it was new" in explain(reader, "2603.00001", MORNING + 20 * DAY).answer


def test_what_arrived_after_the_last_mail(alice: Subscriber, papers: list[Paper], store: Callable[..., object]) -> None:
    select_due(MORNING)
    later = MORNING + dt.timedelta(hours=2)
    store(listing("Diffusion at Noon", "Late.", arxiv_id="2603.00300"), now=later)
    text = said(explain(alice, "2603.00300", later + dt.timedelta(hours=1)))
    assert "We first saw it on 16 March 2026 at 10:00" in text
    assert "Your last mail was made before that" in text


@pytest.mark.parametrize("columns, says", [
    ({"withdrawn_on": dt.date(2026, 3, 15)}, "withdrawn on 15 March 2026"),
    ({"is_news": False}, "was never news"),
    ({"matched_at": None}, "ask again in a minute"),
])  # fmt: skip
def test_what_keeps_a_paper_out_whoever_reads(
    columns: dict[str, object], says: str, alice: Subscriber, papers: list[Paper]
) -> None:
    Paper.objects.filter(arxiv_id="2603.00001").update(**columns)
    assert says in explain(alice, "2603.00001", MORNING).answer


def test_a_paper_no_source_listed_names_the_sources(alice: Subscriber, papers: list[Paper]) -> None:
    found = explain(alice, "https://arxiv.org/abs/2509.12345v2", MORNING)
    assert found.answer == "No source we read has listed arXiv:2509.12345."
    assert "We read Hugging Face" in said(found)


@pytest.mark.parametrize("name", [
    "2603.00005", "2603.00005v3", "https://arxiv.org/pdf/2603.00005", "arXiv:2603.00005", " pruning NETWORKS ",
    "https://huggingface.co/papers/2603.00005",
])  # fmt: skip
def test_a_paper_is_known_by_many_names(name: str, alice: Subscriber, papers: list[Paper]) -> None:
    assert explain(alice, name, MORNING).paper == Paper.objects.get(arxiv_id="2603.00005")


def test_our_own_address_names_a_paper(alice: Subscriber, papers: list[Paper]) -> None:
    assert explain(alice, f"https://here.test{papers[1].get_absolute_url()}", MORNING).paper == papers[1]


@pytest.mark.parametrize("name", ["", "x", "\x00", "a" * 5000, "１２３", "9" * 400, "http://[", "10.1/"])
def test_what_names_nothing_is_answered_too(name: str, alice: Subscriber, papers: list[Paper]) -> None:
    assert explain(alice, name, MORNING).paper is None


def test_a_reader_who_gets_nothing_is_told(alice: Subscriber, bob: Subscriber, papers: list[Paper]) -> None:
    assert "has not been confirmed" in said(explain(bob, "2603.00004", MORNING))
    alice.pause(MORNING + 5 * DAY, MORNING)
    assert "paused until 21 March 2026" in said(explain(alice, "2603.00001", MORNING))


def test_a_reader_without_lines_is_told(papers: list[Paper]) -> None:
    assert "no line that asks" in said(explain(make_reader("x@example.org", "-survey"), "2603.00005", MORNING))


def test_the_page_and_the_command_say_the_same(
    alice: Subscriber, papers: list[Paper], client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    with time_machine.travel(MORNING, tick=False):
        answer = client.get(f"{links.access(alice)}why/", {"paper": "2603.00003"})
        call_command("explain", alice.email, "2603.00003")
    found = explain(alice, "2603.00003", MORNING)
    text = BeautifulSoup(answer.content, "lxml").get_text()
    printed = capsys.readouterr().out
    for sentence in (found.answer, *found.more):
        assert sentence in text
        assert sentence in printed
    assert "A *Survey* of Diffusion" in printed
    assert [mark.get_text() for mark in BeautifulSoup(answer.content, "lxml").select("h2 mark")] == ["Survey"]


def test_the_page_is_private_and_needs_the_readers_link(alice: Subscriber, papers: list[Paper], client: Client) -> None:
    address = f"{links.access(alice)}why/"
    answer = client.get(address)
    assert "no-store" in answer["Cache-Control"]
    assert client.get(address.replace("/why", "x/why")).status_code == 404
    assert client.post(address).status_code == 405


def test_what_is_asked_is_text_and_never_markup(alice: Subscriber, client: Client) -> None:
    page = client.get(f"{links.access(alice)}why/", {"paper": '"><script>'}).content.decode()
    assert "<script>" not in page


def test_lines_that_match_very_much_are_not_ranked_for_one_question(
    papers: list[Paper], alice: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "MOST_RANKED", 1)
    monkeypatch.setattr(answers, "choose", None)  # nothing is ranked
    found = explain(alice, str(papers[0].pk), MORNING)
    assert "shorten the list" in found.answer
    assert any("diffusion" in sentence for sentence in found.more)
