from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0019_limits_of_settings")]

    operations = [
        migrations.AlterField(
            model_name="suppression",
            name="reason",
            field=models.CharField(
                choices=[
                    ("bounced", "Bounced"),
                    ("left elsewhere", "Left"),
                    ("by hand", "By Hand"),
                    ("complained", "Complained"),
                ],
                max_length=16,
            ),
        ),
    ]
