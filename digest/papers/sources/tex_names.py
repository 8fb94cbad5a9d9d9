r"""Names as arXiv's feeds spell them: `Andr\'e`, `Erd\H{o}s`, `\L{}ukasz`.

Only names are read here. In titles and abstracts TeX is the text and stays as it is.
"""

from __future__ import annotations

import re
import unicodedata

ACCENTS = {
    "`": "\u0300",
    "'": "\u0301",
    "^": "\u0302",
    "~": "\u0303",
    "=": "\u0304",
    "u": "\u0306",
    ".": "\u0307",
    '"': "\u0308",
    "r": "\u030a",
    "H": "\u030b",
    "v": "\u030c",
    "d": "\u0323",
    "c": "\u0327",
    "k": "\u0328",
    "b": "\u0331",
}
LETTERS = {
    "ss": "ß",
    "ae": "æ",
    "AE": "Æ",
    "oe": "œ",
    "OE": "Œ",
    "aa": "å",
    "AA": "Å",
    "o": "ø",
    "O": "Ø",
} | {
    "l": "ł",
    "L": "Ł",
    "i": "i",  # dotless in TeX, because an accent follows; Unicode composes the accent with the dotted one
    "j": "j",
}

# \'e  \'{e}  {\'e}  \c{c}  \v s  \'\i
ACCENTED = re.compile(
    r"""\\(?:(?P<sign>[`'^~=."])|(?P<word>[uvHckrdb])(?=[\s{\\]))\s*(?:\{\s*)?\\?(?P<letter>[A-Za-z])"""
)
LETTER = re.compile(r"\\(?P<name>ss|ae|AE|oe|OE|aa|AA|o|O|l|L|i|j)(?![A-Za-z])\s?")
BRACES = str.maketrans("", "", "{}")


def name_without_tex(name: str) -> str:
    """The name with TeX's accents and letters as Unicode and without its braces; anything else in it stays."""
    spelled = LETTER.sub(lambda found: LETTERS[found["name"]], ACCENTED.sub(_accented, name))
    return spelled.translate(BRACES)


def _accented(found: re.Match[str]) -> str:
    return unicodedata.normalize("NFC", found["letter"] + ACCENTS[found["sign"] or found["word"]])
