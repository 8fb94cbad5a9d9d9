"""A signed cookie that tells a browser in which a user has signed in before.

The limit over all addresses does not hold for it, so that a flood of guesses cannot keep the operator out.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

NAME = "known_device"
SALT = "paper-round.known-device"
KEPT_FOR = dt.timedelta(days=180)


def is_known(request: HttpRequest, username: str) -> bool:
    """Return whether this user has signed in from this browser before."""
    try:
        return bool(signing.loads(request.COOKIES.get(NAME, ""), salt=SALT, max_age=KEPT_FOR) == username)
    except signing.BadSignature:
        return False


def remember(response: HttpResponse, user: Any) -> None:
    """Set the cookie, once the user has signed in completely."""
    response.set_cookie(
        NAME,
        signing.dumps(user.get_username(), salt=SALT),
        max_age=KEPT_FOR,
        path="/admin/",
        secure=settings.HTTPS,
        httponly=True,
        samesite="Strict",
    )
