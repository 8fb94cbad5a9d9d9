"""A paper's own page: what it says, where it was listed, its upvotes over time, papers like it, how to cite it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from digest.mail.rendering.excerpts import byline
from digest.models import Listing, Paper, UpvoteObservation
from digest.picks.preview import digest_preview
from digest.web.pages import citations

RELATED = 5
WIDTH, HEIGHT = 320, 64  # of the plot, in its own units


@dataclass(frozen=True, slots=True)
class Plot:
    """Upvotes over time as a line in a box of WIDTH by HEIGHT, and what it says in words."""

    points: str
    first: tuple[dt.datetime, int]
    last: tuple[dt.datetime, int]

    @classmethod
    def of(cls, seen: Sequence[tuple[dt.datetime, int]]) -> Plot | None:
        """From (moment, upvotes) in the order of time; None when there is no time to speak of."""
        if len(seen) < 2 or seen[0][0] == seen[-1][0]:
            return None
        begin, span = seen[0][0], (seen[-1][0] - seen[0][0]).total_seconds()
        most = max(votes for _, votes in seen) or 1
        places = (
            (WIDTH * (at - begin).total_seconds() / span, HEIGHT - (HEIGHT - 4) * votes / most - 2)
            for at, votes in seen
        )
        return cls(" ".join(f"{x:.1f},{y:.1f}" for x, y in places), seen[0], seen[-1])


@require_safe
def paper(request: HttpRequest, pk: int) -> HttpResponse:
    """One paper. What was merged into another sends there."""
    listings = Listing.objects.select_related("edition__source").order_by("edition__date")
    found = get_object_or_404(Paper.objects.prefetch_related(Prefetch("listings", listings)), pk=pk)
    if found.merged_into_id:
        return redirect("digest:paper", found.merged_into_id, permanent=True)
    seen = UpvoteObservation.objects.filter(listing__paper=found).order_by("at").values_list("at", "upvotes")
    values = {
        "paper": found,
        "byline": byline(found.authors, 12),
        "plot": Plot.of(list(seen)),
        "related": digest_preview.related(found, timezone.now(), RELATED),
    }
    return render(request, "digest/paper.html", values)


def _citation(write: Callable[[list[Paper]], str], kind: str, ending: str) -> Callable[..., HttpResponse]:
    @require_safe
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        found = get_object_or_404(Paper.objects.known(), pk=pk)
        answer = HttpResponse(write([found]), content_type=f"{kind}; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="paper-{pk}.{ending}"'
        return answer

    return view


bibtex = _citation(citations.bibtex, "application/x-bibtex", "bib")
ris = _citation(citations.ris, "application/x-research-info-systems", "ris")
