"""Many interests against many papers (percolation). Pure.

Interests share their parts: what several ask for is asked once of a batch of papers. Each distinct part is a
step, whose answer is the set of papers that match it: a row of bits. Words, phrases and names are looked up for all
interests together; AND, OR and NOT are then taken of whole layers of rows at once.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from digest.relevance.matching.match import Document, Found, find, find_mute
from digest.relevance.matching.postings import Postings
from digest.relevance.matching.steps import NOTHING, Steps, is_found
from subscriptions.interests.abbreviations import expand
from subscriptions.interests.language import And, Node, Not, is_mute


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
        self._steps = Steps()
        self._queries: list[Query] = []
        self._answers = array("i")  # of each query, the step that answers it
        self._places: dict[int, int] = {}  # of each interest's query
        for query in queries:
            self.add(query)

    def __len__(self) -> int:
        return len(self._places)

    def add(self, query: Query) -> None:
        """Ask this too, in the place of what the interest asked before."""
        self.discard([query.interest_id])
        self._places[query.interest_id] = len(self._queries)
        parts = query.node.parts if query.mutes and isinstance(query.node, And) else (query.node,)
        if query.mutes:
            step = self._steps.any_of([self._steps.of(part.part) for part in parts if isinstance(part, Not)])
        else:
            step = self._steps.of(query.node)
        self._queries.append(query)
        self._answers.append(step)

    def discard(self, interest_ids: Iterable[int]) -> None:
        """Ask for these no more. What they alone asked for is still looked up: begin anew when they were many."""
        for interest_id in interest_ids:
            if interest_id in self._places:
                self._answers[self._places.pop(interest_id)] = NOTHING

    def papers_by_query(self, papers: Postings) -> Iterator[tuple[Query, int]]:
        """(query, set of papers) for each interest that matches any. A set is an int: bit n is the n-th paper."""
        found = self._steps.ask(papers)
        rows, length = found.tobytes(), found.itemsize * found.shape[1]
        answers = np.array(self._answers, np.int64)
        for place in np.flatnonzero(is_found(found)[answers]).tolist():
            begin = self._answers[place] * length
            yield self._queries[place], int.from_bytes(rows[begin : begin + length], "little")

    def matches(self, papers: Postings) -> Iterator[tuple[Query, Document]]:
        """Each interest with each paper it matches."""
        for query, bits in self.papers_by_query(papers):
            for paper in papers.of(bits):
                yield query, paper
