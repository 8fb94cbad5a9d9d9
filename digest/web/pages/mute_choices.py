"""What a reader may want to mute of a paper: words of its title, and its authors. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, pairwise

from subscriptions.interests import canonical
from subscriptions.interests.language import is_mute
from subscriptions.interests.parser import InterestError, parse
from subscriptions.interests.words import STOP_WORDS, split, stem

MOST_WORDS, MOST_PAIRS, MOST_AUTHORS = 8, 5, 12


@dataclass(frozen=True, slots=True)
class Mute:
    """A line that mutes, and what it mutes as a reader says it."""

    line: str
    shown: str


def word_mutes(title: str, wanted: Iterable[str] = ()) -> list[Mute]:
    """The words of a title and its pairs of words, without what the reader's own `wanted` lines ask for."""
    keys = {canonical.key(parse(line)) for line in wanted if _can_be_read(line)}
    found: dict[str, Mute] = {}
    for shown in (*islice(_words(title), MOST_WORDS), *islice(_pairs(title), MOST_PAIRS)):
        mute = mute_of(shown)
        if mute and canonical.key(parse(shown if shown.isalnum() else f'"{shown}"')) not in keys:
            found.setdefault(canonical.key(parse(mute.line)), mute)
    return list(found.values())


def author_mutes(authors: Iterable[str]) -> list[Mute]:
    """The first authors; a name that cannot stand in a line is left out."""
    names = (name.replace('"', "").strip() for name in authors)
    mutes = (Mute(f'-author:"{name}"', name) for name in dict.fromkeys(names) if name)
    return list(islice((mute for mute in mutes if _mutes(mute.line)), MOST_AUTHORS))


def mute_of(text: str) -> Mute | None:
    """The line that mutes what somebody typed: a word, words side by side, or a line of the language; None when
    it cannot be read.
    """
    text = text.replace("\x00", "").strip()  # PostgreSQL takes none
    bare = text.lstrip("-").strip()
    phrase = '-"{}"'.format(bare.replace('"', ""))
    as_line = (text,) if text.startswith("-") else ()
    for line in (*as_line, f"-{bare}", phrase) if bare.isalnum() or ":" in bare or '"' in bare else (*as_line, phrase):
        if _mutes(line):
            return Mute(line, bare.removeprefix("author:").replace('"', ""))
    return None


def _mutes(line: str) -> bool:
    """Not so where a sign inside a name ends its quotes, as « does."""
    return _can_be_read(line) and is_mute(parse(line))


def _can_be_read(line: str) -> bool:
    try:
        parse(line)
    except InterestError:
        return False
    return True


def _words(title: str) -> Iterator[str]:
    seen: set[str] = set()
    for word, start, end in split(title):
        if len(word) > 2 and word not in STOP_WORDS and not word.isdecimal() and stem(word) not in seen:
            seen.add(stem(word))
            yield title[start:end]


def _pairs(title: str) -> Iterator[str]:
    """Two words side by side, as they are written."""
    words = list(split(title))
    for (one, start, before), (other, after, end) in pairwise(words):
        if title[before:after] in (" ", "-") and not {one, other} & STOP_WORDS and one.isalnum() and other.isalnum():
            yield title[start:end]
