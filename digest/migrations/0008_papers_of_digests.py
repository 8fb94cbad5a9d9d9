"""The ids of a digest's papers beside its picks, so that what was sent is read without taking the picks apart."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("digest", "0007_mail_gate")]
    operations = [
        migrations.AddField(
            model_name="digest",
            name="papers",
            field=models.TextField(
                editable=False,
                help_text="The ids of the picks, separated by commas: what may not come again, read without the picks.",
                null=True,
            ),
        ),
    ]
