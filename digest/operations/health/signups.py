"""Whether sign-ups arrive as they usually do, and are handled."""

from __future__ import annotations

import datetime as dt

from django.conf import settings

from digest.operations.health.findings import Finding, ok, problem, warning
from subscriptions import bursts
from subscriptions.mail_requests import FAILURES
from subscriptions.models import MailRequest

LATE = dt.timedelta(minutes=15)


def signups(now: dt.datetime) -> list[Finding]:
    """A burst of sign-ups, and requests that wait or could not be handled."""
    requests = MailRequest.objects.all()
    waiting = requests.filter(failures__lt=FAILURES, requested_at__lte=now - LATE).count()
    failed = requests.filter(failures__gte=FAILURES).count()
    found = [problem(burst_in_words(now), _what_to_do())] if bursts.rate(now).is_burst else []
    if waiting:
        start = "Start a worker and beat. In a burst they wait for the next hour."
        found.append(warning(f"Sign-ups and link requests that wait: {waiting:,}.", start))
    if failed:
        do = "The log says why. They are deleted after a week; the visitors may ask again."
        found.append(warning(f"Sign-ups and link requests that could not be handled: {failed:,}.", do))
    return found or [ok("Sign-ups arrive as usual.")]


def burst_in_words(now: dt.datetime) -> str:
    """Say how many sign-ups arrive, where they are a burst; "" where they are not."""
    rate = bursts.rate(now)
    if not rate.is_burst:
        return ""
    return f"{rate.requests:,} sign-ups arrived in an hour, more than {rate.threshold:,}: this may be list bombing."


def _what_to_do() -> str:
    if settings.SIGNUP_PROOF_OF_WORK == "off":
        return "Set SIGNUP_PROOF_OF_WORK=burst, or raise SIGNUP_BURST if they are genuine."
    return "Browsers do a little work for each sign-up meanwhile. Raise SIGNUP_BURST if they are genuine."
