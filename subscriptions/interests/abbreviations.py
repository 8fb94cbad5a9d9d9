"""LLM = large language model: the short and the long form of an interest match each other."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from subscriptions.interests.language import And, Field, Node, Not, Or, Phrase, Word
from subscriptions.interests.words import fold, split, stem

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
def _by_long_form() -> dict[tuple[str, ...], str]:
    return {tuple(stem(word) for word in long): short for short, long in table().items()}


def expand(node: Node) -> Node:
    """The node with the other form beside each known short or long form."""
    match node:
        case Word(text):
            long = table().get(text) or table().get(text.removesuffix("s"))  # "GANs"
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
            return _expand_run(parts)
    return node


def _expand_run(parts: tuple[Node, ...]) -> Node:
    """In `large language model agents` the first three words may also be met as "LLM"."""
    for first, last, short in _long_forms_in(parts):
        run = parts[first:last]
        other = Or((And(run) if len(run) > 1 else run[0], Word(short)))
        rest = [expand(part) for part in (*parts[:first], *parts[last:])]
        return And((*rest[:first], other, *rest[first:])) if rest else other
    return And(tuple(expand(part) for part in parts))


def _long_forms_in(parts: tuple[Node, ...]) -> Iterator[tuple[int, int, str]]:
    """(first, last, short form) for each run of parts whose words are a long form; longest runs first."""
    for length in range(len(parts), 1, -1):
        for first in range(len(parts) - length + 1):
            words = _words_of(parts[first : first + length])
            short = _without_stop_words().get(words) if words else None
            if short:
                yield first, first + length, short


def _words_of(run: tuple[Node, ...]) -> tuple[str, ...]:
    words: list[str] = []
    for part in run:
        if isinstance(part, Word):
            words.append(stem(part.text))
        elif isinstance(part, Phrase):
            words.extend(stem(word) for word in part.words)
        else:
            return ()
    return tuple(words)


@cache
def _without_stop_words() -> dict[tuple[str, ...], str]:
    """Long forms as an unquoted line holds them: the parser has dropped "of" and "the"."""
    from_long = {}
    for short, long in table().items():
        kept = tuple(stem(word) for word in long if word not in ("of", "the", "in", "to", "from", "with"))
        from_long[kept] = short
        from_long[tuple(stem(word) for word in long)] = short
    return from_long
