"""What browsers may load and run on our pages: one Content-Security-Policy for the site, one for the admin."""

from __future__ import annotations

from collections.abc import Callable

from csp.constants import NONE, SELF, UNSAFE_INLINE
from django.http import HttpRequest, HttpResponse

Policy = dict[str, list[str]]

SITE: Policy = {
    "default-src": [NONE],
    "style-src": [SELF],
    "script-src": [SELF],
    "img-src": [SELF],
    "connect-src": [SELF],
    "worker-src": [SELF],
    "frame-src": [SELF],
    "form-action": [SELF],
    "base-uri": [NONE],
    "frame-ancestors": [NONE],
}
ADMIN_PREFIX = "/admin/"
# Scripts only from files that we serve. static/admin-alpine.js lets Unfold do without 'unsafe-eval'.
ADMIN: Policy = SITE | {
    # Unfold writes its colours into a <style>, and sizes into style attributes. Neither can fetch anything from
    # elsewhere: images and fonts come from here.
    "style-src": [SELF, UNSAFE_INLINE],
    "font-src": [SELF],  # Unfold's letters and symbols
    "img-src": [SELF, "data:"],  # the arrows of its select boxes stand in its style sheet
}


def admin_policy(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Give pages of the admin their policy. Stands below django-csp's middleware, which writes it."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.path_info.startswith(ADMIN_PREFIX) and not hasattr(response, "_csp_config"):
            response._csp_config = dict(ADMIN)  # type: ignore[attr-defined]
        return response

    return answer
