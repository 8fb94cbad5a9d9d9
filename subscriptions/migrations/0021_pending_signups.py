import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0020_suppressions_of_who_left_elsewhere")]

    operations = [
        migrations.AddField(
            model_name="subscriber",
            name="latest_signup",
            field=models.PositiveIntegerField(
                db_default=0,
                default=0,
                editable=False,
                help_text="The number of the pending sign-up that the newest confirmation is for; 0: what the row itself says.",
            ),
        ),
        migrations.CreateModel(
            name="PendingSignup",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("preferences", models.JSONField(help_text="The lines and settings that were asked for.")),
                (
                    "pasted",
                    models.JSONField(default=list, help_text="Ids of papers to mark as liked on confirmation."),
                ),
                ("asked_at", models.DateTimeField(db_index=True)),
                (
                    "subscriber",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="pending_signups",
                        to="subscriptions.subscriber",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("subscriber", "number"), name="pending_signup_number")
                ],
            },
        ),
    ]
