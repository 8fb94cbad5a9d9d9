"""Less to write for each mail: no index that most rows need not be in, and room beside each row for its next version."""

import django.db.models.deletion
from django.db import migrations, models


def leave_room(apps, schema_editor):
    """So that claiming a mail changes no index (PostgreSQL's heap-only tuples): for the pages filled from now on."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE digest_delivery SET (fillfactor = 50)")


def leave_none(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE digest_delivery RESET (fillfactor)")


class Migration(migrations.Migration):

    dependencies = [
        ('digest', '0011_titles_in_search'),
        ('subscriptions', '0010_fewer_indexes'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='delivery',
            name='delivery_message_id',
        ),
        migrations.AlterField(
            model_name='delivery',
            name='status',
            field=models.CharField(choices=[('waiting', 'Waiting'), ('sending', 'Sending'), ('sent', 'Sent'), ('queued', 'Queued'), ('invalid', 'Invalid'), ('rejected', 'Rejected'), ('failed', 'Failed'), ('unknown', 'Unknown'), ('deferred', 'Deferred'), ('delivered', 'Delivered'), ('bounced', 'Bounced'), ('complained', 'Complained'), ('unsubscribed', 'Unsubscribed')], default='waiting', max_length=16),
        ),
        migrations.AlterField(
            model_name='digest',
            name='subscriber',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='digests', to='subscriptions.subscriber'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('status__in', ['waiting', 'sending', 'sent', 'delivered']), _negated=True), fields=['status'], name='delivery_exceptions'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('message_id', ''), _negated=True), fields=['message_id'], name='delivery_of_message'),
        ),
        migrations.RunPython(leave_room, leave_none),
    ]
