"""Papers as BibTeX and RIS, for reference managers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from digest.models import Paper
from subscriptions.interests.words import STOP_WORDS, plain
from subscriptions.visible import visible

_FORMULA = re.compile(r"(\$[^${}]*(?:\{[^{}$]*\}[^${}]*)*\$)")
_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "%": r"\%", "#": r"\#", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
}  # fmt: skip


def bibtex(papers: Iterable[Paper]) -> str:
    """An entry a paper, keys all different; "" for none. Formulas stay as they are, all else is escaped for TeX."""
    keys: set[str] = set()
    return "\n".join(_entry(paper, _new_key(paper, keys)) for paper in papers)


def _entry(paper: Paper, key: str) -> str:
    fields = [("title", f"{{{_tex(paper.title)}}}")]  # a second pair of braces keeps capitals
    if paper.authors:
        fields.append(("author", " and ".join(_name(name) for name in paper.authors)))
    fields.append(("year", str(_year(paper))))
    if paper.arxiv_id:
        fields += [("eprint", paper.arxiv_id), ("archiveprefix", "arXiv")]
        primary = next((one for one in paper.categories if "." in one or "-" in one), "")
        fields += [("primaryclass", _tex(primary))] if primary else []
    if paper.doi:
        fields.append(("doi", _line(paper.doi)))
    fields.append(("url", _line(paper.link).replace("{", "%7B").replace("}", "%7D").replace("\\", "%5C")))
    if paper.abstract:
        fields.append(("abstract", _tex(paper.abstract)))
    body = "".join(f"  {name} = {{{value}}},\n" for name, value in fields)
    return f"@misc{{{key},\n{body}}}\n"


def _name(name: str) -> str:
    """A name that holds an "and" would be two."""
    escaped = _tex(name)
    return f"{{{escaped}}}" if re.search(r"\band\b|,", name, re.IGNORECASE) else escaped


def _new_key(paper: Paper, keys: set[str]) -> str:
    """lovelace2026diffusion, and with a number where that is taken."""
    names = paper.authors[0].split(",")[0].split() if paper.authors else []  # "Lovelace, Ada" or "Ada Lovelace"
    family = _plain(names[-1]) if names else ""
    word = next((one for word in paper.title.split() if (one := _plain(word)) and one not in STOP_WORDS), "")
    stem = f"{family or 'anonymous'}{_year(paper)}{word}"
    key = next(one for one in _numbered(stem) if one not in keys)
    keys.add(key)
    return key


def _numbered(stem: str) -> Iterator[str]:
    yield stem
    number = 2
    while True:
        yield f"{stem}-{number}"
        number += 1


def _plain(word: str) -> str:
    return "".join(letter for letter in plain(word) if letter.isascii() and letter.isalnum())[:30]


def _tex(text: str) -> str:
    pieces = _FORMULA.split(_line(text))
    return "".join(piece if number % 2 else _escaped(piece) for number, piece in enumerate(pieces))


def _escaped(text: str) -> str:
    return "".join(_SPECIAL.get(letter, letter) for letter in text)


def _line(text: str) -> str:
    """On one line, without control characters and overrides of the reading direction."""
    return " ".join(visible(" ".join(text.split())).replace("�", " ").split())


def _year(paper: Paper) -> int:
    return (paper.published_on or paper.first_listed_on).year


def ris(papers: Iterable[Paper]) -> str:
    """A reference a paper, lines ended by CRLF as RIS has them; "" for none."""
    return "".join(
        f"{tag}  - {value}\r\n" if value else f"{tag}  - \r\n" for one in papers for tag, value in _tags(one)
    )


def _tags(paper: Paper) -> Iterator[tuple[str, str]]:
    yield "TY", "GEN"
    yield "TI", _line(paper.title)
    for name in paper.authors:
        yield "AU", _line(name)
    yield "PY", str(_year(paper))
    if paper.doi:
        yield "DO", _line(paper.doi)
    if paper.arxiv_id:
        yield "AN", f"arXiv:{paper.arxiv_id}"
    yield "UR", _line(paper.link)
    if paper.abstract:
        yield "AB", _line(paper.abstract)
    yield "ER", ""
