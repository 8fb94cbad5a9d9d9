"""More lines mean the same since plurals, names of authors and groups are understood: keys are made anew."""

from django.db import migrations


def renew(apps, schema_editor):
    # The language as it is when this runs: what it makes of a line is what the rows must agree with.
    from subscriptions.interests import canonical, language
    from subscriptions.interests.errors import InterestError
    from subscriptions.interests.parser import reread

    interests = apps.get_model("subscriptions", "Interest").objects
    for row in interests.order_by("pk"):
        try:
            node = reread(row.text)
        except InterestError:
            continue  # it matches nothing, and says so in the log
        same = interests.filter(key=canonical.key(node)).exclude(pk=row.pk).first()
        if same is None:
            row.key, row.text, row.is_mute = canonical.key(node), str(node), language.is_mute(node)
            row.is_pin, row.matched_at = language.is_pin(node), None
            row.save()
            continue
        for line in row.lines.all():
            if not same.lines.filter(subscriber=line.subscriber).exists():
                line.interest = same
                line.save()
        row.delete()


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0002_pins")]
    operations = [migrations.RunPython(renew, migrations.RunPython.noop)]
