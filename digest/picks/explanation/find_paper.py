"""Which stored paper a text names: an arXiv id, a DOI, an address, our number or a title."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext

from digest.models import Paper
from digest.papers.ingest.merge import title_key
from digest.papers.sources.identifiers import named_in

MAX_QUESTION = 1_000  # characters; titles are shorter


def find_paper(text: str) -> Paper | None:
    """The stored paper of this name; of one that was merged, the paper it turned out to be."""
    text = text.replace("\x00", "").strip()[:MAX_QUESTION]  # PostgreSQL takes no NUL
    number = text.rstrip("/").rsplit("/paper/", 1)[-1]
    arxiv_id, doi = named_in(text)
    names: list[dict[str, Any]] = [{"arxiv_id": arxiv_id}, {"doi": doi}, {"guessed_doi": doi}]
    names.append({"pk": int(number) if number.isascii() and number.isdecimal() and len(number) < 16 else 0})
    names.append({"url": text})
    for name in names:
        if any(name.values()) and (found := Paper.objects.filter(**name).select_related("merged_into").first()):
            return found.merged_into or found
    return Paper.objects.known().filter(title_key=title_key(text)).order_by("pk").first() if text else None


def named_papers(text: str) -> list[Paper] | None:
    """The papers that an identifier names, none where we lack it; None for a text that is no identifier."""
    arxiv_id, doi = named_in(text.replace("\x00", ""))
    if not (arxiv_id or doi):
        return None
    found = find_paper(text)
    return [found] if found else []


def unknown(text: str) -> str:
    """What to say of a text that names no paper we have."""
    arxiv_id, doi = named_in(text)
    if arxiv_id or doi:
        name = f"arXiv:{arxiv_id}" if arxiv_id else gettext("the DOI %(doi)s") % {"doi": doi}
        return gettext("No source we read has listed %(name)s.") % {"name": name}
    said = gettext("No paper is known by “%(text)s”: try its arXiv id, its DOI or its whole title.")
    return said % {"text": text.strip()[:200]}
