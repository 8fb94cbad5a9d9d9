"""Foreign text for terminals, logs and files: without what nobody sees and a program would obey. Pure.

A control character may rub out a line of a terminal or forge one of a log; an override of the reading direction
makes a text look like another. What comes in is refused or cleaned; this is for what is written out.
"""

from __future__ import annotations

import re

# All controls but tab and line breaks; line and paragraph separators; embeddings, overrides and isolates of the
# reading direction; interlinear annotation. Joiners and plain direction marks stay: Persian is spelled with them.
_BESIDES_BREAKS = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufff9-\ufffb"
_HIDDEN = re.compile(f"[{_BESIDES_BREAKS}]")
_HIDDEN_OR_BREAK = re.compile(f"[{_BESIDES_BREAKS}\r\n]")
# The colours Django paints messages in; not the one that conceals.
_COLOUR = re.compile(r"(\x1b\[(?:0|[1457]|[34][0-7])?(?:;(?:[1457]|[34][0-7]))*m)")


def visible(text: str) -> str:
    """The text with "�" for each character that is not to be seen; tabs and line breaks stay."""
    return _HIDDEN.sub("�", text)


def for_terminal(text: str) -> str:
    """The same, with Django's own colours left in."""
    return "".join(piece if number % 2 else visible(piece) for number, piece in enumerate(_COLOUR.split(text)))


def on_one_line(text: str) -> str:
    r"""For a log: every such character, and every line break, as its escape sequence, "\x1b" or "\n"."""
    return _HIDDEN_OR_BREAK.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def in_json(text: str) -> str:
    r"""A JSON document in which they are escaped: the same values, "\u202e" where the character stood.

    Outside its strings a document holds none of them, and inside the encoder escapes those below U+0020.
    """
    return _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
