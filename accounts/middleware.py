"""Nobody is signed in who still owes the second factor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.http import urlencode

from accounts import known_devices, second_factor

FREE = ("admin:logout", "admin:jsi18n")  # besides the pages of the second factor itself


class SecondFactorMiddleware:
    """After OTPMiddleware. Views see an anonymous user until the code is entered, so none can forget to ask."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        signed_in = request.user
        request.half_signed_in = SimpleLazyObject(lambda: _half(signed_in))  # type: ignore[attr-defined]
        request.user = SimpleLazyObject(lambda: _whole(signed_in))  # type: ignore[assignment]
        if request.path.startswith("/admin/") and request.half_signed_in and not _is_free(request.path):  # type: ignore[attr-defined]
            return redirect(f"{reverse('second_factor')}?{urlencode({'next': request.get_full_path()})}")
        response = self.get_response(request)
        self._remember(request, response)
        return response

    def _remember(self, request: HttpRequest, response: HttpResponse) -> None:
        """Remember the browser after a sign-in that needed no second factor."""
        if request.method == "POST" and response.status_code == 302 and request.path == reverse("admin:login"):
            user: Any = request.user
            if user.is_authenticated and user.is_staff and not second_factor.needs_code(user):
                known_devices.remember(response, user)


def _half(user: Any) -> Any:
    return user if user.is_authenticated and second_factor.is_missing(user) else None


def _whole(user: Any) -> Any:
    return AnonymousUser() if _half(user) else user


def _is_free(path: str) -> bool:
    return path.startswith(reverse("second_factor")) or path in [reverse(name) for name in FREE]
