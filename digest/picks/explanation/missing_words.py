"""How far a line goes that does not find a paper: which of its words the paper has, and which it lacks. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext

from digest.mail.rendering.labels import quoted
from digest.relevance.matching.match import TEXT_FIELDS, Document, Found, Place, compounds, find
from digest.relevance.ranking.closeness import is_prose
from subscriptions.interests.abbreviations import expand
from subscriptions.interests.language import And, Node, Not, Or, Phrase, Word, unpinned
from subscriptions.interests.words import STOP_WORDS, split, stem


@dataclass(frozen=True, slots=True)
class Half:
    """The parts of a line that a paper has, lacks, and has although the line excludes them; where those it has are."""

    has: tuple[str, ...]
    lacks: tuple[str, ...]
    excluded: tuple[str, ...] = ()
    found: Found | None = None

    @property
    def share(self) -> float:
        """Of what is asked for, 0 to 1."""
        return len(self.has) / max(len(self.has) + len(self.lacks), 1)

    @property
    def in_the_way(self) -> str:
        """Why the line does not find the paper; "" where nothing is in its way."""
        if self.lacks:
            return gettext("the paper lacks %(words)s") % {"words": quoted(self.lacks)}
        if not self.excluded:
            return ""
        return gettext("the paper has %(words)s, which the line excludes") % {"words": quoted(self.excluded)}


def half(typed: str, node: Node, paper: Document) -> Half:
    """What the paper has of a line that is no mute. A sentence is taken for its words."""
    if is_prose(typed):
        words = dict.fromkeys(word for word, _, _ in split(typed) if word not in STOP_WORDS)
        return _half([(word, Word(word)) for word in words], (), paper)
    line = unpinned(node)
    typed_parts = line.parts if isinstance(line, And) else (line,)
    expanded = expand(line)
    parts = expanded.parts if isinstance(expanded, And) else (expanded,)
    wanted: list[tuple[str, Node]] = [(_shown(part, typed_parts), part) for part in parts if not isinstance(part, Not)]
    unwanted = tuple(part for part in parts if isinstance(part, Not))
    return _half(wanted, unwanted, paper)


def _half(wanted: list[tuple[str, Node]], unwanted: tuple[Not, ...], paper: Document) -> Half:
    has, lacks, places, labels = [], [], list[Place](), list[str]()
    nodes = [part for _, part in wanted]
    for shown, part in wanted:
        found = _find(part, nodes, paper)
        if found:
            has.append(shown)
            places += found.places
            labels += found.labels
        else:
            lacks.append(_side_by_side(shown) if _has_its_words(part, paper) else shown)
    excluded = tuple(_shown(part.part, ()) for part in unwanted if find(part.part, paper))
    return Half(tuple(has), tuple(lacks), excluded, Found(0.0, tuple(places), tuple(labels)))


def _side_by_side(words: str) -> str:
    return gettext("%(words)s side by side") % {"words": words}


def _find(part: Node, nodes: list[Node], paper: Document) -> Found | None:
    found = find(part, paper)
    if found is None and isinstance(part, Word):
        return next((one for word in compounds(part, nodes) if (one := find(Word(word), paper))), None)
    return found


def _has_its_words(part: Node, paper: Document) -> bool:
    phrase = part.parts[0] if isinstance(part, Or) else part
    if not isinstance(phrase, Phrase):
        return False
    return all(any(paper.words(field).at(stem(word)) for field in TEXT_FIELDS) for word in phrase.words)


def _shown(part: Node, typed: tuple[Node, ...]) -> str:
    """A part as a reader would say it: without the other form that the abbreviation table puts beside it."""
    if isinstance(part, Or) and part not in typed:
        return _shown(part.parts[0], typed)
    return str(part).strip('"')
