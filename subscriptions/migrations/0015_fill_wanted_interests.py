"""Mark the interests of active subscribers, note when the others stopped, and take lines out of the admin's history."""

from __future__ import annotations

from typing import Any

from django.db import migrations
from django.db.models import Exists, OuterRef, Subquery
from django.db.models.functions import Coalesce, Now

STOPPED = ["unsubscribed", "bounced", "complained"]


def fill(apps: Any, schema_editor: Any) -> None:
    interests = apps.get_model("subscriptions", "Interest").objects
    lines = apps.get_model("subscriptions", "InterestLine").objects
    active = lines.filter(interest=OuterRef("pk"), subscriber__status="active")
    interests.filter(Exists(active)).update(wanted_at=Now())
    interests.filter(wanted_at=None).update(matched_at=None)
    # Where no goodbye was recorded, what is kept of them is kept from today on.
    withdrawn = apps.get_model("subscriptions", "Consent").objects.filter(subscriber=OuterRef("pk"), kind="withdrawn")
    left = Subquery(withdrawn.order_by("-at").values("at")[:1])
    stopped = apps.get_model("subscriptions", "Subscriber").objects.filter(status__in=STOPPED, stopped_at=None)
    stopped.update(stopped_at=Coalesce(left, Now()))


def forget_lines(apps: Any, schema_editor: Any) -> None:
    """Entries about interests and matches name the line, which may be an erased subscriber's."""
    entries = apps.get_model("admin", "LogEntry").objects
    entries.filter(content_type__model__in=["interest", "match"]).update(object_repr="an interest", change_message="")


class Migration(migrations.Migration):
    dependencies = [
        ("subscriptions", "0014_wanted_interests"),
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.RunPython(forget_lines, migrations.RunPython.noop),
    ]
