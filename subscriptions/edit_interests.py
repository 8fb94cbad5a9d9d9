"""One line more or less among a reader's interests, the others untouched."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext

from subscriptions.interests import canonical
from subscriptions.interests.parser import parse
from subscriptions.models import Interest, InterestLine, Subscriber

MAX_LINES = 50  # a reader


class TooManyLines(ValueError):
    """A reader who has all the lines that may be had; says so in words for them."""


def add(reader: Subscriber, line: str) -> bool:
    """Put the line last. False: the reader has one of that meaning already. Raises InterestError, TooManyLines."""
    node = parse(line)
    with transaction.atomic():
        # Two clicks at once must not both be the 50th.
        stored = Subscriber.objects.select_for_update(no_key=True).get(pk=reader.pk)
        if reader.interest_lines.filter(interest__key=canonical.key(node)).exists():
            return False
        if reader.interest_lines.count() >= MAX_LINES:
            said = gettext("You have %(count)s lines, and that is the most: take one away in your preferences.")
            raise TooManyLines(said % {"count": MAX_LINES})
        last = reader.interest_lines.aggregate(last=Max("position"))["last"]
        position = 0 if last is None else last + 1
        (interest,) = Interest.objects.take([node]).values()
        InterestLine.objects.create(subscriber=reader, interest=interest, typed=line, position=position)
        if stored.status == Subscriber.Status.ACTIVE:
            Interest.objects.want([interest.pk])
    return True


def remove(reader: Subscriber, line: str) -> bool:
    """Take away the line of this meaning; whether there was one. Raises InterestError."""
    rows = reader.interest_lines.filter(interest__key=canonical.key(parse(line)))
    interests = list(rows.values_list("interest", flat=True))
    removed, _ = rows.delete()
    Interest.objects.drop(interests)
    return removed > 0
