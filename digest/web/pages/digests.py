"""The preview, a mail's web copy, and whether the service is alive."""

from __future__ import annotations

import datetime as dt
from typing import cast

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp
from django.core import signing
from django.core.cache import cache
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from digest import links
from digest.mail.rendering import digest_context
from digest.picks.evidence import describe_digests
from digest.picks.preview import digest_preview
from subscriptions.forms import SignupForm
from subscriptions.language import speak_to
from subscriptions.limits import limited
from subscriptions.preferences import Preferences
from subscriptions.workload import computes

# A mail carries its own style, and a frame made on the page obeys the page: its own policy, without any script.
MAIL_POLICY = {
    "default-src": ["'none'"], "style-src": [SELF, UNSAFE_INLINE], "img-src": [SELF], "form-action": [SELF],
    "frame-src": [SELF], "base-uri": ["'none'"], "frame-ancestors": ["'none'"],
}  # fmt: skip


@require_http_methods(["POST"])
@limited("preview", most=120, seconds=600)
@computes
def preview(request: HttpRequest, *, deadline: float) -> HttpResponse:
    """What the form's lines would have brought, with the button that subscribes. Stores nothing."""
    form = SignupForm(request.POST)
    form.fields["email"].required = False
    found = _found(form.preferences(), timezone.now(), deadline) if form.is_valid() else None
    return render(request, "digest/preview.html", {"form": form, "preview": found}, status=200 if found else 422)


@require_POST
@limited("preview", most=120, seconds=600)
@computes
def preview_mail(request: HttpRequest, *, deadline: float) -> HttpResponse:
    """The same as the mail itself, in a frame that can do nothing. Stores nothing."""
    form = SignupForm(request.POST)
    form.fields["email"].required = False
    if not form.is_valid():
        return render(request, "digest/preview.html", {"form": form}, status=422)
    form.hide()
    preferences, now = form.preferences(), timezone.now()
    found = _found(preferences, now, deadline)
    mail = digest_preview.mail(found, preferences, now)
    values = {"form": form, "mail": mail, "preview": found, "days": digest_preview.PREVIEW_DAYS}
    answer = render(request, "digest/preview_mail.html", values)
    # Only here: the form that has an error is a page of ours, with its scripts.
    return cast(HttpResponse, csp(MAIL_POLICY)(lambda _: answer)(request))


def _found(preferences: Preferences, now: dt.datetime, deadline: float) -> digest_preview.Preview:
    return digest_preview.preview(
        preferences.lines,
        now,
        max_papers=preferences.max_papers,
        trending_share=preferences.trending_share,
        deadline=deadline,
    )


@require_safe
def web_copy(request: HttpRequest, token: str) -> HttpResponse:
    """A sent mail on the web, whole."""
    try:
        digest = links.digest_of(token)
    except (signing.BadSignature, ObjectDoesNotExist, ValueError):
        return _private(render(request, "subscriptions/bad_link.html", status=404))
    speak_to(request, digest.subscriber)
    values = digest_context(digest, digest.subscriber, describe_digests([digest])[0])
    return _private(render(request, "digest/web_copy.html", values))


def _private(answer: HttpResponse) -> HttpResponse:
    """Pages behind a token are neither cached nor indexed."""
    patch_cache_control(answer, no_store=True, private=True)
    answer["X-Robots-Tag"] = "noindex"
    return answer


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """Where programs look for the icon that every page names."""
    return redirect(static("icon.svg"), permanent=True)


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
