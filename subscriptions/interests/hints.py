"""What is right to read and perhaps not what was meant: hints beside a line, never a refusal. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from subscriptions.interests.canonical import meaning
from subscriptions.interests.errors import InterestError
from subscriptions.interests.language import And, Field, Node, Not, Or, Pin, Text, Word, unpinned
from subscriptions.interests.names import names_somebody
from subscriptions.interests.parser import parse
from subscriptions.interests.tokens import Token, plain, tokens, without
from subscriptions.interests.words import STOP_WORDS, fold, stem

# Words that stand in three of ten abstracts or more: counted over 3,071 of the Hugging Face dailies of 2024 and 2025.
_COMMON = frozenset(
    stem(word)
    for word in (
        "achieve address approach art based benchmark capability challenge code data dataset demonstrate design "
        "effective efficient enable enhance evaluation experiment framework generation high image improve introduce "
        "language large learning limited llm method model novel performance propose quality reasoning result scale "
        "significant state task training work"
    ).split()
)
_COMPUTING = frozenset(
    "ai ar cc ce cg cl cr cv cy db dc dl dm ds et fl gl gr gt hc ir it lg lo ma mm ms na ne ni oh os pf pl ro sc sd se "
    "si sy".split()
)  # arXiv's archive cs, arxiv.org/category_taxonomy
_TWO_NAMES = re.compile(r"\bauthor:([A-ZÀ-Þ][\w.'’-]{0,40}(?: [A-ZÀ-Þ][\w.'’-]{0,40}){1,3})(?=\s|$)")


@dataclass(frozen=True, slots=True)
class Note:
    """A hint; `suggestion` is "" or another line, which can be read."""

    message: str
    suggestion: str = ""


def notes(line: str, node: Node) -> list[Note]:
    """Hints about a line and what was read from it."""
    found = tokens(plain(line))
    hints = [note for check in _CHECKS for note in check(plain(line), found, unpinned(node))]
    return [note if _can_be_read(note.suggestion) else Note(note.message) for note in hints]


def _can_be_read(line: str) -> bool:
    try:
        parse(line)
    except InterestError:
        return False
    return True


def _common(line: str, found: list[Token], node: Node) -> Iterator[Note]:
    if isinstance(node, Word) and stem(node.text) in _COMMON:
        said = _("“%(word)s” is in three of ten papers or more: add a word that says which are meant")
        yield Note(said % {"word": line.strip(" !")})


def _left_out(line: str, found: list[Token], node: Node) -> Iterator[Note]:
    """Stop words that were dropped; a small "not" was perhaps meant to exclude."""
    loose = [token for token in found if token.kind == "term"]
    dropped = list(dict.fromkeys(token.text for token in loose if fold(token.text) in STOP_WORDS))
    if "not" in dropped and found[0].text != "not":
        number = next(n for n, token in enumerate(found) if token.text == "not")
        following = found[number + 1] if number + 1 < len(found) else None
        if following and following.kind in ("term", "quoted", "open", "field"):
            mend = without(line, found[number].start, following.start, "-")
            yield Note(_("A small “not” is an ordinary word; to exclude, write a minus"), mend)
            return
    if len(dropped) == len(loose) == 1:
        yield Note(_("“%(word)s” is in nearly every paper") % {"word": dropped[0]})
    elif dropped and len(loose) > 1:
        listed = ", ".join(_("“%(text)s”") % {"text": word} for word in dropped)
        # Quotes are worth proposing where the line is nothing but words.
        mend = f'"{" ".join(line.split())}"' if len(loose) == len(found) else ""
        said = ngettext(
            "%(words)s is in every paper and not looked for; quotes keep the words together",
            "%(words)s are in every paper and not looked for; quotes keep the words together",
            len(dropped),
        )
        yield Note(said % {"words": listed}, mend)


def _loose_or(line: str, found: list[Token], node: Node) -> Iterator[Note]:
    """`video generation OR editing` is read as (video generation) OR editing."""
    if any(token.kind in ("open", "pin") for token in found):
        return
    either = next((part for part in (node.parts if isinstance(node, And) else (node,)) if isinstance(part, Or)), None)
    if either is None or not any(isinstance(part, And) for part in either.parts):
        return
    read = " OR ".join(f"({part})" if isinstance(part, And) else str(part) for part in either.parts)
    yield Note(_("OR divides the whole line: this is read as %(line)s") % {"line": read}, _bracketed(line, found))


def _bracketed(line: str, found: list[Token]) -> str:
    """`video (generation OR editing)` for `video generation OR editing`; "" for what is longer."""
    if [token.kind for token in found] != ["term", "term", "or", "term"]:
        return ""
    return f"{found[0].text} ({line[found[1].start : found[3].end]})"


def _half_a_name(line: str, found: list[Token], node: Node) -> Iterator[Note]:
    name = _TWO_NAMES.search(line)
    if name and '"' not in line[: name.start()]:
        mend = without(line, *name.span(), f'author:"{name[1]}"')
        said = _("Only “%(name)s” is looked for among the authors; a whole name has quotes")
        yield Note(said % {"name": name[1].split()[0]}, mend)


def _nobody(line: str, found: list[Token], node: Node) -> Iterator[Note]:
    for part in _every(node):
        match part:
            case Field("author", Text(text)) if not names_somebody(text):
                said = _("“%(name)s” is only an initial and finds nobody: add the family name")
                yield Note(said % {"name": text})


def _half_a_category(line: str, found: list[Token], node: Node) -> Iterator[Note]:
    for part in _every(node):
        match part:
            case Field("category", Text(text)) if text in _COMPUTING:
                whole = f"category:cs.{text.upper()}"
                mend = re.sub(rf"category:{text}(?![\w.-])", whole, line, flags=re.IGNORECASE)
                yield Note(_("arXiv calls it %(category)s") % {"category": f"cs.{text.upper()}"}, mend)


def _contradiction(line: str, found: list[Token], node: Node) -> Iterator[Note]:
    if isinstance(node, And):
        excluded = {meaning(part.part) for part in node.parts if isinstance(part, Not)}
        for part in node.parts:
            if not isinstance(part, Not) and meaning(part) in excluded:
                said = _("This finds nothing: %(part)s is both asked for and excluded")
                yield Note(said % {"part": part})


def _every(node: Node) -> Iterator[Node]:
    yield node
    match node:
        case And(parts) | Or(parts):
            for part in parts:
                yield from _every(part)
        case Not(part) | Pin(part):
            yield from _every(part)


_CHECKS: tuple[Callable[[str, list[Token], Node], Iterator[Note]], ...] = (
    _common,
    _left_out,
    _loose_or,
    _half_a_name,
    _nobody,
    _half_a_category,
    _contradiction,
)
