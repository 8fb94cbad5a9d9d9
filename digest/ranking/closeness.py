"""How close papers are to lines that need not match them whole. Pure.

The interest language asks for all the words of a line. Beside that exact voice a line also speaks softly, as a
bag of words: a paper that holds most of a line, in its title, side by side, or that is like the papers nearest to
the line, is near it too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp

from digest.vectors import SATURATION, Background, Floats, Integers, Text, Vocabulary, counts, lengths, pairs, unit
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
_AT_ONCE = 1000  # papers compared with all others: 16 MB for a background of 2,000
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


class Nearness:
    """Papers ready to be asked how close they are to lines. The first `known` of `texts` are the background."""

    def __init__(self, background: Background, texts: Sequence[Text], vocabulary: Vocabulary) -> None:
        self.background, self.texts, self.vocabulary = background, texts, vocabulary
        self.width = len(vocabulary)
        self.rarity = background.rarity(self.width)
        self.titles, self.abstracts = [text.title for text in texts], [text.abstract for text in texts]
        self.lengths = lengths(self.titles), lengths(self.abstracts)

    @cached_property
    def _pairs(self) -> list[tuple[Integers, Integers]]:
        """Of titles and of abstracts: all pairs of neighbours in order, and the text that holds each."""
        return [_pairs_in_order(rows) for rows in (self.titles, self.abstracts)]

    @cached_property
    def _by_term(self) -> Any:
        """(terms, papers): BM25F weights."""
        titles, abstracts = counts(self.titles, self.width), counts(self.abstracts, self.width)
        return self.background.bm25f(titles, abstracts, self.lengths, self.rarity).T.tocsr()

    @cached_property
    def rows(self) -> Any:
        """(papers, terms): tf-idf."""
        return self.background.tf_idf(self.texts, self.width)

    def to(self, lines: Sequence[Sequence[str]]) -> Floats:
        """(lines, papers): 0 far, 1 as near as the line's own words can bring a paper. A line is its terms."""
        asked = [np.array([self.vocabulary.get(term, -1) for term in line], np.int64) for line in lines]
        asked = [row[(row >= 0) & (row < self.width)] for row in asked]
        held = counts(asked, self.width)
        own, squares = unit(held), np.asarray(held.multiply(held).sum(axis=1))
        beside = SIDE_BY_SIDE * self._side_by_side(asked) / np.sqrt(np.maximum(squares, 1))
        score = (own @ self._by_term).toarray() + beside
        weight = np.asarray(own.sum(axis=1)).ravel()
        rarity = (own @ self.rarity) / np.where(weight > 0, weight, 1)
        # What nearly every paper holds tells none apart, and neither do the words that stand around it.
        say = (1 - OWN_SAY) * np.minimum(rarity / TELLING, 1)
        near = OWN_SAY * score + say[:, None] * (self._widening(score) @ self._by_term).toarray()
        greatest = OWN_SAY * (SATURATION + 1) * weight * np.maximum(rarity, TELLING / 2)
        shares: Floats = near / np.where(greatest > 0, greatest, 1)[:, None]
        kept: Floats = shares + KIN_SAY * ((self._kin @ shares.T).T - shares)
        return kept

    @cached_property
    def _kin(self) -> Any:
        """(papers, papers): what each of a paper's nearest in the background says for it; itself, where it has none."""
        words, known = unit(self._by_term.T.tocsr()), len(self.background.texts)
        parts = [_nearest(words, start, known) for start in range(0, len(self.texts), _AT_ONCE)]
        return sp.vstack(parts).tocsr() if parts else sp.csr_matrix((0, 0))

    def _widening(self, scores: Floats) -> Any:
        """(lines, terms): the strongest words of each line's nearest papers."""
        known = len(self.background.texts)
        nearest = np.argsort(-scores[:, :known], axis=1, kind="stable")[:, :NEAREST]
        found = np.take_along_axis(scores, nearest, axis=1)
        best = found.max(axis=1, initial=0.0)
        behind = found / np.where(best > 0, best, 1)[:, None] - 1
        weights = np.where(found > 0, np.exp(SHARPNESS * behind), 0)
        weights = weights / np.where(weights.sum(axis=1) > 0, weights.sum(axis=1), 1)[:, None]
        each = np.repeat(np.arange(len(scores)), nearest.shape[1])
        shape = (len(scores), len(self.texts))
        mean = sp.csr_matrix((weights.ravel(), (each, nearest.ravel())), shape=shape) @ self.rows
        return unit(_strongest(mean.tocsr(), WIDENED_BY))

    def _side_by_side(self, asked: Sequence[Integers]) -> Floats:
        """(lines, papers): the BM25F score of the lines' pairs of neighbours."""
        wanted = [pairs(row) for row in asked]
        named = np.unique(np.concatenate(wanted)) if wanted else np.array([], np.int64)
        if not len(named):
            return np.zeros((len(asked), len(self.texts)))
        titles, abstracts = (_pair_counts(held, named, len(self.texts)) for held in self._pairs)
        total = len(self.background.texts)
        found = np.bincount((titles + abstracts)[:total].indices, minlength=len(named))
        rarity = np.log(1 + (total - found + 0.5) / (found + 0.5))
        weights = self.background.bm25f(titles, abstracts, self.lengths, rarity)
        held: Floats = (counts([np.searchsorted(named, row) for row in wanted], len(named)) @ weights.T).toarray()
        return held


def _nearest(words: Any, start: int, known: int) -> Any:
    """(some papers, papers): the shares of the KIN of the first `known` papers that each is most like, itself apart."""
    alike = (words[start : start + _AT_ONCE] @ words[:known].T).toarray()
    own = np.arange(len(alike))
    inside = own[own + start < known]
    alike[inside, inside + start] = 0
    nearest = np.argsort(-alike, axis=1, kind="stable")[:, :KIN]
    weights = np.take_along_axis(alike, nearest, axis=1)
    total = weights.sum(axis=1)
    lonely = own[total == 0]
    weights = weights / np.where(total > 0, total, 1)[:, None]
    where = np.concatenate([np.repeat(own, nearest.shape[1]), lonely])
    whom = np.concatenate([nearest.ravel(), lonely + start])
    said = np.concatenate([weights.ravel(), np.ones(len(lonely))])
    return sp.csr_matrix((said, (where, whom)), shape=(len(alike), words.shape[0]))


def _strongest(matrix: Any, most: int) -> Any:
    """Each row's `most` greatest values."""
    for row in range(matrix.shape[0]):
        held = matrix.data[matrix.indptr[row] : matrix.indptr[row + 1]]
        if len(held) > most:
            held[np.argsort(-held, kind="stable")[most:]] = 0
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
