"""LLM = large language model: the short and the long form of an interest match each other."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

from subscriptions.interests.language import And, Field, Node, Not, Or, Phrase, Pin, Word
from subscriptions.interests.words import STOP_WORDS, fold, split, stem

TABLE = Path(__file__).with_name("abbreviations.txt")


class Form(NamedTuple):
    """One line of the table, folded; `loose` where the long form's words are enough in any order."""

    short: str
    long: tuple[str, ...]
    loose: bool
    shown: tuple[str, str]  # both as the table writes them


@cache
def table() -> tuple[Form, ...]:
    """The table's lines. Raises ValueError for one it cannot read."""
    forms: list[Form] = []
    for number, line in enumerate(TABLE.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        short, equals, long = map(str.strip, line.partition("="))
        if not equals or not short or len(long.split()) < 2:
            raise ValueError(f"{TABLE.name}, line {number}: expected SHORT = long form, found {line!r}")
        words = tuple(word for word, _, _ in split(long))
        forms.append(Form(fold(short), words, not long.startswith('"'), (short, long.strip('"'))))
    return tuple(forms)


@cache
def _by_short_form() -> dict[str, tuple[str, ...]]:
    return {stem(form.short): form.long for form in table()}


@cache
def _by_long_form() -> dict[tuple[str, ...], str]:
    return {tuple(map(stem, words)): form.short for form in table() for words in _spellings(form.long)}


def _spellings(words: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The words, and every way to write two neighbours as one: "fine tuning" and "finetuning"."""
    if len(words) < 2:
        return [words]
    apart = [(words[0], *rest) for rest in _spellings(words[1:])]
    return apart + [(words[0] + words[1], *rest) for rest in _spellings(words[2:])]


@cache
def _by_words() -> dict[str, list[tuple[frozenset[str], str]]]:
    """Terms of a long form as an And may hold them, and its short form, filed under one of the terms."""
    filed: dict[str, list[tuple[frozenset[str], str]]] = {}
    for form in table():
        for words in _spellings(form.long):
            # The parser drops stop words that stand alone; those in hyphens or quotes it keeps.
            terms = frozenset(stem(word) for word in words if not form.loose or word not in STOP_WORDS)
            filed.setdefault(min(terms), []).append((terms, form.short))
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
    held = frozenset[str]().union(*terms.values())
    forms = [form for term in held for form in _by_words().get(term, ())]
    for form, short in sorted(forms, key=lambda form: (-len(form[0]), form[1], sorted(form[0]))):
        run = [part for part in parts if terms[part] and terms[part] - STOP_WORDS <= form]
        covered = frozenset[str]().union(*(terms[part] for part in run))
        if form <= covered:
            return run, short
    return None


def _terms(part: Node) -> frozenset[str]:
    """The terms of a word or a phrase; none of anything else."""
    words = (part.text,) if isinstance(part, Word) else part.words if isinstance(part, Phrase) else ()
    return frozenset(map(stem, words))
