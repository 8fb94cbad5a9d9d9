"""Distinct interests x papers: our index, beside a regular expression an interest and beside the floor."""

from __future__ import annotations

import itertools
import json
import random
import re

from bench.measure import Case
from digest.matching import Document
from digest.queries import Query, QueryIndex
from digest.sample import PATH
from subscriptions.interests.parser import InterestError, parse

INTERESTS = 2000


def cases() -> list[Case]:
    rows = [(row["paper"]["title"], row["paper"]["summary"]) for row in json.loads(PATH.read_text())]
    lines = interests(rows)
    documents = [Document(number, *row) for number, row in enumerate(rows)]
    index = QueryIndex(Query.of(number, parse(line)) for number, line in enumerate(lines))
    patterns = [re.compile(rf"\b{re.escape(line)}", re.IGNORECASE) for line in lines]
    pairs = len(rows) * len(lines)

    def ours() -> None:
        for document in documents:
            for _ in index.matches(document):
                pass

    def regex() -> None:
        for title, abstract in rows:
            text = f"{title} {abstract}"
            for pattern in patterns:
                pattern.search(text)

    def floor() -> None:
        for number, row in enumerate(rows):
            Document(number, *row)

    group = f"match {len(lines):,} interests x {len(rows)} papers"
    return [
        Case(group, "stored-interest index", ours, pairs, "pair"),
        Case(group, "floor: take the papers apart", floor, pairs, "pair"),
        Case(group, "peer: one regular expression each", regex, pairs, "pair"),
    ]


def interests(rows: list[tuple[str, str]]) -> list[str]:
    """One to three words in a row from the papers themselves, the same each time."""
    chance = random.Random(2)  # noqa: S311
    words = [re.findall(r"[A-Za-z]{3,}", f"{title} {abstract}") for title, abstract in rows]
    found: dict[str, None] = {}
    for _ in itertools.count():
        text = chance.choice(words)
        start, length = chance.randrange(len(text)), chance.randint(1, 3)
        line = " ".join(text[start : start + length])
        try:
            parse(line)
        except InterestError:
            continue
        found[line] = None
        if len(found) == INTERESTS:
            return list(found)
    raise AssertionError  # pragma: no cover
