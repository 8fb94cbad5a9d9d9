"""Real papers, where they are, and interests and readers as a service of some years would have them."""

from __future__ import annotations

import collections
import gzip
import itertools
import json
import os
import random
import re
from pathlib import Path

import numpy as np

from digest.papers.sample.sample import PATH
from digest.relevance.matching.match import Document
from digest.relevance.ranking.arrays import Rows
from subscriptions.interests.canonical import key
from subscriptions.interests.language import Node
from subscriptions.interests.parser import InterestError, parse

DATA = Path(os.environ.get("PAPER_ROUND_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
DAILY = DATA / "hf_daily" / "hf_daily_dev.jsonl.gz"
CATEGORIES = ("cs.CL", "cs.CV", "cs.LG", "cs.AI", "cs.RO", "stat.ML", "eess.AS")
REAL = 0.7  # of the words; the others are invented, so that they match nothing


def papers(count: int) -> list[dict[str, object]]:
    """The last real papers, with categories dealt out; the sample's, over and over, where there are no real ones."""
    if DAILY.is_file():
        with gzip.open(DAILY, "rt", encoding="utf-8") as file:
            rows = [json.loads(line) for line in collections.deque(file, count)]
    else:
        sample = [row["paper"] for row in json.loads(PATH.read_text())]
        rows = [
            {"title": row["title"], "abstract": row["summary"], "authors": [one["name"] for one in row["authors"]]}
            for row in itertools.islice(itertools.cycle(sample), count)
        ]
    chance = random.Random(1)  # noqa: S311
    return [row | {"categories": chance.choices(CATEGORIES, k=2)} for row in rows[-count:]]


def documents(rows: list[dict[str, object]]) -> list[Document]:
    return [
        Document(number, row["title"], row["abstract"], row["authors"], row["categories"], ["huggingface"])  # type: ignore[arg-type]
        for number, row in enumerate(rows)
    ]


def interests(rows: list[dict[str, object]], count: int) -> list[Node]:
    """Distinct interests of the whole language, the same each time."""
    author = _Author(rows)
    found: dict[str, Node] = {}
    while len(found) < count:
        try:
            node = parse(author.line())
        except InterestError:  # only stop words, say
            continue
        found.setdefault(key(node), node)
    return list(found.values())


class _Author:
    """Somebody who types interests: a passage of a paper, or its words, joined in the ways of the language."""

    SHAPES = {
        "{w}": 10, "{w} {w}": 30, "{w} {w} {w}": 10, '"{p}"': 25, "{w} OR {w}": 6, '{w} OR "{p}"': 3,
        "({w} OR {w}) {w}": 3, "{w} {w} -{w}": 3, "title:{w}": 2, 'title:"{p}"': 1, "{w} author:{a}": 1,
        'author:"{n}"': 2, "{w} category:{c}": 2, "{x}*": 1, "-{w}": 1,
    }  # fmt: skip

    def __init__(self, rows: list[dict[str, object]]) -> None:
        self.chance = random.Random(2)  # noqa: S311
        self.texts = [re.findall(r"[^\W\d_]{3,}", f"{row['title']} {row['abstract']}") for row in rows]
        self.names = [name for row in rows for name in row["authors"]]  # type: ignore[attr-defined]

    def line(self) -> str:
        shape = self.chance.choices(list(self.SHAPES), list(self.SHAPES.values()))[0]
        return re.sub(r"\{(\w)\}", lambda found: getattr(self, found.group(1))(), shape)

    def w(self) -> str:
        """A word as often as papers use it, which is Zipf's law; three in ten are in no paper."""
        word = self.chance.choice(self.chance.choice(self.texts))
        return word if self.chance.random() < REAL else word[::-1] + "q"

    def p(self) -> str:
        text, length = self.chance.choice(self.texts), self.chance.choice((2, 2, 3))
        start = self.chance.randrange(max(len(text) - length, 1))
        passage = text[start : start + length]
        return " ".join(passage if self.chance.random() < REAL else passage[::-1])

    def n(self) -> str:
        return self.chance.choice(self.names).replace('"', "")

    def a(self) -> str:
        return self.n().split()[-1].strip("()") or "ada"

    def c(self) -> str:
        return self.chance.choice(CATEGORIES)

    def x(self) -> str:
        return self.w()[:5].rstrip("'")


def readers(count: int, popular: np.ndarray, seed: int = 3) -> Rows:
    """What each reader wants: 1 to 20 different interests, mean about 5.5, by Zipf's law over the popular first."""
    chance = np.random.default_rng(seed)
    sizes = np.minimum(chance.geometric(1 / 6.2, count), 20)
    shares = np.cumsum(1 / np.arange(1, len(popular) + 1))
    ranks = np.searchsorted(shares, chance.random(sizes.sum()) * shares[-1])
    pairs = np.unique(np.repeat(np.arange(count), sizes) * len(popular) + popular[ranks])
    ends = np.searchsorted(pairs, np.arange(count + 1) * len(popular))
    return Rows(ends, (pairs % len(popular)).astype(np.int32))
