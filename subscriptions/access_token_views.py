"""Where a reader makes and revokes the address of their feed and the token for their programs."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from subscriptions import tokens
from subscriptions.limits import limited
from subscriptions.links import ACCESS
from subscriptions.models import Secret, Subscriber
from subscriptions.token_views import for_reader


@require_http_methods(["GET", "HEAD", "POST"])
@limited("secrets", most=30, seconds=3600)
@for_reader(ACCESS)
def secrets(request: HttpRequest, token: str, reader: Subscriber) -> HttpResponse:
    """Says which there are; a POST with `make` or `revoke` and a kind does it. A new one is shown this once."""
    made = shown = ""
    status = 200
    if request.method == "POST":
        made, revoked = request.POST.get("make", ""), request.POST.get("revoke", "")
        if made in Secret.Kind.values and reader.status == Subscriber.Status.ACTIVE:
            shown = tokens.make(reader, made, timezone.now())
        elif revoked in Secret.Kind.values:
            tokens.revoke(reader, revoked)
        else:
            status = 422
    there = {secret.kind: secret for secret in reader.secrets.filter(token_version=reader.token_version)}
    values = {"token": token, "reader": reader, "feed": there.get("feed"), "api": there.get("api")}
    return render(request, "subscriptions/secrets.html", values | {"made": made, "shown": shown}, status=status)
