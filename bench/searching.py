"""The search page over 100,000 papers: lines from rare to everywhere, each the whole answer of the page.

Titles, abstracts and names are those of real papers, dealt out anew, so that words are as frequent as papers use them.
"""

from __future__ import annotations

import datetime as dt
import logging
import random
import statistics
import time

from django.test import RequestFactory
from django.utils import timezone

from bench import corpus
from bench.measure import Figure
from digest.models import Paper, SearchText
from digest.papers.search.terms import Stored
from digest.web.pages.search import search

PAPERS, TEXTS, AT_ONCE, A_DAY = 100_000, 3_000, 2_000, 40
ROUNDS = 5
LINES = (
    "zygomorphic", "diffusion", "model", "retrieval augmented generation", '"chain of thought"',
    '"large language model"',
    "quantization OR pruning", "agents -robotics", "title:benchmark", "multimod*", "category:stat.ML attention",
    '(LLM OR "language model") reasoning -survey', "the model is learning", "graph neural network molecule",
)  # fmt: skip


def figures() -> list[Figure]:
    _store(timezone.now())
    ask = RequestFactory()
    logging.disable(logging.WARNING)  # the limits say that no cache counts here
    took: dict[str, float] = {}
    for line in LINES:
        request = ask.get("/search", {"q": line}, REMOTE_ADDR="127.0.0.1")
        took[line] = min(_milliseconds(request) for _ in range(ROUNDS))
    about = f"search page, {PAPERS:,} papers"
    each = [Figure(f"{about}: {line}", took[line], "ms", most=100) for line in LINES]
    return [*each, Figure(f"{about}: median of these lines", statistics.median(took.values()), "ms")]


def _milliseconds(request: object) -> float:
    began = time.perf_counter()
    answer = search(request)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.content
    return (time.perf_counter() - began) * 1e3


def _store(now: dt.datetime) -> None:
    """The papers, and their texts as `index.file` would store them, each title and abstract taken apart but once."""
    rows = corpus.papers(TEXTS)
    apart = [Stored.of(document) for document in corpus.documents(rows)]
    chance = random.Random(4)  # noqa: S311
    for start in range(0, PAPERS, AT_ONCE):
        dealt = [(chance.randrange(TEXTS), chance.randrange(TEXTS)) for _ in range(AT_ONCE)]
        papers = Paper.objects.bulk_create(
            Paper(
                title=rows[one]["title"], abstract=rows[other]["abstract"], title_key=str(number),
                authors=rows[one]["authors"], categories=rows[one]["categories"], upvotes=number % 50,
                matched_at=now, first_seen_at=now, first_listed_on=now.date() - dt.timedelta(days=number // A_DAY),
            )
            for number, (one, other) in enumerate(dealt, start)
        )  # fmt: skip
        SearchText.objects.bulk_create(
            SearchText(
                place=SearchText.place_of(paper.pk, paper.first_listed_on), paper_id=paper.pk,
                title=apart[one].title, abstract=apart[other].abstract, labels=apart[one].labels,
            )
            for paper, (one, other) in zip(papers, dealt, strict=True)
        )  # fmt: skip
