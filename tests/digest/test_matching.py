"""One interest against one paper, and many against many."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.matching import Document, describe
from digest.queries import Query, QueryIndex
from digest.sources import kinds
from subscriptions.interests.parser import parse


def paper(title: str = "", abstract: str = "", **more: object) -> Document:
    return Document(1, title, abstract, **more)  # type: ignore[arg-type]


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
    assert [number for number, _ in index.matches(paper("A survey of things"))] == [7]
    assert not list(index.matches(paper("A study of things")))


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


@given(st.lists(lines, min_size=1, max_size=8), texts, texts)
def test_the_index_finds_what_asking_each_finds(all_lines: list[str], title: list[str], abstract: list[str]) -> None:
    document = paper(" ".join(title), " ".join(abstract), authors=["Ada L"])
    queries = [Query.of(number, parse(line)) for number, line in enumerate(all_lines)]
    by_index = dict(QueryIndex(queries).matches(document))
    one_by_one = {query.interest_id: found for query in queries if (found := query.find(document))}
    assert by_index == one_by_one


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_the_index_agrees_on_real_papers(shared_data: Path, data: st.DataObject) -> None:
    listings = kinds.parse((shared_data / "seeds" / "000_09e0d2716063a917.txt").read_bytes()).listings
    one = data.draw(st.sampled_from(listings))
    document = Document(1, one.title, one.abstract)
    vocabulary = sorted(set(re.findall(r"[A-Za-z]{4,}", one.abstract)))
    words = data.draw(st.lists(st.sampled_from(vocabulary), min_size=1, max_size=3))
    line = json.dumps(" ".join(words), ensure_ascii=False) if data.draw(st.booleans()) else " ".join(words)
    try:
        query = Query.of(1, parse(line))
    except ValueError:
        return  # only stop words
    found = query.find(document)
    assert dict(QueryIndex([query]).matches(document)) == ({1: found} if found else {})
