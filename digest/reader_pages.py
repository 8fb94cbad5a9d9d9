"""What a reader finds behind their preferences link: why not a paper, what was sent and saved, their data."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from digest.explaining import explain
from digest.naming import MAX_QUESTION
from subscriptions.limits import client_network, is_over
from subscriptions.links import PREFERENCES
from subscriptions.models import Subscriber
from subscriptions.views import for_reader


@require_safe
@for_reader(PREFERENCES)
def why(request: HttpRequest, token: str, reader: Subscriber) -> HttpResponse:
    """Why a paper was, or was not, in this reader's mail."""
    text = request.GET.get("paper", "").strip()[:MAX_QUESTION]
    if text and is_over("why", client_network(request), most=60, seconds=600):
        answer = render(request, "subscriptions/slow_down.html", status=429)
        answer["Retry-After"] = "600"
        return answer
    found = explain(reader, text, timezone.now()) if text else None
    return render(request, "digest/why.html", {"text": text, "found": found, "token": token})
