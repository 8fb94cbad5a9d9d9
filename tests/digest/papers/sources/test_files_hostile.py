"""Files made to cost time or memory: each ends quickly, in papers or in a SourceError."""

from __future__ import annotations

import json
import time
import tracemalloc

import pytest

from digest.papers.sources import json_lines, kinds
from tests.digest.papers.sources.test_kinds import holds

M = 1_000_000
HOSTILE = {
    "one line of a table": "title,doi\n" + "x" * M,
    "a quotation that never ends": 'title,doi\n"' + "x,\n" * 300_000,
    "a million commas": "title,doi\n" + "," * M,
    "nothing but commas": "," * M,
    "a million columns": "title" + ",a" * M + "\n",
    "deep lists": "[" * M,
    "deep objects": '{"data":' * 200_000,
    "a deep line": '{"title":"x"}\n{"a":' + "[" * M + "\n",
    "open braces": "@misc{k,\n title = " + "{" * 100_000,
    "braces joined": "@misc{k,\n title = " + "{} # " * 100_000 + "{}}",
    "names joined": "@misc{k,\n title = " + "a # " * 200_000 + "a}",
    "a quoted depth": '@misc{k,\n title = "' + "{" * 50_000 + "}" * 50_000 + '"}',
    "backslashes": "@misc{k,\n title = {x " + "\\" * M + " y}}",
    "dollars": "@misc{k,\n title = {x " + "$a " * 300_000 + "}}",
    "people": "@misc{k,\n title = {x}, author = {" + "A and " * 200_000 + "B}}",
    "broken entries": "@misc{k,\n" * 20_000,
    "at signs": "@" * M,
    "a key of spaces": "@misc{" + " " * M,
    "an endless reference": "TY  - JOUR\nTI  - " + "x" * 5 * M,
    "an endless abstract": "TY  - JOUR\nTI  - T\nAB  - a\n" + "more\n" * M,
    "authors of a reference": "TY  - JOUR\nTI  - T\n" + "AU  - A\n" * 300_000,
    "names in one text": json.dumps([{"title": "x", "authors": "A, " * 300_000}]),
    "paragraphs": json.dumps([{"title": "x", "abstract": "<p>x" * 300_000 + "</p>"}]),
    "an inverted index": json.dumps([{"title": "x", "abstract_inverted_index": {"a": list(range(200_000))}}]),
    "categories": json.dumps([{"title": "x", "categories": "a-a" * 30_000 + ".!"}]),
    "broken lines": '{"title": "x"}\n' + '{"title":\n' * 99_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_it_takes_no_time(name: str) -> None:
    began = time.process_time()
    holds(HOSTILE[name])
    assert time.process_time() - began < 5


def test_lines_are_read_one_at_a_time() -> None:
    # The field no listing keeps is nine tenths of the file: a list of all objects would hold it ten times over.
    line = json.dumps({"title": "Kettles", "unread": ["x" * 10] * 1_000})
    page = "\n".join([line] * 500)
    assert kinds.detect(page) == "jsonl"
    tracemalloc.start()
    listings = json_lines.parse(page).listings
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(listings) == 500
    assert peak < len(page) / 5
