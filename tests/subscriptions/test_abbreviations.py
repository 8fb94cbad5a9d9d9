"""The short and the long form of an interest match each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from digest.relevance.matching.match import Document
from digest.relevance.matching.queries import Query
from subscriptions.interests import abbreviations
from subscriptions.interests.abbreviations import expand
from subscriptions.interests.language import And, Field, Not, Or, Phrase, Word
from subscriptions.interests.parser import parse
from subscriptions.interests.words import STOP_WORDS, fold, stem

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
    assert Word("cot") in expand(parse("chain of thought")).parts


def test_it_reaches_into_exclusions_titles_and_alternatives() -> None:
    assert expand(parse("-RAG")) == Not(Or((Word("rag"), RAG)))
    assert expand(parse("title:RAG")) == Field("title", Or((Word("rag"), RAG)))
    assert expand(parse("pruning OR RAG")) == Or((Word("pruning"), Or((Word("rag"), RAG))))


@pytest.mark.parametrize("line", ["diffusion", "author:RAG", "category:cs.CV", "multimod*", '"of thought"'])
def test_other_parts_stay_as_they_are(line: str) -> None:
    assert expand(parse(line)) == parse(line)


@pytest.mark.parametrize("line", ["models large language", "language -survey models large", '"large language" models'])
def test_the_order_of_loose_words_makes_no_difference(line: str) -> None:
    assert "llm" in str(expand(parse(line)))


def test_the_longest_long_form_is_taken() -> None:
    assert str(expand(parse("reinforcement learning from human feedback"))) == (
        "reinforcement learning human feedback OR rlhf"
    )
    assert str(expand(parse("large language model reinforcement learning"))) == (
        "(large language model OR llm) (reinforcement learning OR rl)"
    )


@pytest.mark.parametrize("line, short", [
    ("speech text", ""), ("text to speech", ""), ("text-to-speech", "tts"), ('"text to speech"', "tts"),
    ("text-to-speech models", "tts"), ("context learning", ""), ("in-context learning", "icl"), ("state art", ""),
])  # fmt: skip
def test_a_long_form_of_everyday_words_is_known_by_its_words_in_a_row(line: str, short: str) -> None:
    added = set(str(expand(parse(line))).replace("(", "").replace(")", "").split()) & {"tt", "icl", "sota"}
    assert "".join(added) == fold(short)


@pytest.mark.parametrize("line", ["!RAG", '!"retrieval augmented generation"'])
def test_a_pin_looks_for_both_forms(line: str) -> None:
    assert set(expand(parse(line)).parts) == {Word("rag"), RAG}


# Short forms that every reader of the field knows, their long forms as papers write them.
KNOWN = """
LLM large language models | RAG retrieval-augmented generation | RL reinforcement learning | VLM vision-language model
RLHF reinforcement learning from human feedback | MoE mixture-of-experts | GNN graph neural networks
NLP natural language processing | CV computer vision | SSM state-space model | LoRA low-rank adaptation
PEFT parameter-efficient fine-tuning | TTS text-to-speech | ASR automatic speech recognition
OCR optical character recognition | GAN generative adversarial networks | VAE variational auto-encoder
NeRF neural radiance fields | 3DGS 3D Gaussian splatting | KD knowledge distillation | ICL in-context learning
CoT chain-of-thought | SFT supervised finetuning | DPO direct preference optimization
PPO proximal policy optimization | GRPO group relative policy optimization | QA question answering
KG knowledge graphs | NMT neural machine translation | MLLM multimodal large language models
VLA vision-language-action | SLAM simultaneous localization and mapping | PTQ post-training quantization
MLP multilayer perceptrons | PLM pretrained language model | DiT diffusion transformers | T2I text-to-image
""".replace("\n", "|")


@pytest.mark.parametrize("pair", [pair.strip() for pair in KNOWN.split("|") if pair.strip()])
def test_both_forms_match_each_other_in_any_case_and_number(pair: str) -> None:
    short, _, long = pair.partition(" ")
    many = f"{short}s" if short.isalpha() and len(short) > 2 and not short.endswith("S") else short
    for typed in (short, short.lower(), many, many.upper(), f'"{long}"', f'"{long.upper()}"'):
        for written in (short, many, long, long.title()):
            found = Query.of(1, parse(typed)).find(Document(1, f"On {written} today", ""))
            assert found, f"{typed} in “On {written} today”"


@pytest.mark.parametrize("line, paper", [
    ("AI", "artificial intelligence"), ("CLIP", "contrastive language image pretraining"), ("distribution", "OOD"),
    ("IR", "information retrieval"), ("ragtime", "retrieval-augmented generation"), ("art", "SOTA"), ("text", "T2I"),
])  # fmt: skip
def test_what_has_other_meanings_is_left_alone(line: str, paper: str) -> None:
    assert Query.of(1, parse(line)).find(Document(1, paper, "")) is None


def test_no_short_form_is_an_everyday_word_and_no_form_comes_twice() -> None:
    table = abbreviations.table()
    assert not STOP_WORDS & {form.short for form in table}
    for forms in ([stem(form.short) for form in table], [tuple(map(stem, form.long)) for form in table]):
        assert len(set(forms)) == len(forms)


def test_loose_long_forms_keep_two_words_that_tell() -> None:
    for form in abbreviations.table():
        assert not form.loose or len({stem(word) for word in form.long} - STOP_WORDS) > 1, form.short


@pytest.mark.parametrize("line", ["LLM large language model", "= large language model", "LLM = model"])
def test_a_bad_line_of_the_table_is_named(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "table.txt"
    file.write_text(f"# fine\n{line}\n", encoding="utf-8")
    monkeypatch.setattr(abbreviations, "TABLE", file)
    with pytest.raises(ValueError, match=r"table\.txt, line 2"):
        abbreviations.table.__wrapped__()
