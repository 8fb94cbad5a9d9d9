"""Many interests against many papers (percolation). Pure.

Each interest is filed under words it cannot match without, so that a paper, taken apart once, meets only
the interests that share such a word with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from digest.matching import Document, Found, compounds, find, find_mute
from subscriptions.interests.abbreviations import expand
from subscriptions.interests.language import And, Field, Node, Not, Or, Phrase, Word, is_mute
from subscriptions.interests.words import as_glued, stem


@dataclass(frozen=True, slots=True)
class Query:
    """An interest made ready: expanded by the abbreviations, with the words it cannot match without."""

    interest_id: int
    node: Node
    mutes: bool
    gates: frozenset[str] | None  # None: it must be asked of every paper

    @classmethod
    def of(cls, interest_id: int, node: Node) -> Query:
        mutes, wide = is_mute(node), expand(node)
        return cls(interest_id, wide, mutes, None if mutes else _gates(wide))

    def find(self, paper: Document) -> Found | None:
        return find_mute(self.node, paper) if self.mutes else find(self.node, paper)


def _gates(node: Node) -> frozenset[str] | None:
    """Terms of which a matching paper holds at least one; None where there are none to name."""
    match node:
        case Word(text):
            return frozenset({stem(text), as_glued(stem(text))})
        case Phrase(texts):
            first = stem(texts[0])
            return frozenset({first, as_glued(first), stem(texts[0] + texts[1])})
        case Field("title", part):
            return _gates(part)
        case And(parts):
            wanted = tuple(part for part in parts if not isinstance(part, Not))
            named = [gates for number in range(len(wanted)) if (gates := _gates_in(wanted, number))]
            # A long word is a rare one, near enough.
            return max(named, key=lambda gates: min(len(term) for term in gates), default=None)
        case Or(parts):
            each = [_gates(part) for part in parts]
            return None if None in each else frozenset().union(*(gates for gates in each if gates))
    return None


def _gates_in(parts: tuple[Node, ...], number: int) -> frozenset[str] | None:
    """The gates of one part of an And; a word may also be met as one with another."""
    part = parts[number]
    gates = _gates(part)
    if gates is None or not isinstance(part, Word):
        return gates
    as_one = {stem(word) for word in compounds(part, parts)}
    return gates | as_one | {as_glued(term) for term in as_one}


class QueryIndex:
    """Interests filed by their gates."""

    def __init__(self, queries: Iterable[Query]) -> None:
        self._by_gate: dict[str, list[Query]] = {}
        self._always: list[Query] = []
        for query in queries:
            for gate in query.gates or ():
                self._by_gate.setdefault(gate, []).append(query)
            if query.gates is None:
                self._always.append(query)

    def matches(self, paper: Document) -> Iterator[tuple[int, Found]]:
        """(interest id, Found) for each interest that the paper matches."""
        asked: set[int] = set()
        for gate in paper.keys() & self._by_gate.keys():
            for query in self._by_gate[gate]:
                if query.interest_id not in asked:
                    asked.add(query.interest_id)
                    found = query.find(paper)
                    if found:
                        yield query.interest_id, found
        for query in self._always:
            found = query.find(paper)
            if found:
                yield query.interest_id, found
