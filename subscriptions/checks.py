"""What `manage.py check` says of settings that do not go together. No look-up, no connection: `doctor` does those."""

from __future__ import annotations

import ipaddress
import logging
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register, run_checks

from subscriptions import providers

TAG = "paper_round"
logger = logging.getLogger(__name__)


def log_findings() -> None:
    """Log what the checks find. For processes that Django does not check at their start: web servers and workers."""
    for message in run_checks(tags=[TAG]):
        if not message.is_silenced():
            logger.log(message.level, "%s %s", message.msg, message.hint or "")


@register(TAG)
def mail_reaches_readers(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A public site whose mail ends in the catcher of `make run` loses every confirmation."""
    if settings.SITE_IS_LOCAL or not settings.EMBEDDED_MAIL:
        return []
    return [
        Error(
            f"SITE_URL is public ({settings.SITE_URL}), but no mail server is set: mail would reach nobody.",
            hint="Set EMAIL_URL=smtp+tls://user:password@host:587, or the key of a mail provider (ANYMAIL_...).",
            id="paper_round.E001",
        )
    ]


@register(TAG)
def site_is_encrypted(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Links in mail hold tokens: over http anybody on the way reads them."""
    if settings.SITE_IS_LOCAL or settings.SITE_URL.startswith("https://"):
        return []
    return [
        Warning(
            f"SITE_URL is public but not encrypted ({settings.SITE_URL}).",
            hint="Put a proxy that ends TLS in front, and set SITE_URL=https://...",
            id="paper_round.W001",
        )
    ]


@register(TAG)
def sender_has_an_address(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Bulk mail must name its sender's postal address (CAN-SPAM 5(a)(5), GDPR 13)."""
    if settings.SITE_IS_LOCAL or settings.POSTAL_ADDRESS.strip():
        return []
    return [
        Warning(
            "POSTAL_ADDRESS is not set: mails do not say who sends them.",
            hint="Set POSTAL_ADDRESS to the operator's name and postal address, on one line.",
            id="paper_round.W002",
        )
    ]


@register(TAG)
def mail_password_is_encrypted(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """With smtp:// the password, and every mail, crosses the network for anybody on the way to read."""
    encrypted = settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL
    if not (settings.EMAIL_HOST_PASSWORD and _uses_smtp()) or encrypted or _is_near(settings.EMAIL_HOST):
        return []
    return [
        Warning(
            f"The password of the mail server {settings.EMAIL_HOST} is sent unencrypted.",
            hint="Write EMAIL_URL with smtp+tls:// (port 587, STARTTLS) or smtp+ssl:// (port 465) instead of smtp://.",
            id="paper_round.W004",
        )
    ]


def _uses_smtp() -> bool:
    return str(settings.EMAIL_BACKEND).endswith(".smtp.EmailBackend")


def _is_near(host: str) -> bool:
    """Whether the way there is this machine or a private container network: loopback, or a name without a dot."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return "." not in host or host.lower().rstrip(".").endswith((".localhost", ".internal"))


@register(TAG)
def provider_has_its_keys(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Any ANYMAIL_... setting chooses its provider, but without its key nothing can be sent."""
    provider = providers.current()
    if provider is None or not (missing := provider.missing_keys()):
        return []
    names = " and ".join(f"ANYMAIL_{name}" for name in missing)
    return [
        Error(
            f"{provider.name} is chosen, but {names} is not set: no mail can be sent.",
            hint=f"Set {names} to what {provider.name} shows you, or take its other ANYMAIL_... settings away.",
            id="paper_round.E002",
        )
    ]


@register(TAG)
def provider_can_report(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Reports that cannot be told from forgeries are refused: then no bounce and no complaint is ever known."""
    provider = providers.current()
    if provider is None or provider.can_verify():
        return []
    signature = "".join(f" (or ANYMAIL_{name})" for name in provider.signatures)
    host = provider.webhook.replace("://", "://user:password@")
    return [
        Warning(
            f"ANYMAIL_WEBHOOK_SECRET{signature} is not set: reports of {provider.name} are refused, and bounces and "
            "complaints stay unknown.",
            hint=f"Set it to user:password, and give {provider.name} the address {host}",
            id="paper_round.W003",
        )
    ]
