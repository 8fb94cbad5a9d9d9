"""Hints beside a line that can be read."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subscriptions.interests.errors import InterestError
from subscriptions.interests.hints import notes
from subscriptions.interests.parser import parse


@pytest.mark.parametrize("line, message, suggestion", [
    ("model", "three of ten papers", ""), ("!Models", "“Models” is in three of ten papers", ""),
    ("LLMs", "three of ten papers", ""),
    ("the art of pruning", "“the”, “of” are in every paper", '"the art of pruning"'),
    ("chain of thought", "“of” is in every paper", '"chain of thought"'),
    ("chain of thought -survey", "“of” is in every paper", ""),
    ("a", "nearly every paper", ""),
    ("agents not robotics", "ordinary word", "agents -robotics"),
    ('agents not "deep sea"', "ordinary word", 'agents -"deep sea"'),
    ("video generation OR editing", "(video generation) OR editing", "video (generation OR editing)"),
    ("neural video generation OR editing", "(neural video generation) OR editing", ""),
    ("video generation OR editing -survey", "(video generation) OR editing", ""),
    ("author:Yann LeCun", "Only “Yann”", 'author:"Yann LeCun"'),
    ("author:Y. LeCun agents", "Only “Y.”", 'author:"Y. LeCun" agents'),
    ("author:Y.", "finds nobody", ""),
    ("category:cv", "cs.CV", "category:cs.CV"), ("pruning -category:LG", "cs.LG", "pruning -category:cs.LG"),
    ("agents -agent", "finds nothing", ""),
])  # fmt: skip
def test_it_says_what_was_perhaps_not_meant(line: str, message: str, suggestion: str) -> None:
    note = notes(line, parse(line))[0]
    assert message in note.message
    assert note.suggestion == suggestion
    assert not suggestion or parse(suggestion)


@pytest.mark.parametrize("line", [
    "diffusion", "diffusion model", '"the art of pruning"', "video (generation OR editing)", "quantization OR pruning",
    'author:"Yann LeCun"', "author:LeCun agents", "author:Hinton", "category:cs.CV", "-survey", "-model", "!mamba",
    "model OR rwkv", "title:model", "agents -robots",
])  # fmt: skip
def test_it_is_silent_about_a_line_that_says_what_it_means(line: str) -> None:
    assert notes(line, parse(line)) == []


PIECES = ["not", "the", "model", "OR", "-", "author:", "Yann", "(", ")", '"', "category:cv", "a", "!", "x"]


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=8).map(" ".join) | st.text(max_size=80))
def test_what_a_note_proposes_can_be_read(line: str) -> None:
    try:
        node = parse(line)
    except InterestError:
        return
    assert all(parse(note.suggestion) for note in notes(line, node) if note.suggestion)
