"""One interest in one paper: whether, how well, and where. Pure: no database, no clock.

`digest.relevance.matching.queries` asks many interests of many papers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator
from typing import Any, NamedTuple

from subscriptions.interests.language import And, Field, Node, Not, Or, Phrase, Prefix, Text, Word
from subscriptions.interests.names import is_author
from subscriptions.interests.words import Words, stem

TITLE, ABSTRACT = "title", "abstract"
TEXT_FIELDS = (TITLE, ABSTRACT)
MAX_PLACES = 12  # a field; more would only lengthen the reason
MAX_WORDS = 6

# How much a hit is worth by where it stands; a term in both counts a little more than its title alone.
IN_TITLE, IN_ABSTRACT, IN_BOTH = 1.0, 0.5, 1.2
REPEATED = 0.05  # for each further time in the abstract, up to three
FIELD_WEIGHT = {"author": 1.5, "category": 0.3, "source": 0.2}
NEXT_TO_EACH_OTHER, CLOSE, SAME_FIELD, APART = 1.5, 1.25, 1.0, 0.8
CLOSE_WORDS = 10
FEW_PAIRS = 50  # of places, which are compared each with each
ALSO = 0.1  # of a further alternative of an OR that is there too


class Place(NamedTuple):
    """Where a hit stands: a field and its first and last word there."""

    field: str
    first: int
    last: int


class Found(NamedTuple):
    """That a node is in a paper: how well, and where."""

    weight: float
    places: tuple[Place, ...]
    labels: tuple[str, ...] = ()  # what a field without words matched: an author's name, a category


class Document:
    """A paper taken apart for matching."""

    __slots__ = ("abstract", "authors", "categories", "kept", "paper_id", "sources", "texts", "title")

    def __init__(
        self,
        paper_id: int,
        title: str,
        abstract: str,
        authors: Iterable[str] = (),
        categories: Iterable[str] = (),
        sources: Iterable[str] = (),
    ) -> None:
        self.paper_id = paper_id
        self.texts = {TITLE: title, ABSTRACT: abstract}
        self.title, self.abstract = Words(title), Words(abstract)
        self.authors = tuple(authors)
        self.categories = {name.casefold(): name for name in categories}
        self.sources = {name.casefold(): name for name in sources}
        self.kept: dict[tuple[Node, tuple[str, ...]], Found | None] | None = None

    def keeping(self) -> Document:
        """Itself, from now on remembering what was found of words and phrases: for being asked by very many lines."""
        self.kept = {}
        return self

    def words(self, field: str) -> Words:
        return self.title if field == TITLE else self.abstract

    def keys(self) -> set[str]:
        return self.title.keys() | self.abstract.keys()


def find(node: Node, paper: Document, fields: tuple[str, ...] = TEXT_FIELDS) -> Found | None:
    """Where and how well the paper holds the node, None if it does not."""
    if isinstance(node, And):
        return _find_all(node.parts, paper, fields)
    if isinstance(node, Or):
        return _find_any(node.parts, paper, fields)
    if paper.kept is None:
        return _find_one(node, paper, fields)
    if (node, fields) not in paper.kept:
        paper.kept[node, fields] = _find_one(node, paper, fields)
    return paper.kept[node, fields]


def _find_one(node: Node, paper: Document, fields: tuple[str, ...]) -> Found | None:
    match node:
        case Word(text):
            return _leaf(Place(f, a, b) for f in fields for a, b in paper.words(f).at(stem(text)))
        case Prefix(text):
            return _leaf(Place(f, a, b) for f in fields for a, b in paper.words(f).starting_with(text))
        case Phrase(texts):
            return _leaf(Place(f, a, b) for f in fields for a, b in _phrase(texts, paper.words(f)))
        case Field(name, part):
            return find(part, paper, (TITLE,)) if name == TITLE else _find_label(name, part, paper)
    return None  # Not alone: mutes are asked by `find_mute`


def find_mute(node: Node, paper: Document) -> Found | None:
    """Whether a line that only excludes speaks of this paper."""
    parts = node.parts if isinstance(node, And) else (node,)
    inner = tuple(part.part for part in parts if isinstance(part, Not))
    return _find_any(inner, paper, TEXT_FIELDS)


def _leaf(places: Iterable[Place]) -> Found | None:
    all_places = tuple(places)
    if not all_places:
        return None
    in_abstract = sum(place.field == ABSTRACT for place in all_places)
    in_title = len(all_places) - in_abstract
    weight = (IN_BOTH if in_abstract else IN_TITLE) if in_title else IN_ABSTRACT
    return Found(weight + REPEATED * min(max(in_abstract - 1, 0), 3), all_places)


def _phrase(texts: tuple[str, ...], words: Words) -> Iterator[tuple[int, int]]:
    """Where the folded words stand side by side, any two of them perhaps written as one."""
    starts = {first for first, _ in words.at(stem(texts[0]))}
    starts |= {first for first, last in words.at(stem(texts[0] + texts[1])) if first == last}
    for start in sorted(starts):
        end = _phrase_end(texts, start, words)
        if end is not None:
            yield start, end


def _phrase_end(texts: tuple[str, ...], start: int, words: Words) -> int | None:
    """The last word of a phrase that begins at `start`.

    A stack instead of recursion, so that a phrase may be long; `tried` so that no phrase is read on twice from the
    same word at the same place.
    """
    ways, tried = [(0, start)], set[tuple[int, int]]()
    while ways:
        number, place = ways.pop()
        if number == len(texts):
            return place - 1
        if (number, place) in tried:
            continue
        tried.add((number, place))
        # What is to be tried first goes on the stack last.
        if number + 1 < len(texts) and (place, place) in words.at(stem(texts[number] + texts[number + 1])):
            ways.append((number + 2, place + 1))
        ways += [(number + 1, last + 1) for first, last in reversed(words.at(stem(texts[number]))) if first == place]
    return None


def _find_label(name: str, part: Node, paper: Document) -> Found | None:
    if not isinstance(part, Text):
        return None
    if name == "author":
        labels = tuple(full for full in paper.authors if is_author(part.text, full))
    else:
        held = paper.categories if name == "category" else paper.sources
        labels = tuple(label for key, label in held.items() if key == part.text or key.startswith(f"{part.text}."))
    return Found(FIELD_WEIGHT[name], (), labels) if labels else None


def _find_all(parts: tuple[Node, ...], paper: Document, fields: tuple[str, ...]) -> Found | None:
    if any(find(part.part, paper, fields) for part in parts if isinstance(part, Not)):
        return None
    wanted = [part for part in parts if not isinstance(part, Not)]
    each = [find(part, paper, fields) for part in wanted]
    for number, part in enumerate(wanted):
        if each[number] is None and isinstance(part, Word):
            as_one = (find(Word(word), paper, fields) for word in compounds(part, wanted))
            each[number] = next((found for found in as_one if found), None)
    found = [one for one in each if one is not None]
    if len(found) < len(each) or not found:
        return None
    places = tuple(dict.fromkeys(place for one in found for place in one.places))
    labels = tuple(label for one in found for label in one.labels)
    weight = sum(one.weight for one in found) / len(found)
    return Found(weight * _closeness([one.places for one in found if one.places]), places, labels)


def compounds(part: Word, parts: Iterable[Node]) -> list[str]:
    """What the word would be if written as one with another wanted word, in an order that is the paper's to choose:
    `fine tuning` and `tuning fine` are both also "finetuning".
    """
    others = [other.text for other in parts if isinstance(other, Word) and other is not part]
    return sorted({one for text in others for one in (part.text + text, text + part.text)})


def _find_any(parts: tuple[Node, ...], paper: Document, fields: tuple[str, ...]) -> Found | None:
    found = [one for part in parts if (one := find(part, paper, fields)) is not None]
    if not found:
        return None
    found.sort(key=lambda one: -one.weight)
    weight = found[0].weight + ALSO * sum(one.weight for one in found[1:])
    places = dict.fromkeys(place for one in found for place in one.places)
    return Found(weight, tuple(places), tuple(label for one in found for label in one.labels))


def _closeness(groups: list[tuple[Place, ...]]) -> float:
    """How near to each other one place of each group stands, in the field where they are nearest."""
    if len(groups) < 2:
        return 1.0
    best = APART
    if len(groups) == 2 and len(groups[0]) * len(groups[1]) <= FEW_PAIRS:
        gap = _gap_of_two(*groups)
        return APART if gap is None else _worth(gap)
    for field in TEXT_FIELDS:
        spots = sorted(
            (place.first, place.last, number)
            for number, places in enumerate(groups)
            for place in places
            if place.field == field
        )
        gap = _smallest_gap(spots, len(groups))
        if gap is not None:
            best = max(best, _worth(gap))
    return best


def _gap_of_two(one: Iterable[Place], others: Collection[Place]) -> int | None:
    """Words between the two places nearest to each other: `_smallest_gap` of two groups."""
    gaps = [
        max(first, first_of) - min(last, last_of) - 1
        for field, first, last in one
        for of, first_of, last_of in others
        if field == of
    ]
    return max(min(gaps), 0) if gaps else None


def _worth(gap: int) -> float:
    return NEXT_TO_EACH_OTHER if gap == 0 else CLOSE if gap <= CLOSE_WORDS else SAME_FIELD


def _smallest_gap(spots: list[tuple[int, int, int]], groups: int) -> int | None:
    """Words between the members of the tightest run of spots that holds every group; None without one.

    A run's own words are the longest spot of each group in it. `longest` keeps, for each group, the spots that
    are or may become its longest while the run moves on, so each spot is handled twice, whatever the line.
    """
    best: int | None = None
    left, covered, missing = 0, 0, groups
    longest: list[deque[tuple[int, int]]] = [deque() for _ in range(groups)]
    for right, (first, last, number) in enumerate(spots):
        held, length = longest[number], last - first + 1
        covered -= held[0][0] if held else 0
        missing -= not held
        while held and held[-1][0] <= length:
            held.pop()
        held.append((length, right))
        covered += held[0][0]
        while not missing:
            gap = max(last - spots[left][0] + 1 - covered, 0)
            best = gap if best is None else min(best, gap)
            held = longest[spots[left][2]]
            if held[0][1] == left:
                covered -= held.popleft()[0]
                covered += held[0][0] if held else 0
                missing += not held
            left += 1
    return best


def describe(found: Found, paper: Document) -> dict[str, Any]:
    """What is stored of a match: character spans by field, and the words as the paper writes them."""
    described: dict[str, Any] = {}
    surfaces: dict[str, str] = {label.casefold(): label for label in found.labels}
    for field in TEXT_FIELDS:
        spans = paper.words(field).spans
        marked = sorted({(spans[p.first][0], spans[p.last][1]) for p in found.places if p.field == field})
        if marked:
            described[field] = [list(span) for span in marked[:MAX_PLACES]]
        for start, end in marked:
            text = paper.texts[field][start:end]
            surfaces.setdefault(text.casefold(), text)
    described["words"] = list(surfaces.values())[:MAX_WORDS]
    return described
