"""Which papers each interest found."""

from __future__ import annotations

from django.db import models

from digest.models.papers import Paper
from subscriptions.models import Interest


class Match(models.Model):
    """Interest x paper: how well, and which words matched where.

    `places` holds character spans by field, and the words as the paper writes them:
    {"title": [[0, 9]], "abstract": [[12, 21]], "words": ["Diffusion"]}.
    """

    interest = models.ForeignKey(Interest, on_delete=models.CASCADE, related_name="matches")
    paper = models.ForeignKey(Paper, on_delete=models.CASCADE, related_name="matches")
    weight = models.FloatField()
    places = models.JSONField(default=dict)

    class Meta:
        verbose_name_plural = "matches"
        constraints = [models.UniqueConstraint(fields=["interest", "paper"], name="match_once")]

    def __str__(self) -> str:
        # The admin's history outlives the interest, so its words do not belong here.
        return f"interest {self.interest_id}, paper {self.paper_id}"
