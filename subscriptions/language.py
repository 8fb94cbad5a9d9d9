"""Which language a page speaks: a reader's own on their pages; else the one chosen, else the browser's.

`?lang=de` on any address chooses one, and a cookie keeps it: a link does, no script. What machines and operators read
stays English.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language

if TYPE_CHECKING:
    from subscriptions.models import Subscriber

LANG = "lang"  # the name in an address
ENGLISH_ONLY = ("/admin/", "/api/", "/feeds/", "/webhooks/", "/healthz", "/metrics")


def current() -> str:
    """The language spoken now, one of settings.LANGUAGES."""
    language = get_language() or ""
    return language if language in codes() else settings.LANGUAGE_CODE


def codes() -> list[str]:
    """What there is to choose from."""
    return [code for code, _ in settings.LANGUAGES]


def speak_to(request: HttpRequest, reader: Subscriber) -> None:
    """The rest of this request is in the reader's own language."""
    translation.activate(reader.language)
    request.LANGUAGE_CODE = reader.language
    request.is_readers_own = True  # type: ignore[attr-defined]  # so there is nothing to switch


class LanguageMiddleware(LocaleMiddleware):
    """Django's, with the choice in the address, for pages only, and said to caches."""

    def process_request(self, request: HttpRequest) -> None:
        if request.path_info.startswith(ENGLISH_ONLY):
            translation.activate(settings.LANGUAGE_CODE)
            request.LANGUAGE_CODE = settings.LANGUAGE_CODE
            return
        super().process_request(request)
        if chosen := _chosen(request):
            translation.activate(chosen)
            request.LANGUAGE_CODE = chosen

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        is_page = str(response.headers.get("Content-Type", "")).startswith("text/html")
        if not isinstance(response, HttpResponse) or not is_page or request.path_info.startswith(ENGLISH_ONLY):
            return response
        if chosen := _chosen(request):
            response.set_cookie(
                settings.LANGUAGE_COOKIE_NAME, chosen, max_age=settings.LANGUAGE_COOKIE_AGE,
                secure=settings.LANGUAGE_COOKIE_SECURE, httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
                samesite="Lax",
            )  # fmt: skip
        patch_vary_headers(response, ("Accept-Language", "Cookie"))
        response.headers.setdefault("Content-Language", current())
        return response


def _chosen(request: HttpRequest) -> str:
    """The language that the address names; "" for none, or for one that there is not."""
    try:
        named = request.GET.get(LANG, "")
    except SuspiciousOperation:  # an address of very many parts, which is answered as such
        return ""
    return named if named in codes() else ""
