"""Ten picks a reader for very many readers: arrays, beside other ways to the same picks and a usual way to others."""

from __future__ import annotations

import heapq
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from itertools import pairwise

import numpy as np
from django.db import connection

from bench import corpus
from bench.measure import Case, Figure
from digest.picks.selection.picking import Hits, Picks, Rows, pick
from digest.relevance.matching.postings import Postings
from digest.relevance.matching.queries import Query, QueryIndex

PAPERS, INTERESTS, MOST = 482, 20_000, 10
READERS, MANY = 100_000, 1_000_000
SAMPLE, JOINED, FITS = 10_000, 2_000, 20  # readers whom the slow peers serve; the unit is a reader, so rows compare


@cache
def day() -> tuple[list[dict[str, object]], Hits, np.ndarray, np.ndarray]:
    """The papers, the hits, the trend of each paper, and the interests by popularity."""
    rows = corpus.papers(PAPERS)
    nodes = corpus.interests(rows, INTERESTS)
    index = QueryIndex(Query.of(number, node) for number, node in enumerate(nodes))
    postings = Postings(corpus.documents(rows))
    found: list[list[int]] = [[] for _ in nodes]
    for query, paper in index.matches(postings):
        found[query.interest_id].append(paper.paper_id)
    sizes = np.array([len(one) for one in found])
    chance = np.random.default_rng(4)
    weights = chance.choice([0.5, 0.55, 0.8, 1.0, 1.2, 1.5], sizes.sum())
    rarity = np.log1p(PAPERS / np.repeat(np.maximum(sizes, 1), sizes))
    points = np.maximum(np.rint(weights * rarity * 100), 1).astype(np.int32)
    papers = np.fromiter((paper for one in found for paper in one), np.int32, sizes.sum())
    # Many want what is in many papers, not without exception.
    popular = np.argsort(-np.log1p(sizes) - chance.normal(0, 3, len(sizes)))
    return (
        rows,
        Hits(Rows(np.concatenate([[0], sizes.cumsum()]), papers), points),
        chance.integers(0, 11, PAPERS),
        popular,
    )


def one_by_one(wanted: Rows, hits: Hits, trend: np.ndarray) -> Callable[[], list[list[tuple[int, int, int]]]]:
    """The same in plain Python: a dictionary of points a reader, and a heap for the best."""
    ends, points = hits.papers.ends.tolist(), hits.points.tolist()
    papers = hits.papers.items.tolist()
    by_interest = [list(zip(papers[a:b], points[a:b], strict=True)) for a, b in pairwise(ends)]
    of_reader = [wanted.items[a:b].tolist() for a, b in pairwise(wanted.ends)]
    trending = trend.tolist()

    def run() -> list[list[tuple[int, int, int]]]:
        picked = []
        for interests in of_reader:
            total: dict[int, int] = {}
            lines: dict[int, int] = {}
            for number, interest in enumerate(interests):
                for paper, worth in by_interest[interest]:
                    total[paper] = total.get(paper, 0) + worth
                    lines[paper] = lines.get(paper, 0) | 1 << number
            best = heapq.nsmallest(MOST, ((-worth - trending[paper], paper) for paper, worth in total.items()))
            picked.append([(paper, -worth, lines[paper]) for worth, paper in best])
        return picked

    return run


def same(picks: Picks, others: list[list[tuple[int, int, int]]]) -> bool:
    ours = [
        [one for one in zip(*of_one, strict=True) if one[0] >= 0]
        for of_one in zip(picks.papers.tolist(), picks.points.tolist(), picks.lines.tolist(), strict=True)
    ]
    return ours[: len(others)] == others


def in_postgres(wanted: Rows, hits: Hits, trend: np.ndarray) -> Callable[[], list[tuple[int, ...]]]:
    """The stored hits joined with what readers want, added up and cut to ten by a window."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_hits (interest int, paper int, points int)")
        cursor.execute("CREATE TABLE bench_wants (reader int, place int, interest int)")
        cursor.execute("CREATE TABLE bench_trend (paper int PRIMARY KEY, points int)")
        for table, columns in {
            "bench_hits": (hits.papers.owners(), hits.papers.items, hits.points),
            "bench_wants": (wanted.owners(), wanted.places(), wanted.items),
            "bench_trend": (np.arange(len(trend)), trend),
        }.items():
            with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                for row in zip(*(column.tolist() for column in columns), strict=True):
                    copy.write_row(row)
        cursor.execute("CREATE INDEX ON bench_hits (interest)")
        cursor.execute("ANALYZE bench_hits, bench_wants, bench_trend")
        cursor.execute("SET max_parallel_workers_per_gather = 0")  # all its work in the one process that is measured
        # As its own manual advises for such a query: a million rows added up in memory, not in files.
        cursor.execute("SET work_mem = '256MB'")

    def run() -> list[tuple[int, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(
                """SELECT reader, paper, points, lines FROM (
                     SELECT reader, paper, points, lines,
                            row_number() OVER (PARTITION BY reader ORDER BY points DESC, paper) AS place
                     FROM (SELECT reader, paper, sum(h.points) + min(t.points) AS points,
                                  bit_or(1::bigint << place) AS lines
                           FROM bench_wants JOIN bench_hits h USING (interest) JOIN bench_trend t USING (paper)
                           GROUP BY reader, paper) AS added) AS placed
                   WHERE place <= %s ORDER BY reader, place""",
                [MOST],
            )
            return cursor.fetchall()

    return run


def by_svm(rows: list[dict[str, object]], wanted: Rows, hits: Hits) -> Callable[[], None]:
    """The method of karpathy/arxiv-sanity-lite (its settings): tf-idf and a linear SVM for each tag of a reader."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.svm import LinearSVC

    texts = [f"{row['title']} {row['abstract']} {' '.join(row['authors'])}" for row in rows]  # type: ignore[arg-type]
    features = TfidfVectorizer(
        strip_accents="unicode", lowercase=True, stop_words="english", norm="l2",
        token_pattern=r"(?u)\b[a-zA-Z_][a-zA-Z0-9_]+\b",  # noqa: S106
        ngram_range=(1, 2), max_features=20_000, use_idf=True, smooth_idf=True, sublinear_tf=True, max_df=0.1, min_df=5,
    ).fit_transform(texts)  # fmt: skip

    def run() -> None:
        for reader in range(FITS):
            best: dict[int, float] = {}
            for interest in wanted.part(reader, reader + 1).items:
                tagged = hits.papers.part(interest, interest + 1).items[:10]
                if len(tagged):
                    marks = np.zeros(len(rows))
                    marks[tagged] = 1
                    machine = LinearSVC(class_weight="balanced", verbose=False, max_iter=10_000, tol=1e-6, C=0.01)
                    scores = machine.fit(features, marks).decision_function(features)
                    for paper in np.argsort(-scores)[: MOST + 10]:
                        best[paper] = max(best.get(paper, -9.0), scores[paper])
            heapq.nlargest(MOST, best.items(), key=lambda one: one[1])

    return run


def cases() -> list[Case]:
    rows, hits, trend, popular = day()
    wanted, many = corpus.readers(READERS, popular), corpus.readers(MANY, popular)
    few = wanted.part(0, SAMPLE)
    met = int(np.diff(hits.papers.ends)[wanted.items].sum() / READERS)
    plain = one_by_one(few, hits, trend)
    answer = plain()
    assert same(pick(few, hits, trend), answer), "the picks differ from the plain evaluator's"
    group = f"10 picks of {PAPERS} papers, {len(wanted.items) / READERS:.1f} interests and {met} hits a reader"
    svm = by_svm(rows, wanted, hits)
    found = [
        Case(group, f"arrays, {READERS:,} readers", lambda: pick(wanted, hits, trend), READERS, "reader"),
        Case(group, f"arrays, {MANY:,} readers", lambda: pick(many, hits, trend), MANY, "reader", most=1.2, rounds=2),
        Case(group, "peer: dictionary and heap", plain, SAMPLE, "reader", least=6),
        Case(group, "peer: arxiv-sanity's SVM a line", svm, FITS, "reader", least=500, rounds=1),
    ]
    if connection.vendor == "postgresql":
        join = in_postgres(wanted.part(0, JOINED), hits, trend)
        flat = [(reader, *one) for reader, picks in enumerate(answer[:JOINED]) for one in picks]
        assert [tuple(map(int, row)) for row in join()] == flat, "PostgreSQL's picks differ from the plain evaluator's"
        found.append(Case(group, "peer: PostgreSQL join and window", join, JOINED, "reader", least=10, rounds=2))
    return found


def figures() -> list[Figure]:
    """The peak of a process of its own that reads hits and interests from a file and picks: see bench/memory.py."""
    return [
        Figure(f"peak memory of a process that picks for {count:,} readers", _peak(count) / 2**20, "MB", most=300)
        for count in (READERS, MANY)
    ]


def _peak(readers: int) -> int:
    _, hits, trend, popular = day()
    wanted = corpus.readers(readers, popular)
    arrays = {"ends": hits.papers.ends, "papers": hits.papers.items, "points": hits.points, "trend": trend}
    with tempfile.NamedTemporaryFile(suffix=".npz") as file:
        np.savez(file, wanted_ends=wanted.ends, wanted=wanted.items, **arrays)
        file.flush()
        command = [sys.executable, "-m", "bench.memory", file.name]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)  # noqa: S603
