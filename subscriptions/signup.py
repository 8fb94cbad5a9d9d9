"""Somebody typed an address: what to store, and which mail, if any, to owe. Double opt-in begins here.

A worker decides here, after the page has answered (subscriptions.mail_requests): known, unknown and suppressed
addresses look alike, and take the same time.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.dispatch import Signal

from subscriptions import addresses, links, notice_limits
from subscriptions.erasure import erase_all
from subscriptions.models import Consent, PendingSignup, SignupHour, Subscriber, Suppression
from subscriptions.models.subscribers import SubscriberQuerySet
from subscriptions.preferences import SETTINGS, Preferences

logger = logging.getLogger(__name__)

confirmed = Signal()  # an address said yes (`reader`, `now`), in the same transaction: `digest` may not be called

WORDING = "Send me papers that match my interests by e-mail. I can change this or leave with one click in every mail."
FOR_GOOD = (Suppression.Reason.COMPLAINED, Suppression.Reason.BY_HAND)  # what signing up anew does not lift
WITH_LINK = (Subscriber.Status.ACTIVE, Subscriber.Status.UNSUBSCRIBED)  # who may ask for their link
# Who may be sent the confirmation again by staff; those who complained are never asked.
CAN_CONFIRM = (Subscriber.Status.PENDING, Subscriber.Status.UNSUBSCRIBED, Subscriber.Status.BOUNCED)


def sign_up(
    address: str, preferences: Preferences, *, page: str, now: dt.datetime, wording: str = WORDING,
    pasted: Sequence[int] = (), origin: str = Consent.Origin.SUBSCRIBER,
) -> None:  # fmt: skip
    """Store the wish and owe the confirmation mail. An address that has a row keeps what it has until the click.

    `pasted` are the numbers of papers the reader wants more of, once the address says yes.
    """
    with transaction.atomic():
        if Suppression.objects.reason_for(address) in FOR_GOOD:
            return
        # Two requests for a new address at once: one makes the row, the other waits for it here.
        _, is_new = Subscriber.objects.get_or_create(email_key=addresses.key(address), defaults={"email": address})
        reader = Subscriber.objects.select_for_update().by_address(address).get()
        if reader.status == Subscriber.Status.ACTIVE:
            # Anybody can type an address: only its owner, by their own link, changes what it gets.
            if not reader.notice and notice_limits.may_remind(reader, now):
                reader.notice = Subscriber.Notice.ALREADY
                reader.save(update_fields=["notice"])
            return
        if is_new:
            _store(reader, preferences, pasted, now)
        elif not _store_apart(reader, preferences, pasted, now):
            return
        _add_consent(reader, Consent.Kind.REQUESTED, page, now, origin, wording)


def _store(reader: Subscriber, preferences: Preferences, pasted: Sequence[int], now: dt.datetime) -> None:
    """Store what the first sign-up of an address asks for in its row."""
    names = preferences.write_to(reader)
    _owe_confirmation(reader, now)
    reader.pasted = list(pasted)
    reader.save(update_fields=[*names, "notice", "pasted"])
    reader.set_lines(list(preferences.lines))


def _store_apart(reader: Subscriber, preferences: Preferences, pasted: Sequence[int], now: dt.datetime) -> bool:
    """Store what another sign-up asks for, to take effect with the click on its own link only.

    False: no confirmation may be mailed for it now, so it could never take effect, and nothing is stored.
    """
    if not _owe_confirmation(reader, now):
        return False
    reader.latest_signup += 1
    reader.save(update_fields=["notice", "latest_signup"])
    reader.pending_signups.create(
        number=reader.latest_signup, preferences=vars(preferences), pasted=list(pasted), asked_at=now
    )
    return True


def _owe_confirmation(reader: Subscriber, now: dt.datetime) -> bool:
    """Owe the confirmation. False: it is owed already, or the mailbox has had enough of them."""
    if reader.notice == Subscriber.Notice.CONFIRM or not notice_limits.may_confirm(reader.email, now):
        return False
    reader.notice = Subscriber.Notice.CONFIRM
    SignupHour.objects.add(now, confirmations=1)
    return True


def send_link(address: str, now: dt.datetime) -> None:
    """Owe the subscriber at this address the way to their preferences, if there is one whom we may write to."""
    with transaction.atomic():
        reader = Subscriber.objects.select_for_update().by_address(address).filter(status__in=WITH_LINK).first()
        if reader and _may_have_link(reader) and notice_limits.may_send_link(reader, now):
            reader.notice = Subscriber.Notice.LINK
            reader.save(update_fields=["notice"])


def _may_have_link(reader: Subscriber) -> bool:
    """Whether to mail this subscriber their link: nothing but a confirmation goes to who never confirmed."""
    has_said_yes = reader.status == Subscriber.Status.ACTIVE or reader.confirmed_at is not None
    # A confirmation that is owed goes first, and leads to the preferences too.
    is_free = reader.notice in (Subscriber.Notice.NONE, Subscriber.Notice.ALREADY)
    return has_said_yes and is_free and not Suppression.objects.reason_for(reader.email)


def resend_confirmation(subscriber: Subscriber, now: dt.datetime) -> bool:
    """Queue the confirmation mail again, on the word of staff. Return False when the limits or a suppression forbid it.

    It takes effect only with the subscriber's own click.
    """
    with transaction.atomic():
        locked = Subscriber.objects.select_for_update().get(pk=subscriber.pk)
        if locked.status not in CAN_CONFIRM or Suppression.objects.reason_for(locked.email) in FOR_GOOD:
            return False
        _owe_confirmation(locked, now)
        locked.save(update_fields=["notice"])
    return locked.notice == Subscriber.Notice.CONFIRM


def confirm(
    reader: Subscriber, *, page: str, now: dt.datetime, wording: str = WORDING, origin: str = Consent.Origin.SUBSCRIBER
) -> bool:
    """The owner of the address said yes. Lifts a bounce of earlier days, since the mailbox has just proved it works,
    and that they left another service.

    False: the address complained since, or the operator suppressed it, and stays so.
    """
    with transaction.atomic():
        if Suppression.objects.reason_for(reader.email) in FOR_GOOD:
            return False
        Suppression.objects.for_address(reader.email).exclude(reason__in=FOR_GOOD).delete()
        reader.confirm(now)
        notice_limits.forget_confirmations(reader.email)
        _add_consent(reader, Consent.Kind.CONFIRMED, page, now, origin, wording)
        confirmed.send(Subscriber, reader=reader, now=now)
    return True


def confirm_by_link(reader: Subscriber, version: int, number: int, *, page: str, now: dt.datetime) -> bool:
    """Confirm the sign-up that a link of this version and number was mailed for.

    False: a link was used, the subscriber has left since, the sign-up is forgotten, or the address is suppressed.
    """
    with transaction.atomic():
        locked = Subscriber.objects.select_for_update().get(pk=reader.pk)
        if version != locked.confirm_version or Suppression.objects.reason_for(locked.email) in FOR_GOOD:
            return False
        if number:
            asked = locked.pending_signups.filter(number=number).first()
            if asked is None:
                return False
            preferences = show(locked, asked)
            locked.save(update_fields=[*SETTINGS, "pasted"])
            locked.set_lines(list(preferences.lines))
        locked.pending_signups.all().delete()
        return confirm(locked, page=page, now=now)


def show(reader: Subscriber, asked: PendingSignup) -> Preferences:
    """Set the subscriber's columns as this sign-up asks, without saving. Return its preferences."""
    preferences = Preferences(**asked.preferences)
    preferences.write_to(reader)
    reader.pasted = asked.pasted
    return preferences


def leave(reader: Subscriber, *, page: str, now: dt.datetime, origin: str = Consent.Origin.SUBSCRIBER) -> None:
    """The reader wants no more mail. Said twice, it is still so."""
    if reader.status in (Subscriber.Status.UNSUBSCRIBED, Subscriber.Status.COMPLAINED):
        return
    with transaction.atomic():
        reader.stop(Subscriber.Status.UNSUBSCRIBED, now)
        _add_consent(reader, Consent.Kind.WITHDRAWN, page, now, origin)


def _add_consent(
    subscriber: Subscriber, kind: str, page: str, now: dt.datetime, origin: str, wording: str = ""
) -> None:
    Consent.objects.create(subscriber=subscriber, kind=kind, at=now, page=page[:200], wording=wording, origin=origin)


def can_come_back(reader: Subscriber, now: dt.datetime) -> bool:
    """Whether an undo gives back what was left: for some days, unless somebody has signed the address up since."""
    last = reader.consents.order_by("-at", "-pk").first()
    has_just_left = last is not None and last.kind == Consent.Kind.WITHDRAWN and now - last.at <= links.UNDO
    return reader.confirmed_at is not None and has_just_left


def void_links(reader: Subscriber) -> None:
    """Make all links, the feed's address and the token for programs void. Links to unsubscribe still do that."""
    Subscriber.objects.filter(pk=reader.pk).update(token_version=F("token_version") + 1)
    reader.secrets.all().delete()


def unconfirmed(now: dt.datetime) -> SubscriberQuerySet:
    """Addresses that had KEEP_UNCONFIRMED_DAYS to confirm and did not."""
    since = now - dt.timedelta(days=settings.KEEP_UNCONFIRMED_DAYS)
    old = Subscriber.objects.filter(status=Subscriber.Status.PENDING, created_at__lt=since)
    # The link of a confirmation that went out later is still good.
    return old.exclude(notice="", notices_sent__gt=0, last_notice_at__gte=since)


def prune_unconfirmed(now: dt.datetime) -> int:
    """Erase addresses that never confirmed. Return how many."""
    count = erase_all(unconfirmed(now))
    if count:
        logger.info("Forgot %d sign-ups that were never confirmed.", count)
    return count
