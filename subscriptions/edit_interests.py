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
    interest, _ = Interest.objects.get_or_make(parse(line))
    with transaction.atomic():
        Subscriber.objects.select_for_update().get(pk=reader.pk)  # two clicks at once must not both be the 50th
        if reader.interest_lines.filter(interest=interest).exists():
            return False
        if reader.interest_lines.count() >= MAX_LINES:
            said = gettext("You have %(count)s lines, and that is the most: take one away in your preferences.")
            raise TooManyLines(said % {"count": MAX_LINES})
        last = reader.interest_lines.aggregate(last=Max("position"))["last"]
        position = 0 if last is None else last + 1
        InterestLine.objects.create(subscriber=reader, interest=interest, typed=line, position=position)
    return True


def remove(reader: Subscriber, line: str) -> bool:
    """Take away the line of this meaning; whether there was one. Raises InterestError."""
    removed, _ = reader.interest_lines.filter(interest__key=canonical.key(parse(line))).delete()
    return removed > 0
