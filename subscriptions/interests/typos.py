"""What people type that is no interest, or several: addresses, identifiers, lists. Found by its look, before the
line is read; quoted text is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from django.utils.translation import gettext as _

from subscriptions.interests.errors import InterestError
from subscriptions.interests.tokens import MINUS, without

_QUOTED = re.compile(r'"[^"]*"')
_ARCHIVES = (
    "astro-ph|cond-mat|cs|econ|eess|gr-qc|hep-ex|hep-lat|hep-ph|hep-th|math-ph|math|nlin|nucl-ex|nucl-th|physics|"
    "q-bio|q-fin|quant-ph|stat"
)
_CATEGORY = rf"(?:{_ARCHIVES})\.(?:[a-z]{{2,3}}(?:-[a-z]{{2,3}})?|\*)"  # arxiv.org/category_taxonomy
_ADDRESS = re.compile(r"(?:https?://|www\.|(?:arxiv|doi|openreview)\.org/|huggingface\.co/)\S*", re.IGNORECASE)
_LISTING = re.compile(rf"arxiv\.org/(?:list|archive|rss|corr)/({_CATEGORY})", re.IGNORECASE)
_ONE_PAPER = re.compile(
    r"(?<![\w.])(?:(?:arxiv|doi):\s?)?"
    rf"(?:\d{{4}}\.\d{{4,5}}(?:v\d+)?|(?:{_ARCHIVES})(?:\.[a-z]{{2}})?/\d{{7}}(?:v\d+)?|10\.\d{{4,9}}/\S+)(?![\w.]\w)",
    re.IGNORECASE,
)
_BARE_CATEGORY = re.compile(rf"(?<![\w:.(/-])({_CATEGORY})(?![\w./-])", re.IGNORECASE)
_BULLET = re.compile(r"(?:[*•·‣▪◦]|\d{1,2}[.)])\s+(?=\S)")
_SURNAME_FIRST = re.compile(
    r"author:([^\s,;\"()]{1,100}), ?([A-Z][\w.-]{0,30}(?: [A-Z]\.){0,3})(?![^\s,;)])", re.IGNORECASE
)
_SEPARATOR = re.compile(r"(?<!\d)[,;]|[,;](?!\d)")
_LEADING_WORD = re.compile(r"(?:and|or|AND|OR)\s+")
_SINGLE_QUOTED = re.compile(r"(?<![^\s(:])'([^'\"]{2,200})'(?![^\s),;])")
_WEIGHT = re.compile(r"(?<=[\w\"])[~^]\d{0,3}(?:\.\d{1,3})?(?![^\s)])")
_OTHER_BRACKETS = str.maketrans("[]{}", "()()")

# Without one of these there is no slip: most lines are words.
_SUSPECT = re.compile(r"[,;'‘’\[\]{}~^/.:*•·‣▪◦]|\d\)")

MAX_WORDS = 6  # of an interest in a list

Check = Callable[[str, str], InterestError | None]


def find_slip(line: str) -> InterestError | None:
    """The first slip in a plain line, its suggestion not checked yet."""
    if not _SUSPECT.search(line):
        return None
    # Same length, so that places stay: what is quoted is blotted out.
    masked = _QUOTED.sub(lambda found: '"' + "_" * (len(found.group()) - 2) + '"', line)
    return next((slip for check in CHECKS if (slip := check(line, masked))), None)


def _address(line: str, masked: str) -> InterestError | None:
    found = _ADDRESS.search(masked)
    if not found:
        return None
    listing = _LISTING.search(found.group())
    message = _("This is the address of a page, not an interest: write what the papers are about")
    instead = f"category:{listing[1]}" if listing else ""
    return InterestError(message, found.start(), without(line, *found.span(), instead), found.end())


def _one_paper(line: str, masked: str) -> InterestError | None:
    found = _ONE_PAPER.search(masked)
    if not found:
        return None
    message = _("“%(text)s” is one paper, not an interest: write what it is about") % {"text": found.group()}
    return InterestError(message, found.start(), without(line, *found.span()), found.end())


def _bare_category(line: str, masked: str) -> InterestError | None:
    found = next((one for one in _BARE_CATEGORY.finditer(masked) if not _has_field(masked[: one.start()])), None)
    if not found:
        return None
    mend = without(line, *found.span(), f"category:{found[1]}")
    message = _("“%(text)s” is a category, and needs its field") % {"text": found[1]}
    return InterestError(message, found.start(), mend, found.end())


def _has_field(before: str) -> bool:
    """Whether brackets that a field opened are open there: `category:(cs.CL OR cs.LG)`."""
    head, _, inside = before.rpartition("(")
    return ")" not in inside and head.endswith(":")


def _bullet(line: str, masked: str) -> InterestError | None:
    found = _BULLET.match(masked.lstrip())
    if not found:
        return None
    start = len(line) - len(line.lstrip())
    end = start + found.end()
    return InterestError(_("A line needs no bullet or number before it"), start, line[end:], end)


def _surname_first(line: str, masked: str) -> InterestError | None:
    found = _SURNAME_FIRST.search(masked)
    if not found:
        return None
    mend = without(line, *found.span(), f'author:"{found[1]}, {found[2]}"')
    return InterestError(_("A name with a comma stands in quotes"), found.start(1), mend, found.end())


def _list(line: str, masked: str) -> InterestError | None:
    """Commas between interests: several lines, alternatives in brackets, or one line where a piece excludes."""
    end = len(masked.rstrip(" ,;"))
    places = [found.start() for found in _SEPARATOR.finditer(masked, 0, end)]
    if not places:
        return None
    pieces = [line[a:b].strip() for a, b in zip([0, *(p + 1 for p in places)], [*places, end], strict=True)]
    pieces = [_LEADING_WORD.sub("", piece, count=1) if _LEADING_WORD.match(piece) else piece for piece in pieces]
    pieces = [piece for piece in pieces if piece]
    if any(piece.count(" ") >= MAX_WORDS for piece in pieces):
        return None  # a sentence or a title: its commas are punctuation
    if _is_in_brackets(masked, places[0]):
        mend, advice = " OR ".join(pieces), _("Commas mean nothing here: in brackets, write OR between them")
    elif any(piece[0] in MINUS for piece in pieces[1:]):
        mend, advice = " ".join(pieces), _("Commas mean nothing here: leave them out")
    else:
        mend, advice = "\n".join(_pinned_alike(pieces)), _("Commas mean nothing here: one interest a line")
    return InterestError(advice, places[0], mend, places[0] + 1)


def _is_in_brackets(masked: str, place: int) -> bool:
    before = masked[:place]
    return before.count("(") > before.count(")")


def _pinned_alike(pieces: list[str]) -> list[str]:
    """`!a, b` pins both."""
    if pieces and pieces[0].startswith("!"):
        return [piece if piece.startswith("!") else f"!{piece}" for piece in pieces]
    return pieces


def _single_quotes(line: str, masked: str) -> InterestError | None:
    found = _SINGLE_QUOTED.search(masked.replace("‘", "'").replace("’", "'"))
    if not found or not re.search(r"\s", found[1]):
        return None
    phrase = line[found.start(1) : found.end(1)]
    mend = without(line, *found.span(), f'"{phrase}"')
    return InterestError(_("A phrase stands in double quotes"), found.start(), mend, found.end())


def _other_brackets(line: str, masked: str) -> InterestError | None:
    found = re.search(r"(?<!\S)[-!]?[\[{]|[\]}](?!\S)", masked)
    if not found:
        return None
    pieces = line.split('"')
    pieces[::2] = [piece.translate(_OTHER_BRACKETS) for piece in pieces[::2]]
    return InterestError(_("Brackets are round here"), found.end() - 1, '"'.join(pieces), found.end())


def _weight(line: str, masked: str) -> InterestError | None:
    found = _WEIGHT.search(masked)
    if not found:
        return None
    message = _("“%(text)s” says nothing here: words have no weights") % {"text": found.group()}
    return InterestError(message, found.start(), without(line, *found.span()), found.end())


CHECKS: tuple[Check, ...] = (
    _address,
    _one_paper,
    _bare_category,
    _bullet,
    _surname_first,
    _list,
    _single_quotes,
    _other_brackets,
    _weight,
)
