"""How often one visitor may ask for what costs a mail or work. Counters in the cache, shared by all processes."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Callable
from functools import wraps

import redis
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.crypto import salted_hmac

logger = logging.getLogger(__name__)


def client_network(request: HttpRequest) -> str:
    """The visitor's network: the /24 or /48 of the address our own proxies saw, never of a forged header."""
    hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    trusted = settings.TRUSTED_PROXIES
    address = hops[-trusted] if trusted and len(hops) >= trusted else request.META.get("REMOTE_ADDR", "")
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if parsed.version == 6 and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped  # how a server that listens on [::] sees IPv4
    return str(ipaddress.ip_network((parsed, 24 if parsed.version == 4 else 48), strict=False))


def is_over(name: str, who: str, most: int, seconds: int) -> bool:
    """Count one more try; whether it is over `most` in `seconds`. A cache that is down lets it through."""
    key = f"limit:{name}:{salted_hmac('paper-round.limit', who).hexdigest()[:24]}"
    try:
        cache.add(key, 0, seconds)
        return cache.incr(key) > most
    except ValueError:  # it ended between the two calls
        return False
    except redis.RedisError as error:
        logger.warning("Limits are off, the cache cannot be reached: %s", error)
        return False


SEARCHES, SEARCHES_IN = 300, 600  # of one network, in so many seconds: page, feeds and JSON together


def is_searching_too_much(request: HttpRequest) -> bool:
    """Count one more search of this visitor's network."""
    return is_over("search", client_network(request), SEARCHES, SEARCHES_IN)


View = Callable[..., HttpResponse]


def slow_down(request: HttpRequest, seconds: int) -> HttpResponse:
    """The page for who asked too often."""
    answer = render(request, "subscriptions/slow_down.html", status=429)
    answer["Retry-After"] = str(seconds)
    return answer


def limited(name: str, most: int, seconds: int) -> Callable[[View], View]:
    """A view that answers 429 to a network that has POSTed `most` times in `seconds`."""

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapped(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            if request.method == "POST" and is_over(name, client_network(request), most, seconds):
                return slow_down(request, seconds)
            return view(request, *args, **kwargs)

        return wrapped

    return decorate
