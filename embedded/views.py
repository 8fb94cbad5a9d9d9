"""/mailbox/: what the catcher holds. For the person at this machine, and nobody else."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from csp.decorators import csp
from django.conf import settings
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from embedded import mailbox as box
from subscriptions.this_machine import is_from_this_machine

PAGE = 50
SHOWN = ("From", "To", "Subject", "Date", "Message-ID", "List-Unsubscribe", "List-Id")
SANDBOX = ["allow-popups", "allow-popups-to-escape-sandbox"]  # links open beside the frame; nothing else
PART_POLICY = {
    "default-src": ["'none'"],
    "style-src": ["'unsafe-inline'"],
    "img-src": ["data:"],
    "form-action": ["'none'"],
    "base-uri": ["'none'"],
    "frame-ancestors": ["'self'"],
    "sandbox": SANDBOX,  # holds as well where the part is opened by itself
}
DOCTYPE = re.compile(r"\s*(<!doctype[^>]*>)?", re.IGNORECASE)
View = Callable[..., HttpResponseBase]


def local_only(view: View) -> View:
    """404 unless mail is caught here, the site is a local one, and the reader sits at this machine."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not (settings.EMBEDDED_MAIL and settings.SITE_IS_LOCAL and is_from_this_machine(request)):
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


@local_only
@require_safe
@never_cache
def mailbox(request: HttpRequest) -> HttpResponse:
    """The messages, newest first, a page at a time."""
    folder = settings.MAIL_CATCHER_DIR
    page = Paginator(range(box.count(folder)), PAGE).get_page(request.GET.get("page"))
    mails = box.messages(folder, PAGE, offset=(page.number - 1) * PAGE)
    return render(request, "embedded/mailbox.html", {"page": page, "mails": mails})


@local_only
@require_safe
@never_cache
def message(request: HttpRequest, name: str) -> HttpResponse:
    """One message: the headers that matter, its HTML in a frame, its text, and the way to the raw one."""
    mail = _mail(name)
    headers = [(key, value) for key in SHOWN if (value := mail.header(key))]
    return render(request, "embedded/message.html", {"mail": mail, "headers": headers, "sandbox": " ".join(SANDBOX)})


@local_only
@require_safe
@never_cache
@xframe_options_sameorigin
@csp(PART_POLICY)  # type: ignore[arg-type]  # for it a view has no arguments; csp_replace would keep script-src
def part(request: HttpRequest, name: str) -> HttpResponse:
    """The HTML part as it was sent, for the frame: no script, no form, nothing loaded from elsewhere."""
    html = _mail(name).html
    if not html:
        raise Http404
    # Our pages refuse to be framed, so a link must open beside the frame. After the doctype, or it would
    # be a page of the nineties.
    start = DOCTYPE.match(html)
    end = start.end() if start else 0
    return HttpResponse(f'{html[:end]}<base target="_blank">{html[end:]}', content_type="text/html; charset=utf-8")


@local_only
@require_safe
@never_cache
def source(request: HttpRequest, name: str) -> FileResponse:
    """The message exactly as it was received, to download."""
    path = box.path_of(settings.MAIL_CATCHER_DIR, name)
    if path is None:
        raise Http404
    return FileResponse(path.open("rb"), as_attachment=True, filename=path.name, content_type="message/rfc822")


def _mail(name: str) -> box.Mail:
    mail = box.read(settings.MAIL_CATCHER_DIR, name)
    if mail is None:
        raise Http404
    return mail
