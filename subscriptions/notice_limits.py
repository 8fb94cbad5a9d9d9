"""How many transactional mails a mailbox gets, counted in the database so that the counts outlive rows and restarts.

Each kind has counters of its own: no stranger's requests of one kind use up another kind.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from subscriptions import addresses
from subscriptions.limits import counter_key
from subscriptions.models import RateCount, Subscriber

QUARTER, DAY, MONTH = 900, 86_400, 30 * 86_400  # seconds

# (most, seconds), the shortest window first. A mailbox that never confirms gets three mails in 60 days, however often
# strangers type it (M3AAWG on list bombing).
CONFIRMATIONS = ((1, QUARTER), (2, DAY), (3, 2 * MONTH))
REMINDERS = ((1, DAY), (3, MONTH))
# The link lives as long as the longest of these windows: whoever is refused one has one that still works.
LINKS = ((1, QUARTER), (8, DAY))


def may_confirm(address: str, now: dt.datetime) -> bool:
    """Count a confirmation to this mailbox. False: it would be one too many."""
    return _is_within("confirm", addresses.mailbox(address), CONFIRMATIONS, now)


def may_confirm_each(addresses_asked: Iterable[str], now: dt.datetime) -> set[str]:
    """Count a confirmation to each mailbox, with a few queries. Return the addresses that may have it.

    Of variants of one mailbox, the first counts.
    """
    by_mailbox: dict[str, str] = {}
    for address in addresses_asked:
        by_mailbox.setdefault(addresses.mailbox(address), address)
    for most, seconds in CONFIRMATIONS:
        keys = {_key("confirm", who, seconds): who for who in by_mailbox}
        counts = RateCount.objects.add_to_each(list(keys), seconds, now)
        by_mailbox = {keys[key]: by_mailbox[keys[key]] for key, count in counts.items() if count <= most}
    return set(by_mailbox.values())


def may_remind(subscriber: Subscriber, now: dt.datetime) -> bool:
    """Count a mail that says "you are subscribed already". False: it would be one too many."""
    return _is_within("already", subscriber.code, REMINDERS, now)


def may_send_link(subscriber: Subscriber, now: dt.datetime) -> bool:
    """Count a mail with the preferences link. False: one that still works was mailed before.

    Voiding all links begins a new count.
    """
    return _is_within("link", f"{subscriber.code}.{subscriber.token_version}", LINKS, now)


def forget_confirmations(address: str) -> None:
    """Delete the counts of a mailbox that has confirmed."""
    who = addresses.mailbox(address)
    RateCount.objects.filter(key__in=[_key("confirm", who, seconds) for _, seconds in CONFIRMATIONS]).delete()


def _is_within(name: str, who: str, limits: Sequence[tuple[int, int]], now: dt.datetime) -> bool:
    """Count in one window after the other; what a short window refuses does not count in a longer one."""
    return all(RateCount.objects.add(_key(name, who, seconds), seconds, now) <= most for most, seconds in limits)


def _key(name: str, who: str, seconds: int) -> str:
    return counter_key(f"{name}-{seconds}", who)
