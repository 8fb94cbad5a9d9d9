"""Papers taken apart together: which of them hold a term. Pure.

A set of papers is an int, bit n for the n-th paper, so that what many interests share costs one dictionary
look-up, and AND, OR and NOT cost one machine operation for 60 papers. It says only which papers match: how
well, and where, is for `matching.find`, whose answers it repeats exactly.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import accumulate

from digest.matching import Document
from subscriptions.interests import names
from subscriptions.interests.words import Words, as_glued

Places = set[int] | frozenset[int]
_NOWHERE: Places = frozenset()


class Postings:
    """Some papers, and for each term the set of those that hold it. Look-ups are remembered."""

    def __init__(self, papers: Sequence[Document]) -> None:
        self.papers = papers
        self.all = (1 << len(papers)) - 1
        self._terms: dict[tuple[str, ...], _Terms] = {}
        self._authors: _Authors | None = None
        self._labels: dict[str, dict[str, int]] = {}

    def terms(self, fields: tuple[str, ...]) -> _Terms:
        """What stands in one field of the papers, or in several taken together."""
        if fields not in self._terms:
            self._terms[fields] = _Terms([[paper.words(field) for field in fields] for paper in self.papers])
        return self._terms[fields]

    def of(self, bits: int) -> Iterator[Document]:
        """The papers of a set, in order."""
        return (self.papers[number] for number in numbers(bits))

    def with_label(self, name: str, text: str) -> int:
        """Papers of an author, category or source."""
        if name == "author":
            self._authors = self._authors or _Authors(self.papers)
            return self._authors.named(text)
        if name not in self._labels:
            self._labels[name] = self._file_labels(name)
        return self._labels[name].get(text, 0)

    def _file_labels(self, name: str) -> dict[str, int]:
        """Each label and what it is a part of: a paper in cs.CL is in cs too."""
        filed: defaultdict[str, int] = defaultdict(int)
        for number, paper in enumerate(self.papers):
            for label in paper.categories if name == "category" else paper.sources:
                parts = label.split(".")
                for length in range(1, len(parts) + 1):
                    filed[".".join(parts[:length])] |= 1 << number
        return filed


class _Terms:
    """What stands where in some texts of each paper.

    Phrases are sought in all papers at once: the texts stand in one long row of words with a gap after each,
    so a word has one place in the row, and side by side means one place further.
    """

    def __init__(self, texts: Sequence[Sequence[Words]]) -> None:
        self._texts = [words for of_one in texts for words in of_one]
        self._paper = [number for number, of_one in enumerate(texts) for _ in of_one]
        self._begins = list(accumulate((len(words.terms) + 1 for words in self._texts), initial=0))
        self._filed: dict[str, defaultdict[str, list[int]]] = {"single": defaultdict(list), "glued": defaultdict(list)}
        for number, words in enumerate(self._texts):
            for term in words.single:
                self._filed["single"][term].append(number)
            for key in words.glued:
                self._filed["glued"][key].append(number)
        self._row: dict[str, dict[str, set[int]]] = {"single": {}, "glued": {}}
        self._after: dict[str, set[int]] = {}
        self._folded: dict[str, int] = {}
        self._in_order: list[str] = []

    def with_word(self, term: str) -> int:
        """Papers with any form of the word that has this term, as one word or as two."""
        bits = 0
        for number in self._filed["single"].get(term, ()):
            bits |= 1 << self._paper[number]
        for number in self._filed["glued"].get(as_glued(term), ()):
            bits |= 1 << self._paper[number]
        return bits

    def with_phrase(self, terms: tuple[str, ...], as_one: tuple[str, ...]) -> int:
        """Papers where words of these terms stand in this order; `as_one[n]` is what the n-th would be with the next.

        `here` are the places where the rest may begin, `before` those of one word earlier, None for anywhere.
        """
        if len(terms) == 2 and not any(as_glued(term) in self._filed["glued"] for term in terms):
            return self._bits([*self._pairs.get(terms, ()), *self._filed["single"].get(as_one[0], ())])
        before: Places | None = None
        here = self._behind(terms[0])
        for term, with_last in zip(terms[1:], as_one, strict=True):
            after: Places = _NOWHERE
            if here:
                after = {place + 1 for place in here & self._places("single", term)}
                if double := self._places("glued", as_glued(term)):
                    after |= {place + 2 for place in here & double}
            if with_last in self._filed["single"]:
                joined = self._places("single", with_last)
                after = after | {place + 1 for place in (joined if before is None else before & joined)}
            elif not after and not here:
                return 0
            before, here = here, after
        return self._bits(bisect_right(self._begins, place - 1) - 1 for place in here)

    @cached_property
    def _pairs(self) -> dict[tuple[str, ...], list[int]]:
        """The texts with two terms side by side: most phrases are of two words, and this spares them the places."""
        filed: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
        for number, words in enumerate(self._texts):
            for pair in zip(words.terms, words.terms[1:], strict=False):
                filed[pair].append(number)
        return filed

    def _behind(self, term: str) -> Places:
        """The places right after the term, written as one word or as two."""
        found = self._after.get(term)
        if found is None:
            found = {place + 1 for place in self._places("single", term)}
            if double := self._places("glued", as_glued(term)):
                found.update(place + 2 for place in double)
            self._after[term] = found
        return found

    def _places(self, form: str, key: str) -> Places:
        """Where in the row the term stands as one word, or the glued pair begins."""
        held = self._filed[form].get(key)
        if held is None:
            return _NOWHERE
        found = self._row[form].get(key)
        if found is None:
            found = set()
            for number in held:
                begin = self._begins[number]
                found.update([begin + place for place in getattr(self._texts[number], form)[key]])
            self._row[form][key] = found
        return found

    def _bits(self, texts: Iterable[int]) -> int:
        bits = 0
        for number in set(texts):
            bits |= 1 << self._paper[number]
        return bits

    def with_prefix(self, prefix: str) -> int:
        """Papers with a word that begins with these folded letters."""
        if not self._in_order:
            self._file_folded()
        bits, place = 0, bisect_left(self._in_order, prefix)
        while place < len(self._in_order) and self._in_order[place].startswith(prefix):
            bits |= self._folded[self._in_order[place]]
            place += 1
        return bits

    def _file_folded(self) -> None:
        filed: defaultdict[str, list[int]] = defaultdict(list)
        for number, words in enumerate(self._texts):
            for word in set(words.folded):
                filed[word].append(number)
        self._folded = {word: self._bits(held) for word, held in filed.items()}
        self._in_order = sorted(self._folded)


class _Authors:
    """The names on the papers, filed by what a typed name may meet them by."""

    def __init__(self, papers: Sequence[Document]) -> None:
        self._papers: defaultdict[str, int] = defaultdict(int)
        for number, paper in enumerate(papers):
            for author in paper.authors:
                self._papers[author] |= 1 << number
        self._by_key: defaultdict[str, list[str]] = defaultdict(list)
        for author in self._papers:
            for key in names.keys(author):
                self._by_key[key].append(author)

    def named(self, typed: str) -> int:
        bits = 0
        for author in {author for gate in names.gates(typed) for author in self._by_key.get(gate, ())}:
            if names.is_author(typed, author):
                bits |= self._papers[author]
        return bits


def numbers(bits: int) -> Iterator[int]:
    """The members of a set, in order."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest
