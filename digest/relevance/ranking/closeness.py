"""How close papers are to lines that need not match them whole. Pure.

The interest language asks for all the words of a line. Beside that exact voice a line also speaks softly, as a
bag of words: a paper that holds most of a line, in its title, side by side, or that is like the papers nearest to
the line, is near it too.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.sparse as sp

from digest.relevance.vectors import (
    SATURATION,
    Background,
    Floats,
    Integers,
    Text,
    Vocabulary,
    at_width,
    counts,
    kin,
    lengths,
    pairs,
    unit,
)
from subscriptions.interests.language import And, Field, Node, Not, Or, Phrase, Word, unpinned
from subscriptions.interests.words import STOP_WORDS, split, stem

SIDE_BY_SIDE = 0.1  # two neighbours of the line that are neighbours in the paper, against either alone
# Relevance feedback without a reader (RM3: Abdul-Jaleel et al., 2004): the line is widened by the words of the
# papers nearest to it, and keeps most of its own say. A paper 5 % farther than the nearest has a third of its say
# in this, so that twenty near ones can speak together and a single near one alone.
NEAREST, WIDENED_BY, OWN_SAY, SHARPNESS = 20, 100, 0.7, 20.0
# A paper is also a little as close as the papers most like it (score regularisation: Diaz, 2005).
KIN, KIN_SAY = 5, 0.2
PROSE_WORDS, PROSE_SMALL_WORDS = 7, 2
_SIGNS = re.compile(r"\bOR\b|\bNOT\b|\bAND\b|\"|\w\*|\w:\w|(?:^|\s)-\w")
_BARE = re.compile(r"[a-zA-Z0-9\s\"()]*")
# Words with which a sentence asks, whatever it asks for. In a line that is a search they are its subject.
ASKING = frozenset(
    stem(word)
    for word in "also anything article articles available concerning deal dealing deals describe describes describing "
    "discuss discusses discussing especially etc find give information interest interested know like list literature "
    "may must obtain paper papers particularly pertaining please publication publications regarding related relating "
    "research specifically studies study various want work works would".split()
)
_KEPT_FILED = 8  # choices of papers, whose words are filed by term: the windows of a moment, and their kin
TELLING = 2.0  # rarity of a word in one paper of eight: commoner ones speak more softly


def is_prose(typed: str) -> bool:
    """Whether a line is a sentence rather than a search: long, with small words, without any sign of the language.

    Such a line means its subject. Read as a search it matches nothing, or, where it holds an "or", whatever has the
    one word beside it.
    """
    words = typed.lower().split()
    return (
        len(words) >= PROSE_WORDS
        and sum(word.strip(".,;:?") in STOP_WORDS for word in words) >= PROSE_SMALL_WORDS
        and not _SIGNS.search(typed)
    )


def terms_of(typed: str, node: Node | None) -> list[str]:
    """The terms a line asks for, repeats kept; what it excludes, and names of authors or sources, left out."""
    node = unpinned(node) if node else None
    if node is None or is_prose(typed) or _is_plain(node):
        terms = [stem(word) for word, _, _ in split(typed) if word not in STOP_WORDS]
        return [term for term in terms if term not in ASKING] or terms if is_prose(typed) else terms
    return [stem(word) for word in _wanted(node) if word not in STOP_WORDS]


def says_itself(typed: str) -> bool:
    """Whether a line has no sign but quotes and brackets: `terms_of` then gives the same without its node."""
    return bool(_BARE.fullmatch(typed)) and "not" not in typed.lower()


def _is_plain(node: Node) -> bool:
    match node:
        case Word() | Phrase():
            return True
        case And(parts) | Or(parts):
            return all(_is_plain(part) for part in parts)
    return False


def _wanted(node: Node) -> list[str]:
    match node:
        case Word(text):
            return [text]
        case Phrase(words):
            return list(words)
        case Field("title", part):
            return _wanted(part)
        case And(parts) | Or(parts):
            return [word for part in parts if not isinstance(part, Not) for word in _wanted(part)]
    return []


@dataclass(frozen=True, slots=True)
class Asked:
    """What lines ask of any paper, learned from the background once: a row a line."""

    terms: Any  # (lines, terms): what each word weighs, of the line and of those it is widened by
    pairs: Sequence[Integers]  # neighbours in the line
    beside: Floats  # what they weigh side by side


class Nearness:
    """Papers, known by their place, ready to be asked how close they are to lines. The first are the background.

    How close a paper is to a line depends on the two and the background, never on the other papers.
    """

    def __init__(self, background: Background, texts: Sequence[Text], vocabulary: Vocabulary) -> None:
        self.background, self.vocabulary = background, vocabulary
        self._read(texts)
        self.words = self._weighed(texts)
        self.kin = self._kin_of(0)

    def _read(self, texts: Sequence[Text]) -> None:
        self.texts, self.width = texts, len(self.vocabulary)
        self.rarity = self.background.rarity(self.width)
        self.lengths = lengths([text.title for text in texts]), lengths([text.abstract for text in texts])
        self._filed: dict[bytes, Any] = {}

    def extended(self, texts: Sequence[Text], vocabulary: Vocabulary) -> Nearness:
        """With more papers after those it holds; `vocabulary` knows their words too."""
        more = copy.copy(self)
        more.__dict__.pop("_pairs", None)
        more.vocabulary = vocabulary
        more._read([*self.texts, *texts])
        more.words = _below(self.words, more._weighed(texts))
        more.kin = _below(self.kin, more._kin_of(len(self.texts)))
        return more

    def _weighed(self, texts: Sequence[Text]) -> Any:
        """(papers, terms): BM25F weights."""
        titles, abstracts = [text.title for text in texts], [text.abstract for text in texts]
        held = counts(titles, self.width), counts(abstracts, self.width)
        return self.background.bm25f(*held, (lengths(titles), lengths(abstracts)), self.rarity)

    def _kin_of(self, first: int) -> Any:
        """(papers from the first on, papers): what each of their nearest in the background says for them; they
        themselves, where they have none.
        """
        return kin(unit(self.words), len(self.background.texts), KIN, first=first)

    @cached_property
    def _pairs(self) -> list[tuple[Integers, Integers]]:
        """Of titles and of abstracts: all pairs of neighbours in order, and the text that holds each."""
        fields = zip(*self.texts, strict=True) if self.texts else ((), ())
        return [_pairs_in_order(rows) for rows in fields]

    @cached_property
    def rows(self) -> Any:
        """(background, terms): tf-idf."""
        return self.background.tf_idf(self.background.texts, self.background.width)

    def to(self, lines: Sequence[Sequence[str]]) -> Floats:
        """(lines, papers): 0 far, 1 as near as the line's own words can bring a paper. A line is its terms."""
        return self.of(self.ask(lines))

    def of(self, asked: Asked, papers: Integers | None = None) -> Floats:
        """The same of lines asked before, and of these papers."""
        papers = np.arange(len(self.texts)) if papers is None else papers
        kin = self.kin[papers]
        both = np.union1d(papers, kin.indices)
        shares = self._shares(asked, both)
        kept: Floats = shares[:, np.searchsorted(both, papers)]
        kept = kept + KIN_SAY * ((kin[:, both] @ shares.T).T - kept)
        return kept

    def ask(self, lines: Sequence[Sequence[str]]) -> Asked:
        """What these lines ask. A word that no paper here holds is left out."""
        asked = [np.array([self.vocabulary.get(term, -1) for term in line], np.int64) for line in lines]
        asked = [row[(row >= 0) & (row < self.width)] for row in asked]
        held = counts(asked, self.width)
        own, squares = unit(held), np.asarray(held.multiply(held).sum(axis=1))
        pairs_of, beside = [pairs(row) for row in asked], SIDE_BY_SIDE / np.sqrt(np.maximum(squares, 1)).ravel()
        score = self._shares(Asked(own, pairs_of, beside), np.arange(len(self.background.texts)))
        weight = np.asarray(own.sum(axis=1)).ravel()
        rarity = (own @ self.rarity) / np.where(weight > 0, weight, 1)
        # What nearly every paper holds tells none apart, and neither do the words that stand around it.
        say = (1 - OWN_SAY) * np.minimum(rarity / TELLING, 1)
        greatest = OWN_SAY * (SATURATION + 1) * weight * np.maximum(rarity, TELLING / 2)
        greatest = np.where(greatest > 0, greatest, 1)
        terms = sp.diags(OWN_SAY / greatest) @ own + sp.diags(say / greatest) @ self._widening(score)
        return Asked(terms.tocsr(), pairs_of, OWN_SAY / greatest * beside)

    def _shares(self, asked: Asked, papers: Integers) -> Floats:
        """(lines, papers): what the words of the papers and their neighbours bring, kin aside."""
        shares: Floats = (at_width(asked.terms, self.width) @ self._by_term(papers)).toarray()
        return shares + asked.beside[:, None] * self._side_by_side(asked.pairs, papers)

    def _by_term(self, papers: Integers) -> Any:
        """(terms, papers): BM25F weights; the papers asked last are kept."""
        key = papers.tobytes()
        if key not in self._filed:
            if len(self._filed) >= _KEPT_FILED:
                self._filed = {}
            self._filed[key] = self.words[papers].T.tocsr()
        return self._filed[key]

    def _widening(self, scores: Floats) -> Any:
        """(lines, terms): the strongest words of each line's nearest papers in the background."""
        if not scores.size:
            return sp.csr_matrix((len(scores), self.width))
        least = np.partition(scores, max(scores.shape[1] - NEAREST, 0), axis=1)[:, [max(scores.shape[1] - NEAREST, 0)]]
        lines, nearest = np.nonzero((scores >= least) & (scores > 0))
        best = scores.max(axis=1)
        weights = np.exp(SHARPNESS * (scores[lines, nearest] / best[lines] - 1))
        weights /= np.bincount(lines, weights, len(scores))[lines]
        mean = sp.csr_matrix((weights, (lines, nearest)), shape=scores.shape) @ self.rows
        return at_width(unit(_strongest(mean.tocsr(), WIDENED_BY)), self.width)

    def _side_by_side(self, wanted: Sequence[Integers], papers: Integers) -> Floats:
        """(lines, papers): the BM25F score of the lines' pairs of neighbours."""
        named = np.unique(np.concatenate(wanted)) if wanted else np.array([], np.int64)
        if not len(named) or not self.texts:
            return np.zeros((len(wanted), len(papers)))
        titles, abstracts = (_pair_counts(held, named, len(self.texts)) for held in self._pairs)
        total = len(self.background.texts)
        found = np.bincount((titles + abstracts)[:total].indices, minlength=len(named))
        rarity = np.log(1 + (total - found + 0.5) / (found + 0.5))
        long = self.lengths[0][papers], self.lengths[1][papers]
        weights = self.background.bm25f(titles[papers], abstracts[papers], long, rarity)
        held: Floats = (counts([np.searchsorted(named, row) for row in wanted], len(named)) @ weights.T).toarray()
        return held


def _below(above: Any, more: Any) -> Any:
    """Sparse rows under each other; those below may be wider."""
    return sp.vstack([at_width(above, more.shape[1]), more]).tocsr()


def _strongest(matrix: Any, most: int) -> Any:
    """Each row's `most` greatest values, and those that equal the least of them."""
    for begin, end in pairwise(matrix.indptr.tolist()):
        if end - begin > most:
            held = matrix.data[begin:end]
            held[held < np.partition(held, end - begin - most)[end - begin - most]] = 0
    matrix.eliminate_zeros()
    return matrix


def _pairs_in_order(rows: Sequence[Integers]) -> tuple[Integers, Integers]:
    flat = np.concatenate([pairs(row) for row in rows]) if rows else np.array([], np.int64)
    where = np.repeat(np.arange(len(rows)), [max(len(row) - 1, 0) for row in rows])
    order = np.argsort(flat, kind="stable")
    return flat[order], where[order]


def _pair_counts(held: tuple[Integers, Integers], named: Integers, rows: int) -> Any:
    """How often each text holds each of the pairs (sorted numbers)."""
    flat, where = held
    begins = np.searchsorted(flat, named)
    sizes = np.searchsorted(flat, named, "right") - begins
    which = np.repeat(begins - sizes.cumsum() + sizes, sizes) + np.arange(sizes.sum())
    place = np.repeat(np.arange(len(named)), sizes)
    return sp.csr_matrix((np.ones(len(which)), (where[which], place)), shape=(rows, len(named)))
