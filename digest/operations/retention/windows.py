"""How far back anything looks, and so what may not be deleted."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db.models import Q

from digest.picks.selection.digest_plan import WEEK

DAY = dt.timedelta(days=1)
FURTHEST = 125 * DAY  # more than CANDIDATE_DAYS and CATCH_UP_DAYS together ever let a mail look back


def ago(now: dt.datetime, setting: str) -> dt.datetime:
    """The moment before which rows that this setting keeps may go."""
    days: int = getattr(settings, setting)
    return now - days * DAY


def seen_since(moment: dt.datetime, prefix: str = "") -> Q:
    """Papers that were first seen or first listed after that moment: candidates of a mail that looks back so far."""
    return Q(**{f"{prefix}first_seen_at__gt": moment}) | Q(**{f"{prefix}first_listed_on__gt": moment.date()})


def first_day_to_send(now: dt.datetime) -> dt.date:
    """The first day whose mail can still be sent: all digests that may hold one of its candidates are there."""
    back = max(WEEK, settings.CANDIDATE_DAYS) + settings.CATCH_UP_DAYS
    return (ago(now, "KEEP_DIGESTS_DAYS") + back * DAY).date() + DAY


def first_matched_day(now: dt.datetime) -> dt.date:
    """The first day whose mail can be chosen again: all its candidates still have their matches."""
    back = max(WEEK, settings.CANDIDATE_DAYS)
    return (ago(now, "KEEP_MATCHES_DAYS") + back * DAY).date() + DAY
