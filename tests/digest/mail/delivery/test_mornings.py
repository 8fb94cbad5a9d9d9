"""What a process has learned of lines and papers holds on the mornings of a week, and says what learning anew would."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Sequence

import pytest

from digest.models import Feedback, Match, Paper, Pick
from digest.picks.selection import choose as choosing
from digest.picks.selection.digest_plan import Plan
from digest.relevance import match_papers
from digest.relevance.ranking import candidates, corpus, score_cache
from digest.relevance.ranking.closeness import Nearness
from subscriptions.models import Interest, Subscriber
from tests.conftest import MORNING, listing, make_reader
from tests.digest.relevance.ranking.test_rank_subscribers import SENTENCES, WORDS, agree

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

DAY = dt.timedelta(days=1)
Store = Callable[..., list[Paper]]


@pytest.fixture
def store_day(store: Store) -> Callable[[dt.datetime, int], None]:
    """Stores so many papers of a few common words, each said by its number."""
    chance = random.Random(7)

    def store_some(now: dt.datetime, count: int, *more: str) -> None:
        texts = [*(" ".join(chance.choices(WORDS, k=12)) for _ in range(count)), *more]
        store(*(listing(f"Paper {now:%m%d} {number}", text) for number, text in enumerate(texts)), now=now)

    return store_some


@pytest.fixture
def readers(store_day: Callable[..., None]) -> list[Subscriber]:
    """Readers of a service that has papers of a month, and some of today."""
    for weeks in (4, 3, 2, 1):
        store_day(MORNING - 7 * weeks * DAY, 40)
    store_day(MORNING - dt.timedelta(hours=1), 10)
    return [
        make_reader("alice@example.org", "model data", '"image video"', "!policy graph", "-reward", "speech songbird"),
        make_reader("bob@example.org", SENTENCES[0], "agent -robot", "title:songbird", "model data"),
    ]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Sequence[str]]:
    """The lines that were learned, by their terms."""
    found: list[Sequence[str]] = []
    plain = Nearness.ask

    def ask(self: Nearness, lines: Sequence[Sequence[str]]) -> object:
        found.extend(lines)
        return plain(self, lines)

    monkeypatch.setattr(Nearness, "ask", ask)
    return found


def choose(readers: list[Subscriber], now: dt.datetime) -> list[list[Pick]]:
    chosen = choosing.choose_all(readers, [Plan(7, 30, 10) for _ in readers], now)
    return [one.unpack() for one in chosen]


def anew(readers: list[Subscriber], now: dt.datetime, monkeypatch: pytest.MonkeyPatch) -> list[list[Pick]]:
    """As a process that begins now would choose."""
    with monkeypatch.context() as patch:
        patch.setattr(corpus, "_kept", corpus._Kept())
        patch.setattr(score_cache, "_cache", score_cache.ScoreCache())
        return choose(readers, now)


def test_a_week_of_mornings_is_as_each_alone_and_learns_only_what_is_new(
    readers: list[Subscriber],
    store_day: Callable[..., None],
    asked: list[Sequence[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    choose(readers, MORNING)
    learned = []
    for day in range(1, 6):
        now = MORNING + day * DAY
        store_day(now - dt.timedelta(hours=1), 5, *["A songbird sings of speech."] * (day == 3))
        asked.clear()
        chosen = choose(readers, now)
        learned.append([list(terms) for terms in asked])
        assert chosen == anew(readers, now, monkeypatch)
        agree(readers, now)
    # A word that no paper held is left out of a line, until one does.
    assert learned == [[], [], [["speech", "songbird"], ["songbird"]], [], []]
    songbirds = set(Interest.objects.filter(text__contains="songbird").values_list("pk", flat=True))
    assert any(reason.subject in songbirds for pick in chosen[0] for reason in pick.reasons)


def test_on_mondays_the_background_takes_in_the_week(
    readers: list[Subscriber], store_day: Callable[..., None], asked: list[Sequence[str]]
) -> None:
    def background(now: dt.datetime) -> int:
        found = corpus.at(candidates.read(now).ids.tolist(), now)
        return len(found.known.background.texts)

    assert background(MORNING) == background(MORNING + 6 * DAY) == 160
    store_day(MORNING + 3 * DAY, 5)
    assert background(MORNING + 6 * DAY) == 160
    assert background(MORNING + 7 * DAY) == 175


def test_a_young_service_learns_from_all_it_has(store_day: Callable[..., None]) -> None:
    store_day(MORNING - DAY, 10)
    store_day(MORNING, 10)
    found = corpus.at(candidates.read(MORNING).ids.tolist(), MORNING)
    assert len(found.known.background.texts) == 20


def test_a_paper_that_changes_or_goes_is_learned_anew(
    readers: list[Subscriber], asked: list[Sequence[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(readers, MORNING)
    paper, other = Paper.objects.order_by("-pk")[:2]
    Match.objects.filter(paper=paper).delete()
    changed = {"title": "Model data", "abstract": "policy graph", "matched_at": None}
    Paper.objects.filter(pk=paper.pk).update(**changed, changed_at=MORNING)
    match_papers.match_new(MORNING)
    assert choose(readers, MORNING) == anew(readers, MORNING, monkeypatch)
    Paper.objects.filter(pk=other.pk).update(merged_into=paper)
    assert choose(readers, MORNING) == anew(readers, MORNING, monkeypatch)
    other.delete()
    assert choose(readers, MORNING) == anew(readers, MORNING, monkeypatch)


def test_papers_matched_again_show_their_new_matches(
    readers: list[Subscriber], asked: list[Sequence[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = choose(readers, MORNING)
    asked.clear()
    Match.objects.all().delete()
    Paper.objects.update(matched_at=MORNING + DAY)
    assert choose(readers, MORNING) == anew(readers, MORNING, monkeypatch) != before


def test_a_word_for_an_older_paper_teaches_the_same_on_every_morning(
    readers: list[Subscriber], store_day: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    oldest = Paper.objects.earliest("pk")
    Feedback.objects.create(subscriber=readers[0], paper=oldest, kind=Feedback.Kind.MORE, at=MORNING - DAY)
    choose(readers, MORNING)
    store_day(MORNING + dt.timedelta(hours=1), 5)
    assert choose(readers, MORNING + DAY) == anew(readers, MORNING + DAY, monkeypatch)
