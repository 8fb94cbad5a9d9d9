"""Requests that visitors make by typing an address: stored by the page, handled by a worker.

The page does the same work for every address, one row: how long it takes tells nobody who is subscribed.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence

from django.db import transaction
from django.db.models import F

from subscriptions import bursts, signup
from subscriptions.models import MailRequest, SignupHour
from subscriptions.preferences import Preferences

logger = logging.getLogger(__name__)

AT_ONCE = 200  # requests handled in one go
FAILURES = 5  # after which a request is left for the operator to look at


def ask_to_sign_up(
    address: str, preferences: Preferences, *, page: str, now: dt.datetime, pasted: Sequence[int] = ()
) -> None:
    """Store a sign-up."""
    details = {"preferences": vars(preferences), "page": page, "pasted": list(pasted)}
    with transaction.atomic():
        SignupHour.objects.add(now, requests=1)
        MailRequest.objects.create(kind=MailRequest.Kind.SIGN_UP, address=address, details=details, requested_at=now)


def ask_for_link(address: str, now: dt.datetime) -> None:
    """Store that somebody asked for the link of this address."""
    MailRequest.objects.create(kind=MailRequest.Kind.LINK, address=address, requested_at=now)


def handle_requests(now: dt.datetime) -> int:
    """Handle what is stored, oldest first. Return how many.

    Above the most confirmations an hour, sign-ups wait for the next hour; links do not. A request that fails is kept
    and tried again with the next call, a few times; the others go on.
    """
    waiting = MailRequest.objects.filter(failures__lt=FAILURES)
    pks = list(waiting.filter(kind=MailRequest.Kind.LINK).values_list("pk", flat=True)[:AT_ONCE])
    room = min(bursts.room_for_confirmations(now), AT_ONCE)
    pks += waiting.filter(kind=MailRequest.Kind.SIGN_UP).values_list("pk", flat=True)[:room]
    return sum(_handle_safely(pk, now) for pk in pks)


def _handle_safely(pk: int, now: dt.datetime) -> bool:
    try:
        return _handle(pk, now)
    except Exception as error:  # whatever is wrong with one request is no reason to keep the next ones waiting
        # The error's own words may hold the address.
        logger.error("Request %d could not be handled (%s).", pk, type(error).__name__)
        MailRequest.objects.filter(pk=pk).update(failures=F("failures") + 1)
        return False


def _handle(pk: int, now: dt.datetime) -> bool:
    """Handle one request and delete it, in one transaction. False: another worker has."""
    with transaction.atomic():
        request = MailRequest.objects.select_for_update().filter(pk=pk).first()
        if request is None:
            return False
        if request.kind == MailRequest.Kind.LINK:
            signup.send_link(request.address, now)
        else:
            _sign_up(request, now)
        request.delete()
    return True


def _sign_up(request: MailRequest, now: dt.datetime) -> None:
    details = request.details
    preferences = Preferences(**details["preferences"])
    signup.sign_up(request.address, preferences, page=details["page"], now=now, pasted=details["pasted"])
