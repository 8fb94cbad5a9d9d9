"""Papers read and counted, and what lines ask of them: learned from a background, and true of later papers."""

from __future__ import annotations

import copy
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from digest.relevance.matching.match import Document
from digest.relevance.ranking.closeness import Asked, Nearness, says_itself, terms_of
from digest.relevance.ranking.exclusions import excluded
from digest.relevance.ranking.taste import Likeness
from digest.relevance.vectors import Background, Floats, Integers, Text, Vocabulary
from subscriptions.interests.language import Node
from subscriptions.interests.parser import InterestError, reread

Row = tuple[int, str, str, list[str]]  # of a paper: id, title, abstract, authors


@dataclass(slots=True)
class _Chain:
    """What papers added one after the other to the same background share: their places, and all that pairs say."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    compared: set[int] = field(default_factory=set)  # places
    twins: set[tuple[int, int]] = field(default_factory=set)  # of those, the lower place first


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines learned together. `nodes` are there for lines that exclude something; `strange` are the words that no
    paper held, each with its line: once one does, the line means more.
    """

    asked: Asked
    nodes: list[Node | None]
    strange: list[tuple[int, str]]


class Known:
    """A background, and papers beside it, known by their place. Never changed: papers that come make another."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.vocabulary = Vocabulary()
        self.place: dict[int, int] = {}
        self.prints: dict[int, int] = {}
        self.texts: list[Text] = []
        self._read(rows)
        self.background = Background(self.texts)
        self.nearness = Nearness(self.background, self.texts, self.vocabulary)
        self.likeness = Likeness(self.background, self.texts, len(self.vocabulary), [row[3] for row in rows])
        self.chain = _Chain()
        self.kept: dict[str, tuple[Node | None, Floats]] = {}
        self.documents: dict[int, tuple[object, Document]] = {}

    def extended(self, rows: Sequence[Row], *, apart: bool = False) -> Known:
        """With more papers. What was learned of the papers here holds of them there.

        `apart`: others may be added to this one too, so that places are the same only up to here.
        """
        more = copy.copy(self)
        more.vocabulary = Vocabulary(self.vocabulary)
        texts = more._read(rows)
        more.nearness = self.nearness.extended(texts, more.vocabulary)
        more.likeness = self.likeness.joined(texts, len(more.vocabulary), [row[3] for row in rows])
        more.kept = {}
        if apart:
            more.chain = _Chain()
        return more

    def _read(self, rows: Sequence[Row]) -> list[Text]:
        texts = [Text.of(title, abstract, self.vocabulary) for _, title, abstract, _ in rows]
        self.place = self.place | {row[0]: len(self.texts) + number for number, row in enumerate(rows)}
        self.prints = self.prints | {row[0]: fingerprint(row) for row in rows}
        self.texts = [*self.texts, *texts]
        return texts

    def learn(self, lines: Sequence[tuple[str, str]]) -> Lines:
        """What these lines ask, given as typed and printed."""
        nodes = [None if says_itself(typed) else _node(printed) for typed, printed in lines]
        asked = [terms_of(typed, node) for (typed, _), node in zip(lines, nodes, strict=True)]
        strange = [(line, term) for line, terms in enumerate(asked) for term in terms if term not in self.vocabulary]
        barring = [node if node and excluded(node) else None for node in nodes]
        return Lines(self.nearness.ask(asked), barring, strange)

    def twins(self, places: Integers) -> list[tuple[int, int]]:
        """Pairs of these papers that say nearly the same; no two are compared twice."""
        chain, some = self.chain, set(places.tolist())
        with chain.lock:
            if new := sorted(some - chain.compared):
                chain.compared |= some
                all_of_them = sorted(chain.compared)
                chain.twins.update(self.likeness.twins(np.array(new), np.array(all_of_them)))
            return sorted(pair for pair in chain.twins if some.issuperset(pair))


def fingerprint(row: Row) -> int:
    """Of what is read of a paper, for this process."""
    return hash((row[1], row[2], tuple(row[3])))


def _node(printed: str) -> Node | None:
    """None for a line that cannot be read any more, after a change of the language say: it is a bag of words."""
    try:
        return reread(printed)
    except InterestError:
        return None
