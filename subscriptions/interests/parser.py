"""A line in, its parts out, or an `InterestError` that points at the place and proposes the mend.

line   = group { OR group }          an exclusion at the very end holds for the whole line
group  = term { term }               all of them
term   = [-] ( word | prefix* | "phrase" | ( line ) | field:value )
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from dataclasses import dataclass

from subscriptions.interests import words
from subscriptions.interests.language import FIELDS, And, Field, Node, Not, Or, Phrase, Prefix, Text, Word

MAX_LENGTH = 500  # characters in a line
MAX_TERMS = 60
MAX_DEPTH = 8
MIN_PREFIX = 3

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<open>[-–−]?\()
    | (?P<close>\))
    | (?P<term>[-–−]?(?:[A-Za-z]+:)?(?:"[^"]*"|[^\s()"]+))
    | (?P<stray>["])
    )""",
    re.VERBOSE,
)
_MINUS = "-–−"
_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"', "«": '"', "»": '"'})
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


class InterestError(ValueError):
    """What is wrong with a line: `position` counts characters from 0, `suggestion` is "" or a mend."""

    def __init__(self, message: str, position: int = 0, suggestion: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.position = position
        self.suggestion = suggestion

    def __str__(self) -> str:
        try_this = f" Try: {self.suggestion}" if self.suggestion else ""
        return f"{self.message} (at character {self.position + 1}).{try_this}"


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int


def parse(line: str) -> Node:
    """The parts of a line somebody typed. Raises InterestError, whose suggestion, if any, can itself be read."""
    length = max(len(line), len(unicodedata.normalize("NFC", line)))
    if length > MAX_LENGTH:
        raise InterestError(f"The line has {length} characters, {MAX_LENGTH} are the most: split it in two", MAX_LENGTH)
    try:
        return _read(line, MAX_DEPTH)
    except InterestError as error:
        if error.suggestion and not _can_be_read(error.suggestion):
            error.suggestion = ""
        raise


def _can_be_read(line: str) -> bool:
    try:
        _read(line, MAX_DEPTH)
    except InterestError:
        return False
    return True


def reread(printed: str) -> Node:
    """The parts of a line that `str(node)` printed: it may be longer and deeper than what was typed."""
    return _read(printed, 2 * MAX_DEPTH)


def _read(line: str, max_depth: int) -> Node:
    line = unicodedata.normalize("NFC", line).translate(_QUOTES)
    found = _CONTROL.search(line)
    if found:
        raise InterestError("There is an invisible character", found.start(), _CONTROL.sub("", line).strip())
    tokens = _tokens(line)
    if not tokens:
        raise InterestError("The line is empty")
    node = _Reader(line, tokens, max_depth).line()
    _refuse_only_stop_words(node)
    return node


def _tokens(line: str) -> list[_Token]:
    tokens, place = [], 0
    while place < len(line.rstrip()):
        found = _TOKEN.match(line, place)
        if not found or found.lastgroup == "stray":
            start = found.start("stray") if found else place
            raise InterestError("This quotation mark is never closed", start, f'{line.rstrip()}"')
        kind = str(found.lastgroup)
        tokens.append(_Token(kind, found.group(kind), found.start(kind)))
        place = found.end()
    if sum(token.kind == "term" for token in tokens) > MAX_TERMS:
        raise InterestError(f"More than {MAX_TERMS} words: split the line in two", tokens[-1].start)
    return tokens


class _Reader:
    """Recursive descent over the tokens of one line."""

    def __init__(self, text: str, tokens: list[_Token], max_depth: int) -> None:
        self.text, self.tokens, self.next = text, tokens, 0
        self.depth, self.max_depth = 0, max_depth

    def line(self) -> Node:
        node = self._alternatives()
        if self.next < len(self.tokens):
            token = self.tokens[self.next]
            raise InterestError("This bracket was never opened", token.start, _with(self.text, token.start, ")"))
        return node

    def _alternatives(self) -> Node:
        groups = [self._group()]
        while self._peek_is_or():
            word, place = self.tokens[self.next].text, self.tokens[self.next].start
            self.next += 1
            if self._at_end() or self._peek_is_or():
                raise InterestError("OR needs something on both sides", place, _with(self.text, place, word))
            groups.append(self._group())
        return self._joined(groups)

    def _joined(self, groups: list[list[Node]]) -> Node:
        if len(groups) == 1:
            return _all_of(groups[0])
        last = groups.pop()
        trailing: list[Node] = [part for part in last if isinstance(part, Not)]
        groups.append([part for part in last if not isinstance(part, Not)])
        for group in groups:
            if all(isinstance(part, Not) for part in group):
                mend = re.sub(r"\bOR\b\s*", "", self.text).strip()
                raise InterestError("OR cannot stand beside something that is only excluded", 0, mend)
        either = _any_of([_all_of(group) for group in groups])
        return _all_of([either, *trailing]) if trailing else either

    def _group(self) -> list[Node]:
        parts: list[Node] = []
        while not self._at_end() and not self._peek_is_or():
            token = self.tokens[self.next]
            self.next += 1
            if token.kind == "open":
                parts.append(self._bracket(token))
            elif token.text == "NOT" and not self._at_end():
                self.tokens[self.next] = self._negated(self.tokens[self.next])
            elif token.text not in ("AND", "and"):
                parts.append(self._term(token))
        if not parts:
            raise self._nothing_here()
        return parts

    def _negated(self, token: _Token) -> _Token:
        if token.text.startswith("-"):
            return token
        return _Token(token.kind, f"-{token.text}", token.start)

    def _bracket(self, token: _Token) -> Node:
        self.depth += 1
        if self.depth > self.max_depth:
            raise InterestError(f"More than {self.max_depth} brackets inside each other", token.start)
        inner = self._alternatives()
        if self.next >= len(self.tokens):
            raise InterestError("This bracket is never closed", token.start, f"{self.text.rstrip()})")
        self.next += 1
        self.depth -= 1
        return _negation(inner, token.start) if len(token.text) > 1 else inner

    def _term(self, token: _Token) -> Node:
        text, start = token.text, token.start
        if text[0] in _MINUS and len(text) > 1:
            return _negation(self._term(_Token("term", text[1:], start + 1)), start)
        name, colon, value = text.partition(":")
        if colon and not text.startswith('"') and name.isalpha():
            return self._field(name, value, start)
        return _words(text, start, self.text)

    def _field(self, name: str, value: str, start: int) -> Node:
        if name.lower() not in FIELDS:
            close = difflib.get_close_matches(name.lower(), FIELDS, n=1, cutoff=0.5)
            mend = f"{close[0]}:{value}" if close else f"{name} {value}"
            mend = _with(self.text, start, f"{name}:{value}", mend)
            raise InterestError(f"There is no field “{name}:”; there are {', '.join(FIELDS)}", start, mend)
        typed, name, inside = f"{name}:{value}", name.lower(), value.strip('"').strip()
        if not inside:
            mend = _with(self.text, start, typed, f"{name}:something")
            raise InterestError(f"Nothing stands behind “{name}:”", start, mend)
        if name == "title" and value[0] in _MINUS:
            mend = _with(self.text, start, typed, f"-{name}:{value[1:]}")
            raise InterestError("The exclusion goes before the field", start + len(name) + 1, mend)
        if name == "title":
            return Field(name, _words(value, start + len(name) + 1, self.text))
        return Field(name, Text(" ".join(inside.split()).casefold()))

    def _nothing_here(self) -> InterestError:
        if self.next < len(self.tokens):
            token = self.tokens[self.next]
            if token.kind == "term":
                mend = _with(self.text, token.start, token.text)
                return InterestError("OR needs something on both sides", token.start, mend)
            opened = self.tokens[self.next - 1].start
            mend = _with(self.text, opened, self.text[opened : token.start + 1])
            return InterestError("There is nothing in brackets", token.start, mend)
        return InterestError("Something is missing at the end", len(self.text.rstrip()))

    def _at_end(self) -> bool:
        return self.next >= len(self.tokens) or self.tokens[self.next].kind == "close"

    def _peek_is_or(self) -> bool:
        return self.next < len(self.tokens) and self.tokens[self.next].text in ("OR", "or", "|")


def _with(line: str, start: int, text: str, instead: str = "") -> str:
    """The whole line with `text`, which begins at `start`, replaced or taken out: what to try next."""
    return (line[:start] + instead + line[start + len(text) :]).strip()


def _words(text: str, start: int, line: str) -> Node:
    """A word, a prefix, or a phrase where there are several words in quotes or joined by hyphens."""
    if text.endswith("*") and not text.startswith('"'):
        folded = [word for word, _, _ in words.split(text[:-1])]
        if len(folded) != 1 or len(folded[0]) < MIN_PREFIX:
            raise InterestError(
                f"A prefix is one word of at least {MIN_PREFIX} letters before the *",
                start,
                _with(line, start, text, text.replace("*", "")),
            )
        return Prefix(folded[0])
    folded = [word for word, _, _ in words.split(text)]
    if not folded:
        raise InterestError(f"There is no word in “{text}”", start, _with(line, start, text))
    return Word(folded[0]) if len(folded) == 1 else Phrase(tuple(folded))


def _negation(node: Node, start: int) -> Node:
    if isinstance(node, Not) or (isinstance(node, And) and any(isinstance(part, Not) for part in node.parts)):
        raise InterestError("An exclusion cannot hold another exclusion", start)
    _refuse_only_stop_words(node, start)
    return Not(node)


def _all_of(parts: list[Node]) -> Node:
    """All parts; stop words beside other wanted words are dropped: every paper holds an "of"."""
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, And) else (part,))]
    wanted = [part for part in flat if not isinstance(part, Not)]
    if any(not _is_stop_word(part) for part in wanted):
        flat = [part for part in flat if not _is_stop_word(part)]
    unique = list(dict.fromkeys(flat))
    return unique[0] if len(unique) == 1 else And(tuple(unique))


def _any_of(parts: list[Node]) -> Node:
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, Or) else (part,))]
    unique = list(dict.fromkeys(flat))
    return unique[0] if len(unique) == 1 else Or(tuple(unique))


def _is_stop_word(node: Node) -> bool:
    return isinstance(node, Word) and node.text in words.STOP_WORDS


def _refuse_only_stop_words(node: Node, place: int = 0) -> None:
    """A line, or one side of an OR, that every paper would match is a slip."""
    parts = node.parts if isinstance(node, And | Or) else (node,)
    wanted = [part for part in parts if not isinstance(part, Not)]
    hollow = all(map(_is_stop_word, wanted)) if not isinstance(node, Or) else any(map(_is_stop_word, wanted))
    if wanted and hollow:
        texts = " ".join(str(part) for part in wanted if _is_stop_word(part))
        raise InterestError(f"“{texts}” is in every paper: add a word that tells papers apart", place)
    for part in wanted:
        if isinstance(part, And | Or):
            _refuse_only_stop_words(part, place)
