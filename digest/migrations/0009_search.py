"""The search's texts, and each database's own index over them."""

import django.db.models.deletion
from django.db import migrations, models

# The texts are split at blanks and nowhere else: `terms.term` leaves only ASCII letters and digits in a term.
SQLITE = [
    """CREATE VIRTUAL TABLE digest_searchindex USING fts5(
        title, abstract, labels, content='digest_searchtext', content_rowid='place', tokenize='ascii', columnsize=0
    )""",
    """CREATE TRIGGER digest_searchtext_added AFTER INSERT ON digest_searchtext BEGIN
        INSERT INTO digest_searchindex(rowid, title, abstract, labels)
        VALUES (new.place, new.title, new.abstract, new.labels);
    END""",
    """CREATE TRIGGER digest_searchtext_gone AFTER DELETE ON digest_searchtext BEGIN
        INSERT INTO digest_searchindex(digest_searchindex, rowid, title, abstract, labels)
        VALUES ('delete', old.place, old.title, old.abstract, old.labels);
    END""",
    """CREATE TRIGGER digest_searchtext_changed AFTER UPDATE ON digest_searchtext BEGIN
        INSERT INTO digest_searchindex(digest_searchindex, rowid, title, abstract, labels)
        VALUES ('delete', old.place, old.title, old.abstract, old.labels);
        INSERT INTO digest_searchindex(rowid, title, abstract, labels)
        VALUES (new.place, new.title, new.abstract, new.labels);
    END""",
]
POSTGRESQL = [
    """ALTER TABLE digest_searchtext ADD COLUMN terms tsvector GENERATED ALWAYS AS (
        setweight(to_tsvector('simple'::regconfig, title), 'A')
        || to_tsvector('simple'::regconfig, abstract) || to_tsvector('simple'::regconfig, labels)
    ) STORED""",
    "CREATE INDEX digest_searchtext_terms ON digest_searchtext USING gin (terms)",
]


def build(apps, schema_editor):
    for statement in SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRESQL:
        schema_editor.execute(statement)


def drop(apps, schema_editor):
    """PostgreSQL's goes with the table."""
    if schema_editor.connection.vendor == "sqlite":
        for name in ("added", "gone", "changed"):
            schema_editor.execute(f"DROP TRIGGER digest_searchtext_{name}")
        schema_editor.execute("DROP TABLE digest_searchindex")


class Migration(migrations.Migration):
    dependencies = [("digest", "0008_papers_of_digests")]
    operations = [
        migrations.CreateModel(
            name="SearchText",
            fields=[
                ("place", models.BigIntegerField(primary_key=True, serialize=False)),
                (
                    "paper",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="search_text", to="digest.paper"
                    ),
                ),
                ("title", models.TextField(blank=True)),
                ("abstract", models.TextField(blank=True)),
                ("labels", models.TextField(blank=True)),
            ],
        ),
        migrations.RunPython(build, drop),
    ]
