from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('subscriptions', '0005_paused_at'),
    ]

    operations = [
        migrations.AddField(
            model_name='subscriber',
            name='bounce_score',
            field=models.FloatField(default=0, editable=False, help_text='As it was at `bounced_at`; it decays.'),
        ),
        migrations.AddField(
            model_name='subscriber',
            name='bounced_at',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
    ]
