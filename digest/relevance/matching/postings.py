"""Papers taken apart together: which of them hold a term, and where. Pure.

All texts stand in one long row of words with a gap after each, and words are numbers there, so that very many
interests are asked of very many papers by a few operations on arrays. It says only which papers match: how
well, and where, is for `matching.find`, whose answers it repeats exactly.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence, Set
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from digest.relevance.matching.match import Document
from digest.relevance.vectors import Vocabulary
from subscriptions.interests import names
from subscriptions.interests.words import Words, as_glued, stem

Ints = NDArray[np.integer[Any]]
_ROOM = 2  # gaps behind the last word: a pair written as one goes two places on


class Lists(NamedTuple):
    """Lists of numbers behind each other: list n is `items[ends[n]:ends[n + 1]]`."""

    ends: Ints
    items: Ints

    @classmethod
    def by_number(cls, row: Ints, count: int) -> Lists:
        """For each number below `count`, the places where the row holds it. A negative number is a gap."""
        held = np.flatnonzero(row >= 0)
        order = held[np.argsort(row[held], kind="stable")]
        sizes = np.bincount(row[held], minlength=count)
        return cls(np.concatenate([[0], sizes.cumsum()]), order.astype(np.int32))

    def of(self, which: Ints) -> tuple[Ints, Ints]:
        """What these lists hold, and for each item the place in `which` of the list it is from."""
        return spread(self.ends[which], self.ends[which + 1], self.items)


def spread(first: Ints, last: Ints, items: Ints) -> tuple[Ints, Ints]:
    """The slices `items[first[n]:last[n]]` behind each other, and before them for each item its n."""
    sizes = last - first
    owners = np.repeat(np.arange(len(sizes)), sizes)
    return owners, items[np.arange(len(owners)) + np.repeat(first - sizes.cumsum() + sizes, sizes)]


class Postings:
    """Some papers, and what stands where in each field of them. Look-ups are remembered."""

    def __init__(self, papers: Sequence[Document]) -> None:
        self.papers = papers
        self._terms: dict[tuple[str, ...], Terms] = {}
        self._labels: dict[str, dict[str, list[int]]] = {}

    def terms(self, fields: tuple[str, ...]) -> Terms:
        """What stands in one field of the papers, or in several taken together."""
        if fields not in self._terms:
            self._terms[fields] = Terms([[paper.words(field) for field in fields] for paper in self.papers])
        return self._terms[fields]

    def of(self, bits: int) -> Iterator[Document]:
        """The papers of a set, in order."""
        return (self.papers[number] for number in numbers(bits))

    def with_label(self, name: str, text: str) -> Iterable[int]:
        """Numbers of the papers of an author, category or source."""
        return self._authors.named(text) if name == "author" else self._labelled(name).get(text, ())

    def label_keys(self, name: str) -> Set[str]:
        """What is asked for must be one of these, or for an author have one of these among `names.gates`."""
        return self._authors.keys() if name == "author" else self._labelled(name).keys()

    def _labelled(self, name: str) -> dict[str, list[int]]:
        if name not in self._labels:
            self._labels[name] = self._file_labels(name)
        return self._labels[name]

    @cached_property
    def _authors(self) -> _Authors:
        return _Authors(self.papers)

    def _file_labels(self, name: str) -> dict[str, list[int]]:
        """Each label and what it is a part of: a paper in cs.CL is in cs too."""
        filed: defaultdict[str, list[int]] = defaultdict(list)
        for number, paper in enumerate(self.papers):
            for label in paper.categories if name == "category" else paper.sources:
                parts = label.split(".")
                for length in range(1, len(parts) + 1):
                    filed[".".join(parts[:length])].append(number)
        return filed


class Terms:
    """What stands where in some texts of each paper.

    `single` numbers the terms, `glued` the keys of neighbours that may be one word (see `words.as_glued`). A place
    is a position in the long row; `row` and `pairs` say which term stands there and which pair begins there, -1
    for none, and `paper` whose text it is. `single_at` and `glued_at` are the places of each number.
    """

    def __init__(self, texts: Sequence[Sequence[Words]]) -> None:
        flat = [words for of_one in texts for words in of_one]
        sizes = np.fromiter((len(words.folded) + 1 for words in flat), np.int64, len(flat))
        owners = np.fromiter((number for number, of_one in enumerate(texts) for _ in of_one), np.int32, len(flat))
        self.paper = np.repeat(owners, sizes)
        folded = Vocabulary()
        numbered: list[int] = []
        for words in flat:
            numbered.extend(map(folded.__getitem__, words.folded))
            numbered.append(-1)
        self._folded_row = np.array(numbered + [-1] * _ROOM, np.int32)
        self._folded = list(folded)

        self.single = Vocabulary()
        terms = [stem(word) for word in self._folded]
        term_of = np.array([*map(self.single.__getitem__, terms), -1], np.int32)  # the last is that of a gap, -1
        self.row = term_of[self._folded_row]
        self.single_at = Lists.by_number(self.row, len(self.single))

        self.glued = Vocabulary()
        self.pairs = np.full(len(self.row), -1, np.int32)
        begins = (sizes.cumsum() - sizes).tolist()
        joints = [begin + joint for begin, words in zip(begins, flat, strict=True) for joint in words.joints()]
        places = np.array(joints, np.int64)
        tails = list(map(as_glued, terms))
        pairs = zip(self._folded_row[places].tolist(), self._folded_row[places + 1].tolist(), strict=True)
        self.pairs[places] = [self.glued[self._folded[first] + tails[second]] for first, second in pairs]
        self.glued_at = Lists.by_number(self.pairs, len(self.glued))

    def with_prefix(self, prefix: str) -> Ints:
        """Papers with a word that begins with these folded letters, one perhaps several times."""
        words, at = self._in_order
        first = bisect_left(words, prefix)
        last = bisect_right(words, prefix, lo=first, key=lambda word: word[: len(prefix)])
        return self.paper[at.items[at.ends[first] : at.ends[last]]]

    def prefixes_among(self, prefixes: Collection[str]) -> Iterable[str]:
        """Those with which a word may begin; all, where looking each up costs less than telling."""
        if len(prefixes) < len(self._folded):
            return prefixes
        lengths = {len(prefix) for prefix in prefixes}
        return {word[:length] for word in self._folded for length in lengths}.intersection(prefixes)

    @cached_property
    def _in_order(self) -> tuple[list[str], Lists]:
        """The folded words sorted, and where each stands."""
        order = sorted(range(len(self._folded)), key=self._folded.__getitem__)
        rank = np.full(len(order) + 1, -1, np.int32)
        rank[order] = np.arange(len(order))
        return [self._folded[number] for number in order], Lists.by_number(rank[self._folded_row], len(order))


class _Authors:
    """The names on the papers, filed by what a typed name may meet them by."""

    def __init__(self, papers: Sequence[Document]) -> None:
        self._papers: defaultdict[str, list[int]] = defaultdict(list)
        for number, paper in enumerate(papers):
            for author in paper.authors:
                self._papers[author].append(number)
        self._by_key: defaultdict[str, set[str]] = defaultdict(set)
        self._by_given: defaultdict[str, set[str]] = defaultdict(set)
        for author in self._papers:
            for key in names.keys(author):
                self._by_key[key].add(author)
            for key in names.given_keys(names.read(author)):
                self._by_given[key].add(author)

    def keys(self) -> Set[str]:
        return self._by_key.keys()

    def named(self, typed: str) -> list[int]:
        return [paper for author in self._authors(typed) for paper in self._papers[author]]

    def _authors(self, typed: str) -> Iterable[str]:
        wanted = names.read(typed)
        held = set[str]().union(*(self._by_key.get(gate, ()) for gate in names.gates(typed)))
        if len(wanted.parts) < 2:
            return held if names.names_somebody(typed) else ()  # there is no given name to disagree
        # Either the given names agree, or every word typed stands in the author's name.
        alike = (
            *(self._by_given.get(gate, set()) for gate in names.given_gates(wanted)),
            *(self._by_key.get(spelling, set()) for spelling in wanted.parts[0].joined),
        )
        candidates = set[str]().union(*(held & some for some in alike))
        return [author for author in candidates if names.are_one(wanted, names.read(author))]


def numbers(bits: int) -> Iterator[int]:
    """The members of a set, in order."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest
