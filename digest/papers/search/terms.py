"""What the index holds of a paper, and what it is asked for a line. Pure.

The index says which papers may hold what a line asks for: all that do, and few that do not. `matching.find`, the
same as for the mail, then has the last word.

Every term of the index is a letter for its kind and plain letters and digits behind it, so that no tokenizer of
any database takes it apart: `w` a word's term, `g` two words as they would be in one, `f` a folded word (for
prefixes), `a` an author's name, `c` a category, `s` a source. What stands in the title is told once more with a `t`
before it: PostgreSQL's index knows no places, and would read all papers of a word to find those titled with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from digest.relevance.matching.match import TITLE, Document, compounds
from digest.relevance.matching.queries import Query
from subscriptions.interests import names
from subscriptions.interests.language import And, Field, Node, Not, Or, Phrase, Prefix, Text, Word
from subscriptions.interests.words import Words, as_glued, stem

MOST_PARTS = 8  # of an "all of these" that the index is asked for; the rest is checked in the papers it finds
IN_TITLE = "t"
_LONGEST = 200  # characters of a term; what is longer is cut, in papers and in questions alike
_ODD = re.compile("[^a-z0-9]")


@lru_cache(maxsize=200_000)
def term(kind: str, text: str) -> str:
    """A term of the index, ASCII letters and digits only: `c++` is "wc0x2b00x2b0"."""
    return kind + _ODD.sub(lambda odd: f"0x{ord(odd.group()):x}0", text[:_LONGEST])


# --- what is stored
@dataclass(frozen=True, slots=True)
class Stored:
    """A paper's terms: those of its title and of its abstract in their order, then what stands for no place."""

    title: str
    abstract: str
    labels: str

    @classmethod
    def of(cls, paper: Document) -> Stored:
        labels = [term("a", key) for author in paper.authors for key in names.keys(author)]
        labels += [term("c", part) for category in paper.categories for part in _dotted(category)]
        labels += [term("s", part) for source in paper.sources for part in _dotted(source)]
        title = _terms(paper.title)
        labels += [IN_TITLE + one for one in title]
        return cls(" ".join(title), " ".join(_terms(paper.abstract)), " ".join(dict.fromkeys(labels)))


def _terms(words: Words) -> list[str]:
    terms = [term("w", one) for one in words.terms]
    glued = [term("g", one) for one in sorted(words.glued)]
    folded = [term("f", one) for one in sorted(set(words.folded) - words.single.keys())]
    return [*terms, *glued, *folded]


def _dotted(label: str) -> Iterable[str]:
    """A paper in cs.CL is in cs too."""
    parts = label.split(".")
    return (".".join(parts[:length]) for length in range(1, len(parts) + 1))


# --- what is asked
@dataclass(frozen=True, slots=True)
class Term:
    """A term, or all that begin with it."""

    text: str
    begins: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """Terms of words side by side."""

    terms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class All:
    parts: tuple[Bound, ...]


@dataclass(frozen=True, slots=True)
class Any:
    """At least one; none at all finds nothing."""

    parts: tuple[Bound, ...]


@dataclass(frozen=True, slots=True)
class ButNot:
    wanted: Bound
    unwanted: Bound


Bound = Term | Row | All | Any | ButNot


def bound(query: Query) -> Bound:
    """What every paper that the query finds holds."""
    if query.mutes:
        parts = query.node.parts if isinstance(query.node, And) else (query.node,)
        return Any(tuple(_bound(part.part, False) for part in parts if isinstance(part, Not)))
    return _bound(query.node, False)


def _bound(node: Node, in_title: bool) -> Bound:
    match node:
        case Word(text):
            return _word(stem(text), in_title)
        case Prefix(text):
            return Any(tuple(_term(kind, text, in_title, begins=True) for kind in "fw"))
        case Phrase(texts):
            return _phrase(texts, in_title)
        case Field(name, part) if name == TITLE:
            return _bound(part, True)
        case Field("author", Text(text)):
            return Any(tuple(Term(term("a", gate)) for gate in sorted(names.gates(text))))
        case Field(name, Text(text)):
            return Term(term(name[0], text))
        case And(parts):
            return _all(parts, in_title)
        case Or(parts):
            return Any(tuple(_bound(part, in_title) for part in parts))
    return Any(())


def _word(text: str, in_title: bool) -> Bound:
    """A word, written as one or as two."""
    return Any((_term("w", text, in_title), _term("g", as_glued(text), in_title)))


def _term(kind: str, text: str, in_title: bool, begins: bool = False) -> Term:
    return Term(f"{IN_TITLE if in_title else ''}{term(kind, text)}", begins)


def _phrase(texts: tuple[str, ...], in_title: bool) -> Bound:
    """The words in a row; or all of them, where one is written as two or two as one."""
    row: Bound = _row(texts)
    if in_title:
        row = All((row, *(_term("w", stem(text), in_title) for text in texts[:MOST_PARTS])))
    joined = [_word(stem(left + right), in_title) for left, right in pairwise(texts)]
    apart = [_term("g", as_glued(stem(text)), in_title) for text in texts]
    pieces = [
        Any((_word(stem(text), in_title), *joined[max(number - 1, 0) : number + 1]))
        for number, text in enumerate(texts[:MOST_PARTS])
    ]
    return Any((row, All((Any((*joined, *apart)), *pieces))))


def _row(texts: tuple[str, ...]) -> Row:
    return Row(tuple(term("w", stem(text)) for text in texts))


def _all(parts: tuple[Node, ...], in_title: bool) -> Bound:
    wanted = [part for part in parts if not isinstance(part, Not)]
    each: list[Bound] = []
    for part in wanted[:MOST_PARTS]:
        found = _bound(part, in_title)
        if isinstance(part, Word):
            found = Any((found, *(_word(stem(word), in_title) for word in compounds(part, wanted))))
        each.append(found)
    if not each:
        return Any(())
    unwanted = [part.part for part in parts if isinstance(part, Not)]
    together = All(tuple(each))
    return ButNot(together, Any(tuple(_surely(part, in_title) for part in unwanted))) if unwanted else together


def _surely(node: Node, in_title: bool) -> Bound:
    """What only papers that hold the node hold: those may be taken away unseen."""
    match node:
        case Word(text):
            return _word(stem(text), in_title) if len(text) < _LONGEST else Any(())
        case Phrase(texts) if max(map(len, texts)) < _LONGEST and not in_title:
            return _row(texts)
        case Prefix(text) if len(text) < _LONGEST:
            return _term("f", text, in_title, begins=True)
        case Field(name, part) if name == TITLE:
            return _surely(part, True)
        case Field("category" | "source" as name, Text(text)):
            return Term(term(name[0], text))
        case And(parts):
            return All(tuple(_surely(part, in_title) for part in parts))
        case Or(parts):
            return Any(tuple(_surely(part, in_title) for part in parts))
    return Any(())


# --- in the databases' words
def fts5(asked: Bound) -> str:
    """As SQLite's FTS5 reads it."""
    match asked:
        case Term(text, begins):
            return f'"{text}"{" *" if begins else ""}'
        case Row(terms):
            return f'"{" ".join(terms)}"'
        case All(parts):
            return f"({' AND '.join(map(fts5, parts))})"
        case Any(parts):
            return f"({' OR '.join(map(fts5, parts))})" if parts else f'"{NOWHERE}"'
        case ButNot(wanted, unwanted):
            return f"({fts5(wanted)} NOT {fts5(unwanted)})"


def tsquery(asked: Bound) -> str:
    """As PostgreSQL's tsquery type reads it."""
    match asked:
        case Term(text, begins):
            return f"{text}:*" if begins else text
        case Row(terms):
            return f"({' <-> '.join(terms)})"
        case All(parts):
            return f"({' & '.join(map(tsquery, parts))})"
        case Any(parts):
            return f"({' | '.join(map(tsquery, parts))})" if parts else NOWHERE
        case ButNot(wanted, unwanted):
            return f"({tsquery(wanted)} & !{tsquery(unwanted)})"


NOWHERE = "none"  # begins with no letter of a kind: no paper holds it
