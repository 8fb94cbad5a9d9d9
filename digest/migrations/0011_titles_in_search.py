"""The search's texts tell what stands in a title apart; those from before are written anew at the next look."""

from django.db import migrations


def forget(apps, schema_editor):
    apps.get_model("digest", "SearchText").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("digest", "0010_catch_up")]
    operations = [migrations.RunPython(forget, forget)]
