"""Who is due is read in the order they are taken: of a million due at one hour a chunk, not all of them for each chunk."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("subscriptions", "0010_fewer_indexes"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="subscriber",
            name="subscriber_due",
        ),
        migrations.AddIndex(
            model_name="subscriber",
            index=models.Index(
                condition=models.Q(("status", "active")), fields=["next_digest_at", "id"], name="subscriber_due"
            ),
        ),
    ]
