"""How text becomes terms."""

from __future__ import annotations

import re
import sys
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from digest.papers.sources import kinds
from subscriptions.interests.words import Words, fold, glue, split, stem


def found(text: str, term: str) -> list[str]:
    """The parts of the text at which the term stands."""
    words = Words(text)
    return [text[words.spans[first][0] : words.spans[last][1]] for first, last in words.at(term)]


@pytest.mark.parametrize(
    "written", ["fine-tuning", "fine tuning", "finetuning", "fine-tuned", "Fine‑Tuned", "FINETUNED"]
)
def test_spellings_of_one_compound_meet(written: str) -> None:
    text = f"We study {written} of models"
    assert glue("fine", "tuning") in Words(text)
    assert found(text, stem("finetuning")) == [written]


@pytest.mark.parametrize("one, other", [
    ("quantization", "quantized"), ("LLMs", "llm"), ("Müller's", "muller"), ("GPUs", "gpu"), ("VLAs", "VLA"),
    ("QAs", "QA"), ("policies", "policy"), ("boxes", "box"), ("biases", "bias"), ("losses", "loss"),
    ("corpora", "corpus"),
    ("matrices", "Matrix"), ("analyses", "analysis"), ("lenses", "lens"), ("hypotheses", "hypothesis"),
    ("Tokenisation", "tokenization"), ("modelling", "modeling"), ("Søren", "soren"), ("Łódź", "lodz"), ("ﬁne", "fine"),
])  # fmt: skip
def test_inflection_case_and_accents_do_not_matter(one: str, other: str) -> None:
    assert stem(fold(one)) == stem(fold(other))


def test_loose_stop_words_do_not_glue() -> None:
    assert "therapist" not in Words("the rapist")


def test_words_across_a_full_stop_do_not_glue() -> None:
    assert stem("finetuning") not in Words("We are fine. Tuning helps.")


@pytest.mark.parametrize("word", ["c++", "c#", "3.5", "b2b"])
def test_odd_words_stay_one(word: str) -> None:
    assert [text for text, _, _ in split(f"with {word}, we")] == ["with", word, "we"]


@pytest.mark.parametrize("text", [
    "😀👩‍👩‍👧 Schrödinger’s model",
    unicodedata.normalize("NFD", "naïve é Schrödinger’s model"),
    "\U0001d400\U0001d401 — Schrödinger's model",
])  # fmt: skip
def test_spans_point_at_the_original_characters(text: str) -> None:
    assert unicodedata.normalize("NFC", found(text, stem("schrodinger"))[0])[:-2] == "Schrödinger"
    assert found(text, stem("models")) == ["model"]


def test_a_prefix_is_found_at_the_beginning_of_words() -> None:
    words = Words("Multimodal and multi-modal, unimodal")
    assert words.starting_with("multi") == [(0, 0), (2, 2)]


@settings(deadline=None)
@given(st.text(max_size=200))
@example("⑴ ﷺ ½ ﹰ Ŀ ⒈ ﹰ++")
def test_folded_words_are_words_and_stay_as_they_are(text: str) -> None:
    for word, start, end in split(text):
        assert 0 <= start < end <= len(text)
        composed = unicodedata.normalize("NFC", word)
        assert [again for again, _, _ in split(composed)] == [word]


@settings(deadline=None)
@given(st.text(max_size=200))
@example("0 ÆE")
def test_every_term_is_found_where_it_stands(text: str) -> None:
    words = Words(text)
    for number, term in enumerate(words.terms):
        assert (number, number) in words.at(term)
    assert all(key in words for key in words.keys())  # noqa: SIM118 (a method of ours)


@pytest.mark.parametrize("one, other", [("uses", "us"), ("news", "new"), ("basis", "base"), ("precise", "precize")])
def test_other_words_stay_apart(one: str, other: str) -> None:
    assert stem(fold(one)) != stem(fold(other))


def test_plurals_in_real_papers_meet_their_singulars(shared_data: Path) -> None:
    listings = kinds.parse((shared_data / "seeds" / "004_caf4c692b8e6159f.txt").read_bytes()).listings
    text = " ".join(f"{one.title} {one.abstract}" for one in listings)
    words = set(re.findall(r"[A-Za-z]{3,}", text.lower()))
    pairs = {word: word + ("es" if word.endswith(("s", "x", "z", "ch", "sh")) else "s") for word in words}
    pairs |= {word: f"{word[:-1]}ies" for word in words if re.search("[^aeiou]y$", word)}
    # "news" is no plural, "poses" is not of "pos", and "analyses" is of "analysis".
    both = {word: many for word, many in pairs.items() if many in words and word not in ("new", "pos", "analyse")}
    assert len(both) > 300
    assert {word: many for word, many in both.items() if stem(fold(word)) != stem(fold(many))} == {}


def test_threads_do_not_mix_up_each_others_words() -> None:
    words = [f"{chr(97 + n % 26)}{chr(97 + n // 26 % 26)}izations" for n in range(600)]
    stem.cache_clear()
    one_by_one = [stem(word) for word in words]
    stem.cache_clear()
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as threads:
            found = list(
                threads.map(lambda start: [stem(word) for word in words[start:] + words[:start]], range(0, 600, 150))
            )
    finally:
        sys.setswitchinterval(interval)
    assert found == [one_by_one[start:] + one_by_one[:start] for start in range(0, 600, 150)]
