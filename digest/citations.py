"""A paper as others cite it: BibTeX and RIS. Pure: text out of a Paper's fields, whatever characters they hold."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from digest.models import Paper
from subscriptions.interests.words import STOP_WORDS

# What TeX reads as an order. Everything else stays as it is: today's BibTeX (biber) reads UTF-8.
_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "&": r"\&", "%": r"\%", "$": r"\$",
    "#": r"\#", "_": r"\_", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
}  # fmt: skip


def bibtex(papers: Iterable[Paper]) -> str:
    """BibTeX entries, one key each however alike the papers are."""
    taken: set[str] = set()
    return "\n".join(_entry(paper, _key(paper, taken)) for paper in papers)


def _entry(paper: Paper, key: str) -> str:
    year = paper.published_on or paper.first_listed_on
    fields = {
        "title": f"{{{_tex(paper.title)}}}",  # a second pair of braces keeps capitals
        "author": " and ".join(_tex(author) for author in paper.authors),
        "year": f"{year:%Y}",
        "eprint": paper.arxiv_id or "",
        "archiveprefix": "arXiv" if paper.arxiv_id else "",
        "primaryclass": paper.categories[0] if paper.arxiv_id and paper.categories else "",
        "doi": paper.doi or "",
        "url": paper.link,
    }
    lines = [f"  {name} = {{{_line(value)}}}," for name, value in fields.items() if value]
    kind = "article" if paper.doi else "misc"
    return "\n".join([f"@{kind}{{{key},", *lines, "}", ""])


def _key(paper: Paper, taken: set[str]) -> str:
    """lovelace2026engines, with a letter where another has it: ASCII, as old BibTeX wants it."""
    name = _ascii(paper.authors[0].split()[-1]) if paper.authors and paper.authors[0].split() else ""
    words = [word for word in re.findall(r"\w+", paper.title.lower()) if word not in STOP_WORDS]
    word = next((found for one in words if (found := _ascii(one))), "")
    year = paper.published_on or paper.first_listed_on
    stem = f"{name or 'paper'}{year:%Y}{word}"
    key, number = stem, 1
    while key in taken:
        number += 1
        key = f"{stem}-{number}"
    taken.add(key)
    return key


def ris(papers: Iterable[Paper]) -> str:
    """RIS records, as reference managers read them; lines end as the format wants it."""
    return "".join(_record(paper) for paper in papers)


def _record(paper: Paper) -> str:
    date = paper.published_on or paper.first_listed_on
    rows = [
        ("TY", "JOUR" if paper.doi else "UNPB"),
        ("TI", paper.title),
        *(("AU", author) for author in paper.authors),
        ("PY", f"{date:%Y}"),
        ("DA", f"{date:%Y/%m/%d}"),
        ("AB", paper.abstract),
        ("DO", paper.doi or ""),
        ("UR", paper.link),
        ("ID", f"arXiv:{paper.arxiv_id}" if paper.arxiv_id else ""),
    ]
    lines = [f"{tag}  - {_line(value)}" for tag, value in rows if value]
    return "\r\n".join([*lines, "ER  - ", "", ""])


def _line(text: str) -> str:
    """In one line: a line of its own could pass for another field."""
    return " ".join(text.split())


def _tex(text: str) -> str:
    return "".join(_SPECIAL.get(ch, ch) for ch in text)


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text)
    return re.sub(r"[^a-z0-9]", "", plain.encode("ascii", "ignore").decode().lower())
