"""The dashboard's buttons for the mail: pause, drain, resume, yes to what was asked, try the server,
send a test mail.
"""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.http import require_POST

from auditlog import audit
from digest.mail.delivery import send_control
from digest.mail.delivery.test_mail import NotSent, send_test
from digest.models import MailGate
from subscriptions.addresses import masked

Switch = MailGate.Switch
SAID = {
    "pause": "No more mail leaves.",
    "drain": "Mails that workers have taken go out; no more are taken.",
    "resume": "Mail leaves again, from the next look on.",
    "go": "The mails go, from the next look on.",
    "retry": "The mail server is tried at the next look.",
}


def mail_urls() -> list[URLPattern]:
    """For config.urls, in front of the admin's own."""
    return [path("mail/<slug:action>/", admin.site.admin_view(act), name="mail_action")]


@require_POST
def act(request: HttpRequest, action: str) -> HttpResponse:
    """One button."""
    if not request.user.has_perm("digest.change_mailgate"):
        raise PermissionDenied
    now = timezone.now()
    actions: dict[str, Callable[[], None]] = {
        "pause": lambda: send_control.turn(Switch.PAUSED, now),
        "drain": lambda: send_control.turn(Switch.DRAINING, now),
        "resume": lambda: send_control.turn(Switch.RUNNING, now),
        "go": lambda: send_control.allow(now),
        "retry": send_control.try_now,
    }
    if action == "test":
        return _test(request)
    if action not in actions:
        raise Http404
    with transaction.atomic():
        actions[action]()
        audit.record(f"mail {action}", now, user=request.user)
    messages.success(request, SAID[action])
    return redirect("admin:index")


def _test(request: HttpRequest) -> HttpResponse:
    """A test mail, while the page waits: as long as the mail server may be silent at most."""
    address = request.POST.get("address", "").strip()
    audit.record("mail test", timezone.now(), user=request.user, target=masked(address))
    try:
        message_id = send_test(address, timezone.now())
        messages.success(request, f"The mail server accepted a mail to {address}, under the Message-ID {message_id}.")
    except NotSent as error:
        messages.error(request, str(error))
    return redirect("admin:index")
