r"""Text out of TeX, as reference managers write it into titles and abstracts: `{\textless}`, `\enquote{…}`, `{\'{\i}}`.

What each command stands for is pylatexenc's table. Its parser is not used: it takes half a millisecond a command (a
bibliography of some thousand entries, minutes), gives up on braces that are never closed, and takes the "%" that
Mendeley leaves unescaped for the beginning of a comment.
"""

from __future__ import annotations

import re
from functools import cache

from pylatexenc.latex2text import get_default_latex_context_db
from pylatexenc.latexencode import get_builtin_uni2latex_dict

from digest.papers.sources.tex_names import LETTERS, accents_composed

# Formulas stay as they are, as in every other source.
FORMULA = re.compile(r"((?<!\\)\$\$[^$]{1,2000}\$\$|(?<!\\)\$[^$]{1,2000}\$|\\\((?:[^$\\]|\\(?![()])){1,2000}\\\))")
IN_BRACES = r"\s?\{((?:\\.|[^{}\\]){0,300})\}"
UNSEEN = re.compile(rf"\\(?:[vh]?phantom|noopsort|label|[a-z]?cite[a-z]?|footnote|thanks|hspace|vspace)\*?{IN_BRACES}")
LINK = re.compile(rf"\\(?:href|foreignlanguage|textcolor|selectlanguage){IN_BRACES}")  # its first braces are not read
QUOTE = re.compile(rf"\\(?:enquote|mkbibquote)\*?{IN_BRACES}")
RAISED = re.compile(rf"\\textsuperscript{IN_BRACES}")
TOKEN = re.compile(
    r"\\(?P<word>[A-Za-z]{1,60})\*?(?:\{\}|[ \t\n])?|\\(?P<sign>[^A-Za-z])|(?P<tie>~)|(?P<brace>[{}])|---?|``|''"
)
SINGLE_QUOTED = re.compile(r"(?<![\w`\\])`([^`'\n]{1,300})'(?![\w'])")
WORD = re.compile(r"\\(?:\{\\)?([A-Za-z]+)\}?|\{\\([A-Za-z]+)\}")
SPACES = frozenset(",;: \\\n\t")
NOTHING = frozenset("!/-@")
DASHES = {"---": "—", "--": "–", "``": "“", "''": "”"}
OPEN, CLOSED = "\ue000", "\ue001"  # braces that are text; private, and in no page
KEPT_BRACES = str.maketrans({OPEN: "{", CLOSED: "}"})
OWN = {
    **{
        "textquotedblleft": "“",
        "textquotedblright": "”",
        "textquoteleft": "‘",
        "textquoteright": "’",
        "lq": "‘",
        "rq": "’",
    },
    **{"textmu": "µ", "texttimes": "×", "textregistered": "®", "textbackslash": "\\", "textasciicircum": "^"},
    **{"textasciitilde": "~", "textbar": "|", "euro": "€", "texteuro": "€", "textcelsius": "°C", "S": "§", "P": "¶"},
    **{
        "degree": "°",
        "textquotesingle": "'",
        "textquotedbl": '"',
        "quotedblbase": "„",
        "quotesinglbase": "‚",
        "newline": " ",
    },
    **{"textunderscore": "_", "textdollar": "$", "textbraceleft": OPEN, "textbraceright": CLOSED, "lbrace": OPEN},
    **{"rbrace": CLOSED, "quad": " ", "qquad": " ", "space": " ", "ldots": "…", "dots": "…", "textellipsis": "…"},
    **{
        "textless": "<",
        "textgreater": ">",
        "copyright": "©",
        "textcopyright": "©",
        "texttrademark": "™",
        "textdegree": "°",
    },
    **{"TeX": "TeX", "LaTeX": "LaTeX", "LaTeXe": "LaTeX2e", "BibTeX": "BibTeX", "XeTeX": "XeTeX", "today": ""},
    **{"textonehalf": "½", "textpm": "±", "textdiv": "÷", "textminus": "−", "textperthousand": "‰", "textnumero": "№"},
}


@cache
def characters() -> dict[str, str]:
    """What each text command stands for, by its name."""
    found: dict[str, str] = {}
    for number, latex in get_builtin_uni2latex_dict().items():
        name = WORD.fullmatch(latex.strip())
        if name:
            found.setdefault(name[1] or name[2], chr(number))
    for categories in get_default_latex_context_db().d.values():
        for name, spec in categories["macros"].items():
            if isinstance(spec.simplify_repl, str) and len(spec.simplify_repl) == 1:
                found[name] = spec.simplify_repl
    return found | LETTERS | OWN


def plain_tex(text: str) -> str:
    """The text without TeX's braces, accents and text commands; what stands between dollars stays TeX."""
    if not any(sign in text for sign in "\\{}~$-`'"):
        return text
    parts = FORMULA.split(text)
    parts[::2] = map(_without_tex, parts[::2])
    return "".join(parts).translate(KEPT_BRACES)


def _without_tex(text: str) -> str:
    if "\\" in text:
        text = LINK.sub("", UNSEEN.sub("", accents_composed(text)))
        text = RAISED.sub(_raised, QUOTE.sub(r"“\1”", text))
    return TOKEN.sub(_meaning, SINGLE_QUOTED.sub("‘\\1’", text))


def _raised(found: re.Match[str]) -> str:
    inner = found[1].strip()
    if inner.isalpha():  # "1\textsuperscript{st}" is no power
        return inner
    return f"^{inner}" if len(inner) == 1 or inner.lstrip("-+−").isdigit() else f"^{OPEN}{inner}{CLOSED}"


def _meaning(found: re.Match[str]) -> str:
    if found["brace"]:
        return ""
    if found["tie"]:
        return " "
    if sign := found["sign"]:
        return _sign(sign)
    if not found["word"]:
        return DASHES[found[0]]
    known = characters()
    if (meant := known.get(found["word"])) is not None:
        # A space behind a command only ends it.
        return meant
    return _glued(found["word"], known) + (" " if found[0][-1].isspace() and len(found["word"]) > 4 else "")


def _sign(sign: str) -> str:
    if sign in SPACES:
        return " "
    if sign in NOTHING:
        return ""
    return {"{": OPEN, "}": CLOSED}.get(sign, sign)


def _glued(word: str, known: dict[str, str]) -> str:
    r"""JabRef's `\textbackslashKettle`: the word behind a command; "" for a command nobody knows."""
    for end in range(len(word) - 1, 6, -1):
        if word[:end] in known and word[end].isupper():
            return ("" if known[word[:end]] == "\\" else known[word[:end]]) + word[end:]
    return ""
