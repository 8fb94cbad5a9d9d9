"""What a reader said of papers -> what they get."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import numpy as np
import pytest

from digest.models import Digest, Feedback, Lane, Paper, Pick, ReasonKind
from digest.picks.selection import feedback as given
from digest.picks.selection.choose import choose
from digest.relevance.ranking import corpus
from digest.relevance.ranking.authorship import Authorship
from digest.relevance.ranking.closeness import Nearness, says_itself, terms_of
from digest.relevance.ranking.taste import LESS, MORE, PASSED_OVER, Likeness, taste, trust
from digest.relevance.vectors import Background, Vocabulary, kin, of_papers
from subscriptions.interests.parser import parse
from subscriptions.interests.words import stem
from subscriptions.models import Subscriber
from tests.conftest import MORNING, listing, make_reader

ALIKE = np.array([[3.0, 0.0, -1.0], [0.0, 2.0, 0.0]])
ROWS = {1: 0, 2: 1}


def test_the_first_click_counts_and_names_the_paper() -> None:
    learned = taste({1: MORE}, ROWS, ALIKE)
    assert learned is not None
    assert learned.degree.tolist() == [1.5, 0.0, -0.5]
    assert learned.nearest.tolist() == [1, 1, 1]


def test_less_is_the_opposite_and_names_nobody() -> None:
    learned = taste({1: LESS}, ROWS, ALIKE)
    assert learned is not None
    assert learned.degree.tolist() == [-1.5, 0.0, 0.5]
    assert learned.nearest.tolist() == [-1, -1, -1]


def test_what_was_passed_over_weighs_less_than_what_was_liked() -> None:
    alone, beside = taste({1: MORE}, ROWS, ALIKE), taste({1: MORE, 2: PASSED_OVER}, ROWS, ALIKE)
    assert alone is not None
    assert beside is not None
    assert beside.degree[1] < alone.degree[1]
    assert beside.degree[0] == alone.degree[0]


def test_passing_over_alone_and_unknown_papers_say_nothing() -> None:
    assert taste({2: PASSED_OVER}, ROWS, ALIKE) is None
    assert taste({77: MORE}, ROWS, ALIKE) is None


def test_lines_that_do_not_find_what_is_liked_lose_their_say() -> None:
    close = np.array([[0.0] * 9 + [1.0]])
    assert trust(close, [9] * 3, 10) == 1.0
    assert trust(close, [0] * 3, 10) == 0.5
    assert trust(close, [0] * 9, 10) == 0.25
    assert trust(close, [], 10) == 1.0
    assert trust(np.zeros((0, 10)), [0], 10) == 1.0


BIRDS = [(f"Birds {n}", "feathers nesting migration songbirds wings") for n in range(5)]
ROCKS = [(f"Rocks {n}", "granite basalt erosion minerals crystal") for n in range(5)]


def near(typed: str) -> list[float]:
    vocabulary = Vocabulary()
    texts = of_papers([*BIRDS, *ROCKS, ("", "")], vocabulary)
    asked = Nearness(Background(texts), texts, vocabulary)
    return [float(share) for share in asked.to([terms_of(typed, parse(typed))])[0]]


def test_a_line_is_close_to_papers_that_hold_only_part_of_it() -> None:
    shares = near("migration of songbirds across oceans")
    assert min(shares[:5]) > max(shares[5:])
    assert shares[-1] == 0


def test_what_a_line_excludes_or_asks_of_authors_draws_nothing() -> None:
    assert terms_of("songbirds -granite", parse("songbirds -granite")) == ["songbird"]
    assert terms_of("author:LeCun wings", parse("author:LeCun wings")) == ["wing"]
    assert near("unheard OR unknown") == [0.0] * 11


@pytest.mark.parametrize(
    "typed", ["Vision language models", '"chain of thought"', "pruning OR (sparse and small)", '(a OR b) "c d"']
)
def test_a_line_of_bare_words_gives_the_same_terms_without_its_node(typed: str) -> None:
    assert says_itself(typed)
    assert terms_of(typed, None) == terms_of(typed, parse(typed))


@pytest.mark.parametrize("typed", ["a -b", "a NOT b", "author:a b", "multimod*", "!pruning", "a, b"])
def test_a_line_with_signs_needs_its_node(typed: str) -> None:
    assert not says_itself(typed)


def test_a_space_of_no_papers_or_empty_ones_is_no_error() -> None:
    vocabulary = Vocabulary()
    texts = of_papers([("", ""), ("", "")], vocabulary)
    assert Nearness(Background(texts), texts, vocabulary).to([["x"]]).tolist() == [[0.0, 0.0]]
    assert Nearness(Background([]), [], Vocabulary()).to([["x"]]).shape == (1, 0)


def test_the_words_a_sentence_asks_with_are_not_what_it_asks_for() -> None:
    asked = "Please give papers which discuss the erosion of granite"
    assert terms_of(asked, parse(asked)) == ["eros", "granit"]
    search = "information retrieval research"
    assert terms_of(search, parse(search)) == [stem(word) for word in search.split()]
    nothing = "what would you like to find in the papers of interest"
    assert terms_of(nothing, parse(nothing))


def test_a_paper_without_a_word_of_the_line_is_near_through_those_that_hold_it() -> None:
    vocabulary = Vocabulary()
    kin = [("Songbirds", "feathers nesting"), ("Kin", "feathers nesting"), *ROCKS]
    shares = Nearness(Background(texts := of_papers(kin, vocabulary)), texts, vocabulary).to([["songbird"]])[0]
    assert shares[0] > shares[1] > max(shares[2:])


def test_a_common_author_makes_papers_alike_and_a_common_name_less_so() -> None:
    everywhere = [["Li Wei"]] * 8
    papers = [["Ann B. Bird", "Li Wei"], ["Bird, Ann"], ["Ben Bird"], [], *everywhere]
    shared = Authorship(papers, len(papers)).shared(np.array([0]), np.arange(5))[0]
    assert shared[1] > 0.2
    assert shared[2] == shared[3] == 0
    assert 0 <= shared[4] < 0.05


def test_authors_of_an_older_paper_are_known_and_new_names_say_nothing() -> None:
    before = Authorship([["Ann Bird"], ["Ben Rock"]], 2)
    after = before.extended([["Ann Bird", "Somebody New"], []])
    assert after.shared(np.array([2, 3]), np.array([0, 1])).round(3).tolist() == [[0.12, 0], [0, 0]]
    assert before.rows.shape[0] == 2
    assert Authorship([], 0).shared(np.array([], int), np.array([], int)).shape == (0, 0)


def test_likeness_is_the_same_each_time_and_whatever_was_asked_before() -> None:
    def asked(first: list[int]) -> list[list[float]]:
        vocabulary = Vocabulary()
        texts = of_papers([*BIRDS, *ROCKS], vocabulary)
        likeness = Likeness(Background(texts), texts, len(vocabulary), [["Ann Bird"]] * 10)
        likeness.to_candidates(np.array(first), np.arange(10))
        return likeness.to_candidates(np.array([0, 7]), np.arange(10)).tolist()

    assert asked([3]) == asked([9, 2])


def test_kin_are_the_nearest_known_papers_and_never_the_paper_itself() -> None:
    turns = np.array([0, 10, 25, 80, 90, 200]) * np.pi / 180
    rows = np.stack([np.cos(turns), np.sin(turns)], axis=1)
    shares = kin(rows, 5, 2, 2).toarray()
    assert [np.flatnonzero(row).tolist() for row in shares] == [[1, 2], [0, 2], [0, 1], [2, 4], [2, 3], [5]]
    assert shares.sum(axis=1) == pytest.approx(1)
    assert shares[0, 1] / shares[0, 2] == pytest.approx((np.cos(turns[1]) / np.cos(turns[2])) ** 2)
    assert kin(rows, 5, 0, 2).toarray().tolist() == np.eye(6).tolist()
    assert kin(np.zeros((0, 3)), 0, 0, 2).shape == (0, 0)


def test_a_paper_without_a_word_of_the_liked_one_is_liked_the_more_for_its_kin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four papers join songbirds to feathers; two are not among the known, one of feathers and one of rocks."""
    vocabulary = Vocabulary()
    joined = [("Songbirds", f"feathers nesting wings {n}") for n in range(4)]
    bread = [(f"Bread {n}", "flour yeast oven dough baking") for n in range(5)]
    known = [("Songbirds", "migration"), *joined, *(ROCKS + bread) * 8]
    texts = of_papers([*known, ("Notes", "feathers nesting"), ("Notes", "granite basalt")], vocabulary)

    def likeness() -> list[float]:
        found = Likeness(Background(texts[:-2]), texts, len(vocabulary))
        last = np.arange(len(known), len(texts))
        return [float(one) for one in found.to_candidates(np.array([0]), last)[0]]

    feathers, granite = likeness()
    monkeypatch.setattr("digest.relevance.ranking.taste.KIN_SAY", 0)
    alone, alone_granite = likeness()
    assert feathers > alone + 0.2
    assert granite <= alone_granite


def test_a_paper_older_than_the_others_speaks_as_it_would_among_them() -> None:
    vocabulary = Vocabulary()
    texts = of_papers([*BIRDS * 6, *ROCKS * 6], vocabulary)
    likeness = Likeness(Background(texts), texts, len(vocabulary))
    again = likeness.extended([texts[0]])
    papers = np.array([60, 31, 60])
    first, rock, second = again.to_candidates(papers, np.arange(30, 60))
    assert first.tolist() == second.tolist()
    assert first == pytest.approx(likeness.to_candidates(np.array([0]), np.arange(30, 60))[0], abs=1e-5)
    assert rock.tolist() == likeness.to_candidates(np.array([31]), np.arange(30, 60))[0].tolist()


def test_likenesses_are_forgotten_when_they_are_many_and_counted_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("digest.relevance.ranking.taste._KEPT", 25)
    vocabulary = Vocabulary()
    texts = of_papers([*BIRDS, *ROCKS], vocabulary)
    likeness = Likeness(Background(texts), texts, len(vocabulary))
    first = likeness.to_candidates(np.array([1, 8]), np.arange(10)).tolist()
    for paper in range(10):
        likeness.to_candidates(np.array([paper]), np.arange(10))
        assert len(likeness._kept) <= 2
    assert likeness.to_candidates(np.array([1, 8]), np.arange(10)).tolist() == first


@pytest.fixture
def reader(store: Callable[..., list[Paper]]) -> Subscriber:
    """Two papers of each kind in the news; the reader typed a word that all of them hold."""
    for number, (kind, words) in enumerate((("Birds", BIRDS[0][1]), ("Rocks", ROCKS[0][1]))):
        more = [listing(f"{kind} {n}", f"Field notes {n}: {words}.", upvotes=5 * number) for n in range(6)]
        store(*more, now=MORNING - dt.timedelta(hours=6 + number))
    return make_reader("rita@example.org", "notes", max_papers=6)


def titles(reader: Subscriber, now: dt.datetime = MORNING) -> list[str]:
    picks = choose([reader], now)[reader.pk]
    return [Paper.objects.get(pk=pick.paper).title for pick in picks]


def say(reader: Subscriber, title: str, kind: str = Feedback.Kind.MORE) -> Feedback:
    paper = Paper.objects.get(title=title)
    return Feedback.objects.create(subscriber=reader, paper=paper, kind=kind, at=MORNING - dt.timedelta(hours=1))


@pytest.mark.django_db
def test_one_click_brings_more_like_it_with_the_reason_and_points_that_add_up(reader: Subscriber) -> None:
    assert titles(reader)[0].startswith("Rocks")
    say(reader, "Birds 0")
    assert titles(reader)[0].startswith("Birds")
    for pick in choose([reader], MORNING)[reader.pk]:
        assert pick.points == sum(reason.points for reason in pick.reasons) + pick.trend
    first = choose([reader], MORNING)[reader.pk][0]
    liked = next(reason for reason in first.reasons if reason.kind == ReasonKind.TASTE)
    assert liked.subject == Paper.objects.get(title="Birds 0").pk


@pytest.mark.django_db
def test_a_click_taken_back_never_happened(reader: Subscriber) -> None:
    before = choose([reader], MORNING)
    clicked = say(reader, "Birds 0")
    assert choose([reader], MORNING) != before
    clicked.undone_at = MORNING
    clicked.save(update_fields=["undone_at"])
    assert choose([reader], MORNING) == before


@pytest.mark.django_db
def test_a_click_of_later_is_not_known_yet(reader: Subscriber) -> None:
    before = choose([reader], MORNING - dt.timedelta(hours=2))
    say(reader, "Birds 0")
    assert choose([reader], MORNING - dt.timedelta(hours=2)) == before


@pytest.mark.django_db
def test_less_sends_its_like_to_the_end(reader: Subscriber) -> None:
    say(reader, "Rocks 0", Feedback.Kind.LESS)
    assert all(title.startswith("Birds") for title in titles(reader)[:4])


@pytest.mark.django_db
def test_a_liked_paper_older_than_the_corpus_still_speaks(reader: Subscriber, monkeypatch: pytest.MonkeyPatch) -> None:
    old = Paper.objects.create(
        title="Birds of old", title_key="old", abstract=BIRDS[0][1], first_listed_on=MORNING.date() - dt.timedelta(90),
        first_seen_at=MORNING - dt.timedelta(90),
    )  # fmt: skip
    monkeypatch.setattr(corpus, "BACKGROUND", 12)
    Feedback.objects.create(subscriber=reader, paper=old, kind=Feedback.Kind.SAVE, at=MORNING - dt.timedelta(days=80))
    assert titles(reader)[0].startswith("Birds")


@pytest.mark.django_db
def test_papers_sent_beside_one_that_was_liked_were_passed_over(reader: Subscriber) -> None:
    liked, beside, unopened = (Paper.objects.get(title=title).pk for title in ("Birds 0", "Rocks 0", "Rocks 1"))
    for days, papers in ((1, (liked, beside)), (2, (unopened,))):
        at = MORNING - dt.timedelta(days=days)
        picks = [Pick(paper, Lane.INTERESTS, 0, 0) for paper in papers]
        Digest.objects.create(subscriber=reader, issue_date=at.date(), created_at=at, picks=picks)
    assert given.read([reader.pk], MORNING) == {}
    say(reader, "Birds 0")
    assert given.read([reader.pk], MORNING) == {reader.pk: {liked: MORE, beside: PASSED_OVER}}


@pytest.mark.django_db
def test_another_readers_clicks_change_nothing(reader: Subscriber) -> None:
    before = choose([reader], MORNING)
    say(make_reader("sam@example.org", "notes"), "Birds 0")
    assert choose([reader], MORNING) == before
