"""What every page knows of the site."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest

from subscriptions import language


def site(request: HttpRequest) -> dict[str, object]:
    """The template context processor: the site's name and address, and the operator's."""
    return {
        "site_name": settings.SITE_NAME,
        "site_url": settings.SITE_URL,
        "postal_address": settings.POSTAL_ADDRESS,
        "mail_is_caught": settings.EMBEDDED_MAIL and settings.SITE_IS_LOCAL,
        "language": language.current(),
        "languages": _others(request),
    }


def _others(request: HttpRequest) -> list[tuple[str, str, str]]:
    """(code, name, address of this page) of the other languages.

    None on a reader's own page, whose language is one of their settings, and none on the answer to a form: a link
    would lose what was typed.
    """
    if request.method not in ("GET", "HEAD") or getattr(request, "is_readers_own", False):
        return []
    try:
        asked = request.GET.copy()
    except SuspiciousOperation:  # the page that says so has no other address
        return []
    found = []
    for code, name in settings.LANGUAGES:
        if code != language.current():
            asked[language.LANG] = code
            found.append((code, name, f"{request.path}?{asked.urlencode()}"))
    return found
