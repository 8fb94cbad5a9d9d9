"""Whether a request began on this machine. Behind a proxy on it, every visitor's connection comes from 127.0.0.1."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest

from subscriptions.limits import client_address

# What proxies add. A request with one of these came from further away than its last hop.
PROXY_HEADERS = (
    "HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP", "HTTP_FORWARDED", "HTTP_VIA", "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_SERVER", "HTTP_X_CLIENT_IP", "HTTP_X_CLUSTER_CLIENT_IP", "HTTP_TRUE_CLIENT_IP",
    "HTTP_CF_CONNECTING_IP", "HTTP_FASTLY_CLIENT_IP",
)  # fmt: skip


def is_from_this_machine(request: HttpRequest) -> bool:
    """Return whether the visitor's address is a loopback one.

    A proxy's word counts only as our own proxies' (TRUSTED_PROXIES) X-Forwarded-For. Any other header of a proxy
    means that it speaks for somebody unknown.
    """
    if not _is_loopback(str(request.META.get("REMOTE_ADDR", ""))):
        return False
    if not any(name in request.META for name in PROXY_HEADERS):
        return True
    hops = [hop for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    is_trusted = 0 < settings.TRUSTED_PROXIES <= len(hops)
    real = request.META.get("HTTP_X_REAL_IP", "")
    return is_trusted and _is_loopback(client_address(request)) and (not real or _is_loopback(real))


def _is_loopback(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
