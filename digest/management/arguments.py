"""Arguments that several commands take: moments and dates, read strictly."""

from __future__ import annotations

import argparse
import datetime as dt


def date(text: str) -> dt.date:
    """YYYY-MM-DD."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date such as 2026-03-14") from None


def moment(text: str) -> dt.datetime:
    """An ISO 8601 date and time; UTC where it names no zone."""
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a moment such as 2026-03-14T08:00") from None
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)
