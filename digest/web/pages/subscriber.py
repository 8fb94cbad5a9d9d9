"""What a reader finds behind their preferences link: why not a paper, what was sent and saved, their data."""

from __future__ import annotations

import json

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from digest.models import Feedback
from digest.picks.explanation.explain import explain
from digest.picks.explanation.find_paper import MAX_QUESTION
from digest.web.pages.citations import bibtex, ris
from digest.web.pages.data_export import held
from subscriptions import erasure
from subscriptions.limits import client_network, is_over
from subscriptions.links import ACCESS
from subscriptions.models import Subscriber
from subscriptions.token_views import for_reader
from subscriptions.visible import in_json
from subscriptions.workload import computes

MOST_SAVED = 500  # papers shown, and in one file


@require_safe
@for_reader(ACCESS)
def why(request: HttpRequest, token: str, reader: Subscriber) -> HttpResponse:
    """Why a paper was, or was not, in this reader's mail."""
    text = request.GET.get("paper", "").strip()[:MAX_QUESTION]
    if text and is_over("why", client_network(request), most=60, seconds=600):
        return _slow_down(request, 600)
    if text:
        return _explained(request, token, reader, text)
    return render(request, "digest/why.html", {"text": text, "found": None, "token": token})


@computes
def _explained(request: HttpRequest, token: str, reader: Subscriber, text: str, *, deadline: float) -> HttpResponse:
    found = explain(reader, text, timezone.now())
    return render(request, "digest/why.html", {"text": text, "found": found, "token": token})


@require_http_methods(["GET", "HEAD", "POST"])
@for_reader(ACCESS)
def saved(request: HttpRequest, token: str, reader: Subscriber) -> HttpResponse:
    """The papers a reader saved, newest first; a POST takes one off the list, or puts it back."""
    removed = None
    if request.method == "POST":
        row = reader.feedback.filter(kind=Feedback.Kind.SAVE, paper=_number(request.POST.get("paper", ""))).first()
        if row:
            row.undone_at = None if "undo" in request.POST else timezone.now()
            row.save(update_fields=["undone_at"])
            removed = row.paper if row.undone_at else None
    rows = saved_by(reader)
    values = {"token": token, "rows": rows[:MOST_SAVED], "count": rows.count(), "removed": removed}
    return render(request, "digest/saved.html", values | {"most": MOST_SAVED})


def saved_by(reader: Subscriber) -> QuerySet[Feedback]:
    """What the reader saved and has not taken back, newest first."""
    rows = reader.feedback.filter(kind=Feedback.Kind.SAVE, undone_at=None)
    return rows.select_related("paper").order_by("-at", "-pk")


@require_http_methods(["GET", "HEAD", "POST"])
@for_reader(ACCESS)
def said(request: HttpRequest, token: str, reader: Subscriber) -> HttpResponse:
    """What a subscriber wants more and less of, newest first; a POST takes one back."""
    rows = reader.feedback.filter(undone_at=None).exclude(kind=Feedback.Kind.SAVE)
    if request.method == "POST":
        rows.filter(pk=_number(request.POST.get("take_back", ""))).update(undone_at=timezone.now())
        return redirect("digest:said", token)
    shown = rows.select_related("paper").order_by("-at", "-pk")[:MOST_SAVED]
    return render(request, "digest/said.html", {"token": token, "rows": shown})


@require_safe
@for_reader(ACCESS)
def saved_bib(request: HttpRequest, token: str, reader: Subscriber) -> HttpResponse:
    """The saved papers as BibTeX."""
    text = bibtex(row.paper for row in saved_by(reader)[:MOST_SAVED])
    return _file(text, "application/x-bibtex; charset=utf-8", "saved-papers.bib")


@require_safe
@for_reader(ACCESS)
def saved_ris(request: HttpRequest, token: str, reader: Subscriber) -> HttpResponse:
    """The saved papers as RIS."""
    text = ris(row.paper for row in saved_by(reader)[:MOST_SAVED])
    return _file(text, "application/x-research-info-systems; charset=utf-8", "saved-papers.ris")


@require_safe
@for_reader(ACCESS)
def data(request: HttpRequest, token: str, reader: Subscriber) -> HttpResponse:
    """All that is held of this reader, as a file."""
    if is_over("data", client_network(request), most=20, seconds=3600):
        return _slow_down(request, 3600)
    text = json.dumps(held(reader), cls=DjangoJSONEncoder, ensure_ascii=False, indent=1)
    return _file(in_json(text), "application/json; charset=utf-8", "paper-round.json")


@require_http_methods(["GET", "HEAD", "POST"])
@for_reader(ACCESS)
def erase(request: HttpRequest, token: str, reader: Subscriber) -> HttpResponse:
    """Says what erasing means; a POST does it, for good."""
    if request.method != "POST":
        return render(request, "digest/erase.html", {"token": token, "reader": reader})
    erasure.erase(reader)
    return render(request, "digest/erased.html")


def _slow_down(request: HttpRequest, seconds: int) -> HttpResponse:
    answer = render(request, "subscriptions/slow_down.html", status=429)
    answer["Retry-After"] = str(seconds)
    return answer


def _file(text: str, kind: str, name: str) -> HttpResponse:
    return HttpResponse(text, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _number(text: str) -> int:
    """A row's number out of a form; 0, which is none, for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0
