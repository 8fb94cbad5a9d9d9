"""Very many phrases sought in very many papers at once. Pure.

Phrases that begin alike share their beginning: they are paths of a tree whose edges are words. All places of the
papers walk the tree together, a word further at each step, so that a phrase costs nothing where the papers do not
hold its beginning. What counts as side by side is `matching._phrase`'s to say; this repeats its answers.
"""

from __future__ import annotations

from array import array
from collections import defaultdict

import numpy as np

from digest.relevance.matching.postings import Ints, Lists, Terms, spread
from digest.relevance.vectors import Vocabulary
from subscriptions.interests.words import as_glued

_NODE = 32  # bits to the left of an edge's word: the node it leaves


class Phrases:
    """Phrases, each with the number of the step that asks for it."""

    def __init__(self) -> None:
        self._children: dict[tuple[int, int, int], int] = {}
        self._depth, self._step = array("i", [0]), array("i", [-1])  # of each node
        # A word of a phrase is met as one word, which may be two of the phrase's, or as two that may be one.
        self._single, self._glued = _Edges(), _Edges()
        self._deepest = 0

    def add(self, terms: tuple[str, ...], as_one: tuple[str, ...], step: int) -> None:
        """`as_one[n]` is what the n-th word would be as one with the next. Equal beginnings differ where that does."""
        before, node = -1, 0
        for number, term in enumerate(terms):
            symbol = self._single.words[term]
            joined = self._single.words[as_one[number - 1]] if number else -1
            child = self._children.get((node, symbol, joined))
            if child is None:
                child = self._children[node, symbol, joined] = len(self._step)
                self._depth.append(number + 1)
                self._step.append(-1)
                self._single.add(node, symbol, child)
                self._glued.add(node, self._glued.words[as_glued(term)], child)
                if number:
                    self._single.add(before, joined, child)
            before, node = node, child
        self._step[node] = step
        self._deepest = max(self._deepest, len(terms))

    def find(self, papers: Terms) -> tuple[Ints, Ints]:
        """Pairs (step, paper) of what is found, some perhaps repeated."""
        single = _Walk(self._single, papers.single, papers.row, 1)
        glued = _Walk(self._glued, papers.glued, papers.pairs, 2)
        depth, step_of = np.array(self._depth), np.array(self._step)
        waiting: defaultdict[int, list[tuple[Ints, Ints]]] = defaultdict(list)
        steps: list[Ints] = [np.zeros(0, np.int64)]
        found: list[Ints] = [np.zeros(0, np.int64)]
        for way in (single.begin(papers.single_at), glued.begin(papers.glued_at)):
            _sort_in(way, depth, waiting)
        for number in range(1, self._deepest + 1):
            nodes, places = _together(waiting.pop(number, []), len(papers.row) + 1)
            ends = step_of[nodes] >= 0
            steps.append(step_of[nodes[ends]])
            found.append(papers.paper[places[ends] - 1])
            for way in (single.go_on(nodes, places), glued.go_on(nodes, places)):
                _sort_in(way, depth, waiting)
        return np.concatenate(steps), np.concatenate(found)


def _sort_in(way: tuple[Ints, Ints], depth: Ints, waiting: defaultdict[int, list[tuple[Ints, Ints]]]) -> None:
    """Put (nodes, places) with those of the same depth."""
    nodes, places = way
    depths = depth[nodes]
    for number in np.unique(depths).tolist():
        those = depths == number
        waiting[number].append((nodes[those], places[those]))


def _together(ways: list[tuple[Ints, Ints]], width: int) -> tuple[Ints, Ints]:
    """Each (node, place) once, whatever ways lead there: no phrase makes the same rest be tried twice."""
    keys = np.unique(np.concatenate([np.zeros(0, np.int64), *(nodes * width + places for nodes, places in ways)]))
    return keys // width, keys % width


class _Edges:
    """Edges of the tree: (node, word) -> node, a word perhaps leading to several."""

    def __init__(self) -> None:
        self.words = Vocabulary()
        self._keys, self._children = array("q"), array("i")
        self._in_order: tuple[Ints, Ints] | None = None

    def add(self, node: int, word: int, child: int) -> None:
        self._keys.append(node << _NODE | word)
        self._children.append(child)
        self._in_order = None

    def in_order(self) -> tuple[Ints, Ints]:
        """The edges as (keys, nodes they lead to), sorted once and kept until another is added."""
        if self._in_order is None:
            keys = np.array(self._keys)
            order = np.argsort(keys)
            self._in_order = keys[order], np.array(self._children, np.int64)[order]
        return self._in_order


class _Walk:
    """Edges of one kind, put to some papers: from (node, place) to (node, place `length` further)."""

    def __init__(self, edges: _Edges, held: Vocabulary, row: Ints, length: int) -> None:
        self._keys, self._children = edges.in_order()
        words, numbers = meet(edges.words, held)
        self._held_of = np.full(len(edges.words), -1, np.int64)
        self._held_of[words] = numbers
        self._word_of = np.full(len(held) + 1, -1, np.int64)  # the last is that of a gap, -1
        self._word_of[numbers] = words
        self._row, self._length = row, length

    def begin(self, at: Lists) -> tuple[Ints, Ints]:
        last = int(np.searchsorted(self._keys, 1 << _NODE))
        held = self._held_of[self._keys[:last]]
        edges = np.flatnonzero(held >= 0)
        owners, places = at.of(held[edges])
        return self._children[edges[owners]], places.astype(np.int64) + self._length

    def go_on(self, nodes: Ints, places: Ints) -> tuple[Ints, Ints]:
        words = self._word_of[self._row[places]]
        known = np.flatnonzero(words >= 0)
        keys = (nodes[known] << _NODE) | words[known]
        first, last = np.searchsorted(self._keys, keys), np.searchsorted(self._keys, keys, side="right")
        owners, children = spread(first, last, self._children)
        return children, places[known[owners]] + self._length


def meet(asked: dict[str, int], held: dict[str, int]) -> tuple[list[int], list[int]]:
    """The numbers of the words that both know, as each numbers them. Costs what the smaller is long."""
    both = list(asked.keys() & held.keys())
    return [asked[word] for word in both], [held[word] for word in both]
