"""What every page knows of the site."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, object]:
    """The template context processor: the site's name and address, and the operator's."""
    return {
        "site_name": settings.SITE_NAME,
        "site_url": settings.SITE_URL,
        "postal_address": settings.POSTAL_ADDRESS,
        "mail_is_caught": settings.EMBEDDED_MAIL and settings.SITE_IS_LOCAL,
    }
