

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('subscriptions', '0003_meanings'),
    ]

    operations = [
        migrations.AddField(
            model_name='subscriber',
            name='pasted',
            field=models.JSONField(blank=True, default=list, editable=False, help_text='Numbers of papers pasted when signing up: likes to be.'),
        ),
        migrations.AlterField(
            model_name='subscriber',
            name='notice',
            field=models.CharField(blank=True, choices=[('', 'none'), ('confirm', 'confirmation'), ('already', 'already subscribed'), ('link', 'the way to the preferences')], default='', max_length=16),
        ),
    ]
