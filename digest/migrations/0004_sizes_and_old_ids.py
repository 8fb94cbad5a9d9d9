"""Editions stored before they knew how many papers they list; old arXiv ids that named a subject class."""

import re

from django.db import migrations
from django.db.models import Count


def count(apps, schema_editor):
    editions = apps.get_model("digest", "Edition").objects
    for pk, size in editions.annotate(n=Count("listings")).values_list("pk", "n").iterator():
        editions.filter(pk=pk).update(size=size)


def shorten(apps, schema_editor):
    """`math.GT/0309136` is `math/0309136`."""
    papers = apps.get_model("digest", "Paper").objects
    for pk, arxiv_id in papers.filter(arxiv_id__contains="/").values_list("pk", "arxiv_id").iterator():
        plain = re.sub(r"\.[A-Z]{2}/", "/", arxiv_id)
        if plain != arxiv_id and not papers.filter(arxiv_id=plain).exists():
            papers.filter(pk=pk).update(arxiv_id=plain)


class Migration(migrations.Migration):
    dependencies = [("digest", "0003_sources_and_series")]
    operations = [
        migrations.RunPython(count, migrations.RunPython.noop),
        migrations.RunPython(shorten, migrations.RunPython.noop),
    ]
