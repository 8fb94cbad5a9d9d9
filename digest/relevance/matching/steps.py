"""The distinct parts of many interests, each a step whose answer is a set of papers: a row of bits. Pure."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digest.relevance.matching.match import TEXT_FIELDS, TITLE, compounds
from digest.relevance.matching.phrases import Phrases, meet
from digest.relevance.matching.postings import Ints, Postings, Terms
from subscriptions.interests import names
from subscriptions.interests.language import And, Field, Node, Not, Or, Phrase, Prefix, Text, Word
from subscriptions.interests.words import as_glued, stem

Fields = tuple[str, ...]
Bits = NDArray[np.uint64]  # a row a step; bit n % 64 of column n // 64 is the n-th paper

NOTHING = 0  # the step that finds no paper


class Steps:
    """The distinct parts of many interests, each a number."""

    def __init__(self) -> None:
        self._asked: defaultdict[Fields, _Asked] = defaultdict(_Asked)
        self._labels: defaultdict[str, _Labels] = defaultdict(_Labels)
        self._joined: dict[tuple[Any, ...], int] = {("any",): NOTHING}
        self._layer = array("H", [0])  # of each step: one more than the highest of those it is made of
        self._highest = 0
        self._alls: defaultdict[int, _Groups] = defaultdict(_Groups)  # by layer
        self._anys: defaultdict[int, _Groups] = defaultdict(_Groups)
        self._but_nots: defaultdict[int, _Groups] = defaultdict(_Groups)

    def ask(self, papers: Postings) -> Bits:
        """The papers of each step."""
        found = np.zeros((len(self._layer), -(-len(papers.papers) // 64)), "<u8")
        for fields, asked in self._asked.items():
            for steps, those in asked.find(papers.terms(fields)):
                _mark(found, steps, those)
        labelled = [
            (step, paper)
            for name, asked_labels in self._labels.items()
            for text, step in asked_labels.met(papers.label_keys(name))
            for paper in papers.with_label(name, text)
        ]
        _mark(found, *np.array(labelled, np.int64).reshape(-1, 2).T)
        for layer in range(1, self._highest + 1):
            if layer in self._alls:
                self._alls[layer].all_of(found)
            if layer in self._anys:
                self._anys[layer].any_of(found)
            if layer in self._but_nots:
                self._but_nots[layer].but_not(found)
        return found

    def of(self, node: Node, fields: Fields = TEXT_FIELDS) -> int:
        """The step that finds the papers for which `matching.find` finds the node in these fields."""
        match node:
            case Word(text):
                return self._word(stem(text), fields)
            case Prefix(text):
                return self._leaf(self._asked[fields].prefixes, text)
            case Phrase(texts):
                return self._phrase(texts, fields)
            case Field(name, part) if name == TITLE:
                return self.of(part, (TITLE,))
            case Field(name, Text(text)):
                gates = names.gates(text) if name == "author" else (text,)
                return self._labels[name].add(text, gates, self._leaf(self._labels[name].steps, text))
            case And(parts):
                return self._all_of(parts, fields)
            case Or(parts):
                return self.any_of([self.of(part, fields) for part in parts])
        return NOTHING

    def any_of(self, steps: Iterable[int]) -> int:
        unique = sorted(set(steps))
        if len(unique) == 1:
            return unique[0]
        step, is_new = self._number("any", *unique)
        if is_new:
            self._anys[self._above(step, unique)].add(step, unique)
        return step

    def _all_of(self, parts: tuple[Node, ...], fields: Fields) -> int:
        wanted = [part for part in parts if not isinstance(part, Not)]
        unwanted = [self.of(part.part, fields) for part in parts if isinstance(part, Not)]
        if not wanted:
            return NOTHING
        each = [self.of(part, fields) for part in wanted]
        found = self._all(each, wanted, fields) if len(each) > 1 else each[0]
        if not unwanted:
            return found
        refused = self.any_of(unwanted)
        step, is_new = self._number("but not", found, refused)
        if is_new:
            self._but_nots[self._above(step, (found, refused))].add(step, (found, refused))
        return step

    def _all(self, each: list[int], wanted: Sequence[Node], fields: Fields) -> int:
        # Two words typed apart may be written as one: `fine tuning` is also "finetuning".
        as_one = [
            (number, self._word(stem(word), fields))
            for number, part in enumerate(wanted)
            if isinstance(part, Word)
            for word in compounds(part, wanted)
        ]
        step, is_new = self._number("all", *each, *as_one)
        if is_new:
            self._alls[self._above(step, each)].add(step, each, as_one)
        return step

    def _word(self, term: str, fields: Fields) -> int:
        asked = self._asked[fields]
        step = self._leaf(asked.words, term)
        if term.endswith("e"):
            asked.clipped[as_glued(term)] = step
        return step

    def _phrase(self, texts: tuple[str, ...], fields: Fields) -> int:
        terms = tuple(map(stem, texts))
        as_one = tuple(stem(left + right) for left, right in pairwise(texts))
        step, is_new = self._number("phrase", fields, terms, as_one)
        if is_new:
            self._asked[fields].phrases.add(terms, as_one, step)
        return step

    def _leaf(self, steps: dict[Any, int], asked: Any) -> int:
        if asked not in steps:
            steps[asked] = len(self._layer)
            self._layer.append(0)
        return steps[asked]

    def _number(self, *parts: Any) -> tuple[int, bool]:
        """The step of these parts, and whether it is new."""
        held = self._joined.setdefault(parts, len(self._layer))
        if held < len(self._layer):
            return held, False
        self._layer.append(0)
        return held, True

    def _above(self, step: int, members: Iterable[int]) -> int:
        self._layer[step] = 1 + max(self._layer[member] for member in members)
        self._highest = max(self._highest, self._layer[step])
        return self._layer[step]


def is_found(found: Bits) -> NDArray[np.bool]:
    """Of each step, whether there is any paper."""
    return np.asarray(found.any(axis=1))


def _mark(found: Bits, steps: Ints, papers: Ints) -> None:
    """Set the bits of these (step, paper)."""
    papers = papers.astype(np.uint64)
    cells = steps * found.shape[1] + (papers >> np.uint64(6)).astype(np.int64)
    np.bitwise_or.at(found.reshape(-1), cells, np.uint64(1) << (papers & np.uint64(63)))


class _Asked:
    """What is asked of the words of some fields, and the step that asks."""

    def __init__(self) -> None:
        self.words: dict[str, int] = {}
        self.clipped: dict[str, int] = {}  # of those that end in e, by their keys to glued pairs
        self.prefixes: dict[str, int] = {}
        self.phrases = Phrases()

    def find(self, papers: Terms) -> Iterator[tuple[Ints, Ints]]:
        """Pairs (step, paper) of all that is found, some perhaps repeated."""
        for steps, numbers, at in (
            (*meet(self.words, papers.single), papers.single_at),
            (*self._meet_glued(papers.glued), papers.glued_at),
        ):
            owners, places = at.of(np.array(numbers, np.int64))
            yield np.array(steps, np.int64)[owners], papers.paper[places]
        yield self.phrases.find(papers)
        for prefix in papers.prefixes_among(self.prefixes):
            those = papers.with_prefix(prefix)
            yield np.full(len(those), self.prefixes[prefix]), those

    def _meet_glued(self, glued: dict[str, int]) -> tuple[list[int], list[int]]:
        steps, numbers = meet(self.clipped, glued)
        for word in self.words.keys() & glued.keys():
            if not word.endswith("e"):  # else its key is another
                steps.append(self.words[word])
                numbers.append(glued[word])
        return steps, numbers


class _Labels:
    """Authors, categories or sources that are asked for, filed by what a paper's label must hold one of."""

    def __init__(self) -> None:
        self.steps: dict[str, int] = {}
        self._by_gate: defaultdict[str, set[str]] = defaultdict(set)

    def add(self, text: str, gates: Iterable[str], step: int) -> int:
        for gate in gates:
            self._by_gate[gate].add(text)
        return step

    def met(self, keys: Set[str]) -> Iterator[tuple[str, int]]:
        """What papers with these keys may be meant by, and the step that asks."""
        texts = {text for key in self._by_gate.keys() & keys for text in self._by_gate[key]}
        return ((text, self.steps[text]) for text in texts)


class _Groups:
    """Steps of one kind and layer, each made of others."""

    def __init__(self) -> None:
        self._steps, self._begins, self._members = array("i"), array("i"), array("i")
        self._spots, self._instead = array("i"), array("i")  # a member, by its place, and a step that may stand for it

    def add(self, step: int, members: Iterable[int], instead: Iterable[tuple[int, int]] = ()) -> None:
        """`instead` says which steps may stand for the n-th member."""
        self._steps.append(step)
        begin = len(self._members)
        self._begins.append(begin)
        self._members.extend(members)
        for number, other in instead:
            self._spots.append(begin + number)
            self._instead.append(other)

    def all_of(self, found: Bits) -> None:
        held = found[np.array(self._members)]
        instead = np.array(self._instead)
        met = np.flatnonzero(is_found(found)[instead])
        np.bitwise_or.at(held, np.array(self._spots)[met], found[instead[met]])
        found[np.array(self._steps)] = np.bitwise_and.reduceat(held, np.array(self._begins), axis=0)

    def any_of(self, found: Bits) -> None:
        held = found[np.array(self._members)]
        found[np.array(self._steps)] = np.bitwise_or.reduceat(held, np.array(self._begins), axis=0)

    def but_not(self, found: Bits) -> None:
        wanted, unwanted = np.array(self._members).reshape(-1, 2).T
        found[np.array(self._steps)] = found[wanted] & ~found[unwanted]
