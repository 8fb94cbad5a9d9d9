"""A mail of ten papers to wire bytes, for readers who each want something else, beside Django's own way.

The papers are real where they can be had. Each round has a press of its own that has composed for WARM readers, and
composes for others it has not met: the parts of papers and frames are warm then; of marked excerpts and reasons so much
as others shared. A worker of a service of 100,000 readers is there after a minute's mails; what a morning's first mails
cost, after EARLY readers and after none, is shown too. The peer is given its contexts ready, and writes no CSS into the
elements. (Each paper of its mails is rendered from a template of its own; one that includes them costs the same.)
"""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone

from bench import town
from bench.measure import Case
from digest.mail.messages import Order
from digest.mail.rendering import Press, compose, digest_context, headers, order_of, subject
from digest.mail.rendering.renderer import _render
from digest.models import Delivery
from digest.picks.evidence import describe_digests
from digest.picks.selection import select

READERS = 4_200
WARM, EARLY, MAILS, SLOW = 3_000, 550, 360, 12  # mails before the measure, in a round, in one of the slow ways
ROUNDS = 5


def cases() -> list[Case]:
    now = timezone.now()
    deliveries = _deliveries(now)
    orders = [order_of(one.digest, one.pk) for one in deliveries]
    presses = iter([_warm(orders[:WARM], now) for _ in range(ROUNDS)])
    young = iter([_warm(orders[:EARLY], now) for _ in range(ROUNDS)])
    unmet = orders[WARM : WARM + MAILS]
    ready = _warm(unmet, now)
    slow = deliveries[:SLOW]
    values = [
        digest_context(one.digest, one.digest.subscriber, describe_digests([one.digest])[0])
        | {"headers": headers(one.digest, one.digest.subscriber, now)}
        for one in slow
    ]
    letters = [letter.data for letter in ready.letters(unmet, now)]

    def ours() -> None:
        next(presses).letters(unmet, now)

    def early() -> None:
        next(young).letters(unmet, now)

    def again() -> None:
        ready.letters(unmet, now)

    def cold() -> None:
        Press().letters(unmet, now)

    def plain() -> None:
        for one in slow:
            compose(one.digest, now).message().as_bytes(linesep="\r\n")

    def django() -> None:
        for one, given in zip(slow, values, strict=True):
            mail = EmailMultiAlternatives(
                subject(given["items"]), _render("text", given), settings.DEFAULT_FROM_EMAIL,
                [one.digest.subscriber.email], headers=given["headers"],
            )  # fmt: skip
            mail.attach_alternative(_render("html", given), "text/html")
            mail.message().as_bytes(linesep="\r\n")

    def copy() -> None:
        for data in letters:
            bytearray(data)

    unmet_after = "parts joined, readers not met before, after {:,} others"
    group = f"compose a mail of {town.PICKS} papers to wire bytes"
    return [
        Case(group, unmet_after.format(WARM), ours, MAILS, "mail", rounds=ROUNDS),
        Case(
            group, "peer: Django's templates and EmailMultiAlternatives", django, SLOW, "mail", least=50, rounds=ROUNDS
        ),
        Case(group, "the plain way: and CSS inlined, marks and queries", plain, SLOW, "mail"),
        Case(group, "parts joined, the same readers again", again, MAILS, "mail", rounds=ROUNDS),
        Case(group, unmet_after.format(EARLY), early, MAILS, "mail", rounds=ROUNDS),
        Case(group, f"a new press: its first {MAILS} mails", cold, MAILS, "mail", rounds=1),
        Case(group, "floor: a copy of the finished bytes", copy, MAILS, "mail", rounds=ROUNDS),
    ]


def _warm(orders: list[Order], now: dt.datetime) -> Press:
    """A press that has met these readers."""
    press = Press()
    press.letters(orders, now)
    return press


def _deliveries(now: dt.datetime) -> list[Delivery]:
    """Mails of just ten papers, chosen by the service itself for readers with lines of their own."""
    readers = town.build(READERS, now, trending_share=0)
    town.make_due(readers, now)
    select.select_due(now)
    mails = Delivery.objects.filter(digest__subscriber__in=readers).select_related("digest__subscriber")
    return [one for one in mails if len(one.digest.picks) == town.PICKS]
