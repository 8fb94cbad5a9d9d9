"""The queue of mails is read in its order, however many wait since the same moment."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("digest", "0012_fewer_indexes"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="delivery",
            name="delivery_open",
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("status__in", ["waiting", "sending"])),
                fields=["not_before", "id"],
                name="delivery_open",
            ),
        ),
    ]
