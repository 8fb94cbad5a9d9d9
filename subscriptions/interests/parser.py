"""A line in, its parts out, or an `InterestError` that points at the place and proposes the mend."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from django.utils.translation import gettext

from subscriptions.interests.errors import InterestError, TooMuch
from subscriptions.interests.grammar import MAX_DEPTH, MAX_TERMS, PRINTED, TYPED, read
from subscriptions.interests.language import And, Node, Not, Or, Pin
from subscriptions.interests.simplify import all_of, any_of
from subscriptions.interests.tokens import plain
from subscriptions.interests.typos import find_slip

__all__ = ["MAX_DEPTH", "MAX_LENGTH", "MAX_TERMS", "InterestError", "parse", "reread"]

MAX_LENGTH = 500  # characters in a line
MAX_MENDED = 2000  # characters up to which a longer line is worth a suggestion
_ROUNDS = 8  # mistakes that one suggestion mends


def parse(line: str) -> Node:
    """The parts of a line somebody typed. Raises InterestError, whose suggestion, if any, can itself be read."""
    length = max(len(line), len(unicodedata.normalize("NFC", line)))
    line = plain(line)
    try:
        if length > MAX_LENGTH:
            message = gettext("The line has %(count)s characters, %(most)s are the most: split it in two")
            message %= {"count": length, "most": MAX_LENGTH}
            raise TooMuch(message, MAX_LENGTH, end=max(len(line), MAX_LENGTH))
        return _read_typed(line)
    except InterestError as error:
        if isinstance(error, TooMuch) and length <= MAX_MENDED:
            error.suggestion = _in_smaller_lines(line)
        error.suggestion = _mended(error.suggestion, line)
        raise


def reread(printed: str) -> Node:
    """The parts of a line that `str(node)` printed. Raises InterestError when nothing ever printed it."""
    return read(printed, PRINTED)


def _read_typed(line: str) -> Node:
    slip = find_slip(line)
    if slip:
        raise slip
    return read(line, TYPED)


def _mended(suggestion: str, line: str) -> str:
    """The suggestion with the further mistakes mended that it still holds; "" if that leads nowhere."""
    pieces = [piece for piece in suggestion.split("\n") if piece.strip()]
    for _ in range(_ROUNDS):
        errors = {piece: error for piece in pieces if (error := _error_in(piece))}
        if not errors:
            return "" if pieces == [line.strip()] else "\n".join(dict.fromkeys(pieces))
        mended = [errors[piece].suggestion if piece in errors else piece for piece in pieces]
        pieces = [piece for text in mended for piece in text.split("\n") if piece.strip()]
    return ""


def _error_in(line: str) -> InterestError | None:
    try:
        if len(line) > MAX_LENGTH:
            return InterestError("too long")
        _read_typed(line)
    except InterestError as error:
        return error
    return None


def _in_smaller_lines(line: str) -> str:
    """Lines within the limits that together mean the same; "" where there is no OR to split at."""
    try:
        node = read(line, PRINTED)
    except InterestError:
        return ""
    inner = node.part if isinstance(node, Pin) else node
    parts = inner.parts if isinstance(inner, And) else (inner,)
    out = [part for part in parts if isinstance(part, Not)]
    wanted = [part for part in parts if not isinstance(part, Not)]
    split = wanted[0].parts if len(wanted) == 1 and isinstance(wanted[0], Or) else (inner,)
    lines: list[list[Node]] = [[]]
    for part in split:
        if lines[-1] and not _fits(_line(node, [*lines[-1], part], out)):
            lines.append([])
        lines[-1].append(part)
    texts = [_line(node, alternatives, out) for alternatives in lines]
    return "\n".join(texts) if all(map(_fits, texts)) else ""


def _line(like: Node, alternatives: Sequence[Node], out: Sequence[Node]) -> str:
    node = all_of([any_of(alternatives), *out])
    return str(Pin(node) if isinstance(like, Pin) else node)


def _fits(text: str) -> bool:
    return len(text) <= MAX_LENGTH and text.count(" ") < MAX_TERMS
