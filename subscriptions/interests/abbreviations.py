"""LLM = large language model: the short and the long form of an interest match each other."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from subscriptions.interests.language import And, Field, Node, Not, Or, Phrase, Pin, Word
from subscriptions.interests.words import STOP_WORDS, fold, split, stem

TABLE = Path(__file__).with_name("abbreviations.txt")


@cache
def table() -> dict[str, tuple[str, ...]]:
    """Short form (folded) -> the long form's folded words. Raises ValueError for a line it cannot read."""
    pairs: dict[str, tuple[str, ...]] = {}
    for number, line in enumerate(TABLE.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        short, equals, long = line.partition("=")
        if not equals or not short.strip() or len(long.split()) < 2:
            raise ValueError(f"{TABLE.name}, line {number}: expected SHORT = long form, found {line!r}")
        pairs[fold(short.strip())] = tuple(word for word, _, _ in split(long))
    return pairs


@cache
def _by_short_form() -> dict[str, tuple[str, ...]]:
    return {stem(short): long for short, long in table().items()}


@cache
def _by_long_form() -> dict[tuple[str, ...], str]:
    return {tuple(stem(word) for word in long): short for short, long in table().items()}


@cache
def _by_loose_words() -> dict[str, list[tuple[tuple[str, ...], str]]]:
    """Terms of a long form as a line holds them without quotes, in one order and without stop words, and its
    short form; filed under the first, the longest first."""
    filed: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for short, long in table().items():
        terms = tuple(sorted({stem(word) for word in long if word not in STOP_WORDS}))
        filed.setdefault(terms[0], []).append((terms, short))
    for forms in filed.values():
        forms.sort(key=lambda form: (-len(form[0]), form[1]))
    return filed


def expand(node: Node) -> Node:
    """What matching looks for: the node with the other form beside each known short or long form, a pin opened."""
    match node:
        case Word(text):
            long = _by_short_form().get(stem(text))  # "GANs" too
            return Or((node, Phrase(long))) if long else node
        case Phrase(words):
            short = _by_long_form().get(tuple(stem(word) for word in words))
            return Or((node, Word(short))) if short else node
        case Field("title", part):
            return Field("title", expand(part))
        case Not(part):
            return Not(expand(part))
        case Or(parts):
            return Or(tuple(expand(part) for part in parts))
        case And(parts):
            return _expand_all(parts)
        case Pin(part):
            return expand(part)
    return node


def _expand_all(parts: tuple[Node, ...]) -> Node:
    """In `large language model agents` three of the words may also be met as "LLM", in whatever order they stand."""
    found: list[Node] = []
    rest = list(parts)
    while taken := _long_form_in(rest):
        run, short = taken
        rest = [part for part in rest if part not in run]
        found.append(Or((And(tuple(run)) if len(run) > 1 else run[0], Word(short))))
    expanded = (*found, *(expand(part) for part in rest))
    return expanded[0] if len(expanded) == 1 else And(expanded)


def _long_form_in(parts: list[Node]) -> tuple[list[Node], str] | None:
    """The parts that together are the longest long form, and its short form; None when there is none."""
    terms = {part: _terms(part) for part in parts}
    held = {term for of_one in terms.values() for term in of_one}
    forms = [form for term in held for form in _by_loose_words().get(term, ()) if held.issuperset(form[0])]
    for form, short in sorted(forms, key=lambda form: (-len(form[0]), form[1])):
        run = [part for part in parts if terms[part] and set(terms[part]) <= set(form)]
        if {term for part in run for term in terms[part]} == set(form):
            return run, short
    return None


def _terms(part: Node) -> tuple[str, ...]:
    """The terms of a word or a phrase, without stop words; () of anything else."""
    words = (part.text,) if isinstance(part, Word) else part.words if isinstance(part, Phrase) else ()
    return tuple(stem(word) for word in words if word not in STOP_WORDS)
