"""Pages: today's papers with the sign-up, the archive, a paper, search, the preview, a mail's web copy, feedback."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core import signing
from django.core.cache import cache
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, connection
from django.db.models import Min, Prefetch
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_GET, require_http_methods, require_safe

from digest import links, previewing
from digest.composing import context as digest_context
from digest.excerpts import byline, cut
from digest.models import Edition, Listing, Paper
from subscriptions.forms import SignupForm
from subscriptions.interests.parser import InterestError
from subscriptions.limits import limited

PAGE_SIZE = 60


@require_safe
def today(request: HttpRequest) -> HttpResponse:
    """The newest list as the world sees it, with the sign-up beside it."""
    newest = Edition.objects.with_papers().filter(date__lte=timezone.now().date()).order_by("-date").first()
    values: dict[str, Any] = {"form": SignupForm(), "papers": [], "date": None}
    if newest:
        values |= _list_of(newest.date)
    return render(request, "digest/today.html", values)


@require_safe
def archive(request: HttpRequest, date: dt.date) -> HttpResponse:
    """The list of one date."""
    values = _list_of(date)
    if not values["papers"]:
        raise Http404("No list of that date.")
    return render(request, "digest/archive.html", values)


def _list_of(date: dt.date) -> dict[str, Any]:
    """A date's papers of all sources, most upvoted first, and the dates before and after."""
    papers = (
        Paper.objects.filter(listings__edition__date=date)
        .annotate(best_rank=Min("listings__rank"))
        .order_by("-upvotes", "best_rank", "pk")
    )
    dates = Edition.objects.with_papers().order_by()
    return {
        "date": date,
        "count": papers.count(),
        "papers": [_row(paper) for paper in papers[:PAGE_SIZE]],
        "previous": dates.filter(date__lt=date).order_by("-date").values_list("date", flat=True).first(),
        "next": dates.filter(date__gt=date).order_by("date").values_list("date", flat=True).first(),
    }


def _row(paper: Paper) -> dict[str, Any]:
    return {"paper": paper, "byline": byline(paper.authors), "excerpt": cut(paper.abstract, 260)}


@require_safe
def paper(request: HttpRequest, pk: int) -> HttpResponse:
    """One paper: abstract, links, where and when it was listed."""
    listings = Listing.objects.select_related("edition__source").order_by("edition__date")
    found = get_object_or_404(Paper.objects.prefetch_related(Prefetch("listings", listings)), pk=pk)
    if found.merged_into_id:
        return redirect("digest:paper", found.merged_into_id, permanent=True)
    return render(request, "digest/paper.html", {"paper": found, "byline": byline(found.authors, 12)})


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """The recent papers that an interest line finds."""
    query = request.GET.get("q", "").strip()[:500]
    values: dict[str, Any] = {"query": query, "items": [], "error": None}
    if query:
        try:
            values["items"] = previewing.search(query, timezone.now())
        except InterestError as error:
            values["error"] = error
    return render(request, "digest/search.html", values, status=422 if values["error"] else 200)


@require_http_methods(["POST"])
@limited("preview", most=120, seconds=600)
def preview(request: HttpRequest) -> HttpResponse:
    """What the form's lines would have brought, with the button that subscribes. Stores nothing."""
    form = SignupForm(request.POST)
    form.fields["email"].required = False
    found = None
    if form.is_valid():
        wishes = form.wishes()
        found = previewing.preview(
            wishes.lines, timezone.now(), max_papers=wishes.max_papers, trending_share=wishes.trending_share
        )
    return render(request, "digest/preview.html", {"form": form, "preview": found}, status=200 if found else 422)


@require_safe
def web_copy(request: HttpRequest, token: str) -> HttpResponse:
    """A sent mail on the web, whole."""
    try:
        digest = links.digest_of(token)
    except (signing.BadSignature, ObjectDoesNotExist, ValueError):
        return _private(render(request, "subscriptions/bad_link.html", status=404))
    values = digest_context(digest, digest.subscriber, digest.picks_with_papers())
    values["feedback"] = links.feedback(digest)
    return _private(render(request, "digest/web_copy.html", values))


def _private(answer: HttpResponse) -> HttpResponse:
    """Pages behind a token are neither cached nor indexed."""
    patch_cache_control(answer, no_store=True, private=True)
    answer["X-Robots-Tag"] = "noindex"
    return answer


@require_GET
def healthz(request: HttpRequest) -> JsonResponse:
    """200 while the database and Redis answer; names what does not, and nothing else."""
    checks = {"database": _database_answers(), "redis": _redis_answers()}
    return JsonResponse(checks, status=200 if all(checks.values()) else 503)


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _redis_answers() -> bool:
    try:
        cache.set("healthz", 1, 5)
    except Exception:  # whatever it is, the answer is no
        return False
    return True
