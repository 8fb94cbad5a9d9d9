"""No regular expression takes longer than in proportion to the text, whatever the text is."""

from __future__ import annotations

import re

import pytest

from subscriptions.outcomes import events
from tests.patterns import Pattern, all_patterns, attacks, slow_text

pytestmark = pytest.mark.slow

# Patterns that are made while the code runs, by the source of the expression: examples.
DYNAMIC = {
    r"f'category:{text}(?![\\w.-])'": [r"category:cl(?![\w.-])"],
    "row.value": [row.value for row in events.TABLE],
    "f'[^{after}]*{after}?'": ["[^;]*;?"],
}
PATTERNS = all_patterns(DYNAMIC)


def test_they_are_found() -> None:
    found = {pattern.where.split(":")[0] for pattern in PATTERNS}
    assert {
        "digest/papers/sources/bibtex.py",
        "subscriptions/interests/tokens.py",
        "digest/mail/rendering/excerpts.py",
    } <= found
    assert len(PATTERNS) > 150


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.where)
def test_its_time_grows_with_the_text_and_no_faster(pattern: Pattern) -> None:
    assert not (text := slow_text(pattern)), f"{pattern.regex.pattern!r}: {text}"


@pytest.mark.parametrize("bad", [r"\s+and\s+", r"(?:a|a)*b", r"x[^)]*\)", r"\s*\([0-9]{6,}\)$", r"(\w+\s?)*:"])
def test_a_bad_one_would_be_found(bad: str) -> None:
    if bad.startswith(("(?:a", r"(\w")):  # these double with each sign: a short run is enough
        assert any(re.match(r"a{3000}", text) for text in attacks(re.compile(bad), 3_000))
        return
    assert slow_text(Pattern("here", re.compile(bad), ("search",)))
