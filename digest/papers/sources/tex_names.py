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
LETTERS = (
    {
        "ss": "ß",
        "ae": "æ",
        "AE": "Æ",
        "oe": "œ",
        "OE": "Œ",
        "aa": "å",
        "AA": "Å",
        "o": "ø",
        "O": "Ø",
    }
    | {
        "l": "ł",
        "L": "Ł",
        "i": "ı",
        "j": "ȷ",
    }
    | {
        "dh": "ð",
        "DH": "Ð",
        "th": "þ",
        "TH": "Þ",
        "dj": "đ",
        "DJ": "Đ",
        "ng": "ŋ",
        "NG": "Ŋ",
    }
)

# \'e  \'{e}  {\'e}  \c{c}  \v s; a letter may carry an accent already.
ACCENTED = re.compile(
    r"""\\(?:(?P<sign>[`'^~=."])|(?P<word>[uvHckrdb])(?=[\s{\\ıȷ]))\s{0,3}(?:(?P<brace>\{)\s{0,3})?(?P<letter>[^\W\d_][\u0300-\u0338]{0,3})(?(brace)\s?\})"""
)
LETTER = re.compile(r"\\(?P<name>ss|ae|AE|oe|OE|aa|AA|dh|DH|th|TH|dj|DJ|ng|NG|o|O|l|L)(?![A-Za-z])(?:\{\}|\s)?")
DOTLESS = re.compile(r"\\(?P<name>[ij])(?![A-Za-z])")  # an accent stands before it, and a space behind it is one
BRACED_LETTER = re.compile(r"(?<![A-Za-z])\{([^\W\d_][\u0300-\u0338]{0,3})\}")
DOTTED = str.maketrans("ıȷ", "ij")  # Unicode composes accents with the dotted letters
STACKED = 3  # accents: Vietnamese has two
BRACES = str.maketrans("", "", "{}")


def accents_composed(text: str) -> str:
    """The text with TeX's accents and letters as Unicode; its other commands and braces stay."""
    text = DOTLESS.sub(_letter, LETTER.sub(_letter, text))
    for _ in range(STACKED):  # the innermost first
        text, before = ACCENTED.sub(_accented, BRACED_LETTER.sub(r"\1", text)), text
        if text == before:
            break
    return text


def name_without_tex(name: str) -> str:
    """The name with TeX's accents and letters as Unicode and without its braces; anything else in it stays."""
    return (accents_composed(name) if "\\" in name else name).translate(BRACES)


def _letter(found: re.Match[str]) -> str:
    return LETTERS[found["name"]]


def _accented(found: re.Match[str]) -> str:
    letter = found["letter"].translate(DOTTED)
    return unicodedata.normalize("NFC", letter + ACCENTS[found["sign"] or found["word"]])
