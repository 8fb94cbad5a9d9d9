"""The parts an interest line is made of, and their one printed form.

`str(node)` prints a line that reads back as the same node. `key(node)` is equal for lines that mean the
same: inflection, hyphens, the order of words and repeated words do not change it.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from subscriptions.interests.words import fold, stem

FIELDS = ("title", "author", "category", "source")


@dataclass(frozen=True, slots=True)
class Word:
    """One folded word."""

    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Prefix:
    """Words that begin with these folded letters."""

    text: str

    def __str__(self) -> str:
        return f"{self.text}*"


@dataclass(frozen=True, slots=True)
class Phrase:
    """Two or more folded words side by side; a hyphenated word is one too."""

    words: tuple[str, ...]

    def __str__(self) -> str:
        return f'"{" ".join(self.words)}"'


@dataclass(frozen=True, slots=True)
class Field:
    """Something sought in one field: `title:` takes any part, the others take a text."""

    name: str
    part: Node

    def __str__(self) -> str:
        inside = f"({self.part})" if isinstance(self.part, And | Or | Not) else str(self.part)
        return f"{self.name}:{inside}"


@dataclass(frozen=True, slots=True)
class Text:
    """What an author, category or source field holds, as typed but folded at its words."""

    text: str

    def __str__(self) -> str:
        return f'"{self.text}"' if re.search(r"[\s()]", self.text) else self.text


@dataclass(frozen=True, slots=True)
class Not:
    """What must not be there."""

    part: Node

    def __str__(self) -> str:
        return f"-({self.part})" if isinstance(self.part, And | Or) else f"-{self.part}"


@dataclass(frozen=True, slots=True)
class And:
    """All of these, in the order typed."""

    parts: tuple[Node, ...]

    def __str__(self) -> str:
        return " ".join(f"({part})" if isinstance(part, Or) else str(part) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Or:
    """Any of these."""

    parts: tuple[Node, ...]

    def __str__(self) -> str:
        # An exclusion at the end of a line holds for the whole line, so an inner one stays in brackets.
        return " OR ".join(
            f"({part})" if isinstance(part, And) and _excludes(part) else str(part) for part in self.parts
        )


Node = Word | Prefix | Phrase | Field | Text | Not | And | Or


def _excludes(part: And) -> bool:
    return any(isinstance(inner, Not) for inner in part.parts)


def is_mute(node: Node) -> bool:
    """Whether the line only says what is not wanted."""
    if isinstance(node, And):
        return all(isinstance(part, Not) for part in node.parts)
    return isinstance(node, Not)


def meaning(node: Node) -> str:
    """The line by its terms, in one order: equal for lines that mean the same."""
    match node:
        case Word(text):
            return stem(text)
        case Prefix(text):
            return f"{text}*"
        case Phrase(words):
            return f'"{" ".join(stem(word) for word in words)}"'
        case Text(text):
            return f"<{' '.join(fold(word) for word in text.split())}>"
        case Field(name, part):
            return f"{name}:{meaning(part)}"
        case Not(part):
            return f"-[{meaning(part)}]"
        case And(parts):
            return _joined(" & ", parts)
        case Or(parts):
            return _joined(" | ", parts)


def _joined(sign: str, parts: tuple[Node, ...]) -> str:
    """The meanings in one order, each once: `model models` means `model`."""
    unique = sorted({meaning(part) for part in parts})
    return unique[0] if len(unique) == 1 else f"({sign.join(unique)})"


def key(node: Node) -> str:
    """64 hex digits that name the line's meaning; what makes an Interest distinct."""
    return hashlib.sha256(meaning(node).encode()).hexdigest()
