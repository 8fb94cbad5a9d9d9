"""Who wrote the papers: two that share authors are alike beyond their words. Pure."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp

from digest.relevance.vectors import Floats, Integers, Vocabulary, counts
from subscriptions.interests.names import read


class Authorship:
    """The authors of papers, known by their place; the first `known` papers say how rare a name is."""

    def __init__(self, papers: Sequence[Sequence[str]], known: int) -> None:
        self._names = Vocabulary()
        rows = [_numbers(authors, self._names) for authors in papers]
        held = counts(rows, len(self._names))
        found = np.asarray(held[:known].sum(axis=0)).ravel()
        # 1 for a name nobody bore before, 0 for one that stands on every paper.
        self._rarity = 1 - np.log1p(found) / np.log(max(known, 1) + 1)
        self.rows = held @ sp.diags(self._rarity)

    def extended(self, papers: Sequence[Sequence[str]]) -> Authorship:
        """With more papers after those it holds; authors that none of those has are left out."""
        more, known = copy.copy(self), dict(self._names)
        rows = [
            np.array([n for n in _numbers(authors, Vocabulary(known)) if n < len(known)], int) for authors in papers
        ]
        more.rows = sp.vstack([self.rows, counts(rows, len(known)) @ sp.diags(self._rarity)]).tocsr()
        return more

    def shared(self, papers: Integers, candidates: Integers) -> Floats:
        """(papers, candidates): 0 without a common author, near a half with one, towards 1 with many."""
        together: Any = (self.rows[papers] @ self.rows[candidates].T).toarray()
        share: Floats = together / (1 + together)
        return share


def _numbers(authors: Sequence[str], names: Vocabulary) -> Integers:
    return np.array([names[key] for key in sorted({_key(author) for author in authors} - {""})], np.int64)


def _key(author: str) -> str:
    """First given name and family, so that a middle name may be missing; a name of initials stays itself."""
    name = read(author)
    family = " ".join(min(part.joined) for part in name.family)
    return f"{min(name.given[0].joined)} {family}" if name.given else family
