"""Pages that propose lines: for somebody who signs up, and for a reader. They store nothing but a click on "more"."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from digest.mail.tracking.signup_likes import like
from digest.picks.suggestions.suggest import Suggestions, from_found, from_liked, from_text
from subscriptions.forms import PreferencesForm, SignupForm
from subscriptions.interest_form import MAX_TYPED, paper_numbers, typed_lines
from subscriptions.limits import limited
from subscriptions.links import ACCESS
from subscriptions.models import Subscriber
from subscriptions.token_views import for_reader
from subscriptions.workload import computes


@require_POST
@limited("suggest", most=60, seconds=600)
@computes
def suggest(request: HttpRequest, *, deadline: float) -> HttpResponse:
    """Lines from what was pasted into the sign-up form, which comes back with all that was typed."""
    found = from_text(request.POST.get("paste", ""), timezone.now(), _lines(request), deadline)
    papers = dict.fromkeys([*paper_numbers(request.POST.get("papers", "")), *(paper.pk for paper in found.papers)])
    initial = _typed(request) | {"papers": ",".join(map(str, papers))}
    values = {"form": SignupForm(initial=initial), "paste": request.POST.get("paste", "")}
    return render(request, "digest/suggest.html", values | _shown(found))


@require_POST
@limited("suggest", most=60, seconds=600)
@for_reader(ACCESS)
@computes
def suggest_for(request: HttpRequest, token: str, reader: Subscriber, *, deadline: float) -> HttpResponse:
    """The same for a reader, or `from` what they liked or their lines found; `like` notes "more" of pasted papers."""
    now = timezone.now()
    if "like" in request.POST:
        count = like(reader, paper_numbers(request.POST["like"]), now)
        messages.success(request, ngettext("Noted: more like this.", "Noted: more like these.", count))
        return redirect("subscriptions:preferences", token)
    source = request.POST.get("from", "")
    if source == "liked":
        found = from_liked(reader, now, deadline)
    elif source == "found":
        found = from_found(reader, now, deadline)
    else:
        found = from_text(request.POST.get("paste", ""), now, _lines(request), deadline)
    values = {
        "form": PreferencesForm(initial=_typed(request)),
        "paste": request.POST.get("paste", ""),
        "token": token,
        "source": source,
    }
    return render(request, "digest/suggest.html", values | _shown(found))


def _shown(found: Suggestions) -> dict[str, Any]:
    return {"suggestions": found.lines, "papers": found.papers, "lacking": found.lacking}


def _lines(request: HttpRequest) -> list[str]:
    """The lines that stand in the form, no more than it takes."""
    return typed_lines(request.POST.get("interests", "")[:MAX_TYPED])


def _typed(request: HttpRequest) -> dict[str, str]:
    """What stands in the form's fields, unchecked: it goes back into them."""
    posted: MultiValueDict[str, str] = request.POST
    return {name: str(posted[name]) for name in SignupForm.base_fields if posted.get(name)}
