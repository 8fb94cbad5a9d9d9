"""Many interests against many papers (percolation). Pure.

Interests share their parts: what several ask for is asked once of a batch of papers. Each distinct part is a
step, and a step's answer is the set of papers that match it, made from the answers of earlier steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from digest.matching import TEXT_FIELDS, TITLE, Document, Found, compounds, find, find_mute
from digest.postings import Postings
from subscriptions.interests.abbreviations import expand
from subscriptions.interests.language import And, Field, Node, Not, Or, Phrase, Prefix, Text, Word, is_mute
from subscriptions.interests.words import stem

Fields = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """An interest made ready: expanded by the abbreviations. `find` is the plain, slow way to ask one paper."""

    interest_id: int
    node: Node
    mutes: bool

    @classmethod
    def of(cls, interest_id: int, node: Node) -> Query:
        return cls(interest_id, expand(node), is_mute(node))

    def find(self, paper: Document) -> Found | None:
        return find_mute(self.node, paper) if self.mutes else find(self.node, paper)


class QueryIndex:
    """Interests made ready to be asked of a batch of papers together."""

    def __init__(self, queries: Iterable[Query] = ()) -> None:
        self._steps = _Steps()
        self._answers: dict[int, tuple[Query, int]] = {}  # by interest, and the step that answers it
        for query in queries:
            self.add(query)

    def __len__(self) -> int:
        return len(self._answers)

    def add(self, query: Query) -> None:
        parts = query.node.parts if query.mutes and isinstance(query.node, And) else (query.node,)
        if query.mutes:
            step = self._steps.any_of([self._steps.of(part.part) for part in parts if isinstance(part, Not)])
        else:
            step = self._steps.of(query.node)
        self._answers[query.interest_id] = query, step

    def papers_by_query(self, papers: Postings) -> Iterator[tuple[Query, int]]:
        """(query, set of papers) for each interest that matches any."""
        found = self._steps.ask(papers)
        for query, step in self._answers.values():
            if found[step]:
                yield query, found[step]

    def matches(self, papers: Postings) -> Iterator[tuple[Query, Document]]:
        """Each interest with each paper it matches."""
        for query, bits in self.papers_by_query(papers):
            for paper in papers.of(bits):
                yield query, paper


class _Steps:
    """The distinct parts of many interests, children before parents.

    It says of every node what `matching.find` says, whether and not how well; a property test holds the two
    together. Steps are numbered; a step is what to do and with what.
    """

    def __init__(self) -> None:
        self._numbers: dict[tuple[Any, ...], int] = {}

    def ask(self, papers: Postings) -> list[int]:
        """The set of papers of each step. The commonest kinds come first."""
        found: list[int] = []
        for step in self._numbers:
            kind, first = step[0], step[1]
            if kind == "all":
                bits = _all(found, first, step[2])
            elif kind == "any":
                bits = 0
                for one in first:
                    bits |= found[one]
            elif kind == "word":
                bits = papers.terms(first).with_word(step[2])
            elif kind == "phrase":
                bits = papers.terms(first).with_phrase(step[2], step[3])
            elif kind == "but not":
                bits = found[first] & ~found[step[2]]
            elif kind == "prefix":
                bits = papers.terms(first).with_prefix(step[2])
            else:
                bits = papers.with_label(first, step[2])
            found.append(bits)
        return found

    def of(self, node: Node, fields: Fields = TEXT_FIELDS) -> int:
        """The step that finds the papers for which `matching.find` finds the node in these fields."""
        match node:
            case Word(text):
                return self._number("word", fields, stem(text))
            case Prefix(text):
                return self._number("prefix", fields, text)
            case Phrase(texts):
                as_one = tuple(stem(left + right) for left, right in pairwise(texts))
                return self._number("phrase", fields, tuple(map(stem, texts)), as_one)
            case Field(name, part) if name == TITLE:
                return self.of(part, (TITLE,))
            case Field(name, Text(text)):
                return self._number("label", name, text)
            case And(parts):
                return self._all_of(parts, fields)
            case Or(parts):
                return self.any_of([self.of(part, fields) for part in parts])
        return self.any_of([])

    def any_of(self, steps: Iterable[int]) -> int:
        unique = sorted(set(steps))
        return unique[0] if len(unique) == 1 else self._number("any", tuple(unique))

    def _all_of(self, parts: tuple[Node, ...], fields: Fields) -> int:
        wanted = [part for part in parts if not isinstance(part, Not)]
        unwanted = [self.of(part.part, fields) for part in parts if isinstance(part, Not)]
        if not wanted:
            return self.any_of([])
        each = tuple(self.of(part, fields) for part in wanted)
        # Two words typed apart may be written as one: `fine tuning` is also "finetuning".
        as_one = tuple(
            (number, self._number("word", fields, stem(word)))
            for number, part in enumerate(wanted)
            if isinstance(part, Word)
            for word in compounds(part, wanted)
        )
        found = self._number("all", each, as_one) if len(each) > 1 else each[0]
        return self._number("but not", found, self.any_of(unwanted)) if unwanted else found

    def _number(self, *step: Any) -> int:
        return self._numbers.setdefault(step, len(self._numbers))


def _all(found: list[int], each: tuple[int, ...], as_one: tuple[tuple[int, int], ...]) -> int:
    """Papers of all these steps, where `as_one` says which steps may stand for the n-th."""
    bits = found[each[0]]
    for step in each[1:]:
        bits &= found[step]
    if any(found[step] for _, step in as_one):
        held = [found[step] for step in each]
        for number, step in as_one:
            held[number] |= found[step]
        bits = held[0]
        for one in held[1:]:
            bits &= one
    return bits
