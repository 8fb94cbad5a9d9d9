"""What the search knows a paper by. The index over it is each database's own, made by a migration."""

from __future__ import annotations

import datetime as dt

from django.db import models

from digest.models.papers import Paper


class SearchText(models.Model):
    """A paper's terms (`digest.papers.search.terms`), written when it is matched; nothing else reads them.

    The key is also its place in answers, which are given newest first: the date, then the paper's id.
    """

    place = models.BigIntegerField(primary_key=True)
    paper = models.OneToOneField(Paper, on_delete=models.CASCADE, related_name="search_text")
    title = models.TextField(blank=True)
    abstract = models.TextField(blank=True)
    labels = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"the terms of paper {self.paper_id}"

    @staticmethod
    def place_of(paper_id: int, date: dt.date) -> int:
        """Days, then 32 bits for the paper's id."""
        return date.toordinal() << 32 | paper_id
