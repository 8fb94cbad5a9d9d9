"""The source every installation begins with, due at once. An operator may switch it off or delete it."""

from django.db import migrations


def add(apps, schema_editor):
    apps.get_model("digest", "Source").objects.get_or_create(
        slug="huggingface",
        defaults={
            "name": "Hugging Face Daily Papers",
            "kind": "huggingface",
            "url": "https://huggingface.co/api/daily_papers",
        },
    )


class Migration(migrations.Migration):
    dependencies = [("digest", "0001_initial")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
