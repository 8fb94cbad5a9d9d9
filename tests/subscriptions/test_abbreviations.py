"""The short and the long form of an interest match each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from subscriptions.interests import abbreviations
from subscriptions.interests.abbreviations import expand
from subscriptions.interests.language import And, Field, Not, Or, Phrase, Word
from subscriptions.interests.parser import parse
from subscriptions.interests.words import STOP_WORDS, stem

RAG = Phrase(("retrieval", "augmented", "generation"))


@pytest.mark.parametrize("line, typed", [("RAG", "rag"), ("rag", "rag"), ("RAGs", "rags")])
def test_a_short_form_also_means_its_long_form(line: str, typed: str) -> None:
    assert expand(parse(line)) == Or((Word(typed), RAG))


@pytest.mark.parametrize("line", ['"retrieval augmented generation"', "retrieval-augmented-generation"])
def test_a_long_phrase_also_means_its_short_form(line: str) -> None:
    assert expand(parse(line)) == Or((RAG, Word("rag")))


def test_loose_words_in_a_row_also_mean_the_short_form() -> None:
    words = And((Word("large"), Word("language"), Word("models")))
    assert expand(parse("large language models")) == Or((words, Word("llm")))
    assert expand(parse("large language models agents")) == And((Or((words, Word("llm"))), Word("agents")))


def test_a_long_form_with_stop_words_is_met_unquoted() -> None:
    assert Word("cot") in expand(parse("chain of thought")).parts  # type: ignore[union-attr]


def test_it_reaches_into_exclusions_titles_and_alternatives() -> None:
    assert expand(parse("-RAG")) == Not(Or((Word("rag"), RAG)))
    assert expand(parse("title:RAG")) == Field("title", Or((Word("rag"), RAG)))
    assert expand(parse("pruning OR RAG")) == Or((Word("pruning"), Or((Word("rag"), RAG))))


@pytest.mark.parametrize("line", ["diffusion", "author:RAG", "category:cs.CV", "multimod*", '"of thought"'])
def test_other_parts_stay_as_they_are(line: str) -> None:
    assert expand(parse(line)) == parse(line)


def test_no_short_form_is_an_everyday_word_and_no_long_form_comes_twice() -> None:
    table = abbreviations.table()
    assert not STOP_WORDS & set(table)
    long_forms = [tuple(map(stem, long)) for long in table.values()]
    assert len(set(long_forms)) == len(long_forms)


@pytest.mark.parametrize("line", ["LLM large language model", "= large language model", "LLM = model"])
def test_a_bad_line_of_the_table_is_named(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "table.txt"
    file.write_text(f"# fine\n{line}\n", encoding="utf-8")
    monkeypatch.setattr(abbreviations, "TABLE", file)
    with pytest.raises(ValueError, match=r"table\.txt, line 2"):
        abbreviations.table.__wrapped__()
