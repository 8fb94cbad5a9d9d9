"""The grammar of an interest line, read by recursive descent; `parser.py` is how it is used.

line   = [!] either                  ! pins the line
either = group { OR group }          an exclusion at the very end holds for the whole line
group  = part { part }               all of them
part   = [-] ( word | prefix* | "phrase" | ( either ) | field:value )
value  = word | prefix* | "phrase" | ( either )
"""

from __future__ import annotations

import difflib
import unicodedata
from dataclasses import dataclass

from django.utils.translation import gettext as _

from subscriptions.interests import words
from subscriptions.interests.errors import InterestError, TooMuch
from subscriptions.interests.language import FIELDS, And, Field, Node, Not, Or, Phrase, Pin, Prefix, Text, Word, is_mute
from subscriptions.interests.simplify import all_of, any_of, in_title, negated, says_nothing
from subscriptions.interests.tokens import MINUS, Token, tokens, without

MAX_TERMS = 60
MAX_DEPTH = 8
MIN_PREFIX = 3

# What other services call our fields: arXiv's "ti:", PubMed's habit of long names. "" is no field at all.
_HABITS = {
    "ti": "title:", "t": "title:", "intitle": "title:", "allintitle": "title:", "au": "author:", "authors": "author:",
    "by": "author:", "inauthor": "author:", "cat": "category:", "categories": "category:", "subject": "category:",
    "src": "source:", "site": "source:", "from": "source:", "abs": "", "abstract": "", "all": "", "any": "", "text": "",
    "not": "-", "never": "-", "mute": "-", "without": "-", "always": "!", "pin": "!",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Limits:
    """How many words, and brackets inside each other, a line may have."""

    terms: float
    depth: int


TYPED = Limits(MAX_TERMS, MAX_DEPTH)
PRINTED = Limits(float("inf"), 8 * MAX_DEPTH)  # a printed line may be longer and deeper than what was typed


def read(line: str, limits: Limits) -> Node:
    """The parts of a plain line. Raises InterestError, whose suggestion may hold further mistakes."""
    found = tokens(line)
    if not found:
        raise InterestError(_("The line is empty"))
    return _Reader(line, found, limits).line()


class _Reader:
    """Recursive descent over the tokens of one line."""

    def __init__(self, line: str, found: list[Token], limits: Limits) -> None:
        self.text, self.tokens, self.next = line, found, 0
        self.depth, self.limits = 0, limits
        self.field = ""  # the field whose brackets we are in
        terms = [token for token in found if token.kind in ("term", "quoted")]
        if len(terms) > limits.terms:
            over = terms[int(limits.terms)]
            message = _("More than %(most)s words: split the line in two") % {"most": MAX_TERMS}
            raise TooMuch(message, over.start, end=terms[-1].end)

    # --- what comes next
    def _peek(self) -> Token | None:
        return self.tokens[self.next] if self.next < len(self.tokens) else None

    def _at_end(self) -> bool:
        token = self._peek()
        return token is None or token.kind == "close"

    def _peek_is(self, *kinds: str) -> bool:
        token = self._peek()
        return token is not None and token.kind in kinds

    def _take(self) -> Token:
        self.next += 1
        return self.tokens[self.next - 1]

    def _error(self, message: str, start: int, end: int, instead: str = "") -> InterestError:
        """An error at a place, with the line without that place, or with something instead, as suggestion."""
        return InterestError(message, start, without(self.text, start, end, instead), end)

    # --- the grammar
    def line(self) -> Node:
        pin = self._take() if self._peek_is("pin") else None
        node = self._either()
        token = self._peek()
        if token:
            raise self._error(_("This bracket was never opened"), token.start, token.end)
        if pin and is_mute(node):
            raise self._error(_("A ! asks for papers, and this line only keeps papers away"), pin.start, pin.end)
        return Pin(node) if pin else node

    def _either(self) -> Node:
        groups = [self._group()]
        while self._peek_is("or"):
            sign = self._take()
            if self._at_end() or self._peek_is("or"):
                raise self._error(_both_sides(sign), sign.start, sign.end)
            groups.append(self._group())
        return self._joined(groups)

    def _joined(self, groups: list[list[Node]]) -> Node:
        if len(groups) == 1:
            return all_of(groups[0])
        last = groups.pop()
        trailing: list[Node] = [part for part in last if isinstance(part, Not)]
        groups.append([part for part in last if not isinstance(part, Not)])
        for group in groups:
            if all(isinstance(part, Not) for part in group):
                sign = next(token for token in self.tokens if token.kind == "or")
                message = _("OR cannot stand beside something that is only excluded")
                raise self._error(message, sign.start, sign.end)
        either = any_of([all_of(group) for group in groups])
        return all_of([either, *trailing]) if trailing else either

    def _group(self) -> list[Node]:
        """The parts of a group. `-(a OR b)` is two of them, `-a -b`."""
        parts: list[Node] = []
        wanted: list[tuple[int, int]] = []  # where the parts stand that do not exclude
        while not self._at_end() and not self._peek_is("or"):
            token = self._take()
            if token.kind not in ("and", "plus", "dust"):
                excludes = token.kind in ("minus", "not")
                part = self._excluded(token) if excludes else self._part(token)
                wanted += [] if excludes else [(token.start, self.tokens[self.next - 1].end)]
                parts += part.parts if isinstance(part, And) and is_mute(part) else (part,)
        if not parts:
            raise self._nothing_here()
        self._refuse_only_stop_words(parts, wanted)
        return parts

    def _part(self, token: Token) -> Node:
        match token.kind:
            case "open":
                return self._bracket(token)
            case "field":
                return self._in_field(token)
            case "stray":
                closed = f'{self.text.rstrip()}"'
                message = _("This quotation mark is never closed")
                raise InterestError(message, token.start, closed, len(self.text.rstrip()))
            case "pin":
                message = _("A ! pins a whole line and stands at its beginning; what is not wanted has a -")
                raise self._error(message, token.start, token.end, "-")
        if self.field in ("", "title"):
            return self._words(token)
        while self.field == "author" and token.kind == "term" and self._peek_is("term"):
            # In an author's brackets, the words up to the next sign are one name.
            end = self._take().end
            token = Token("term", self.text[token.start : end], token.start, end)
        return self._label(self.field, token)

    def _excluded(self, sign: Token) -> Node:
        token = self._peek()
        if token is None or token.kind in ("close", "or", "and", "plus", "dust"):
            raise self._error(_("Nothing stands behind this %(sign)s") % {"sign": sign.text}, sign.start, sign.end)
        if token.kind in ("minus", "not"):
            last = self.next
            while self._peek_is("minus", "not"):
                last = self.next
                self.next += 1
            message = _("One sign is enough to exclude")
            raise self._error(message, sign.start, self.tokens[last].end, "-" if self._peek() else "")
        part = self._part(self._take())
        end = self.tokens[self.next - 1].end
        if says_nothing(part):
            said = _("“%(words)s” is in every paper") % {"words": self.text[token.start : end]}
            raise self._error(said, sign.start, end)
        opposite = negated(part)
        if opposite is None:
            inner = next(one for one in self.tokens if one.start > token.start and one.kind in ("minus", "not"))
            mend = without(self.text, sign.start, end, f"-({_wanted(part)})")
            raise InterestError(_("An exclusion cannot hold another exclusion"), inner.start, mend, inner.end)
        return opposite

    def _bracket(self, token: Token) -> Node:
        self.depth += 1
        if self.depth > self.limits.depth:
            message = _("More than %(most)s brackets inside each other") % {"most": MAX_DEPTH}
            raise TooMuch(message, token.start, end=token.end)
        inner = self._either()
        if self._peek() is None:
            closed = f"{self.text.rstrip()})"
            raise InterestError(_("This bracket is never closed"), token.start, closed, token.end)
        self._take()
        self.depth -= 1
        return inner

    # --- fields
    def _in_field(self, token: Token) -> Node:
        name = token.text[:-1].lower()
        if name not in FIELDS:
            following = self._peek()
            is_adjacent = following is not None and following.start == token.end
            if is_adjacent or name in _HABITS or difflib.get_close_matches(name, FIELDS, n=1, cutoff=0.7):
                raise self._unknown_field(token, name)
            return self._part(Token("term", token.text[:-1], token.start, token.end))  # "Mamba: State Spaces"
        if self.field:
            said = _("There is already a field around this: “%(field)s:”") % {"field": self.field}
            raise self._error(said, token.start, token.end)
        value = self._peek()
        if value is None or value.start != token.end or value.kind not in ("open", "quoted", "term", "minus", "stray"):
            raise self._empty_field(token, name)
        if value.kind == "minus":
            message, sign = _("The exclusion goes before the field"), self._take()
            raise self._error(message, token.start, sign.end, f"-{name}:")
        if value.kind in ("quoted", "term") and name != "title":
            return self._label(name, self._take())
        self.field = name
        node = self._part(self._take())
        self.field = ""
        return in_title(node) if name == "title" else node

    def _unknown_field(self, token: Token, name: str) -> InterestError:
        close = difflib.get_close_matches(name, FIELDS, n=1, cutoff=0.5)
        instead = _HABITS.get(name, f"{close[0]}:" if close else f"{token.text[:-1]} ")
        known = ", ".join(FIELDS)
        said = _("There is no field “%(field)s”; there are %(known)s") % {"field": token.text, "known": known}
        return self._error(said, token.start, token.end, instead)

    def _empty_field(self, token: Token, name: str) -> InterestError:
        """Nothing there, or a blank behind the colon: then what follows is taken for the value."""
        last = self.next
        while last < len(self.tokens) and self.tokens[last].kind in ("term", "quoted"):
            last += 1
        found = self.tokens[self.next : last]
        if not found:
            return self._error(_nothing_behind(name), token.start, token.end)
        found = found if name in ("title", "author") else found[:1]
        value = self.text[found[0].start : found[-1].end]
        if len(found) > 1:
            value = f"({value})" if name == "title" else f'"{value.replace(chr(34), "")}"'
        said = _("No blank between “%(field)s:” and its value") % {"field": name}
        return self._error(said, token.start, found[-1].end, f"{name}:{value}")

    def _label(self, name: str, token: Token) -> Node:
        """The text of a field that is no title."""
        start, end = token.start, token.end
        text = " ".join(token.text.strip('"').split())
        if name == "category":
            text = text.removesuffix(".*")
        if not text or not any(map(str.isalnum, text)):
            raise self._error(_nothing_behind(name), self._field_start(start), end)
        if "*" in text:
            message = _("“%(field)s:” takes no *") % {"field": name}
            if name == "category":
                message = _("“category:” takes no *; “category:cs” is all of cs")
            head = text.split("*")[0]
            instead = head.rpartition(".")[0] or head if name == "category" else text.replace("*", "")
            raise self._error(message, start, end, instead)
        folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
        return Field(name, Text(folded))

    def _field_start(self, start: int) -> int:
        """Where `field:` begins, if it stands right before this place."""
        before = [token for token in self.tokens if token.end == start and token.kind == "field"]
        return before[0].start if before else start

    # --- words
    def _words(self, token: Token) -> Node:
        """A word, a prefix, or a phrase where there are several words in quotes or joined by hyphens."""
        text = token.text.rstrip(".,;:?!") if token.kind == "term" else token.text
        if "*" in text and any(map(str.isalnum, text)):
            return self._prefix(text, token)
        folded = [word for word, _, _ in words.split(text)]
        if not folded:
            raise self._no_word(token)
        return Word(folded[0]) if len(folded) == 1 else Phrase(tuple(folded))

    def _prefix(self, text: str, token: Token) -> Node:
        if token.kind == "quoted":
            instead = text.replace("*", "")
            raise self._error(_("A * stands at the end of a word, outside quotes"), token.start, token.end, instead)
        folded = [word for word, _, _ in words.split(text.replace("*", ""))]
        if text.count("*") == 1 and text.endswith("*") and len(folded) == 1 and len(folded[0]) >= MIN_PREFIX:
            return Prefix(folded[0])
        head = text.split("*")[0]
        is_long = len(head) >= MIN_PREFIX and head.isalnum()
        message = _("A prefix is one word of at least %(least)s letters before the *") % {"least": MIN_PREFIX}
        raise self._error(message, token.start, token.end, f"{head}*" if is_long else text.replace("*", ""))

    def _no_word(self, token: Token) -> InterestError:
        following = self._peek()
        if token.text in MINUS and following and following.kind in ("term", "quoted", "open", "field"):
            # It may be a list's dash, too; but a mend never says the opposite of what was typed.
            message = _("A - stands right before what it excludes")
            return self._error(message, token.start, following.start, "-")
        start = self._field_start(token.start)
        said = _("There is no word in “%(text)s”") % {"text": token.text}
        return self._error(said if token.text.strip('" ') else _("There is no word in these quotes"), start, token.end)

    def _refuse_only_stop_words(self, parts: list[Node], places: list[tuple[int, int]]) -> None:
        """A line, or one side of an OR, that every paper would match is a slip."""
        wanted = [part for part in parts if not isinstance(part, Not)]
        if not wanted or not all(map(says_nothing, wanted)):
            return
        start, end = places[0][0], places[-1][1]
        message = _("“%(words)s” is in every paper: add a word that tells papers apart") % {
            "words": self.text[start:end]
        }
        if len(wanted) == len(parts) > 1 and all(isinstance(part, Word) for part in parts):
            raise self._error(message, start, end, f'"{self.text[start:end]}"')  # "to be or not to be" is a title
        mend = self.text
        for first, last in reversed(places):
            mend = mend[:first] + mend[last:]
        raise InterestError(message, start, without(mend, 0, 0), end)

    def _nothing_here(self) -> InterestError:
        token = self._peek()
        before = self.tokens[self.next - 1] if self.next else None
        if token and token.kind == "or":
            return self._error(_both_sides(token), token.start, token.end)
        if token and before and before.kind == "open":
            start = self._field_start(before.start)
            return self._error(_("There is nothing in brackets"), start, token.end)
        if token:
            return self._error(_("This bracket was never opened"), token.start, token.end)
        if before and before.kind == "dust":
            said = _("There is no word in “%(text)s”") % {"text": before.text}
            return self._error(said, before.start, before.end)
        length = len(self.text.rstrip())
        mend = without(self.text, before.start, before.end) if before else ""
        return InterestError(_("Something is missing at the end"), length, mend)


def _both_sides(sign: Token) -> str:
    return _("%(sign)s needs something on both sides") % {"sign": sign.text}


def _nothing_behind(field: str) -> str:
    return _("Nothing stands behind “%(field)s:”") % {"field": field}


def _wanted(node: Node) -> Node:
    """The node without its exclusions."""
    match node:
        case And(parts):
            return all_of([_wanted(part) for part in parts if not isinstance(part, Not)])
        case Or(parts):
            return any_of([_wanted(part) for part in parts])
    return node
