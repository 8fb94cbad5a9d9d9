"""What subscribers want: each line once for everyone who typed it, and who did."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from subscriptions.interests import canonical, language
from subscriptions.interests.parser import InterestError, parse, reread

ACTIVE = "active"  # Subscriber.Status.ACTIVE, which this module cannot import


class InterestQuerySet(models.QuerySet["Interest"]):
    def wanted(self) -> InterestQuerySet:
        """Interests of active subscribers: only these are matched with papers."""
        return self.filter(wanted_at__isnull=False)

    def with_active_subscriber(self) -> InterestQuerySet:
        """Interests that an active subscriber has, asked of the lines themselves."""
        lines = InterestLine.objects.filter(interest=OuterRef("pk"), subscriber__status=ACTIVE)
        return self.filter(Exists(lines))

    def without_active_subscriber(self) -> InterestQuerySet:
        lines = InterestLine.objects.filter(interest=OuterRef("pk"), subscriber__status=ACTIVE)
        return self.filter(~Exists(lines))

    def unused(self) -> InterestQuerySet:
        """Interests that nobody has, in whatever status."""
        return self.filter(~Exists(InterestLine.objects.filter(interest=OuterRef("pk"))))

    def lock(self, *, skip_locked: bool = False, no_key: bool = True) -> list[int]:
        """Lock these rows until the transaction ends, and return their ids.

        Always in the order of their keys, so that two transactions never wait for each other.
        """
        rows = self.order_by("key").select_for_update(skip_locked=skip_locked, no_key=no_key)
        return list(rows.values_list("pk", flat=True))

    def take(self, nodes: Iterable[language.Node]) -> dict[str, Interest]:
        """Return the interests of these nodes by key, created where missing. Belongs in the transaction that stores
        their lines: until it ends they are locked, and nobody can delete them.
        """
        wanted = {canonical.key(node): node for node in nodes}
        found: dict[str, Interest] = {}
        while missing := sorted(wanted.keys() - found.keys()):  # again when one was deleted in between
            there = set(self.filter(key__in=missing).values_list("key", flat=True))
            self.bulk_create([_new(key, wanted[key]) for key in missing if key not in there], ignore_conflicts=True)
            locked = self.filter(key__in=missing).lock()
            found |= {interest.key: interest for interest in self.filter(pk__in=locked)}
        return found

    def want(self, pks: Collection[int]) -> None:
        """Have these interests matched from now on. Belongs in the transaction that makes their subscriber active."""
        with transaction.atomic():
            locked = self.filter(pk__in=pks).lock()
            self.filter(pk__in=locked, wanted_at=None).update(wanted_at=Now(), matched_at=None)

    def release(self, pks: Collection[int]) -> int:
        """Stop matching those of these interests that no active subscriber has any more. Return how many.

        The question is asked when the rows are locked, so whoever becomes active meanwhile is seen, or waits in
        `want`. Rows that somebody else has locked are left to the next sweep.
        """
        with transaction.atomic():
            locked = self.wanted().filter(pk__in=pks).lock(skip_locked=True)
            left = self.with_active_subscriber().filter(pk__in=locked).values_list("pk", flat=True)
            idle = set(locked) - set(left)
            return self.filter(pk__in=idle).update(wanted_at=None, matched_at=None)

    def delete_unused(self, pks: Collection[int], at_once: int = 1) -> int:
        """Delete those of these interests that nobody has any more, with their matches. Return how many.

        Each in a transaction of its own, since it may have thousands of matches; `at_once` where these are gone.
        """
        unused = list(self.unused().filter(pk__in=pks).values_list("pk", flat=True))
        starts = range(0, len(unused), at_once)
        return sum(self._delete_if_unused(unused[start : start + at_once]) for start in starts)

    def _delete_if_unused(self, pks: Collection[int]) -> int:
        """A row that somebody has locked is about to get a line."""
        with transaction.atomic():
            locked = self.filter(pk__in=pks).lock(skip_locked=True, no_key=False)
            return self.unused().filter(pk__in=locked).delete()[1].get(Interest._meta.label, 0)

    def drop(self, pks: Collection[int]) -> None:
        """Release these interests, and delete those that nobody has: their lines were just taken away."""
        self.release(pks)
        self.delete_unused(pks)

    def reprint(self, subscribers: Collection[int]) -> None:
        """Print interests that these subscribers share as somebody else typed them.

        `Interest.text` is the line of whoever typed it first and must not outlive them. The meaning stays the same.
        """
        own = InterestLine.objects.filter(subscriber__in=subscribers)
        locked = self.filter(pk__in=own.values("interest")).lock()
        others = InterestLine.objects.filter(interest__in=locked).exclude(subscriber__in=subscribers)
        first = others.order_by().values("interest").annotate(first=models.Min("pk")).values("first")
        for line in InterestLine.objects.filter(pk__in=first).select_related("interest"):
            if (text := line.printed()) != line.interest.text:
                self.filter(pk=line.interest_id).update(text=text)


def _new(key: str, node: language.Node) -> Interest:
    return Interest(key=key, text=str(node), is_mute=language.is_mute(node), is_pin=language.is_pin(node))


class Interest(models.Model):
    """One line of the interest language, once for all who typed it however they spelled it."""

    key = models.CharField(max_length=64, unique=True, editable=False)
    text = models.TextField(help_text="The line in its one printed form.")
    is_mute = models.BooleanField(default=False, help_text="The line only says what is not wanted.")
    is_pin = models.BooleanField(default=False, help_text="What it finds comes first in every digest.")
    created_at = models.DateTimeField(auto_now_add=True)
    wanted_at = models.DateTimeField(
        null=True, blank=True, editable=False,
        help_text="Since when an active subscriber has it; empty: nobody does, and it is not matched.",
    )  # fmt: skip
    matched_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When recent papers were matched."
    )
    subscribers = models.ManyToManyField("subscriptions.Subscriber", through="InterestLine", related_name="interests")

    objects = InterestQuerySet.as_manager()

    class Meta:
        # Sign-ups that nobody confirms may leave very many rows: what matching asks for must not have to pass them.
        indexes = [
            models.Index(fields=["id"], condition=Q(wanted_at__isnull=False), name="interest_wanted"),
            models.Index(
                fields=["id"], condition=Q(wanted_at__isnull=False, matched_at=None), name="interest_unmatched"
            ),
            models.Index(fields=["id"], condition=Q(wanted_at=None), name="interest_unwanted"),
        ]

    def __str__(self) -> str:
        return self.text

    def node(self) -> language.Node:
        """The line's parts."""
        return reread(self.text)


class InterestLine(models.Model):
    """That this reader wants this interest, and how they typed it: nothing typed is lost."""

    subscriber = models.ForeignKey("subscriptions.Subscriber", on_delete=models.CASCADE, related_name="interest_lines")
    interest = models.ForeignKey(Interest, on_delete=models.CASCADE, related_name="lines")
    typed = models.CharField(max_length=500)
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["subscriber", "interest"], name="interest_once_a_reader")]

    def __str__(self) -> str:
        return self.typed

    def printed(self) -> str:
        """The typed line as an interest prints it; the interest's own text when it cannot be read any more."""
        try:
            node = parse(self.typed)
        except InterestError:
            return self.interest.text
        return str(node) if canonical.key(node) == self.interest.key else self.interest.text
