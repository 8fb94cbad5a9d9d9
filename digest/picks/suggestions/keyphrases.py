"""What some texts are about: pairs, triples and abbreviations that other papers seldom hold. Pure."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from digest.relevance.vectors import Integers, Text, Vocabulary, pairs
from subscriptions.interests.words import STOP_WORDS, split, stem

Terms = tuple[str, ...]

IN_TITLE = 3  # times in an abstract that one in a title is worth
HEARD_OF = (0.3, 0.7, 0.7)  # of its worth that a phrase keeps which none, one or two of the recent papers hold
ABBREVIATION, WORD = 0.8, 0.4  # worth of one word against several
SELDOM, OFTEN = 0.03, 3  # papers that may hold a single word, as a share; times it stands in the texts at least
WHOLE, AGAIN = 0.6, 4  # of a pair's times that a triple must reach to stand in its place; and times at least
LONGEST = 40  # characters of a word; longer ones are no words
_HYPHENS = ("-", "\u2010", "\u2011")
_BESIDE = (" ", "\n", *_HYPHENS)
# What abstracts are written with, whatever they are about: no phrase begins or ends so.
_WRITING = frozenset(
    stem(word)
    for word in (
        "able achieve achieving across address allow analysis analyze another applied apply approach around art aim "
        "available based baseline benchmark better beyond both bridge build called capable challenge challenging "
        "complete component comprehensive conduct consistent consist contribute critical current deliver demonstrate "
        "despite develop different direct directly due each easily effective effectively efficient either enable "
        "enabling enhance essential establish evaluate evaluation even every existing experiment explicitly explore "
        "extensive extend fail far few find finding first five focus four framework full further general given good "
        "help here high however improve improvement including increase instead introduce introduction investigate "
        "itself just key lack largely largest less leverage like limit limitation limited main maintain make "
        "many measure method model much must near need never new next notably novel observe often one open openly "
        "outperform overall own paper particular perform performance persist potential prior problem produce "
        "promising propose provide publicly rather reach real recent recently rely remain remaining require research "
        "result reveal robust same second see seen serve set several show significant similar simple simply since "
        "single single-step solution solve specifically standard state still strong strongly study substantial "
        "substantially success such suffer suggest superior support systematic systematically task task-specific "
        "ten text therefore three three-fold thus together toward towards traditional truly two typically "
        "understand understanding unified unlike upon us use used useful user utilize various vary vast very well "
        "whether whole wide widely without wonder work yet yield"
    ).split()
)


@dataclass(slots=True)
class Use:
    """How a phrase is used in the texts: how often, in how many, and how it is written."""

    times: int = 0
    texts: int = 0
    written: Counter[str] = field(default_factory=Counter)

    @property
    def shown(self) -> str:
        """As it is written most, without the capitals of a title."""
        surface = max(self.written, key=lambda one: (self.written[one], one.islower(), one))
        return " ".join(word if is_abbreviation(word) else word.lower() for word in surface.split())


def is_abbreviation(word: str) -> bool:
    """LLM, NeRF, LoRA, 3D; not "Agents"."""
    capitals = sum(letter.isupper() for letter in word)
    return len(word) <= 12 and (capitals > 1 or (capitals == 1 and any(letter.isdigit() for letter in word)))


def uses(texts: Iterable[tuple[str, str]]) -> dict[Terms, Use]:
    """The words, pairs and triples of texts (title, abstract), without those that a stop word or a sign divides."""
    found: dict[Terms, Use] = defaultdict(Use)
    for title, abstract in texts:
        here: set[Terms] = set()
        for text, worth in ((title, IN_TITLE), (abstract, 1)):
            for terms, surface in _runs(text):
                found[terms].times += worth
                found[terms].written[surface] += worth
                here.add(terms)
        for terms in here:
            found[terms].texts += 1
    return dict(found)


def _runs(text: str) -> Iterator[tuple[Terms, str]]:
    words = [(stem(word), start, end) for word, start, end in split(text)]
    plain = [word not in STOP_WORDS and len(word) < LONGEST for word, _, _ in split(text)]
    telling = [
        is_plain and not term.replace(".", "").isdigit() and term not in _WRITING and not text[start:end].endswith("ly")
        for is_plain, (term, start, end) in zip(plain, words, strict=True)
    ]
    between = [text[one[2] : other[1]] for one, other in pairwise(words)]
    for number, (_, start, _) in enumerate(words):
        if not telling[number] or (number and between[number - 1] in _HYPHENS):
            continue  # half a compound tells little: "step" of "multi-step"
        for last in range(number, min(number + 3, len(words))):
            if not plain[last] or (last > number and between[last - 1] not in _BESIDE):
                break
            if telling[last] and (last + 1 == len(words) or between[last] not in _HYPHENS):
                run = words[number : last + 1]
                yield tuple(word for word, _, _ in run), " ".join(text[start : run[-1][2]].split())


def heard(wanted: Iterable[Terms], papers: Sequence[Text], vocabulary: Vocabulary) -> dict[Terms, int]:
    """In how many papers each word or pair stands; a triple is taken for the rarer of its pairs."""
    wanted = list(wanted)
    numbers = {term: vocabulary.get(term, -1) for terms in wanted for term in terms}
    codes = {terms: _code(numbers[terms[0]], numbers[terms[1]]) for terms in _pairs_of(wanted)}
    by_pair = _papers_with(codes.values(), [pairs(row) for paper in papers for row in paper])
    by_word = _papers_with(numbers.values(), [row for paper in papers for row in paper])
    counted: dict[Terms, int] = {}
    for terms in wanted:
        if len(terms) == 1:
            counted[terms] = by_word.get(numbers[terms[0]], 0)
        else:
            counted[terms] = min(by_pair.get(codes[pair], 0) for pair in pairwise(terms))
    return counted


def _pairs_of(wanted: Iterable[Terms]) -> Iterator[Terms]:
    return (pair for terms in wanted for pair in pairwise(terms))


def _code(one: int, other: int) -> int:
    return one * 2**31 + other if one >= 0 and other >= 0 else -1


def _papers_with(codes: Iterable[int], rows: Sequence[Integers]) -> dict[int, int]:
    """In how many papers each number stands; every two rows are one paper's."""
    named = np.unique(np.array([code for code in codes if code >= 0], np.int64))
    if not len(named) or not rows:
        return {}
    flat = np.concatenate(rows)
    where = np.repeat(np.arange(len(rows)) // 2, [len(row) for row in rows])
    place = np.minimum(np.searchsorted(named, flat), len(named) - 1)
    held = named[place] == flat
    once = np.unique(np.stack([place[held], where[held]]), axis=1)
    return dict(zip(named.tolist(), np.bincount(once[0], minlength=len(named)).tolist(), strict=True))


def best(found: Mapping[Terms, Use], heard_in: Mapping[Terms, int], papers: int, most: int = 30) -> list[str]:
    """What tells most, first, `most` of it: often in the texts, seldom elsewhere, none a part of another."""
    worth = {terms: _worth(terms, use, heard_in.get(terms, 0), papers) for terms, use in found.items()}
    for terms in found:
        if len(terms) == 3:
            for pair in pairwise(terms):
                if pair in found and found[terms].times >= max(WHOLE * found[pair].times, AGAIN):
                    worth[terms] = max(worth[terms], worth[pair])
                    worth[pair] = 0.0
    order = sorted((terms for terms in found if worth[terms] > 0), key=lambda terms: (-worth[terms], terms))
    chosen: list[Terms] = []
    for terms in order:
        if len(chosen) == most:
            break
        if not any(set(terms) <= set(other) or set(other) <= set(terms) for other in chosen):
            chosen.append(terms)
    return [found[terms].shown for terms in chosen]


def _worth(terms: Terms, use: Use, heard_in: int, papers: int) -> float:
    worth = (1 + math.log(use.times)) * (1 + math.log(use.texts)) * math.log((papers + 2) / (heard_in + 1))
    if papers and heard_in < len(HEARD_OF):
        worth *= HEARD_OF[heard_in]
    if len(terms) == 3:
        return 0.0  # only in the place of a pair
    if len(terms) == 2:
        return worth
    if is_abbreviation(use.shown):
        return ABBREVIATION * worth
    return WORD * worth if use.times >= OFTEN and heard_in <= SELDOM * papers else 0.0
