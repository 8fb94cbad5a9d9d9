"""How the settings of outgoing mail are read: rates, limits of domains, the warm-up plan, waits."""

from __future__ import annotations

import datetime as dt
import re

import environ
from django.core.exceptions import ImproperlyConfigured

from config.environment import collecting

PERIODS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@collecting
def rates(env: environ.Env, name: str) -> dict[str, tuple[int, int]]:
    """Return (mails, seconds) by rate: {"14/s": (14, 1), "50000/h": (50000, 3600)} for "14/s,50000/h"."""
    found = {}
    for text in _parts(env, name):
        match = re.fullmatch(r"([1-9]\d{0,8})/([smhd])", text)
        if not match:
            raise ImproperlyConfigured(f"{name}: {text!r} is not a rate such as 14/s, 600/m, 50000/h or 200000/d.")
        found[text] = int(match[1]), PERIODS[match[2]]
    return found


@collecting
def domain_limits(env: environ.Env, name: str) -> dict[str, int]:
    """Return how many mails to each domain may be in transit at once, from "gmail.com=4,outlook.com=2"."""
    found = {}
    for text in _parts(env, name):
        match = re.fullmatch(r"([a-z0-9.-]+\.[a-z0-9-]+)=([1-9]\d{0,3})", text.lower())
        if not match:
            raise ImproperlyConfigured(f"{name}: {text!r} is not a domain and a number such as gmail.com=4.")
        found[match[1]] = int(match[2])
    return found


@collecting
def numbers(env: environ.Env, name: str, default: str = "") -> tuple[int, ...]:
    """Whole numbers from 1, comma-separated."""
    found = _parts(env, name) or [part for part in default.split(",") if part]
    if not all(re.fullmatch(r"[1-9]\d{0,8}", text) for text in found):
        raise ImproperlyConfigured(f"{name}={','.join(found)!r} is not a list of whole numbers such as 200,400,800.")
    return tuple(int(text) for text in found)


@collecting
def percent(env: environ.Env, name: str, default: str) -> float:
    """A number from 0 to 100, with a point or without."""
    text = str(env.str(name, "")).strip() or default
    if not re.fullmatch(r"\d{1,3}(\.\d{1,6})?", text) or float(text) > 100:
        raise ImproperlyConfigured(f"{name}={text!r} is not a percentage such as 0.1 or 2.")
    return float(text)


@collecting
def waits(env: environ.Env, name: str, default: str, count: int | None = None) -> tuple[dt.timedelta, ...]:
    """Seconds, comma-separated, none shorter than the one before it; `count` of them where it is given."""
    found = numbers(env, name, default)
    if list(found) != sorted(found) or (count and len(found) != count):
        many = f"{count} growing" if count else "growing"
        raise ImproperlyConfigured(f"{name}={','.join(map(str, found))!r} is not {many} numbers of seconds: {default}.")
    return tuple(dt.timedelta(seconds=seconds) for seconds in found)


def _parts(env: environ.Env, name: str) -> list[str]:
    return [part.strip() for part in str(env.str(name, "")).split(",") if part.strip()]
