"""What readers want: each line once for all who typed it, and who did."""

from __future__ import annotations

from django.db import models

from subscriptions.interests import canonical, language
from subscriptions.interests.parser import reread


class InterestManager(models.Manager["Interest"]):
    def get_or_make(self, node: language.Node) -> tuple[Interest, bool]:
        """The interest of this meaning, and whether it is new."""
        return self.get_or_create(
            key=canonical.key(node),
            defaults={"text": str(node), "is_mute": language.is_mute(node), "is_pin": language.is_pin(node)},
        )


class Interest(models.Model):
    """One line of the interest language, once for all who typed it however they spelled it."""

    key = models.CharField(max_length=64, unique=True, editable=False)
    text = models.TextField(help_text="The line in its one printed form.")
    is_mute = models.BooleanField(default=False, help_text="The line only says what is not wanted.")
    is_pin = models.BooleanField(default=False, help_text="What it finds comes first in every digest.")
    created_at = models.DateTimeField(auto_now_add=True)
    matched_at = models.DateTimeField(
        null=True, blank=True, editable=False, db_index=True, help_text="When recent papers were matched."
    )
    subscribers = models.ManyToManyField("subscriptions.Subscriber", through="InterestLine", related_name="interests")

    objects = InterestManager()

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
