"""Ways out: each composes mails and hands them over. What became of each comes back as a Verdict.

Delivery does the rest: claims, commits "sending" before `send` is called, records what it yields.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings

from digest.mail.transports.base import NoWay, Verdict, WayOut
from digest.mail.transports.django_backend import DjangoWay
from digest.mail.transports.persistent import KeptWay
from digest.mail.transports.providers.transport import ProviderWay
from digest.mail.transports.smtp.transport import SmtpWay
from subscriptions import providers

__all__ = ["DjangoWay", "KeptWay", "NoWay", "ProviderWay", "SmtpWay", "Verdict", "WayOut", "way_out"]


def way_out() -> WayOut[Any]:
    """The way for the EMAIL_BACKEND of the settings: our own where we know what speaks there, else Django's."""
    if settings.EMAIL_BACKEND == "django.core.mail.backends.smtp.EmailBackend":
        return SmtpWay()
    return ProviderWay() if providers.current() else DjangoWay()
