"""What others do, on the same terms: BM25, tf-idf, centroid, logistic regression, linear SVM, ts_rank_cd."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from digest.relevance.evaluation.sets import Document
from digest.relevance.vectors import Background, Floats, Integers, Text, counts, lengths, unit

try:
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import LinearSVC
except ImportError:  # it is in the dev extra only; the command says so
    LogisticRegression = LinearSVC = None

K1, B = 1.2, 0.75
_MOST_TEXT = 100_000  # signs that PostgreSQL is given: it takes no vector of over a megabyte


class Terms:
    """Title and abstract as one text, as the plain methods see a paper; idf from the background."""

    def __init__(self, background: Background, texts: Sequence[Text], width: int) -> None:
        whole = [np.concatenate(text) for text in texts]
        self.width, self.counts, self.lengths = width, counts(whole, width), lengths(whole)
        found = np.pad(background.papers_with, (0, max(width - background.width, 0)))[:width]
        known = len(background.texts)
        self.bm25_idf = np.log(1 + (known - found + 0.5) / (found + 0.5))
        self.idf = np.log((1 + known) / (1 + found)) + 1
        self.mean = float(np.mean([len(t.title) + len(t.abstract) for t in background.texts])) if known else 100.0
        self.mean = self.mean or 1.0  # a corpus without a word
        self.rows = self._tf_idf(self.counts)

    def _tf_idf(self, held: Any) -> Any:
        held = held.copy()
        held.data = (1 + np.log(held.data)) * self.idf[held.indices]
        return unit(held)

    def _held(self, asked: Sequence[Integers]) -> list[Integers]:
        """Without words that no paper holds."""
        return [row[row < self.width] for row in asked]

    def bm25(self, asked: Sequence[Integers], among: Integers) -> Floats:
        """Return the BM25 scores, an array (lines, papers)."""
        held = self.counts[among].tocsr()
        norm = K1 * (1 - B + B * self.lengths[among] / self.mean)
        row = np.repeat(np.arange(held.shape[0]), np.diff(held.indptr))
        held.data = held.data * (K1 + 1) / (held.data + norm[row]) * self.bm25_idf[held.indices]
        found: Floats = (counts(self._held(asked), self.width) @ held.T).toarray()
        return found

    def cosine(self, asked: Sequence[Integers], among: Integers) -> Floats:
        """Return the cosines, an array (lines, papers)."""
        found: Floats = (self._tf_idf(counts(self._held(asked), self.width)) @ self.rows[among].T).toarray()
        return found

    def centroid(self, liked: Integers, among: Integers) -> Floats:
        found: Floats = self.rows[among] @ np.asarray(self.rows[liked].sum(axis=0)).ravel()
        return found

    def logistic(self, liked: Integers, others: Integers, among: Integers) -> Floats:
        """Against papers shown but not liked, classes balanced."""
        model = LogisticRegression(C=1.0, class_weight="balanced", solver="liblinear")
        return self._fitted(model, liked, others, among)

    def svm(self, liked: Integers, others: Integers, among: Integers) -> Floats:
        """As arxiv-sanity-lite trains a tag: C 0.01, balanced, all other papers negative."""
        model = LinearSVC(C=0.01, class_weight="balanced", tol=1e-6, max_iter=10000, random_state=0)
        return self._fitted(model, liked, others, among)

    def _fitted(self, model: Any, liked: Integers, others: Integers, among: Integers) -> Floats:
        if not len(others) or not self.width:
            return np.zeros(len(among))
        rows = self.rows[np.concatenate([liked, others])]
        model.fit(rows, np.concatenate([np.ones(len(liked)), np.zeros(len(others))]))
        found: Floats = model.decision_function(self.rows[among])
        return found


def has_learners() -> bool:
    """Whether scikit-learn is installed."""
    return LogisticRegression is not None


def full_text_search(documents: Sequence[Document]) -> Callable[[str], NDArray[np.float64]] | None:
    """PostgreSQL's ts_rank_cd for a line, its words joined by OR; None on another database.

    The papers go into a table of this connection alone.
    """
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.judged")
        cursor.execute("CREATE TEMPORARY TABLE judged (place integer PRIMARY KEY, words tsvector)")
        cursor.executemany(
            "INSERT INTO judged VALUES (%s, setweight(to_tsvector('english', %s), 'A') ||"
            " setweight(to_tsvector('english', %s), 'B'))",
            [(place, _bare(one.title), _bare(one.text)) for place, one in enumerate(documents)],
        )

    def ask(line: str) -> NDArray[np.float64]:
        found = np.zeros(len(documents))
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT place, ts_rank_cd(words, asked, 1) FROM judged,"
                " CAST(replace(CAST(plainto_tsquery('english', %s) AS text), '&', '|') AS tsquery) AS asked"
                " WHERE words @@ asked",
                [_bare(line)],
            )
            for place, score in cursor.fetchall():
                found[place] = score
        return found

    return ask


def _bare(text: str) -> str:
    """What PostgreSQL takes as a text."""
    return text.replace("\0", "")[:_MOST_TEXT]
