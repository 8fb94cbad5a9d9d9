"""The admin's history named subscribers by their addresses."""

from django.db import migrations
from django.db.models import CharField, Value
from django.db.models.functions import Concat


def forget(apps, schema_editor):
    LogEntry = apps.get_model("admin", "LogEntry")
    of_subscribers = LogEntry.objects.filter(
        content_type__app_label="subscriptions", content_type__model="subscriber"
    )
    of_subscribers.update(object_repr=Concat(Value("subscriber "), "object_id", output_field=CharField()))
    known = {str(pk) for pk in apps.get_model("subscriptions", "Subscriber").objects.values_list("pk", flat=True)}
    gone = sorted(set(of_subscribers.values_list("object_id", flat=True)) - known)
    for start in range(0, len(gone), 500):
        erased = of_subscribers.filter(object_id__in=gone[start : start + 500])
        erased.update(object_repr="an erased subscriber", change_message="")


class Migration(migrations.Migration):
    dependencies = [
        ("subscriptions", "0016_consent_origin"),
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(forget, migrations.RunPython.noop, elidable=True)]
