"""How often somebody may try to sign in: few times for a user from one address, slowly from all addresses together."""

from __future__ import annotations

import datetime as dt
import ipaddress
import math
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_cool_off
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts import known_devices
from subscriptions import limits

# Tries for one username from browsers that have never signed in with it, in so many seconds. The first of each network
# in an hour are counted apart: who has one network, of however many addresses, uses up nobody else's tries.
TRIES, TRIES_IN = 10, 60
NETWORK_TRIES, NETWORK_TRIES_IN = 3, 3600
FRESH_TRIES = 60


def client_address(request: HttpRequest) -> str | None:
    """Return the address failed sign-ins are counted by: of IPv6 the /64, all of which one client can use."""
    address = limits.client_address(request)
    if not address:
        return None
    if ipaddress.ip_address(address).version == 4:
        return address
    return str(ipaddress.ip_network((address, 64), strict=False).network_address)


class Handler(AxesDatabaseHandler):  # type: ignore[misc]
    """Locks a user out from one address, as axes does, and slows down guesses from many."""

    def is_locked(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> bool:
        return bool(super().is_locked(request, credentials)) or self._is_too_fast(request, credentials or {})

    def _is_too_fast(self, request: HttpRequest, credentials: dict[str, Any]) -> bool:
        username = str(credentials.get("username") or "")
        if known_devices.is_known(request, username):
            return False
        if not hasattr(request, "is_too_fast"):  # axes may ask several times during a request
            request.is_too_fast = _is_over(request, username)  # type: ignore[attr-defined]
        return bool(request.is_too_fast)  # type: ignore[attr-defined]


def _is_over(request: HttpRequest, username: str) -> bool:
    """Count a try."""
    here = f"{limits.client_network(request)} {username}"
    if limits.is_over("sign-in-network", here, NETWORK_TRIES, NETWORK_TRIES_IN):
        return limits.is_over("sign-in", username, TRIES, TRIES_IN)
    return limits.is_over("sign-in-fresh", username, FRESH_TRIES, TRIES_IN)


def too_many(
    request: HttpRequest, response: HttpResponse | None = None, credentials: dict[str, Any] | None = None
) -> HttpResponse:
    """Return the page for somebody who tried too often, with the minutes to wait. Called by axes."""
    return wait_page(request, _wait(request, credentials or {}))


def wait_page(request: HttpRequest, wait: dt.timedelta) -> HttpResponse:
    minutes = max(1, math.ceil(wait.total_seconds() / 60))
    answer = render(request, "accounts/too_many_attempts.html", {"minutes": minutes}, status=429)
    answer["Retry-After"] = str(minutes * 60)
    return answer


def _wait(request: HttpRequest, credentials: dict[str, Any]) -> dt.timedelta:
    """Until the last failure counted against this user and address is old enough."""
    attempts = Handler().get_user_attempts(request, credentials)
    last = max((one.attempt_time for found in attempts for one in found), default=None)
    failures = Handler().get_failures(request, credentials)
    if last is None or failures < settings.AXES_FAILURE_LIMIT:
        return dt.timedelta(seconds=TRIES_IN)
    wait: dt.timedelta = last + get_cool_off(request) - timezone.now()
    return wait
