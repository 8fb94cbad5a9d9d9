"""Where providers report what became of a mail: Anymail's views, behind a door that lets nothing unproven in.

A report is refused unless it can be told from a forgery (Anymail itself only warns), is bounded in size, and is
answered in one line: 200 also for mail we do not know, 4xx for what the provider need not repeat, 503 for what it must.
"""

from __future__ import annotations

import logging

from anymail import webhooks as anymail_webhooks
from anymail.exceptions import AnymailError
from django.core.exceptions import ImproperlyConfigured, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.module_loading import import_string
from django.views.decorators.csrf import csrf_exempt

from digest.mail.tracking.events import NotRecorded
from subscriptions.providers import PROVIDERS

logger = logging.getLogger(__name__)

# What a body of another shape than a provider's, or nested a thousand deep, is met with.
UNREADABLE = (
    AnymailError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, AssertionError, RecursionError,
    OSError,
)  # fmt: skip

MAX_BYTES = 2_000_000  # SendGrid reports a thousand events at a time; Django's own limit is a little above
_CLASSES = {slug: f"{one.name.replace(' ', '')}TrackingWebhookView" for slug, one in PROVIDERS.items()}
_CLASSES |= {"amazon_ses": "AmazonSESTrackingWebhookView", "mandrill": "MandrillCombinedWebhookView"}


@csrf_exempt  # the provider has no cookie of ours; its secret or signature is checked instead
def report(request: HttpRequest, slug: str) -> HttpResponse:
    """One report of a provider."""
    provider = PROVIDERS.get(slug)
    if provider is None:
        return _line("No such provider.", 404)
    if not provider.can_verify():
        logger.warning("A report of %s was refused: no webhook secret is set (manage.py doctor).", provider.name)
        return _line("This service cannot verify reports: its operator has set no webhook secret.", 403)
    length = str(request.META.get("CONTENT_LENGTH") or "")
    if length.isdecimal() and int(length) > MAX_BYTES:
        return _line("Too long.", 413)
    view = import_string(f"{anymail_webhooks.__name__}.{slug}.{_CLASSES[slug]}")
    try:
        return view.as_view()(request)  # type: ignore[no-any-return]
    except NotRecorded:
        return _line("Not stored: please report it again.", 503)
    except SuspiciousOperation:
        logger.warning("A report in the name of %s was refused: secret or signature missing or wrong.", provider.name)
        return _line("Secret or signature missing or wrong.", 400)
    except ImproperlyConfigured as error:
        logger.error("Reports of %s cannot be read: %s", provider.name, str(error).splitlines()[0])
        return _line("This service is not set up for these reports.", 403)
    except UNREADABLE as error:
        logger.warning("A report of %s was not understood (%s).", provider.name, type(error).__name__)
        return _line("Not understood.", 400)


def _line(text: str, status: int) -> HttpResponse:
    return HttpResponse(f"{text}\n", status=status, content_type="text/plain; charset=utf-8")


urlpatterns = [
    path("mandrill/", report, {"slug": "mandrill"}, name="mandrill_webhook"),
    path("<slug:slug>/tracking/", report, name="webhook"),
]
