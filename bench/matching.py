"""Papers against very many distinct interests of the whole language, beside taking the papers' words to stems."""

from __future__ import annotations

import re
import time
from functools import cache

import psutil

from bench import corpus
from bench.measure import Case, Figure
from digest.relevance.matching.postings import Postings
from digest.relevance.matching.queries import Query, QueryIndex
from subscriptions.interests.language import Word
from subscriptions.interests.words import split, stem

PAPERS, INTERESTS = 482, 100_000
FEW = 300  # interests that the slow peer asks for


@cache
def asked() -> tuple[list[dict[str, object]], list[Query], QueryIndex, float]:
    """The papers, the interests ready to be asked, their index, and the MB that these two take."""
    rows = corpus.papers(PAPERS)
    nodes = corpus.interests(rows, INTERESTS)
    before = psutil.Process().memory_info().rss
    queries = [Query.of(number, node) for number, node in enumerate(nodes)]
    index = QueryIndex(queries)
    return rows, queries, index, (psutil.Process().memory_info().rss - before) / 2**20


def cases() -> list[Case]:
    rows, queries, index, _ = asked()
    few = queries[:: INTERESTS // FEW]
    papers = corpus.documents(rows)
    expected = {(query.interest_id, one.paper_id) for query in few for one in papers if query.find(one)}
    pairs = sum(bits.bit_count() for _, bits in index.papers_by_query(Postings(papers)))

    def floor() -> None:
        for row in rows:
            for text in (row["title"], row["abstract"]):
                for word, _, _ in split(text):  # type: ignore[arg-type]
                    stem(word)
            for name in row["authors"]:  # type: ignore[attr-defined]
                for _ in split(name):
                    pass

    def ours() -> None:
        for _ in index.papers_by_query(Postings(corpus.documents(rows))):
            pass

    def apart() -> None:
        Postings(corpus.documents(rows)).terms(("title", "abstract"))

    def asked_one_by_one() -> None:
        for paper in corpus.documents(rows):
            for query in few:
                query.find(paper)

    def regex() -> None:
        words = [query.node.text for query in queries if isinstance(query.node, Word)][:FEW]
        patterns = [re.compile(rf"\b{re.escape(word)}", re.IGNORECASE) for word in words]
        for row in rows:
            for pattern in patterns:
                pattern.search(f"{row['title']} {row['abstract']}")

    subset = QueryIndex(few).matches(Postings(papers))
    assert {(query.interest_id, one.paper_id) for query, one in subset} == expected, "the index differs from asking"
    group = f"{PAPERS} papers x {INTERESTS:,} interests: which pairs match ({pairs:,})"
    each = "a batch, for each interest asked"
    return [
        Case(group, "floor: split and stem the papers", floor, PAPERS, "paper"),
        Case(group, "papers apart and filed", apart, PAPERS, "paper"),
        Case(group, "papers apart, filed, all interests asked", ours, PAPERS, "paper", most=4),
        Case(f"{each}: {group}", "sets of papers", ours, INTERESTS, "interest"),
        Case(f"{each}: {group}", "peer: the plain evaluator", asked_one_by_one, FEW, "interest", rounds=1),
        Case(f"{each}: {group}", "peer: one regular expression each", regex, FEW, "interest", rounds=1),
    ]


def figures() -> list[Figure]:
    """What a process that keeps the index pays for one paper more, and for keeping it."""
    rows, _, index, memory = asked()
    times = []
    for row in rows[:: PAPERS // 20]:
        start = time.process_time()
        for _ in index.papers_by_query(Postings(corpus.documents([row]))):
            pass
        times.append((time.process_time() - start) * 1e3)
    one = sorted(times)[len(times) // 2]
    return [
        Figure(f"one new paper x {INTERESTS:,} interests kept ready, CPU: median", one, "ms", most=50),
        Figure(f"memory of {INTERESTS:,} interests kept ready", memory, "MB", most=300),
    ]
