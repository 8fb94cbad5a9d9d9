"""The search page."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from digest.mail.rendering import show
from digest.papers.search import index
from digest.picks.explanation.find_paper import named_papers, unknown
from digest.relevance.matching.queries import Query
from subscriptions.interests.parser import InterestError, parse
from subscriptions.limits import SEARCHES_IN, is_searching_too_much, slow_down
from subscriptions.workload import computes

RESULTS = 20  # a page
MAX_LINE = 500  # characters


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """The papers an interest line finds, newest first; `before` is where the page before ended."""
    line = request.GET.get("q", "").strip()[:MAX_LINE]
    if line and is_searching_too_much(request):
        return slow_down(request, SEARCHES_IN)
    if line:
        return _results(request, line)
    return render(request, "digest/search.html", {"query": line, "items": [], "error": None, "is_later_page": False})


@computes
def _results(request: HttpRequest, line: str, *, deadline: float) -> HttpResponse:
    values: dict[str, Any] = {"query": line, "items": [], "error": None, "is_later_page": "before" in request.GET}
    if (named := named_papers(line)) is not None:
        picks = [{"paper": paper, "lane": "interests", "points": 0, "trend": 0, "reasons": []} for paper in named]
        values |= {"items": show(picks), "unknown": "" if named else unknown(line)}
        return render(request, "digest/search.html", values)
    try:
        page = index.find(Query.of(0, parse(line)), RESULTS, _place(request.GET.get("before", "")), deadline)
        values |= {"items": show([_pick(line, *one) for one in page.found]), "rest": page.rest}
    except InterestError as error:
        values["error"] = error
    except index.TooMuchWork:
        values["error"] = {
            "message": gettext("That would take too long: its words are in very many papers. Add a rarer one")
        }
    return render(request, "digest/search.html", values, status=422 if values["error"] else 200)


def _place(text: str) -> int | None:
    """A place that is none begins at the beginning."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _pick(line: str, paper: Any, places: dict[str, Any], weight: float) -> dict[str, Any]:
    """As a mail shows it, without its points."""
    reason = {"kind": "match", "line": line, "points": weight, **places}
    return {"paper": paper, "lane": "interests", "points": weight, "trend": 0, "reasons": [reason]}
