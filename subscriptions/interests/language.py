"""The parts an interest line is made of, and their one printed form.

`str(node)` prints a line that reads back as the same node; `canonical.py` says when two lines mean the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

FIELDS = ("title", "author", "category", "source")
_PLAIN_VALUE = re.compile(r"(?!(?:or|and)$)[^\W_][\w.'’+#/-]*")


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
class Text:
    """What an author, category or source field holds, as typed but for case and blanks."""

    text: str

    def __str__(self) -> str:
        return self.text if _PLAIN_VALUE.fullmatch(self.text) else f'"{self.text}"'


@dataclass(frozen=True, slots=True)
class Field:
    """Something sought in one field: `title:` takes any part without exclusions, the others take a text."""

    name: str
    part: Node

    def __str__(self) -> str:
        inside = f"({self.part})" if isinstance(self.part, And | Or) else str(self.part)
        return f"{self.name}:{inside}"


@dataclass(frozen=True, slots=True)
class Not:
    """What must not be there; holds no other exclusion."""

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
        return " OR ".join(f"({part})" if _excludes(part) else str(part) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Pin:
    """A whole line whose papers come first in every digest, whatever their points. Never inside another part."""

    part: Node

    def __str__(self) -> str:
        return f"!{self.part}"


Node = Word | Prefix | Phrase | Field | Text | Not | And | Or | Pin


def _excludes(part: Node) -> bool:
    return isinstance(part, And) and any(isinstance(inner, Not) for inner in part.parts)


def is_mute(node: Node) -> bool:
    """Whether the line only says what is not wanted."""
    if isinstance(node, And):
        return all(isinstance(part, Not) for part in node.parts)
    return isinstance(node, Not)


def is_pin(node: Node) -> bool:
    """Whether the line's papers are always in the digest."""
    return isinstance(node, Pin)


def unpinned(node: Node) -> Node:
    """What the line looks for: of a pin, what stands behind the `!`."""
    return node.part if isinstance(node, Pin) else node
