"""Refuse requests that are larger than anything a page asks for, before they are read."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

# The largest form: 50,000 characters pasted and 10,000 of interests, each up to nine bytes in a form's encoding.
MAX_FORM = 600_000  # bytes
# These answer in their own way, at limits of their own or at DATA_UPLOAD_MAX_MEMORY_SIZE; leaving always works.
EXEMPT = ("/admin/", "/api/", "/unsubscribe/", "/webhooks/")


class RequestSizeMiddleware:
    """Answer 413 to a form with more than MAX_FORM bytes, files included. A body without a length is not read."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = str(request.META.get("CONTENT_LENGTH") or "0")
        is_large = length.isdecimal() and int(length[:18]) > MAX_FORM
        if is_large and not request.path_info.startswith(EXEMPT):
            return render(request, "subscriptions/too_large.html", status=413)
        return self.get_response(request)
