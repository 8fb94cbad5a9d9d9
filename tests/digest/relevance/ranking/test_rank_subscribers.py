"""What a chunk gets together is what each of its readers gets alone, to the last byte."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from digest.models import Digest, Feedback, Lane, Match, Paper, Pick, ReasonKind
from digest.picks.selection import choose, feedback
from digest.picks.selection.digest_plan import Plan
from digest.relevance import match_papers
from digest.relevance.ranking import candidates, rank_subscribers, score_cache
from digest.relevance.ranking.score_matrix import MAX_LINES
from subscriptions.interests.parser import InterestError
from subscriptions.models import Interest, Subscriber
from tests.conftest import MORNING, listing, make_reader
from tests.reference import from_rows

pytestmark = pytest.mark.django_db

WORDS = "model data image video text language graph agent policy reward learning speech code vision robot music".split()
SENTENCES = (
    "we want methods that learn from a few images or text",
    "how well do language models reason about the world they see",
)


def by_rank(readers: list[Subscriber], planned: list[Plan], now: dt.datetime) -> list[list[Pick]]:
    """The picks by `rank`, from rows read one by one."""
    ids = [reader.pk for reader in readers]
    into = dict(Paper.objects.exclude(merged_into=None).values_list("pk", "merged_into"))
    sent: dict[int, set[int]] = {pk: set() for pk in ids}
    for digest in Digest.objects.filter(subscriber__in=ids):
        sent[digest.subscriber_id] |= {into.get(paper, paper) for paper in digest.paper_ids}
    return from_rows.one_by_one(readers, planned, now, sent, feedback.read(ids, now))


def agree(
    readers: list[Subscriber], now: dt.datetime = MORNING, planned: list[Plan] | None = None
) -> dict[int, list[Pick]]:
    """Assert that both ways give the same, and return it."""
    planned = planned or [Plan(7, reader.max_papers) for reader in readers]
    plain = by_rank(readers, planned, now)
    for reader, one, picks in zip(readers, choose.choose_all(readers, planned, now), plain, strict=True):
        assert one.unpack() == picks, reader.email
        assert one.papers == [pick.paper for pick in picks]
    return dict(zip([reader.pk for reader in readers], plain, strict=True))


def a_line(chance: random.Random, texts: list[str]) -> str:
    """Something a reader may type: words of the papers, in the ways of the language."""
    text = chance.choice(texts).split()
    start = chance.randrange(max(len(text) - 3, 1))
    phrase = " ".join(word for word in text[start : start + 3] if word.isalpha()) or "model"
    one, other = chance.choice(WORDS), chance.choice(WORDS)
    return chance.choice(
        [one, one, f"{one} {other}", f"{one} OR {other}", f'"{phrase}"', f"!{one} {other}", f'!"{phrase}"', f"-{one}",
         f"title:{one}", f"{one} -{other}", f"{one[:3]}*", phrase, chance.choice(SENTENCES)]
    )  # fmt: skip


def readers_of_all_kinds(chance: random.Random, texts: list[str], count: int) -> list[Subscriber]:
    found = []
    for number in range(count):
        lines: dict[str, None] = {}
        while len(lines) < chance.choice([0, 1, 2, 5, 9, 20]):
            lines[a_line(chance, texts)] = None
        reader = Subscriber.objects.at_address(f"reader{number}@example.org")
        reader.status = Subscriber.Status.ACTIVE  # else their lines are not matched
        reader.max_papers = chance.choice([0, 1, 3, 10, 10, 10, 20, 50])
        reader.trending_share = chance.choice([0, 0, 20, 50, 100])
        reader.save()
        try:
            reader.set_lines(list(lines))
        except InterestError:  # a phrase of the papers that the language does not take
            continue
        found.append(reader)
    match_papers.match_interests(MORNING)
    papers = list(Paper.objects.values_list("pk", flat=True))
    for reader in found:
        if chance.random() < 0.4:
            picks = [Pick(paper, Lane.INTERESTS, 0, 0) for paper in chance.sample(papers, min(8, len(papers)))]
            yesterday = MORNING - dt.timedelta(days=1)
            Digest.objects.create(subscriber=reader, issue_date=yesterday.date(), created_at=yesterday, picks=picks)
        if chance.random() < 0.2:
            for paper in chance.sample(papers, min(3, len(papers))):
                kind = chance.choice(Feedback.Kind.values)
                Feedback.objects.create(
                    subscriber=reader, paper_id=paper, kind=kind, at=MORNING - dt.timedelta(hours=2)
                )
    return found


def test_on_real_papers_a_chunk_gets_what_each_reader_gets_alone(
    shared_data: Path, store: Callable[..., list[Paper]]
) -> None:
    with gzip.open(shared_data / "hf_daily" / "hf_daily_dev.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for _, line in zip(range(150), file, strict=False)]
    chance = random.Random(11)
    listings = [
        listing(row["title"], row["abstract"], authors=tuple(row["authors"]), upvotes=chance.randrange(30))
        for row in rows
    ]
    # Papers that came twice under other titles are twins.
    listings += [listing(f"{row['title']}, revisited", row["abstract"], upvotes=3) for row in rows[:25]]
    store(*listings)
    readers = readers_of_all_kinds(chance, [row["abstract"] for row in rows], 120)
    picks = agree(readers, planned=[Plan(7, one.max_papers, chance.choice([0, 0, 10])) for one in readers])
    kinds = {reason.kind for of_one in picks.values() for pick in of_one for reason in pick.reasons}
    assert kinds == set(ReasonKind)
    assert {pick.lane for of_one in picks.values() for pick in of_one} == set(Lane)


@pytest.mark.parametrize("seed", range(6))
def test_with_few_papers_and_many_ties_too(
    seed: int, store: Callable[..., list[Paper]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rank_subscribers, "BLOCK_CELLS", 40)  # some readers a block
    monkeypatch.setattr(score_cache, "LINES_AT_ONCE", 3)
    chance = random.Random(seed)
    texts = [" ".join(chance.choices(WORDS, k=12)) for _ in range(chance.randrange(1, 30))]
    store(*(listing(f"Paper {number}", text, upvotes=chance.randrange(3)) for number, text in enumerate(texts)))
    readers = readers_of_all_kinds(chance, texts, 25)
    agree(readers, planned=[Plan(7, one.max_papers, chance.choice([0, 3])) for one in readers])


def test_reasons_of_equal_points_stand_in_the_order_of_the_lines(store: Callable[..., list[Paper]]) -> None:
    store(*(listing(f"zebra apple {number}", "apple zebra") for number in range(3)))
    reader = make_reader("alice@example.org", "zebra", "apple", "zebra OR lemon", "apple OR lemon")
    place = {line.interest_id: line.position for line in reader.interest_lines.all()}
    for pick in agree([reader])[reader.pk]:
        points = [(-reason.points, place[reason.subject]) for reason in pick.reasons]
        assert len(points) == 4
        assert points == sorted(points)


def test_interests_beyond_the_most_do_not_count_and_fail_nobody(
    papers: list[Paper], caplog: pytest.LogCaptureFixture
) -> None:
    lines = [f"zebra{number}" for number in range(MAX_LINES)]
    many = make_reader("alice@example.org", "pruning", *lines, "diffusion")
    bob = make_reader("bob@example.org", "diffusion")
    alice_gets, bob_gets = choose.choose([many, bob], MORNING).values()
    assert f"Subscriber {many.pk} has {MAX_LINES + 2} interests" in caplog.text
    assert [pick.paper for pick in alice_gets] == [papers[4].pk]
    assert bob_gets


def test_nobody_and_no_papers_give_nothing(alice: Subscriber) -> None:
    assert choose.choose([], MORNING) == {}
    assert agree([alice]) == {alice.pk: []}


def test_what_is_kept_is_made_anew_when_papers_matches_or_upvotes_change(
    alice: Subscriber, papers: list[Paper], store: Callable[..., list[Paper]]
) -> None:
    later = MORNING + dt.timedelta(minutes=1)
    first = agree([alice])[alice.pk]
    store(listing("Diffusion again", "Chain-of-thought diffusion."), now=MORNING)
    more = agree([alice], later)[alice.pk]
    assert len(more) == len(first) + 1
    Paper.objects.filter(title="Diffusion for Weather").update(upvotes=5000)
    assert agree([alice], later)[alice.pk] != more
    Match.objects.all().delete()
    Paper.objects.update(matched_at=later)
    kinds = {reason.kind for pick in agree([alice], later)[alice.pk] for reason in pick.reasons}
    assert ReasonKind.MATCH not in kinds


def test_a_line_not_matched_yet_is_looked_at_again(papers: list[Paper]) -> None:
    reader = make_reader("alice@example.org", "pruning")
    made = list(Match.objects.all())
    Match.objects.all().delete()
    Interest.objects.update(matched_at=None)
    agree([reader])
    Match.objects.bulk_create(made)
    Interest.objects.update(matched_at=MORNING)
    reasons = [reason for pick in agree([reader])[reader.pk] for reason in pick.reasons]
    assert [reason.subject for reason in reasons if reason.kind == ReasonKind.MATCH] == [Interest.objects.get().pk]


def test_a_paper_merged_into_one_that_was_sent_is_not_sent_again(alice: Subscriber, papers: list[Paper]) -> None:
    old = Paper.objects.create(
        title="Old", title_key="old", first_listed_on=MORNING.date(), first_seen_at=MORNING, merged_into=papers[0]
    )
    Digest.objects.create(
        subscriber=alice,
        issue_date=MORNING.date(),
        created_at=MORNING,
        picks=[Pick(old.pk, Lane.INTERESTS, 0, 0)],
    )
    assert papers[0].pk not in {pick.paper for pick in agree([alice])[alice.pk]}


def test_the_numbers_of_papers_by_lane_are_those_of_rank() -> None:
    for papers in range(12):
        for percent in range(0, 101, 5):
            most, share = rank_subscribers.lane_sizes([papers], [percent])
            plain = round(papers * percent / 100)
            assert (most[0], share[0]) == (max(papers - plain, 1 if papers else 0), plain)


def test_candidates_are_the_same_however_they_are_read(papers: list[Paper]) -> None:
    found, plain = candidates.read(MORNING), from_rows.candidates(Paper.objects.fresh(MORNING))
    rows = zip(found.ids.tolist(), found.upvotes.tolist(), found.ranks.tolist(), strict=True)
    assert [tuple(one) for one in sorted(plain.values())] == list(rows)
