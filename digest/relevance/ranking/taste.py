"""What a reader liked and did not -> how much each candidate is to their taste, and why. Pure.

A paper is to the reader's taste as far as it is like the papers they asked for more of, and unlike those they asked for
less of or passed over. Likeness has two halves: the words two papers share beyond those all papers share
(Rocchio's method, 1971, with the average paper as what is not wanted), and the topics they lie in. The candidate's kin,
the known papers of its topics, have a part of its say. A common author adds to all that.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp

from digest.relevance.ranking.authorship import Authorship
from digest.relevance.vectors import Background, Floats, Integers, Text, at_width, kin

MORE, LESS, PASSED_OVER = 1.0, -1.0, 0.0
# Passing over says little of a reader who clicked once, and as much as liking of one who clicked often: this many likes
# make it half.
PASSED_OVER_DOUBT = 5.0
DOUBT = 1.0  # likes that the taste is as sure of as it is unsure: the first click already counts half
TWINS = 0.6  # cosine; the same abstract revised is at 0.9, two papers of one subject below 0.4
# Lines that put a liked paper above a random one three times in four say little of what this reader likes; nine
# times in ten is as much as lines can do. They are trusted as if TRUSTED_FIRST likes had already proved them.
LITTLE, MUCH, TRUSTED_FIRST = 0.75, 0.9, 3.0
SAME_AUTHORS = 4.0  # at most, in units of likeness: one common author gives nearly half of it
# A candidate is also as like a paper as its kin are (score regularisation: Diaz, 2005): the known papers nearest to it
# by topics, each by the square of how near it is.
KIN, KIN_SAY = 20, 0.3
_RARE = 20  # no more kin than one known paper in so many: of a dozen, the nearest need not be near
_HARDLY = 1e-6  # of the say
_KEPT = 8_000_000  # likenesses that are not counted anew: 32 MB
_AT_ONCE = 500  # papers compared with all others: 9 MB for 2,300
_SAMPLE = 400  # papers of the background that say how alike any two papers are


@dataclass(frozen=True, slots=True)
class Taste:
    """A reader's: `degree` of each candidate, about 0 for any paper and 1 for one much like those liked; may be
    negative. `nearest` is the liked paper that speaks most for each candidate, -1 where none does.
    """

    degree: Floats
    nearest: Integers
    trust: float = 1.0  # how far the reader's lines still say what the reader likes


class Likeness:
    """How alike papers are. Papers are known by their place in `texts`; `authors`, where known, are in its order."""

    def __init__(
        self, background: Background, texts: Sequence[Text], width: int, authors: Sequence[Sequence[str]] = ()
    ) -> None:
        self.background, self.width = background, width
        self.words = background.telling(texts, width)
        self._texts = texts
        self._authors = authors or [()] * len(texts)
        self._mean = np.pad(background.mean, (0, width - background.width))
        self._size = len(texts)
        self._kept: dict[int, Any] = {}

    @cached_property
    def authorship(self) -> Authorship:
        return Authorship(self._authors, len(self.background.texts))

    @cached_property
    def topics(self) -> Floats:
        """Made when first asked for: telling twins needs none."""
        return self.background.topics(self.background.tf_idf(self._texts, self.width))

    @cached_property
    def _scales(self) -> tuple[float, float]:
        """How far two papers taken at random are apart in either half: the unit both are counted in."""
        known = len(self.background.texts)
        some = np.unique(np.linspace(0, known - 1, min(known, _SAMPLE)).astype(int)) if known else np.array([], int)
        if len(some) < 3:
            return 1.0, 1.0
        beside = ~np.eye(len(some), dtype=bool)
        words = self._centred(self.words[some], self.words[some])
        topics = self.topics[some] @ self.topics[some].T
        return _spread(words[beside]), _spread(topics[beside])

    def _centred(self, ours: Any, theirs: Any) -> Floats:
        """Cosines of the one with the other less the average paper."""
        shared: Floats = (ours @ theirs.T).toarray() - (ours @ self._mean)[:, None]
        return shared

    def extended(self, texts: Sequence[Text], authors: Sequence[Sequence[str]] = ()) -> Likeness:
        """With more papers after those it holds; words that none of those has say nothing about likeness."""
        _ = self._scales, self._kin  # counted once, and copied
        more = copy.copy(self)
        known = [Text(*(row[row < self.width] for row in text)) for text in texts]
        topics = self.background.topics(self.background.tf_idf(known, self.width))
        more.words = sp.vstack([self.words, self.background.telling(known, self.width)]).tocsr()
        more.topics = np.vstack([self.topics, topics])
        more.authorship = self.authorship.extended(authors or [()] * len(texts))
        return more

    def joined(self, texts: Sequence[Text], width: int, authors: Sequence[Sequence[str]]) -> Likeness:
        """With papers that came later, and all their words: what a new one over all of them would be."""
        more = copy.copy(self)
        for name in ("topics", "authorship", "_kin"):
            more.__dict__.pop(name, None)
        more.width = width
        more.words = sp.vstack([at_width(self.words, width), self.background.telling(texts, width)]).tocsr()
        more._texts, more._authors = [*self._texts, *texts], [*self._authors, *authors]
        more._size, more._kept = len(more._texts), {}
        more._mean = np.pad(self.background.mean, (0, width - self.background.width))
        return more

    def unsigned(self) -> Likeness:
        """As if nobody had written them."""
        less = copy.copy(self)
        less.authorship = Authorship([()] * self.words.shape[0], 0)
        return less

    def twins(self, papers: Integers, others: Integers) -> set[tuple[int, int]]:
        """Pairs of one of these papers and one of the others that say nearly the same, the lower place first."""
        alike = (self.words[papers] @ self.words[others].T).tocoo()
        near = alike.data >= TWINS
        pairs = zip(papers[alike.row[near]].tolist(), others[alike.col[near]].tolist(), strict=True)
        return {(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]}

    def to_candidates(self, papers: Integers, candidates: Integers) -> Floats:
        """(papers, candidates): 0 for two papers taken at random, in units of their spread; authors add to it.
        Candidates are among the papers it was made with, not those it was extended by.
        """
        rows: dict[int, Any] = {paper: self._kept.get(paper) for paper in papers.tolist()}
        new = [paper for paper, row in rows.items() if row is None]
        for some in (new[start : start + _AT_ONCE] for start in range(0, len(new), _AT_ONCE)):
            rows |= zip(some, self._to_all(np.array(some)), strict=True)
        if (len(self._kept) + len(new)) * self._size > _KEPT:
            self._kept.clear()
        self._kept |= {paper: rows[paper] for paper in new if paper < self._size}
        alike = SAME_AUTHORS * self.authorship.shared(papers, candidates)
        for number, paper in enumerate(papers.tolist()):
            alike[number] += rows[paper][candidates]
        return alike

    def _to_all(self, papers: Integers) -> Any:
        """(papers, all it was made with), whoever wrote them. In short floats, so that what is counted beside a paper
        does not show in its row.
        """
        words, topics = self._scales
        shared = self._centred(self.words[: self._size], self.words[papers]).T / words
        alike = (shared + self.topics[papers] @ self.topics[: self._size].T / topics) / 2
        # That a paper is like itself says nothing of those it is kin to: there the other kin speak.
        others, left, own = alike.copy(), np.ones_like(alike), np.flatnonzero(papers < self._size)
        others[own, papers[own]] = 0
        left[own] -= self._kin[:, papers[own]].T.toarray()
        said = np.where(left > _HARDLY, (self._kin @ others.T).T / np.maximum(left, _HARDLY), alike)
        return ((1 - KIN_SAY) * alike + KIN_SAY * said).astype(np.float32)

    @cached_property
    def _kin(self) -> Any:
        """(papers, papers): what each of a paper's nearest in the background says for it; itself, where it has none."""
        known = len(self.background.texts)
        return kin(self.topics[: self._size], known, min(KIN, known // _RARE), 2)


def _spread(alike: Floats) -> float:
    """1 where all are alike but for rounding: a set of a few papers, or of one and the same."""
    spread = float(alike.std())
    return spread if spread > 1e-6 else 1.0


def taste(said: Mapping[int, float], rows: Mapping[int, int], alike: Floats) -> Taste | None:
    """The taste of a reader who said MORE or LESS of some papers and PASSED_OVER others.

    `alike` holds a row of likenesses a paper, `rows` says which; a paper without one says nothing. None when there is
    nothing to learn from: passing over papers alone says little.
    """
    spoken = [paper for paper in said if paper in rows and said[paper]]
    if not spoken:
        return None
    weights = np.array([said[paper] for paper in spoken])
    each = alike[[rows[paper] for paper in spoken]]
    each *= weights[:, None]
    total = each.sum(axis=0)
    passed = [rows[paper] for paper in said if paper in rows and not said[paper]]
    if passed:
        likes = weights.clip(0).sum()
        total -= likes**2 / (likes + PASSED_OVER_DOUBT) * alike[passed].mean(axis=0)
    nearest, liked = np.full(alike.shape[1], -1), weights > 0
    if liked.any():
        nearest = np.array(spoken)[liked][(each if liked.all() else each[liked]).argmax(axis=0)]
    return Taste(total / (np.abs(weights).sum() + DOUBT), nearest)


def trust(close: Floats, liked: Sequence[int], known: int) -> float:
    """How far a reader's lines say what the reader likes, 0 to 1.

    `close` holds (lines, papers) of closeness, the `known` papers of the background first; `liked` are places in it.
    """
    if not len(close) or not liked or not known:
        return 1.0
    said = (close**2).sum(axis=0)
    others = np.sort(said[:known])
    below = np.searchsorted(others, said[list(liked)], "left") + np.searchsorted(others, said[list(liked)], "right")
    above_random = float(below.mean()) / (2 * known)
    proved = min(max((above_random - LITTLE) / (MUCH - LITTLE), 0.0), 1.0)
    return (TRUSTED_FIRST + len(liked) * proved) / (TRUSTED_FIRST + len(liked))
