"""The way from a token in an address to the subscriber it names, and the page for those who need a fresh link."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control

from subscriptions import addresses, language, links, mail_requests, tasks
from subscriptions.limits import View, client_network, is_over, slow_down
from subscriptions.models import Subscriber

LINKS_OF_NETWORK = 3  # a day, to one address: another network, the owner's for one, still gets some of the eight


def for_reader(purpose: str) -> Callable[[View], View]:
    """A view of one subscriber, named by a token of that purpose. Token pages are not cached, indexed or framed.

    Where ACCESS is needed, the lasting token of a digest leads to `mail_me_my_link`.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapped(request: HttpRequest, token: str) -> HttpResponse:
            answer = _answer(request, token, purpose, view)
            patch_cache_control(answer, no_store=True, private=True)
            answer["X-Robots-Tag"] = "noindex"
            return answer

        return wrapped

    return decorate


def _answer(request: HttpRequest, token: str, purpose: str, view: View) -> HttpResponse:
    is_lasting = purpose == links.ACCESS and _is_signed(token, links.PREFERENCES)
    found = _read(request, token, links.PREFERENCES if is_lasting else purpose)
    if not isinstance(found, Subscriber):
        return found
    language.speak_to(request, found)
    return mail_me_my_link(request, token, found) if is_lasting else view(request, token, found)


def _is_signed(token: str, purpose: str) -> bool:
    try:
        links.read_token(token, purpose)
    except (signing.BadSignature, ValueError):
        return False
    return True


def _read(request: HttpRequest, token: str, purpose: str) -> Subscriber | HttpResponse:
    try:
        code, version = links.read_token(token, purpose)
    except signing.SignatureExpired:
        return render(request, "subscriptions/bad_link.html", {"expired": purpose}, status=410)
    except (signing.BadSignature, ValueError):
        return render(request, "subscriptions/bad_link.html", status=404)
    reader = Subscriber.objects.filter(code=code).first()
    if reader is None and purpose == links.UNSUBSCRIBE:
        # Erased since: the link's promise holds, nothing is sent.
        return render(request, "subscriptions/unsubscribed.html", {"token": ""})
    # A leaked link is made void by raising the version, but leaving must always work.
    if reader is None or (version != reader.token_version and purpose != links.UNSUBSCRIBE):
        return render(request, "subscriptions/bad_link.html", status=410)
    return reader


def mail_me_my_link(request: HttpRequest, token: str, reader: Subscriber) -> HttpResponse:
    """The page behind the preferences link of a digest: a POST mails the link that opens the preferences.

    It names no address: whoever the mail was forwarded to may see it.
    """
    page = reverse("subscriptions:preferences", args=[token])
    if request.path != page:
        return redirect(page)
    if request.method != "POST":
        values = {"unsubscribe": links.unsubscribe(reader), "days": links.EMAILED_DAYS}
        return render(request, "subscriptions/mail_me_my_link.html", values)
    return request_link(request, reader.email) or redirect("subscriptions:link_sent")


def request_link(request: HttpRequest, address: str) -> HttpResponse | None:
    """Store that a link is wanted; the page that says "slow down" to a network that asks too often."""
    network = client_network(request)
    if is_over("link", network, 20, 3600):
        return slow_down(request, 3600)
    if address and not is_over("link-to", f"{network} {addresses.key(address)}", LINKS_OF_NETWORK, 86_400):
        mail_requests.ask_for_link(address, timezone.now())
    tasks.soon()
    return None
