"""Nothing a reader can type is slow: work grows with the length of the line and no faster, and it ends.

Work is counted in calls, which a busy machine does not change; what regular expressions do inside one call is
compared by processor time at one length and at four times that length.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable
from types import FrameType

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from digest.relevance.matching.match import Document
from digest.relevance.matching.queries import Query
from subscriptions.interests import names
from subscriptions.interests.canonical import key
from subscriptions.interests.errors import InterestError
from subscriptions.interests.hints import notes
from subscriptions.interests.parser import MAX_LENGTH, parse, reread
from subscriptions.interests.typos import find_slip

pytestmark = pytest.mark.slow

LONGEST = 2000
SEEDS = [
    "x ", "-x ", "x OR ", "(", "-(", "(x ", "(x OR ", "x) ", '"', '"x" ', '"x, ', "title:", "title:x ", "title: x ",
    "title:-", "title:(x OR ", "-title:x OR ", "author:x, ", "author:(x ", "category:x* ", "a,", "; ", "1,1", "[x ",
    "'x ", "' x", "''x", "x^", "!", "-", "--", "- ", "-(-", "-(x -(y ", "NOT ", "AND ", "| ", "+", "+ ", "()", "( ) ",
    "1. ", "cs.CL ", "cs.CL,", "arxiv.org/", "www.", "http://x ", "10.1234/", "2310.06825 ", "x* ", "x-y-", "x.", "Y. ",
    "the ", "the OR ", "a:b ", "x (y OR z) ", "(((x OR y) z) ", "x OR (y ", "large language model ", "model large ",
    "van der ", "J.-", "é", "e\u0301", "\u0301", "ö", "ﷺ", "🤖 ", "\t", "\u00a0 ", "\u200b", "\ud800", "\x00",
]  # fmt: skip


def line_of(seed: str, length: int) -> str:
    return (seed * length)[:length]


def calls(work: Callable[[str], object], line: str) -> int:
    """Calls of Python and C functions until the work is done or refused."""
    count = 0

    def note(frame: FrameType, event: str, arg: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        work(line)
    except InterestError:
        pass
    finally:
        sys.setprofile(None)
    return count


def everything(line: str) -> None:
    """All that happens to a line somebody typed, from the form to one paper."""
    node = parse(line)
    key(node)
    notes(line, node)
    Query.of(1, reread(str(node))).find(PAPER)


PAPER = Document(1, "Large language models", "x y z", ["Yann LeCun"], ["cs.CL"])


@pytest.mark.parametrize("seed", SEEDS, ids=ascii)
def test_twice_the_line_is_about_twice_the_work(seed: str) -> None:
    everything_warm(seed)
    for length in (MAX_LENGTH // 2, LONGEST // 2):
        once, twice = calls(everything, line_of(seed, length)), calls(everything, line_of(seed, 2 * length))
        # What is refused at once may become what is read, and the other way round: no more than a line's full work.
        assert twice <= max(3 * once, 60 * 2 * length), f"{once:,} calls for {length}, {twice:,} for twice that"


def everything_warm(seed: str) -> None:
    """Tables are read and words are stemmed once in the life of a process."""
    for length in (MAX_LENGTH // 2, MAX_LENGTH, LONGEST):
        calls(everything, line_of(seed, length))


@pytest.mark.parametrize("work", [find_slip, names.read.__wrapped__, reread], ids=["slips", "names", "reading"])
@pytest.mark.parametrize("seed", SEEDS, ids=ascii)
def test_no_pattern_goes_back_over_the_line(work: Callable[[str], object], seed: str) -> None:
    short, long = line_of(seed, 1_000), line_of(seed, 32_000)
    # A pattern's steps cannot be counted, so a clock must tell; the question is put so that a busy machine cannot
    # answer it wrongly: linear work is 32 times as much, quadratic 1,024, and a millisecond is nobody's square.
    assert cpu(work, long) <= 200 * cpu(work, short) + 0.001


def cpu(work: Callable[[str], object], line: str) -> float:
    """Seconds of processor time, the least of several tries."""
    least = float("inf")
    for _ in range(3):
        start = time.process_time()
        with contextlib.suppress(InterestError):
            work(line)
        least = min(least, time.process_time() - start)
    return least


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from(SEEDS), min_size=1, max_size=4), st.integers(1, LONGEST))
@example(["x "], 60)
def test_mixed_lines_stay_within_the_same_bound(seeds: list[str], length: int) -> None:
    line = line_of("".join(seeds), length)
    everything_warm(line)
    assert calls(everything, line) <= 60 * max(length, 100) * 4
