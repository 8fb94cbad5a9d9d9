"""How text becomes terms, the same way for papers and for interests.

A term is a word without case, accents and inflection (Snowball's English stemmer). Hyphens are blanks:
"fine-tuning" is two words side by side, and two words side by side are also known by the word they
would be if written as one, so that "fine-tuned", "fine tuning" and "finetuning" all meet.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property, lru_cache
from itertools import pairwise

from snowballstemmer.english_stemmer import EnglishStemmer

_MARKS = "\u0300-\u036f"
# Letters and digits with their accents; "3.5" and "c++" are one word, "end.Next" is two.
WORD = re.compile(rf"\d+(?:\.\d+)+|(?:[^\W_][{_MARKS}]*)+(?:['’](?:[^\W_][{_MARKS}]*)+)*(?:\+\+|#)?")
_JOINT = re.compile(r"[\s\u00a0]{1,2}|[-\u2010\u2011\u2012\u2013]\s?")
_VOWEL = re.compile("[aeiouy]")

STOP_WORDS = frozenset(
    "a about all also an and any are as at be been being but by can could did do does for from had has have "
    "how if in into is it its may might more most no not of on onto or our over should so some such than "
    "that the their them then there these they this those through to under upon using via was we were what "
    "when where which while who why will with within without would you your".split()
)

# Letters that Unicode does not take apart into a plain one and its mark.
_STRUCK = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"})

# Plurals that no rule of endings finds, of words that papers use. "bases" is left to "base".
_SINGULARS = {
    "aliases": "alias", "analyses": "analysis", "appendices": "appendix", "automata": "automaton", "axes": "axis",
    "bacteria": "bacterium", "children": "child", "corpora": "corpus", "criteria": "criterion",
    "hypotheses": "hypothesis", "indices": "index", "lenses": "lens", "loci": "locus", "matrices": "matrix",
    "maxima": "maximum", "men": "man", "mice": "mouse", "minima": "minimum", "nuclei": "nucleus", "optima": "optimum",
    "phenomena": "phenomenon", "plateaus": "plateau", "qas": "qa", "radii": "radius", "spectra": "spectrum",
    "stimuli": "stimulus", "syntheses": "synthesis", "theses": "thesis", "vertices": "vertex", "women": "woman",
}  # fmt: skip

_stemmer = EnglishStemmer()
_at_the_stemmer = threading.Lock()  # it works on fields of its own: two threads at once would mix their words up


def plain(word: str) -> str:
    """The word without case, accents and apostrophes: "O’Søren" -> "osoren"."""
    apart = unicodedata.normalize("NFKD", word)
    # What a sign is spelled out to, "⑴" as "(1)" say, keeps its letters and digits only: a term is one word.
    apart = "".join(ch for ch in apart if ch.isalnum() or (ch in ".+#" and ch in word))
    return apart.lstrip(".+#").casefold().translate(_STRUCK)  # a mark that stands alone leaves no word


@lru_cache(maxsize=200_000)
def fold(word: str) -> str:
    """The plain word without a genitive and the s of abbreviations: "Müller's" -> "muller", "LLMs" -> "llm"."""
    folded = plain(word[:-2] if word[-2:] in ("'s", "’s", "'S", "’S") else word)
    # "LLMs", "VLMs": the stemmer leaves a plural without a vowel alone.
    if len(folded) > 2 and folded.endswith("s") and not folded.endswith("ss") and not _VOWEL.search(folded):
        folded = folded[:-1]
    return folded


@lru_cache(maxsize=200_000)
def stem(folded: str) -> str:
    """The term of a folded word: "quantization", "quantized" -> "quantiz"."""
    if len(folded) < 3 or not folded.isascii() or not folded.isalpha():
        return folded
    # "gpus", "vlas": the stemmer leaves an s alone whose word has no vowel but the one before it.
    if len(folded) > 3 and folded.endswith("s") and not folded.endswith("ss") and not _VOWEL.search(folded[:-2]):
        folded = folded[:-1]
    folded = _SINGULARS.get(folded, folded)
    if folded.endswith(("isation", "isations")):  # the British spelling, where it cannot be anything else
        folded = folded.replace("isation", "ization")
    with _at_the_stemmer:
        return str(_stemmer.stemWord(folded))


def glue(first: str, second: str) -> str:
    """Return the key of two folded words written as one: of "finetuning" for "fine" and "tuning"."""
    return as_glued(first + stem(second))


def as_glued(term: str) -> str:
    """A term as a key to glued pairs: the stemmer keeps the e of "tune" but not that of "finetune"."""
    return term.rstrip("e") or term


def split(text: str) -> Iterator[tuple[str, int, int]]:
    """Each word of the text, folded, with its place: (word, start, end) in characters."""
    for found in WORD.finditer(text):
        word = fold(found.group())
        if word:
            yield word, found.start(), found.end()


class Words:
    """A text taken apart once: which terms stand where.

    `folded[i]` is the i-th word, `terms[i]` its term, `spans[i]` its (start, end) in the text. `at(term)` gives the
    places of a term as (first, last) word numbers, last > first where two words are written as one; `single` and
    `glued` are what it looks up, the latter by `as_glued`, with the first word's number. What is not asked for is
    not made: of very many papers few are asked one by one.
    """

    def __init__(self, text: str) -> None:
        found = list(split(text))
        self._text = text
        self.folded = [word for word, _, _ in found]
        self.spans = [(start, end) for _, start, end in found]

    @cached_property
    def terms(self) -> list[str]:
        return list(map(stem, self.folded))

    @cached_property
    def single(self) -> defaultdict[str, list[int]]:
        filed: defaultdict[str, list[int]] = defaultdict(list)
        for number, term in enumerate(self.terms):
            filed[term].append(number)
        return filed

    @cached_property
    def glued(self) -> defaultdict[str, list[int]]:
        filed: defaultdict[str, list[int]] = defaultdict(list)
        for number in self.joints():
            filed[as_glued(self.folded[number] + self.terms[number + 1])].append(number)
        return filed

    def joints(self) -> list[int]:
        """The words that may be one with the next."""
        text, found = self._text, []
        carries_meaning = [word not in STOP_WORDS for word in self.folded]
        for number, ((_, end), (start, _)) in enumerate(pairwise(self.spans)):
            between = text[end:start]
            if between == " ":  # nearly always
                is_joint = carries_meaning[number] and carries_meaning[number + 1]
            elif _JOINT.fullmatch(between):
                # "the rapist" is no therapist: loose words join only when both carry meaning.
                is_loose = between[0] in " \n\t\u00a0"
                is_joint = not is_loose or (carries_meaning[number] and carries_meaning[number + 1])
            else:
                is_joint = False
            if is_joint:
                found.append(number)
        return found

    def __contains__(self, term: str) -> bool:
        return term in self.single or as_glued(term) in self.glued

    def at(self, term: str) -> list[tuple[int, int]]:
        """Where the term stands, in order, as one word or as two."""
        places = [(number, number) for number in self.single.get(term, ())]
        glued = self.glued.get(as_glued(term))
        return sorted(places + [(number, number + 1) for number in glued]) if glued else places

    def starting_with(self, prefix: str) -> list[tuple[int, int]]:
        """Where a word begins with these folded letters."""
        return [(n, n) for n, word in enumerate(self.folded) if word.startswith(prefix)]

    def keys(self) -> set[str]:
        """Everything `at` could find something for: terms, and the keys of glued pairs."""
        return self.single.keys() | self.glued.keys()
