"""One interest against one paper, and many against many."""

from __future__ import annotations

import gzip
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.relevance.matching.match import TITLE, Document, Place, _gap_of_two, _smallest_gap, describe
from digest.relevance.matching.postings import Postings
from digest.relevance.matching.queries import Query, QueryIndex
from subscriptions.interests.language import And, Node, Or, Phrase, Prefix, Word
from subscriptions.interests.parser import InterestError, parse, reread


def paper(title: str = "", abstract: str = "", **more: object) -> Document:
    return Document(1, title, abstract, **more)


def matches(line: str, document: Document) -> bool:
    return Query.of(1, parse(line)).find(document) is not None


@pytest.mark.parametrize(
    ("line", "text", "expected"),
    [
        ("diffusion", "Diffusion models draw.", True),
        ("diffusion", "We infuse nothing.", False),
        ("quantization", "We quantized it.", True),
        ("retrieval augmented generation", "Generation that is augmented by retrieval", True),
        ("retrieval augmented generation", "Generation augmented by search", False),
        ('"chain of thought"', "A chain-of-thought prompt", True),
        ('"chain of thought"', "Thought of a chain", False),
        ("quantization OR pruning", "Pruned weights", True),
        ("agents -robotics", "Agents that plan", True),
        ("agents -robotics", "Agents for robotics", False),
        ("title:benchmark", "A benchmark", False),
        ("multimod*", "Multimodality everywhere", True),
        ('(red OR blue) "deep sea" -fish', "The deep sea is blue", True),
        ('(red OR blue) "deep sea" -fish', "A fish in the blue deep sea", False),
        ("LLM", "large language models", True),
        ("large language model", "LLMs are large", True),
        ("large language model agents", "LLM-based agents", True),
        ("RLHF", "reinforcement learning from human feedback", True),
        ("therapist", "the rapist", False),
        ("café", "a cafe", True),
        ("GPT-4", "we use GPT4", True),
        ("GPT-4", "GPT has 4 layers", False),
    ],
)
def test_it_matches_as_the_language_says(line: str, text: str, expected: bool) -> None:
    assert matches(line, paper(abstract=text)) is expected


@pytest.mark.parametrize("written", ["fine-tuning", "fine tuning", "finetuning", "fine-tuned", "Fine\u2011Tuning"])
@pytest.mark.parametrize("typed", ["fine-tuning", "fine tuning", "finetuning", "fine-tuned", "FINE-TUNE"])
def test_it_is_blind_to_hyphens_and_inflection(written: str, typed: str) -> None:
    assert matches(typed, paper(abstract=f"On {written} of models"))


def test_it_finds_authors_as_people_write_them() -> None:
    document = paper("x", authors=["Yann LeCun", "José Müller"])
    for line in ('author:"Yann LeCun"', 'author:"LeCun, Y."', "author:lecun", 'author:"jose muller"'):
        assert matches(line, document), line
    assert not matches('author:"Y. Bengio"', document)
    assert not matches("author:y", document)


def test_it_finds_categories_and_sources() -> None:
    document = paper("x", categories=["cs.CL"], sources=["huggingface"])
    assert matches("category:cs.CL", document)
    assert matches("category:cs", document)
    assert matches("source:huggingface", document)
    assert not matches("category:cs.LG", document)


def test_it_weighs_the_title_over_the_abstract_and_neighbours_over_strangers() -> None:
    def weight(line: str, document: Document) -> float:
        found = Query.of(1, parse(line)).find(document)
        assert found
        return found.weight

    assert weight("pruning", paper("Pruning", "")) > weight("pruning", paper("", "Pruning"))
    near = paper(abstract="neural pruning works")
    far = paper(abstract="neural nets are big and so we think that a gentle and slow way of pruning works")
    assert weight("neural pruning", near) > weight("neural pruning", far)


def test_it_says_which_characters_matched() -> None:
    document = paper("Diffusion, again", "Two diffusions. Naïve Diffusion!")
    found = Query.of(1, parse("diffusion")).find(document)
    assert found
    places = describe(found, document)
    assert [document.texts["title"][a:b] for a, b in places["title"]] == ["Diffusion"]
    assert [document.texts["abstract"][a:b] for a, b in places["abstract"]] == ["diffusions", "Diffusion"]
    assert places["words"] == ["Diffusion", "diffusions"]


def test_it_asks_a_mute_of_every_paper() -> None:
    index = QueryIndex([Query.of(7, parse("-survey"))])
    both = Postings([paper("A study of things"), paper("A survey of things")])
    assert [(query.interest_id, found.texts["title"]) for query, found in index.matches(both)] == [
        (7, "A survey of things")
    ]


WORDS = ["agent", "robot", "image", "fine-tuning", "LLM", "deep", "sea", "survey", "video", "model"]
terms = st.sampled_from(WORDS) | st.sampled_from(['"deep sea"', "rob*", "title:image", "author:ada"])
groups = st.lists(terms, min_size=1, max_size=3).map(" ".join)
lines = st.lists(groups, min_size=1, max_size=3).map(" OR ".join)
texts = st.lists(st.sampled_from([*WORDS, "robots", "finetuned", "the", "of", "language", "large"]), max_size=14)


@given(lines, terms, texts, texts)
def test_more_alternatives_never_lose_a_match(line: str, other: str, title: list[str], abstract: list[str]) -> None:
    document = paper(" ".join(title), " ".join(abstract), authors=["Ada L"])
    if matches(line, document):
        assert matches(f"{line} OR {other}", document)


@given(lines, terms, texts, texts)
def test_an_exclusion_never_gains_a_match(line: str, other: str, title: list[str], abstract: list[str]) -> None:
    document = paper(" ".join(title), " ".join(abstract), authors=["Ada L"])
    if matches(f"({line}) -{other}", document):
        assert matches(line, document)


def same_pairs(all_lines: list[str], documents: list[Document]) -> bool:
    """Whether the index finds the pairs that asking each paper for each line finds."""
    queries = [Query.of(number, parse(line)) for number, line in enumerate(all_lines)]
    by_index = [(query.interest_id, one.paper_id) for query, one in QueryIndex(queries).matches(Postings(documents))]
    one_by_one = {(query.interest_id, one.paper_id) for query in queries for one in documents if query.find(one)}
    return len(by_index) == len(one_by_one) and set(by_index) == one_by_one


# Words that are each other's parts or forms, so that glued pairs, phrases and stems meet in every way.
SMALL = [
    "fine",
    "tuning",
    "finetuned",
    "fine-tune",
    "tune",
    "use",
    "used",
    "d",
    "state",
    "of",
    "the",
    "art",
    "LLM",
    "a",
]
small_texts = st.lists(st.sampled_from([*SMALL, "large", "language", "models", "thought.", "3.5"]), max_size=12).map(
    " ".join
)
NAMES = [
    "Ada Lovelace", "A. Lovelace", "Lovelace, Ada B.", "José Müller", "J Muller", "Wei Wang", "Wang Wei", "W. Wang",
    "Wenhao Wang", "Gabriel García Márquez", "Garcia Marquez, G.", "JB Alayrac", "Jean-Baptiste Alayrac", "Fei-Fei Li",
    "Li Feifei", "A B C D E F G H I J Long",
]  # fmt: skip
names = st.lists(st.sampled_from(NAMES), max_size=3)
labels = st.lists(st.sampled_from(["cs.CL", "cs.LG", "csx.AI", "cs"]), max_size=2)
leaves = st.one_of(
    st.sampled_from(SMALL),
    st.lists(st.sampled_from(SMALL), min_size=2, max_size=4).map(lambda words: f'"{" ".join(words)}"'),
    st.sampled_from(["fin*", "use*", "tun*", "title:fine", 'title:"fine tuning"', "title:use*", "category:cs"]),
    st.sampled_from(["category:cs.cl", "source:hf", "author:ada", "author:wang", 'author:"muller, j."', "author:w"]),
    st.sampled_from(NAMES).map('author:"{}"'.format),
)
either = st.lists(leaves, min_size=1, max_size=3).map(" OR ".join)
rows = st.lists(leaves | either.map(lambda inner: f"({inner})"), min_size=1, max_size=4).map(" ".join)
mutes = st.lists(leaves, max_size=2).map(lambda refused: "".join(f" -{one}" for one in refused))


def readable(line: str) -> bool:
    try:
        parse(line)
    except InterestError:
        return False
    return True


whole_language = st.one_of(
    st.builds("{}{}".format, rows, mutes),
    st.builds("({} OR {}){}".format, rows, rows, mutes),
    leaves.map("-{}".format),
).filter(readable)
small_papers = st.builds(dict, title=small_texts, abstract=small_texts, authors=names, categories=labels)


@settings(deadline=None)
@given(st.lists(whole_language, min_size=1, max_size=8), st.lists(small_papers, max_size=4))
def test_the_index_finds_what_asking_each_finds(all_lines: list[str], some: list[dict[str, Any]]) -> None:
    documents = [Document(number, **one, sources=["hf"][: number % 2]) for number, one in enumerate(some)]
    assert same_pairs(all_lines, documents)


@pytest.fixture(scope="module")
def real_papers(shared_data: Path) -> list[Document]:
    with gzip.open(shared_data / "hf_daily" / "hf_daily_dev.jsonl.gz", "rt", encoding="utf-8") as file:
        found = [json.loads(line) for line in file][-150:]
    return [
        Document(number, one["title"], one["abstract"], one["authors"], ["cs.CL"][: number % 2], ["huggingface"])
        for number, one in enumerate(found)
    ]


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_the_index_agrees_on_real_papers(real_papers: list[Document], data: st.DataObject) -> None:
    def passage(length: int) -> str:
        found = re.findall(r"[^\W_]+", data.draw(st.sampled_from(real_papers)).texts["abstract"])
        start = data.draw(st.integers(0, max(len(found) - length, 0)))
        return " ".join(found[start : start + length])

    name = data.draw(st.sampled_from([name for one in real_papers for name in one.authors]))
    shapes = (
        lambda: passage(1),
        lambda: passage(2),
        lambda: f"{passage(1)} {passage(1)} {passage(1)}",
        lambda: f'"{passage(2)}"',
        lambda: f'"{passage(4)}"',
        lambda: f'{passage(1)} OR "{passage(2)}"',
        lambda: f"({passage(1)} OR {passage(1)}) {passage(1)} -{passage(1)}",
        lambda: f"title:{passage(1)}",
        lambda: f'title:"{passage(2)}"',
        lambda: f"{passage(1)[:4]}* category:cs",
        lambda: f"author:{json.dumps(name, ensure_ascii=False)}",
        lambda: f"author:{json.dumps(' '.join(reversed(name.split())), ensure_ascii=False)} source:huggingface",
        lambda: f"-{passage(1)}",
    )
    all_lines = [line for shape in shapes if readable(line := shape())]
    assert same_pairs(all_lines, real_papers)


def test_a_phrase_of_a_thousand_words_is_found() -> None:
    words = [f"word{number}" for number in range(1000)]
    query = Query.of(1, Phrase(tuple(words)))
    document = paper(abstract=" ".join(words))
    found = query.find(document)
    assert found and [(place.first, place.last) for place in found.places] == [(0, 999)]
    assert len(list(QueryIndex([query]).matches(Postings([document])))) == 1
    assert query.find(paper(abstract=" ".join(words[:-1]))) is None


LONG = {
    "a phrase": '"' + " ".join("a" * 990) + '"',
    "words": " ".join(f"w{number}" for number in range(390)),
    "brackets": "(" * 999 + "a" + ")" * 999,
    "alternatives": " OR ".join("a" * 390),
    "exclusions": "-" * 1999 + "a",
    "exclusions in brackets": "-(" * 600 + "a" + ")" * 600,
    "hyphens": "-".join("a" * 990),
    "titles": "title:(" * 250 + "a" + ")" * 250,
    "pins": "!" * 1999 + "a",
    "an author": 'author:"' + "a " * 990 + '"',
    "dots": "a." * 990,
    "phrases": '"a" ' * 490,
}


@pytest.mark.parametrize("read", [parse, reread], ids=["typed", "stored"])
@pytest.mark.parametrize("line", LONG.values(), ids=LONG)
def test_no_line_of_2000_characters_is_too_deep(line: str, read: Callable[[str], Node]) -> None:
    document = paper("a a a", " ".join("a b w1 w2 aa".split() * 300), authors=["A A A"])
    try:
        query = Query.of(1, read(line[:2000]))
    except InterestError:
        return
    assert (query.find(document) is not None) == bool(list(QueryIndex([query]).matches(Postings([document]))))


def test_the_index_finds_the_authors_of_real_papers(real_papers: list[Document]) -> None:
    """Many names at once, most of them of families that many authors share."""
    full = sorted({name.replace('"', "") for one in real_papers for name in one.authors if " " in name})[::12]
    typed = [form for name in full for form in (name, name.split()[-1], f"{name.split()[-1]}, {name[0]}.")]
    assert same_pairs([line for name in typed if readable(line := f'author:"{name}"')], real_papers)


def test_an_index_that_grew_answers_like_one_made_at_once() -> None:
    queries = [Query.of(number, parse(line)) for number, line in enumerate(["deep sea", '"deep sea"', "author:ada"])]
    papers = Postings([paper("The deep blue sea", authors=["Ada L"]), paper("Deep sea"), paper("Land")])
    grown = QueryIndex()
    for query in queries:
        grown.add(query)
        list(grown.papers_by_query(papers))
    assert list(grown.papers_by_query(papers)) == list(QueryIndex(queries).papers_by_query(papers))


def test_what_an_interest_asked_before_is_asked_no_more() -> None:
    index = QueryIndex([Query.of(1, parse("deep")), Query.of(2, parse("sea"))])
    index.add(Query.of(1, parse("land")))
    index.discard([2, 3])
    both = Postings([paper("Deep sea"), paper("Land")])
    assert [(query.interest_id, bits) for query, bits in index.papers_by_query(both)] == [(1, 2)]
    assert len(index) == 1


def test_no_interest_and_no_paper_find_nothing() -> None:
    assert list(QueryIndex().matches(Postings([paper("Deep sea")]))) == []
    assert list(QueryIndex([Query.of(1, parse('"deep sea" author:ada'))]).matches(Postings([]))) == []


spots = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 3), st.integers(0, 2)), max_size=15)


@given(spots)
def test_the_smallest_gap_is_what_trying_every_run_finds(drawn: list[tuple[int, int, int]]) -> None:
    ordered = sorted((first, first + longer, number) for first, longer, number in drawn)
    gaps = []
    for left in range(len(ordered)):
        for right in range(left, len(ordered)):
            run = ordered[left : right + 1]
            if {number for _, _, number in run} == {0, 1, 2}:
                covered = sum(max(b - a + 1 for a, b, n in run if n == number) for number in range(3))
                gaps.append(max(run[-1][1] - run[0][0] + 1 - covered, 0))
                break
    assert _smallest_gap(ordered, 3) == min(gaps, default=None)


@given(spots)
def test_of_two_groups_it_is_that_of_the_two_nearest_places(drawn: list[tuple[int, int, int]]) -> None:
    ordered = sorted((first, first + longer, number % 2) for first, longer, number in drawn)
    one, other = ([Place(TITLE, a, b) for a, b, number in ordered if number == group] for group in (0, 1))
    assert _gap_of_two(one, other) == _smallest_gap(ordered, 2)


@pytest.mark.parametrize(
    "node",
    [
        Or(tuple(Word(f"w{n}") for n in range(300))),
        And(tuple(Or((Word("a"), Word("b"), Prefix("w"))) for _ in range(60))),
        And(tuple(Prefix("w") for _ in range(60))),
        Phrase(("a",) * 300),
        Phrase(("use", "d") * 100),
    ],
    ids=["300 alternatives", "60 wide groups", "60 prefixes", "a phrase of one word", "a phrase to read in many ways"],
)
def test_no_line_makes_the_work_grow_with_itself_more_than_evenly(node: Node) -> None:
    """Counted in function calls, which a busy machine does not change: a few hundred for a word of the paper."""
    document = paper(abstract=" ".join(["a", "b", "used", *(f"w{n}" for n in range(60))] * 4))
    calls = 0

    def count(frame: object, event: str, arg: object) -> None:
        nonlocal calls
        calls += 1

    query = Query.of(1, node)
    sys.setprofile(count)
    try:
        query.find(document)
        list(QueryIndex([query]).matches(Postings([document])))
    finally:
        sys.setprofile(None)
    assert calls < 400_000
