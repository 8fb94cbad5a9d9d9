"""Going through the rules: what would go, and deleting it."""

from __future__ import annotations

import datetime as dt
import logging
import time

from digest.operations.retention import matches
from digest.operations.retention.rules import RULES, Rule

logger = logging.getLogger(__name__)


def count(now: dt.datetime) -> dict[str, int]:
    """Return how many rows of each rule would go. Changes nothing."""
    return {rule.name: sum(map(len, rule.find(now))) for rule in RULES}


def prune(now: dt.datetime, longest: float | None = None) -> dict[str, int]:
    """Delete what is too old, for `longest` seconds at most; return how many rows of each rule went.

    What is left, by the clock or by an error in one rule, is found by the next run.
    """
    ends = time.monotonic() + longest if longest else float("inf")
    try:
        matches.settle_interests()
    except Exception:
        logger.exception("The interests could not be settled; the next run tries again.")
    deleted = {rule.name: _prune(rule, now, ends) for rule in RULES}
    logger.info("Pruned: %s.", summary(deleted))
    return deleted


def summary(counts: dict[str, int]) -> str:
    """Return the counts as one text: "3 unconfirmed sign-ups, 1,204 matches of old papers"."""
    return ", ".join(f"{number:,} {name}" for name, number in counts.items() if number) or "nothing"


def _prune(rule: Rule, now: dt.datetime, ends: float) -> int:
    deleted = 0
    try:
        for batch in rule.find(now):
            if time.monotonic() > ends:
                logger.warning("No time was left for all %s: the next run goes on.", rule.name)
                break
            deleted += rule.delete(batch, now)
    except Exception:
        logger.exception("Deleting %s failed; the other rules go on.", rule.name)
    return deleted
