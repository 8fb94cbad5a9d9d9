"""The pages of the second factor: enter a code, set it up, turn it off."""

from __future__ import annotations

import base64
import datetime as dt
import io
from collections.abc import Callable
from functools import wraps
from typing import Any

import django_otp
import segno
from django.conf import settings
from django.contrib import admin, messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts import known_devices, lockout, second_factor
from accounts.forms import CodeForm, PasswordForm, SetUpForm
from auditlog import audit
from subscriptions import limits

# Tries of one user from one address, and from all browsers that have never signed in as that user.
TRIES, TRIES_IN = 10, dt.timedelta(minutes=15)
ALL_TRIES, ALL_TRIES_IN = 20, dt.timedelta(hours=1)
WRONG = "This code is wrong, or was used already. Wait for the next one."

View = Callable[[HttpRequest, Any], HttpResponse]


def for_staff(view: View) -> Callable[[HttpRequest], HttpResponse]:
    """Give the view the staff user, who may still owe the code; limit what is posted."""

    @never_cache
    @require_http_methods(["GET", "HEAD", "POST"])
    @wraps(view)
    def wrapped(request: HttpRequest) -> HttpResponse:
        user = request.half_signed_in or request.user  # type: ignore[attr-defined]
        if not (user.is_authenticated and user.is_staff):
            return redirect("admin:login")
        if request.method == "POST" and (wait := _wait(request, user)):
            return lockout.wait_page(request, wait)
        return view(request, user)

    return wrapped


def _wait(request: HttpRequest, user: Any) -> dt.timedelta | None:
    """Count a try. Return how long to wait when there were too many; the count outlives a restart of Redis."""
    here = f"{user.pk} {lockout.client_address(request)}"
    if limits.is_over("second-factor", here, TRIES, int(TRIES_IN.total_seconds()), durable=True):
        return TRIES_IN
    if known_devices.is_known(request, user.get_username()):
        return None
    seconds = int(ALL_TRIES_IN.total_seconds())
    return ALL_TRIES_IN if limits.is_over("second-factor-all", str(user.pk), ALL_TRIES, seconds, durable=True) else None


@for_staff
def enter_code(request: HttpRequest, user: Any) -> HttpResponse:
    """The page after the password."""
    if not request.half_signed_in or not second_factor.is_set_up(user):  # type: ignore[attr-defined]
        return redirect("second_factor_set_up")
    form = CodeForm(request.POST or None)
    if form.is_valid():
        if device := second_factor.verify(user, form.cleaned_data["code"]):
            answer = redirect(_next(request))
            _sign_in(request, user, device, answer)
            return answer
        form.add_error("code", WRONG)
    return _page(request, "code", form)


@for_staff
def set_up(request: HttpRequest, user: Any) -> HttpResponse:
    """Scan, enter a first code, read the recovery codes. Once set up: the button to turn it off."""
    if second_factor.is_set_up(user):
        return _page(request, "is_set_up", PasswordForm(user), required=settings.ADMIN_TOTP == second_factor.REQUIRED)
    form = SetUpForm(user, request.POST or None)
    if form.is_valid():
        if found := second_factor.confirm(user, form.cleaned_data["code"]):
            device, codes = found
            audit.record("set up second factor", timezone.now(), user=user, target=f"user {user.pk}")
            answer = _page(request, "recovery", codes=codes)
            _sign_in(request, user, device, answer)
            return answer
        form.add_error("code", WRONG)
    key = base64.b32encode(second_factor.begin(user).bin_key).decode()
    return _page(request, "set_up", form, key=" ".join(key[start : start + 4] for start in range(0, len(key), 4)))


@for_staff
def turn_off(request: HttpRequest, user: Any) -> HttpResponse:
    """POST with the password, from a session that entered a code."""
    if request.method != "POST" or not second_factor.is_set_up(user) or request.half_signed_in:  # type: ignore[attr-defined]
        return redirect("second_factor")
    form = PasswordForm(user, request.POST)
    if not form.is_valid():
        return _page(request, "is_set_up", form)
    with transaction.atomic():
        second_factor.remove(user)
        audit.record("turn off second factor", timezone.now(), user=user, target=f"user {user.pk}")
    messages.success(request, "The second factor is off.")
    return redirect("admin:index")


@never_cache
@require_safe
def qr_code(request: HttpRequest) -> HttpResponse:
    """The key for the app to scan, as an image of our own site; only while the user sets it up."""
    user = request.half_signed_in or request.user  # type: ignore[attr-defined]
    if not (user.is_authenticated and user.is_staff) or second_factor.is_set_up(user):
        raise Http404
    image = segno.make(second_factor.begin(user).config_url)
    out = io.BytesIO()
    image.save(out, kind="svg", scale=5, border=4, light="#fff")
    return HttpResponse(out.getvalue(), content_type="image/svg+xml")


def _sign_in(request: HttpRequest, user: Any, device: Any, answer: HttpResponse) -> None:
    request.user = user
    request.session.cycle_key()  # a session id known from before the code must not become worth more
    django_otp.login(request, device)
    known_devices.remember(answer, user)


def _next(request: HttpRequest) -> str:
    wanted = request.GET.get("next", "")
    if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
        return wanted
    return reverse("admin:index")


def _page(request: HttpRequest, step: str, form: Any = None, **values: Any) -> HttpResponse:
    status = 422 if form is not None and form.errors else 200
    context = admin.site.each_context(request) | {"title": "Second factor", "step": step, "form": form, **values}
    return render(request, "admin/second_factor.html", context, status=status)
