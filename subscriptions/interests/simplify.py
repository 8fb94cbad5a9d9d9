"""Parts put together so that what means the same is built the same: groups inside groups of their kind are
opened, an exclusion never holds another, and all that is sought in titles stands together.
"""

from __future__ import annotations

from collections.abc import Sequence

from subscriptions.interests.language import And, Field, Node, Not, Or, Word
from subscriptions.interests.words import STOP_WORDS


def all_of(parts: Sequence[Node]) -> Node:
    """All the parts; stop words beside other wanted words are dropped: every paper holds an "of"."""
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, And) else (part,))]
    for is_empty in (is_stop_word, says_nothing):
        kept = [part for part in flat if not is_empty(part)]
        if any(not isinstance(part, Not) for part in kept):
            flat = kept
    unique = _titles_together(flat, And)
    return unique[0] if len(unique) == 1 else And(unique)


def any_of(parts: Sequence[Node]) -> Node:
    """Any of the parts, none of which only excludes."""
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, Or) else (part,))]
    unique = _titles_together(flat, Or)
    return unique[0] if len(unique) == 1 else Or(unique)


def negated(node: Node) -> Node | None:
    """The opposite; None where that would be an exclusion within an exclusion, as of `a -b`."""
    match node:
        case Not(part):
            return part
        case Or(parts):
            opposites = [negated(part) for part in parts]
            return None if None in opposites else all_of([part for part in opposites if part is not None])
        case And(parts) if any(isinstance(part, Not) for part in parts):
            excluded = [part.part for part in parts if isinstance(part, Not)]
            return any_of(excluded) if len(excluded) == len(parts) else None
        case Field("title", Or(parts)):
            return all_of([Not(Field("title", part)) for part in parts])
    return Not(node)


def in_title(node: Node) -> Node:
    """The node, sought in titles alone. It holds no other field."""
    match node:
        case Not(part):
            inner = in_title(part)
            return negated(inner) or Not(inner)
        case And(parts):
            return all_of([in_title(part) for part in parts])
        case Or(parts):
            return any_of([in_title(part) for part in parts])
    return Field("title", node)


def is_stop_word(node: Node) -> bool:
    """Whether every paper holds it: "the", in the title too."""
    inner = node.part if isinstance(node, Field) and node.name == "title" else node
    return isinstance(inner, Word) and inner.text in STOP_WORDS


def says_nothing(node: Node) -> bool:
    """Whether it is a slip where it stands alone. One letter is not: it may be a name, as of A*."""
    inner = node.part if isinstance(node, Field) and node.name == "title" else node
    return is_stop_word(node) and isinstance(inner, Word) and len(inner.text) > 1


def _titles_together(parts: Sequence[Node], kind: type[And] | type[Or]) -> tuple[Node, ...]:
    """Each part once, in order; `title:a title:b` becomes `title:(a b)` at the place of the first."""
    titles = [part.part for part in parts if isinstance(part, Field) and part.name == "title"]
    if len(titles) < 2:
        return tuple(dict.fromkeys(parts))
    merged = Field("title", all_of(titles) if kind is And else any_of(titles))
    return tuple(dict.fromkeys(merged if isinstance(part, Field) and part.name == "title" else part for part in parts))
