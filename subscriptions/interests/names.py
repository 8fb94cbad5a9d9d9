"""Whether an author somebody typed is the author a paper names. Pure.

`LeCun, Y.`, `Y LeCun` and `LECUN Yann` are Yann LeCun; Y. Smith and Yann LeCunn are not. Two names are one

* when every word typed stands in the paper's name: `lecun`, `Wei Li` for Li Wei, `van der Maaten`; or
* when the families are equal and the given names agree, where an initial agrees with what begins with it and
  a middle name may be missing on either side. A family name is never met by an initial.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache

from subscriptions.interests.words import WORD, plain

PARTICLES = frozenset(
    "af al ap ben bin d da dal de degli dei del della den der des di do dos du e el ibn la las le los op "
    "san st ten ter van vom von y zu zum zur".split()
)
_BEFORE = frozenset("dr prof professor mr mrs ms sir".split())
_AFTER = frozenset("jr sr ii iii iv phd md".split())
_ET_AL = re.compile(r"(?<=[\s,])et\.? al\.?$", re.IGNORECASE)
_HYPHENS = re.compile("[-‐‑‒–]")
# A name with one of these letters is also written with two: Schölkopf is Scholkopf and Schoelkopf. The other
# way round says nothing: Joel is not Jöl, and Xue is not Xu.
_TWO_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
_VOWEL = re.compile("[aeiouy]")
_MANY_GIVEN = 8  # names; who has more is asked each time

Spellings = frozenset[str]


@dataclass(frozen=True)
class Part:
    """What stands between two blanks: its words, more than one where hyphens join them, as (plain, two-letter)."""

    words: tuple[tuple[str, str], ...]

    @cached_property
    def joined(self) -> Spellings:
        """Written as one word: "Fei-Fei" is "feifei"."""
        return _joined((self,))

    @cached_property
    def is_initial(self) -> bool:
        return all(_is_letter(word) for word, _ in self.words)

    @property
    def is_particle(self) -> bool:
        return len(self.words) == 1 and self.words[0][0] in PARTICLES

    def __str__(self) -> str:
        return "-".join(word if word == other else f"{word}/{other}" for word, other in self.words)


@dataclass(frozen=True)
class Name:
    """A name taken apart; `family` includes its particles. It is compared with many, so it keeps what it is asked."""

    given: tuple[Part, ...]
    family: tuple[Part, ...]

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        return (*self.given, *self.family)

    @cached_property
    def core(self) -> tuple[Part, ...]:
        """The family without particles: "Maaten" of "van der Maaten"."""
        return tuple(part for part in self.family if not part.is_particle) or self.family

    @cached_property
    def given_spellings(self) -> Spellings:
        return _joined(self.given)

    @cached_property
    def family_spellings(self) -> Spellings:
        return _joined(self.family)

    @cached_property
    def core_spellings(self) -> Spellings:
        return _joined(self.core)

    @cached_property
    def spelled(self) -> Spellings:
        """All that may be typed alone: every part as one word, and of a double family name each half."""
        whole = {text for part in self.parts for text in part.joined}
        return frozenset(whole | {text for part in self.family for pair in part.words for text in pair})

    @cached_property
    def in_any_order(self) -> list[str]:
        return sorted(map(str, self.parts))

    def __str__(self) -> str:
        return f"{' '.join(map(str, self.family))}, {' '.join(map(str, self.given))}"


def is_author(typed: str, author: str) -> bool:
    """Whether the typed name is this author of a paper."""
    # Nearly always no: the cheap question first.
    return not gates(typed).isdisjoint(keys(author)) and are_one(read(typed), read(author))


def are_one(wanted: Name, held: Name) -> bool:
    """Whether a typed name is a paper's, both taken apart."""
    size = max(len(wanted.family), len(held.family))
    return (
        _is_within(wanted, held)
        or _agree_throughout(wanted, held)
        # Only a comma says that a family has two parts: "García Márquez, G." is Gabriel García Márquez.
        or (size > 1 and _agree_throughout(_with_family_of(wanted, size), _with_family_of(held, size)))
    )


def names_somebody(typed: str) -> bool:
    """Whether there is more than initials."""
    return _has_a_full_word(read(typed).parts)


@lru_cache(maxsize=100_000)
def gates(typed: str) -> Spellings:
    """Words of which the `keys` of every author that `is_author` accepts hold at least one: for an index."""
    name = read(typed)
    return name.family_spellings | name.core_spellings | {text for part in name.core for text in part.joined}


@lru_cache(maxsize=100_000)
def keys(author: str) -> Spellings:
    """What an index files a paper's author under; see `gates`."""
    name = read(author)
    return name.family_spellings | name.core_spellings | name.spelled


def given_gates(wanted: Name) -> set[str]:
    """Of which `given_keys` hold at least one for every name whose given names agree: for an index."""
    initial = _initials_apart(wanted.given)[0]
    letter = initial.words[0][0][0]
    return _beginnings(wanted) | {f"{letter}~" if initial.is_initial else f"{letter}.", "?"}


def given_keys(held: Name) -> set[str]:
    """What an index files a paper's author under, beside `keys`: nothing where there are no given names."""
    if not held.given:
        return set()
    if len(held.given) > _MANY_GIVEN:
        return {"?"}
    initial = _initials_apart(held.given)[0]
    letter = initial.words[0][0][0]
    return _beginnings(held) | {f"{letter}~"} | ({f"{letter}."} if initial.is_initial else set())


def _beginnings(name: Name) -> set[str]:
    """The given names as one word, however many of them are really the family's."""
    return {f"={text}" for last in range(1, len(name.given) + 1) for text in _joined(name.given[:last])}


@lru_cache(maxsize=100_000)
def read(text: str) -> Name:
    """The name in either order: "Yann LeCun", "LeCun, Yann", "LeCun Y". Empty where there is no letter."""
    before, *after = _ET_AL.sub("", text.strip()).split(",")
    ahead, behind = _parts(before), [part for piece in after for part in _without_suffix(_parts(piece), keep=0)]
    if behind and ahead:
        # "Oord, Aaron van den": the particles belong to the family.
        last = len(behind)
        while last > 1 and behind[last - 1].is_particle and not behind[last - 1].is_initial:
            last -= 1
        return Name(tuple(behind[:last]), (*behind[last:], *ahead))
    return _in_order(_without_suffix(ahead or behind, keep=1))


def _in_order(parts: list[Part]) -> Name:
    """A name without a comma: the family is last, or first where only initials follow it."""
    if len(parts) > 1 and parts[-1].is_initial and not parts[0].is_initial:
        first = len(parts)
        while parts[first - 1].is_initial:
            first -= 1
        return Name(tuple(parts[first:]), tuple(parts[:first]))
    first = len(parts) - 1
    # The first word is a given name even where it could be a particle: Di Wu, Le Song.
    while first > 1 and parts[first - 1].is_particle and not parts[first - 1].is_initial:
        first -= 1
    return Name(tuple(parts[: max(first, 0)]), tuple(parts[max(first, 0) :]))


def _parts(text: str) -> list[Part]:
    """The parts of a piece without commas, titles of honour taken off."""
    found = []
    for chunk in text.replace(".", ". ").replace(". -", "-").split():
        words = [(plain(w), plain(w.casefold().translate(_TWO_LETTERS))) for w in WORD.findall(chunk)]
        words = [pair for pair in words if pair[0]]
        if _HYPHENS.search(chunk):
            found.append(Part(tuple(words)))
        else:
            found += [Part((pair,)) for pair in words]
    found = [part for part in found if part.words]
    while len(found) > 1 and str(found[0]) in _BEFORE:
        del found[0]
    return found


def _without_suffix(parts: list[Part], keep: int) -> list[Part]:
    """Without Jr., III and the like at the end."""
    while len(parts) > keep and str(parts[-1]) in _AFTER:
        parts = parts[:-1]
    return parts


def _is_letter(word: str) -> bool:
    """An initial: one letter of a script that has capitals."""
    return len(word) == 1 and word != word.upper()


def _joined(parts: tuple[Part, ...]) -> Spellings:
    """The parts written as one word, in both spellings."""
    pairs = [pair for part in parts for pair in part.words]
    return frozenset({"".join(word for word, _ in pairs), "".join(other for _, other in pairs)}) - {""}


def _is_within(wanted: Name, held: Name) -> bool:
    """Every part typed is a full word of the name, or the two are the same words in another order."""
    if not _has_a_full_word(wanted.parts):
        return False
    if all(not part.is_initial and part.joined & held.spelled for part in wanted.parts):
        return True
    return len(wanted.parts) == len(held.parts) and wanted.in_any_order == held.in_any_order


def _has_a_full_word(parts: tuple[Part, ...]) -> bool:
    return any(not part.is_initial for part in parts)


def _agree_throughout(wanted: Name, held: Name) -> bool:
    return _same_family(wanted, held) and (not wanted.given or _agree(wanted, held))


def _with_family_of(name: Name, size: int) -> Name:
    """The name with its last `size` parts as the family, where that leaves a given name."""
    parts = name.parts
    return Name(parts[:-size], parts[-size:]) if len(parts) > size > len(name.family) else name


def _same_family(wanted: Name, held: Name) -> bool:
    if not _has_a_full_word(wanted.family):
        return False
    if wanted.family_spellings & held.family_spellings:
        return True
    one_is_bare = wanted.core == wanted.family or held.core == held.family
    return one_is_bare and bool(wanted.core_spellings & held.core_spellings)


def _agree(wanted: Name, held: Name) -> bool:
    """Whether the given names may be one person's: the first must agree, further ones where both have them."""
    if not held.given:
        return False
    if wanted.given_spellings & held.given_spellings:
        return True
    ours, theirs = _initials_apart(wanted.given), _initials_apart(held.given)
    return all(_agree_in(one, other) for one, other in zip(ours, theirs, strict=False))


def _agree_in(one: Part, other: Part) -> bool:
    if one.joined & other.joined:
        return True
    if not (one.is_initial or other.is_initial):
        return False
    return all(a[0][0] == b[0][0] for a, b in zip(one.words, other.words, strict=False))


def _initials_apart(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Take "JB" for J. B.: two or three letters that nobody could pronounce."""
    first, *rest = parts
    word = first.words[0][0]
    if len(first.words) == 1 and 2 <= len(word) <= 3 and word.isalpha() and not _VOWEL.search(word):
        return (Part(tuple((letter, letter) for letter in word)), *rest)
    return parts
