"""Papers as rows of numbers: which terms they hold, and where they lie among the papers of the last weeks. Pure.

A vector space is fitted on a background of recent papers and then takes in any paper, so that all that is
learned (which words are rare, which go together) comes from papers already known.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from subscriptions.interests.words import STOP_WORDS, split, stem

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# BM25F (Robertson, Zaragoza and Taylor, 2004): a word in the title counts as three in the abstract.
TITLE_WEIGHT, SATURATION = 3.0, 1.2
TITLE_LENGTH, ABSTRACT_LENGTH = 0.5, 0.75
TOPICS = 128  # dimensions of the latent space; 100 to 150 did equally well
TITLE_COUNTS = 2.0  # in the cosine, which is less sensitive to it
_POWER_STEPS, _SPARE = 5, 10
_AT_ONCE = 1000  # papers compared with all others: 16 MB for a background of 2,000


class Vocabulary(dict[str, int]):
    """Terms by number, in the order they were met; asking for a new one adds it."""

    def __missing__(self, term: str) -> int:
        self[term] = number = len(self)
        return number

    def read(self, text: str) -> Integers:
        """The numbers of a text's terms, in its order, stop words left out."""
        return np.array([self[stem(word)] for word, _, _ in split(text) if word not in STOP_WORDS], np.int64)


class Text(NamedTuple):
    """A paper read: the term numbers of its title and of its abstract, in their order."""

    title: Integers
    abstract: Integers

    @classmethod
    def of(cls, title: str, abstract: str, vocabulary: Vocabulary) -> Text:
        return cls(vocabulary.read(title), vocabulary.read(abstract))


def counts(rows: Sequence[Integers], width: int) -> Any:
    """How often each row holds each term: a sparse (rows, width) matrix."""
    where = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    terms = np.concatenate(rows) if rows else np.array([], np.int64)
    return sp.csr_matrix((np.ones(len(terms)), (where, terms)), shape=(len(rows), width))  # adds up repeats


def pairs(row: Integers) -> Integers:
    """Each two neighbours as one number."""
    return row[:-1] * 2**31 + row[1:] if len(row) > 1 else row[:0]


def lengths(rows: Sequence[Integers]) -> Floats:
    """In words."""
    return np.array([len(row) for row in rows], float)


def at_width(rows: Any, width: int) -> Any:
    """Sparse rows among so many columns, no fewer than they had."""
    return sp.csr_matrix((rows.data, rows.indices, rows.indptr), shape=(rows.shape[0], width))


def unit(matrix: Any) -> Any:
    """The rows, sparse or dense, at length one; an empty row stays empty."""
    if sp.issparse(matrix):
        long = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
        return (sp.diags(1 / np.where(long > 0, long, 1)) @ matrix).tocsr()
    long = np.linalg.norm(matrix, axis=1, keepdims=True)
    return matrix / np.where(long > 1e-12, long, 1)


def kin(rows: Any, known: int, most: int, sharpness: float = 1, first: int = 0) -> Any:
    """(papers from the first on, papers), sparse: the shares of the `most` of the first `known` papers that each is
    most like, by rows of length one, sparse or dense, and that power of their cosine. A paper is no kin of its own; one
    without kin has itself.
    """
    size, most = rows.shape[0], min(most, known)
    shares = [sp.csr_matrix((0, size))]
    for start in range(first, size, _AT_ONCE):
        alike = rows[start : start + _AT_ONCE] @ rows[:known].T
        alike = (alike.toarray() if sp.issparse(alike) else alike).clip(0)
        own = np.arange(len(alike))
        inside = own[own + start < known]
        alike[inside, inside + start] = 0
        nearest = np.argpartition(alike, known - most, axis=1)[:, known - most :] if most else own[:, None][:, :0]
        weights = np.take_along_axis(alike, nearest, axis=1) ** sharpness
        total = weights.sum(axis=1)
        where = np.concatenate([np.repeat(own, nearest.shape[1]), own])
        whom = np.concatenate([nearest.ravel(), own + start])
        said = np.concatenate([(weights / np.where(total > 0, total, 1)[:, None]).ravel(), total == 0])
        shares.append(sp.csr_matrix((said, (where, whom)), shape=(len(own), size)))
    return sp.vstack(shares).tocsr()


@dataclass(frozen=True)
class Background:
    """What the papers of the last weeks say about words. Fitted once, shared by all readers."""

    texts: Sequence[Text]

    @cached_property
    def width(self) -> int:
        """Terms known when it was fitted; later ones are in no paper of the background."""
        held = [row.max() for text in self.texts for row in text if len(row)]
        return int(max(held)) + 1 if held else 0

    @cached_property
    def title_counts(self) -> Any:
        return counts([text.title for text in self.texts], self.width)

    @cached_property
    def abstract_counts(self) -> Any:
        return counts([text.abstract for text in self.texts], self.width)

    @cached_property
    def papers_with(self) -> Integers:
        """In how many papers each term stands."""
        return np.bincount((self.title_counts + self.abstract_counts).indices, minlength=self.width)

    @cached_property
    def mean_lengths(self) -> tuple[float, float]:
        """Words of a title, of an abstract, of papers that have one."""
        return _mean_length(self.title_counts), _mean_length(self.abstract_counts)

    def rarity(self, width: int) -> Floats:
        """BM25's idf of each of the first `width` terms."""
        found = _padded(self.papers_with, width)
        idf: Floats = np.log(1 + (len(self.texts) - found + 0.5) / (found + 0.5))
        return idf

    def tf_idf(self, texts: Sequence[Text], width: int) -> Any:
        """Rows of length one: logarithmic counts times idf, the title twice (Salton and Buckley, 1988)."""
        held = counts([text.title for text in texts], width) * TITLE_COUNTS
        held = (held + counts([text.abstract for text in texts], width)).tocsr()
        found = _padded(self.papers_with, width)
        idf = np.log((1 + len(self.texts)) / (1 + found)) + 1
        held.data = (1 + np.log(held.data)) * idf[held.indices]
        return unit(held)

    def bm25f(self, titles: Any, abstracts: Any, lengths: tuple[Floats, Floats], rarity: Floats) -> Any:
        """Weights by paper and term, from the counts of each field and the fields' lengths in words.

        A paper's score for words is the sum of their weights in its row.
        """
        title, abstract = self.mean_lengths
        held = _by_length(titles, lengths[0], TITLE_LENGTH, title) * TITLE_WEIGHT
        held = (held + _by_length(abstracts, lengths[1], ABSTRACT_LENGTH, abstract)).tocsr()
        held.data = held.data * (SATURATION + 1) / (held.data + SATURATION) * rarity[held.indices]
        return held

    def telling(self, texts: Sequence[Text], width: int) -> Any:
        """Rows of length one, by BM25F: rare words and titles weigh more than in tf-idf, long abstracts less."""
        titles, abstracts = [text.title for text in texts], [text.abstract for text in texts]
        held = counts(titles, width), counts(abstracts, width)
        return unit(self.bm25f(*held, (lengths(titles), lengths(abstracts)), self.rarity(width)))

    @cached_property
    def mean(self) -> Floats:
        """The average paper, as `telling` sees it."""
        if not self.texts:
            return np.zeros(self.width)
        return np.asarray(self.telling(self.texts, self.width).mean(axis=0)).ravel()

    @cached_property
    def axes(self) -> Floats:
        """Terms x topics: what turns a tf-idf row into its place among the topics.

        Latent semantic analysis (Deerwester et al., 1990) by a randomised SVD with a fixed seed (Halko,
        Martinsson and Tropp, 2011). Dividing by the root of the singular values keeps the few great topics
        from drowning the many small ones.
        """
        rows = self.tf_idf(self.texts, self.width)
        size = min(TOPICS, *rows.shape)
        if size < 2:
            return np.zeros((self.width, 0))
        basis = np.random.default_rng(0).standard_normal((rows.shape[0], min(size + _SPARE, *rows.shape)))
        for _ in range(_POWER_STEPS):  # on the side of the papers: they are fewer than the words
            basis = np.linalg.qr(rows @ (rows.T @ basis))[0]
        small = rows.T @ basis
        squares, turn = np.linalg.eigh(small.T @ small)
        order = np.argsort(-squares)[:size]
        order = order[squares[order] > 1e-9]
        # Right singular vectors are small @ turn / value; then over the root of the value once more.
        found: Floats = small @ (turn[:, order] / squares[order] ** 0.75)
        return found

    def topics(self, tf_idf: Any) -> Floats:
        """Where tf-idf rows lie among the topics: dense rows of length one."""
        placed: Floats = unit(tf_idf[:, : self.width] @ self.axes)
        return placed


def _mean_length(held: Any) -> float:
    words = np.asarray(held.sum(axis=1)).ravel()
    return float(words[words > 0].mean()) if words.any() else 1.0


def _by_length(held: Any, words: Floats, share: float, mean: float) -> Any:
    """Counts, discounted in long texts."""
    return sp.diags(1 / (1 - share + share * words / mean)) @ held


def _padded(values: Integers, width: int) -> Integers:
    """Nothing is known of a term that came later."""
    return np.pad(values, (0, max(width - len(values), 0)))[:width]


def of_papers(papers: Iterable[tuple[str, str]], vocabulary: Vocabulary) -> list[Text]:
    """Titles and abstracts, read."""
    return [Text.of(title, abstract, vocabulary) for title, abstract in papers]
