"""A little work for the browser before it may sign somebody up, in a burst of sign-ups: dear for machines only.

The challenge is one of Altcha's (version 1): find the number whose SHA-256 with a salt is given. It is signed,
expires, and each solution is good once. Nothing is stored until it is used, and no third party is asked.
"""

from __future__ import annotations

import datetime as dt
import json

from altcha import v1 as altcha
from django.conf import settings
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext

from subscriptions import bursts
from subscriptions.limits import counter_key
from subscriptions.models import RateCount

OFF, BURST, ALWAYS = "off", "burst", "always"
MODES = (OFF, BURST, ALWAYS)
MAX_NUMBER = 200_000  # about a second of a phone's time
GOOD_FOR = dt.timedelta(hours=1)
MAX_PAYLOAD = 2_000  # characters


def is_wanted(now: dt.datetime) -> bool:
    """Return whether a sign-up needs a solution now."""
    if settings.SIGNUP_PROOF_OF_WORK == BURST:
        return bursts.rate(now).is_burst
    return bool(settings.SIGNUP_PROOF_OF_WORK == ALWAYS)


def challenge(now: dt.datetime) -> str:
    """Return a new challenge as JSON, for the page's script."""
    options = altcha.ChallengeOptions(max_number=MAX_NUMBER, hmac_key=_key(), expires=now + GOOD_FOR)
    return json.dumps(altcha.create_challenge(options).to_dict())


def accept(payload: str, now: dt.datetime) -> bool:
    """Return whether this solves a challenge of ours that has not expired, and was not used before."""
    if not payload or len(payload) > MAX_PAYLOAD:
        return False
    try:
        is_solved, _ = altcha.verify_solution(payload, _key(), check_expires=True)
        signature = altcha.Payload.from_base64(payload).signature if is_solved else ""
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):  # anybody can send anything
        return False
    uses = int(GOOD_FOR.total_seconds()) * 2
    return is_solved and RateCount.objects.add(counter_key("proof", signature), uses, now) == 1


def explanation() -> str:
    """Return what to tell somebody whose sign-up came without a solution."""
    return gettext(
        "Unusually many sign-ups arrive at the moment, so your browser has to do a small calculation first. Press"
        " “Subscribe” once more. Without JavaScript, please try again in an hour."
    )


def _key() -> str:
    return salted_hmac("paper-round.proof-of-work", "", algorithm="sha256").hexdigest()
