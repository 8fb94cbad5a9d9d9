"""How often one visitor may ask for what sends mail or costs work, counted for all processes together."""

from __future__ import annotations

import ipaddress
import logging
import re
from collections.abc import Callable
from functools import wraps

import redis
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.crypto import salted_hmac

from subscriptions.keyed_hashes import lasting_key
from subscriptions.models import RateCount

logger = logging.getLogger(__name__)


def client_address(request: HttpRequest) -> str:
    """Return the visitor's IP address as our own proxies saw it, never one from a forged header; "" when unknown."""
    hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    trusted = settings.TRUSTED_PROXIES
    address = hops[-trusted] if trusted and len(hops) >= trusted else request.META.get("REMOTE_ADDR", "")
    ported = re.fullmatch(r"\[([^\]]+)\](?::\d+)?|([0-9.]+):\d+", address)  # some proxies append the port
    bare = (ported[1] or ported[2]) if ported else address
    try:
        parsed = ipaddress.ip_address(bare.partition("%")[0])  # without an IPv6 zone
    except ValueError:
        return ""
    mapped = parsed.ipv4_mapped if parsed.version == 6 else None  # how a server that listens on [::] sees IPv4
    return str(mapped or parsed)


def client_network(request: HttpRequest) -> str:
    """Return the visitor's network, the /24 or /48 of `client_address`; "unknown" without one."""
    address = client_address(request)
    if not address:
        return "unknown"
    prefix = 24 if ipaddress.ip_address(address).version == 4 else 48
    return str(ipaddress.ip_network((address, prefix), strict=False))


def counter_key(name: str, who: str) -> str:
    """Return the key of a counter, in which `who` is a keyed hash."""
    return f"limit:{name}:{salted_hmac('paper-round.limit', who, secret=lasting_key()).hexdigest()[:24]}"


def is_over(name: str, who: str, most: int, seconds: int, *, cost: int = 1, durable: bool = False) -> bool:
    """Add `cost` to a counter and return whether it exceeds `most` within `seconds`.

    Counted in the cache, or in the database when the limit is `durable` (it must survive a restart of Redis) or the
    cache is down. When neither can count, the request is refused.
    """
    key = counter_key(name, who)
    if not durable:
        try:
            cache.add(key, 0, seconds)
            return cache.incr(key, cost) > most
        except ValueError:  # the window ended between the two calls
            return cost > most
        except redis.RedisError as error:
            logger.warning("The cache cannot be reached, limits are counted in the database: %s", error)
    try:
        return RateCount.objects.add(key, seconds, timezone.now(), cost) > most
    except DatabaseError as error:
        logger.warning("Limits cannot be counted, the request is refused: %s", error)
        return True


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
