"""How subscribers get back to their preferences, and how they make their links void."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from subscriptions import links, signup
from subscriptions.forms import LinkForm
from subscriptions.models import Subscriber
from subscriptions.token_views import for_reader, request_link


@require_http_methods(["GET", "HEAD", "POST"])
def ask_for_link(request: HttpRequest) -> HttpResponse:
    """For who lost their link: an address, and always the same answer."""
    if request.method != "POST":
        return render(request, "subscriptions/ask_for_link.html", {"form": LinkForm()})
    form = LinkForm(request.POST)
    address = form.address() if form.is_valid() else ""
    return request_link(request, address) or redirect("subscriptions:link_sent")


@require_safe
def link_sent(request: HttpRequest) -> HttpResponse:
    """What comes next, for whatever address."""
    return render(request, "subscriptions/link_sent.html", {"days": links.EMAILED_DAYS})


@require_safe
@for_reader(links.EMAILED)
def emailed(request: HttpRequest, token: str, reader: Subscriber) -> HttpResponse:
    """On to the preferences, while the mailed link is good."""
    return redirect(links.access(reader))


@require_POST
@for_reader(links.ACCESS)
def void_links(request: HttpRequest, token: str, reader: Subscriber) -> HttpResponse:
    """Make all links of this subscriber void, this page's own too."""
    signup.void_links(reader)
    messages.success(request, _("All your links are void. The next mail brings new ones, or have one e-mailed now."))
    return redirect("subscriptions:ask_for_link")
