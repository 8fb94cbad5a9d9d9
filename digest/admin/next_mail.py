"""A reader's next mail, shown to the operator."""

from __future__ import annotations

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path
from django.utils import timezone

from auditlog import audit
from digest.picks.preview import digest_preview
from subscriptions.models import Subscriber
from subscriptions.permissions import may_view

# A mail carries its own styles. `sandbox` holds as well where the part is opened by itself.
MAIL_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'self'",
        "sandbox",
    )
)


def preview_urls() -> list[URLPattern]:
    """For config.urls, in front of the admin's own."""
    return [
        path("subscriptions/subscriber/<int:pk>/next-mail/", admin.site.admin_view(next_mail), name="next_mail"),
        path(
            "subscriptions/subscriber/<int:pk>/next-mail/html/",
            admin.site.admin_view(next_mail_html),
            name="next_mail_html",
        ),
    ]


def next_mail(request: HttpRequest, pk: int) -> HttpResponse:
    """A reader's next mail as it would be sent now: headers, text part, and the HTML part in a frame."""
    _check_may_view(request)
    reader, now = get_object_or_404(Subscriber, pk=pk), timezone.now()
    audit.record("preview digest", now, user=request.user, target=str(reader))
    message = digest_preview.next_mail(reader, now)
    values = admin.site.each_context(request) | {"title": f"Next mail of {reader.email}", "reader": reader}
    if message:
        values |= {"subject": message.subject, "text": message.body, "headers": message.message().items()}
    return render(request, "admin/next_mail.html", values)


def next_mail_html(request: HttpRequest, pk: int) -> HttpResponse:
    """The HTML part alone, which only our own frame may hold, and which may load nothing."""
    _check_may_view(request)
    message = digest_preview.next_mail(get_object_or_404(Subscriber, pk=pk), timezone.now())
    answer = HttpResponse(message.alternatives[0][0] if message else "Nothing matches.")
    answer["Content-Security-Policy"] = MAIL_POLICY
    answer["X-Frame-Options"] = "SAMEORIGIN"
    return answer


def _check_may_view(request: HttpRequest) -> None:
    if not may_view(request.user, Subscriber):
        raise PermissionDenied
