"""A line cut into tokens, each with its place. What other keyboards and search engines write is taken as ours:
“ ” « » ＂ are quotation marks, － – — are minus signs, && and + are AND, || is OR, ANDNOT is NOT.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from django.utils.translation import gettext as _

from subscriptions.interests.errors import InterestError

MINUS = "-‐‑–—−"
_QUOTES = "“”„‟«»〝〞〟《》「」"
# Full-width forms, as typed on a keyboard set to Chinese or Japanese, are the ASCII signs 0xFEE0 below them.
_SAME: dict[int, int | str] = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_SAME |= {ord(quote): '"' for quote in _QUOTES} | {0x3000: " ", ord("、"): ",", ord("【"): "[", ord("】"): "]"}
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufdd0-\ufdef\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]+"
)
_END = r'(?![^\s()"|])'
_TOKEN = re.compile(
    rf"""
      (?P<open>\() | (?P<close>\))
    | (?P<or>\|\|? | (?:OR|Or|or){_END})
    | (?P<and>(?:&&?|\+|AND|And|and){_END})
    | (?P<not>(?:NOT|ANDNOT){_END})
    | (?P<plus>\+(?=[^\s+]))
    | (?P<minus>[{MINUS}](?=\S))
    | (?P<pin>!+)
    | (?P<field>[^\W\d_]+:)
    | (?P<dust>[.,;:?…·/\\=_]+{_END})
    | (?P<quoted>"[^"]*") | (?P<stray>")
    | (?P<term>[^\s()"|]+)
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a line: its kind (a group of the pattern above; dust is punctuation by itself), text and place."""

    kind: str
    text: str
    start: int
    end: int


def plain(line: str) -> str:
    """The line composed, with our own signs, character by character: places stay the same."""
    return unicodedata.normalize("NFC", line).translate(_SAME)


def tokens(line: str) -> list[Token]:
    """The tokens of a plain line. Raises InterestError for what nobody can see."""
    found = _INVISIBLE.search(line)
    if found:
        mend = _INVISIBLE.sub("", line).strip()
        raise InterestError(_("There is an invisible character"), found.start(), mend, found.end())
    return [Token(str(m.lastgroup), m.group(), m.start(), m.end()) for m in _TOKEN.finditer(line)]


def without(line: str, start: int, end: int, instead: str = "") -> str:
    """The line with a piece taken out or replaced: what to try next. Blanks inside quotes stay."""
    pieces = f"{line[:start]}{instead}{line[end:]}".split('"')
    pieces[::2] = [re.sub(r"\s+", " ", piece).replace("( ", "(").replace(" )", ")") for piece in pieces[::2]]
    return '"'.join(pieces).strip()
