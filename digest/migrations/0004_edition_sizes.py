"""Editions that were stored before they knew how many papers they list."""

from django.db import migrations
from django.db.models import Count


def count(apps, schema_editor):
    editions = apps.get_model("digest", "Edition").objects
    for pk, size in editions.annotate(n=Count("listings")).values_list("pk", "n").iterator():
        editions.filter(pk=pk).update(size=size)


class Migration(migrations.Migration):
    dependencies = [("digest", "0003_sources_and_series")]
    operations = [migrations.RunPython(count, migrations.RunPython.noop)]
