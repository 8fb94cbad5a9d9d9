"""When two lines mean the same: one form, one text, one key.

Case, accents, hyphens, inflection, order, repetition, brackets that say nothing and doubled exclusions make no
difference, nor how an author's name is written; what the parser builds alike already is not named again here.
"""

from __future__ import annotations

import hashlib

from subscriptions.interests import names
from subscriptions.interests.language import And, Field, Node, Not, Or, Phrase, Pin, Prefix, Text, Word
from subscriptions.interests.simplify import all_of, any_of, negated
from subscriptions.interests.words import stem


def canonical(node: Node) -> Node:
    """The same wish in its one order, each part once. What is canonical stays as it is."""
    match node:
        case And(parts):
            joined = all_of(_ordered(parts))
            return And(_ordered(joined.parts)) if isinstance(joined, And) else joined
        case Or(parts):
            joined = any_of(_ordered(parts))
            return Or(_ordered(joined.parts)) if isinstance(joined, Or) else joined
        case Not(part):
            inner = canonical(part)
            return negated(inner) or Not(inner)
        case Field("title", part):
            return Field("title", canonical(part))
        case Pin(part):
            return Pin(canonical(part))
    return node


def _ordered(parts: tuple[Node, ...]) -> tuple[Node, ...]:
    """The parts made canonical, one of each meaning, in the order of their meanings."""
    by_meaning = {_text(one): one for one in map(canonical, parts)}
    return tuple(by_meaning[meaning] for meaning in sorted(by_meaning))


def meaning(node: Node) -> str:
    """The line by its terms, in one order: equal for lines that mean the same."""
    return _text(canonical(node))


def _text(node: Node) -> str:
    match node:
        case Word(text):
            return stem(text)
        case Prefix(text):
            return f"{text}*"
        case Phrase(words):
            return f'"{" ".join(stem(word) for word in words)}"'
        case Field("author", Text(text)):
            return f"author:<{names.read(text)}>"
        case Text(text):
            return f"<{text}>"
        case Field(name, part):
            return f"{name}:{_text(part)}"
        case Not(part):
            return f"-[{_text(part)}]"
        case And(parts):
            return f"({' & '.join(map(_text, parts))})"
        case Or(parts):
            return f"({' | '.join(map(_text, parts))})"
        case Pin(part):
            return f"!{_text(part)}"


def key(node: Node) -> str:
    """64 hex digits that name the line's meaning; what makes an Interest distinct."""
    return hashlib.sha256(meaning(node).encode()).hexdigest()
