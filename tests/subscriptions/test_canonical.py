"""Equal meaning, equal text; and nothing that makes no difference to a reader makes one to a match."""

from __future__ import annotations

import json
import random
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from digest.papers.sources import kinds
from digest.relevance.matching.match import Document
from digest.relevance.matching.queries import Query
from subscriptions.interests.canonical import canonical, key, meaning
from subscriptions.interests.language import And, Node, Not, Or, Pin, is_mute, is_pin
from subscriptions.interests.parser import InterestError, parse, reread


@pytest.mark.parametrize("one, other", [
    ("Diffusion Models", "diffusion model"), ("models diffusion", "diffusion models"), ("naïve Bayes", "naive bayes"),
    ("Schro\u0308dinger", "Schrödinger"), ("Øystein", "oystein"), ("LLMs", "LLM"), ("model models", "model"),
    ("fine-tuning", '"fine tuning"'), ("fine-tuned", '"Fine Tuning"'), ("fine‑tuning", "fine–tuning"),
    ("model OR models", "model"), ("quantized OR pruning", "pruning OR quantization"),
    ("agents -robotics -games", "-game agent -robotics"), ("(vision language)", "language vision"),
    ("(vision (language audio))", "audio (language) vision"), ("(x OR y) OR z", "x OR (y OR z)"),
    ("vision (model OR models)", "vision model"), ("(model models) OR (vision video)", "model OR (video vision)"),
    ("-(-vision)", "vision"), ("-(vision OR audio)", "-audio -vision"), ("-(-vision -audio)", "audio OR vision"),
    ("vision -(survey OR review)", "vision -review -survey"), ("x OR (y OR (z OR (x OR y)))", "z OR y OR x"),
    ("the art of pruning", "art pruning"), ("vision AND language", "vision && language"),
    ("title:Benchmarks", "title:benchmark"), ("title:vision title:audio", "title:(audio vision)"),
    ("title:vision OR title:audio", "title:(audio OR vision)"), ("-title:(x OR y)", "-title:y -title:x"),
    ("title:(vision -survey)", "-title:survey title:vision"),
    ("category:cs.CL", "category:CS.cl"), ("category:cs", "category:cs.*"),
    ("category:(cs.CL OR cs.LG)", "category:cs.LG OR category:cs.CL"),
    ('author:"Yann LeCun"', 'AUTHOR:"yann  lecun"'), ('author:"LeCun, Yann"', 'author:"Yann LeCun"'),
    ('author:"José Müller Jr."', 'author:"jose müller"'), ("author:(LeCun OR Hinton)", "author:hinton OR author:LeCun"),
    ("!mamba rwkv", "! RWKV Mamba"),
])  # fmt: skip
def test_lines_of_one_meaning_share_a_text_and_a_key(one: str, other: str) -> None:
    assert meaning(parse(one)) == meaning(parse(other))
    assert key(parse(one)) == key(parse(other))


@pytest.mark.parametrize("one, other", [
    ("vision language", "vision OR language"), ("vision language", '"vision language"'),
    ('"vision language"', '"language vision"'), ("survey", "-survey"), ("vision", "title:vision"),
    ("multimod*", "multimod"), ("author:li", "category:li"), ("vision -language audio", "vision -audio language"),
    ("-(vision language)", "-vision -language"), ("mamba", "!mamba"), ("x OR (y z)", "(x OR y) z"),
    ("(x -z) OR y", "(x OR y) -z"), ("category:cs.CL", "source:cs.CL"), ("c++", "c"), ("3.5", "35"),
    # who has the umlaut is also found under two letters, who has none is not
    ("author:Schölkopf", "author:Scholkopf"), ('author:"Li Wei"', 'author:"Wei Li"'),
])  # fmt: skip
def test_lines_of_two_meanings_do_not(one: str, other: str) -> None:
    assert meaning(parse(one)) != meaning(parse(other))


# --- lines whose words also stand in the papers
WORDS = ["agents", "robot", "image", "fine", "tuning", "LLM", "deep", "sea", "survey", "café", "models", "the"]
LEAVES = st.sampled_from(
    [
        *WORDS, '"deep sea"', "fine-tuning", "rob*", "title:image", 'title:"deep sea"', "author:ada", "category:cs",
        "large language models", "retrieval-augmented generation", "source:daily", 'author:"A. Løvelace"',
    ]
)  # fmt: skip
ANY = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: f"({' '.join(parts)})"),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: f"({' OR '.join(parts)})"),
        st.tuples(inner, LEAVES).map(lambda pair: f"({pair[0]} -{pair[1]})"),
        st.tuples(LEAVES, LEAVES, LEAVES).map(lambda three: f"{three[0]} -({three[1]} OR {three[2]})"),
    ),
    max_leaves=8,
)
TEXTS = st.lists(
    st.sampled_from(
        [*WORDS, "finetuned", "of", "language", "large", "robots", "RAG", "retrieval", "augmented", "agent"]
    ),
    max_size=14,
).map(" ".join)
PAPERS = st.builds(
    lambda title, abstract, authors, categories: Document(1, title, abstract, authors, categories, ["daily"]),
    TEXTS, TEXTS,
    st.lists(st.sampled_from(["Ada Lovelace", "Ada Løvelace", "A. Loevelace", "Bob"]), max_size=2),
    st.lists(st.sampled_from(["cs.CL", "math.AG"]), max_size=1),
)  # fmt: skip


def read(line: str) -> Node:
    try:
        return parse(line)
    except InterestError:
        assume(False)
        raise


def matches(node: Node, paper: Document) -> bool:
    return Query.of(1, node).find(paper) is not None


def shuffled(node: Node, chance: random.Random) -> Node:
    """The same wish, its parts in another order and one of them said twice."""
    match node:
        case And(parts) | Or(parts):
            mixed = [shuffled(part, chance) for part in parts]
            mixed.append(chance.choice(mixed))
            chance.shuffle(mixed)
            return type(node)(tuple(mixed))
        case Not(part) | Pin(part):
            return type(node)(shuffled(part, chance))
    return node


@settings(deadline=None)
@given(ANY)
def test_what_is_canonical_stays_so(line: str) -> None:
    node = read(line)
    once = canonical(node)
    assert canonical(once) == once
    assert meaning(once) == meaning(node)
    assert reread(str(once)) == once
    assert key(reread(str(node))) == key(node)


@settings(deadline=None)
@given(ANY, st.randoms(use_true_random=False), PAPERS)
def test_order_and_repetition_change_neither_the_text_nor_a_match(
    line: str, chance: random.Random, paper: Document
) -> None:
    node = read(line)
    other = shuffled(node, chance)
    assert meaning(other) == meaning(node)
    assert matches(reread(str(other)), paper) is matches(node, paper)


@settings(deadline=None)
@given(ANY, PAPERS)
def test_the_canonical_line_matches_as_the_typed_one(line: str, paper: Document) -> None:
    node = read(line)
    assert matches(canonical(node), paper) is matches(node, paper)


@settings(deadline=None, max_examples=300)
@given(ANY, ANY, PAPERS)
def test_equal_texts_are_equal_matches(line: str, other: str, paper: Document) -> None:
    one, two = read(line), read(other)
    if meaning(one) == meaning(two):
        assert matches(one, paper) is matches(two, paper)


@settings(deadline=None)
@given(ANY, ANY, PAPERS)
def test_an_alternative_loses_no_match(line: str, other: str, paper: Document) -> None:
    node, wider = read(line), read(f"{line} OR ({other})")
    assume(not is_mute(node))
    if matches(node, paper):
        assert matches(wider, paper)


@settings(deadline=None)
@given(ANY, LEAVES, PAPERS)
def test_an_exclusion_gains_no_match(line: str, other: str, paper: Document) -> None:
    node, narrower = read(line), read(f"{line} -({other})")
    assume(not is_mute(node))
    if matches(narrower, paper):
        assert matches(node, paper)


@settings(deadline=None)
@given(ANY, PAPERS)
def test_a_pin_matches_what_its_line_matches(line: str, paper: Document) -> None:
    node = read(line)
    assume(not is_mute(node))
    pinned = read(f"!{line}")
    assert is_pin(pinned) and not is_mute(pinned)
    assert matches(pinned, paper) is matches(node, paper)


# --- what never matters, on papers of our own and on real ones
def _with_accents(text: str) -> str:
    return re.sub("[ae]", lambda found: unicodedata.normalize("NFC", f"{found.group()}\u0301"), text)


CHANGES: dict[str, Callable[[str], str]] = {
    "capitals": str.upper,
    "small letters": str.casefold,
    "accents": _with_accents,
    "decomposed": lambda text: unicodedata.normalize("NFD", _with_accents(text)),
    "typographic hyphens": lambda text: text.replace("-", "\u2010"),
    "no hyphens": lambda text: text.replace("-", " "),
    "wide blanks": lambda text: text.replace(" ", "\u00a0"),
}
OWN = [
    ("Fine-Tuning Agents", "We present state-of-the-art fine-tuned models for multi-agent planning, e.g. GPT-4."),
    ("Deep-sea robots", "A café of robots; zero-shot transfer in low-resource languages. The robot's gripper."),
]


LETTERS, WHOLE = r"[^\W\d_]", (r"(?<![\w'’.-])", r"(?![\w'’+#-]|\.\w)")


def _lines_about(title: str, abstract: str) -> list[str]:
    """Lines that the paper matches: its words, alone, in twos and as phrases, and its hyphenated words."""
    chance = random.Random(f"{title}{len(abstract)}")
    words = re.findall(rf"{WHOLE[0]}{LETTERS}{{3,}}(?:-{LETTERS}{{2,}})*{WHOLE[1]}", f"{title} {abstract}")
    lines = [*chance.sample(words, min(8, len(words))), *(word for word in words if "-" in word)]
    lines += [" ".join(chance.sample(words, 2)) for _ in range(4)]
    pairs = re.findall(rf"{WHOLE[0]}{LETTERS}{{3,}} {LETTERS}{{3,}}{WHOLE[1]}", abstract)
    lines += [f'"{pair}"' for pair in pairs[:4]]
    return lines


def _assert_never_matters(title: str, abstract: str) -> int:
    asked = 0
    document = Document(1, title, abstract)
    for line in _lines_about(title, abstract):
        try:
            node = parse(line)
        except InterestError:
            continue  # only stop words
        assert matches(node, document), line
        asked += 1
        for name, change in CHANGES.items():
            changed = Document(1, change(title), change(abstract))
            assert matches(node, changed), f"{line}: {name} in the paper"
            if name == "no hyphens" and "-" in line:
                assert matches(parse(line.replace("-", " ")), document), line
            elif name != "capitals" or not set(line.split()) & {"or", "and", "not"}:
                assert matches(parse(change(line)), document), f"{line}: {name} in the line"
    return asked


@pytest.mark.parametrize("title, abstract", OWN, ids=[title for title, _ in OWN])
def test_case_accents_and_hyphens_never_matter(title: str, abstract: str) -> None:
    assert _assert_never_matters(title, abstract) > 8


def test_case_accents_and_hyphens_never_matter_on_real_papers(shared_data: Path) -> None:
    papers = kinds.parse((shared_data / "seeds" / "000_09e0d2716063a917.txt").read_bytes()).listings
    assert sum(_assert_never_matters(paper.title, paper.abstract) for paper in papers) > 500


@pytest.mark.parametrize("one, many", [
    ("agent", "agents"), ("policy", "policies"), ("box", "boxes"), ("LLM", "LLMs"), ("GAN", "GANs"), ("VAE", "VAEs"),
    ("benchmark", "benchmarks"), ("world model", "world models"), ("vision-language model", "vision-language models"),
    ("embedding", "embeddings"), ("transformer", "transformers"), ("dataset", "datasets"), ("MoE", "MoEs"),
])  # fmt: skip
def test_plurals_never_matter(one: str, many: str) -> None:
    assert key(parse(one)) == key(parse(many))
    for typed in (one, many, f'"{one}"', f"title:({many})"):
        for written in (one, many):
            assert matches(parse(typed), Document(1, f"On {written} today", "")), (typed, written)


def test_naughty_strings_have_a_meaning_or_an_error(shared_data: Path) -> None:
    file = shared_data / "hostile" / "blns" / "blns.json"
    if not file.exists():
        pytest.skip(f"{file} is not there")
    for string in json.loads(file.read_text(encoding="utf-8")):
        try:
            node = parse(string)
        except InterestError:
            continue
        assert canonical(canonical(node)) == canonical(node)
        assert len(key(node)) == 64
        matches(node, Document(1, string, string, [string], [string], [string]))
