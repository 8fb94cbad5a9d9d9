"""Store picks as numbers: two columns of packed records in place of sentences in JSON."""

from django.db import migrations, models

from digest.models.picks import Lane, Pick, Reason, ReasonKind, pack

LANES = {lane.name.lower(): lane for lane in Lane}
KINDS = {kind.name.lower(): kind for kind in ReasonKind}
CLOSE = "close to: "


def pack_digests(apps, schema_editor):
    Digest = apps.get_model("digest", "Digest")
    InterestLine = apps.get_model("subscriptions", "InterestLine")
    rows = InterestLine.objects.values_list("subscriber_id", "typed", "interest_id")
    interests = {(subscriber, typed): interest for subscriber, typed, interest in rows.iterator()}
    changed = []
    for digest in Digest.objects.exclude(picks=[]).iterator(chunk_size=500):
        picks = [packed_pick(pick, digest.subscriber_id, interests) for pick in digest.picks]
        digest.packed_picks, digest.packed_reasons = pack(picks)
        changed.append(digest)
        if len(changed) == 500:
            Digest.objects.bulk_update(changed, ["packed_picks", "packed_reasons"])
            changed = []
    Digest.objects.bulk_update(changed, ["packed_picks", "packed_reasons"])


def packed_pick(pick, subscriber, interests):
    """Return a pick as numbers. A line that the subscriber has removed since becomes interest 0."""
    reasons = []
    for reason in pick["reasons"]:
        kind = KINDS[reason.get("kind", "match")]
        line = reason["line"].removeprefix(CLOSE) if kind == ReasonKind.CLOSE else reason["line"]
        of_line = kind in (ReasonKind.MATCH, ReasonKind.CLOSE)
        subject = interests.get((subscriber, line), 0) if of_line else reason.get("like", 0)
        reasons.append(Reason(kind, subject, round(100 * reason["points"])))
    points, trend = (round(100 * pick[name]) for name in ("points", "trend"))
    return Pick(pick["paper"], LANES[pick["lane"]], points, trend, tuple(reasons))


class Migration(migrations.Migration):
    dependencies = [
        ("digest", "0013_queue_in_order"),
        ("subscriptions", "0012_rate_counts"),
    ]

    operations = [
        migrations.AddField(
            model_name="digest",
            name="packed_picks",
            field=models.BinaryField(
                default=bytes, help_text="Records of `digest.models.picks.PICK`, best first."
            ),
        ),
        migrations.AddField(
            model_name="digest",
            name="packed_reasons",
            field=models.BinaryField(default=bytes, help_text="Records of `digest.models.picks.REASON`."),
        ),
        migrations.RunPython(pack_digests, migrations.RunPython.noop, elidable=True),
        migrations.RemoveField(model_name="digest", name="papers"),
        migrations.RemoveField(model_name="digest", name="picks"),
    ]
