"""Since when a reader pauses: the first mail afterwards catches up."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0004_links_and_pasted")]
    operations = [
        migrations.AddField(
            model_name="subscriber",
            name="paused_at",
            field=models.DateTimeField(
                blank=True, editable=False, help_text="Since when; kept until a mail has caught up.", null=True
            ),
        ),
    ]
