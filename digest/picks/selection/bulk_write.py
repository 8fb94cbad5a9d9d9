"""The rows of a chunk, written a statement a table: what was chosen, its mails, and when each reader is due next.

`bulk_create` makes an object of every row and `bulk_update` a CASE; here PostgreSQL gets a chunk by COPY, SQLite its
rows as they are (executemany). All of it belongs in the caller's transaction. A digest that is there already (one a
reader and date) is left as it is, without a second mail.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from django.db import IntegrityError, connection, models, transaction

from digest.models import Delivery, Digest
from subscriptions.models import Subscriber

# What COPY reads as something else, the backslash first.
ESCAPED = (("\\", r"\\"), ("\t", r"\t"), ("\n", r"\n"), ("\r", r"\r"))
OWN = (
    "subscriber_id",
    "issue_date",
    "packed_picks",
    "packed_reasons",
    "notice",
    "is_catch_up",
)  # the columns that differ by reader


class Row(NamedTuple):
    """A digest to store, with the values of its two packed columns."""

    reader: int
    issue_date: dt.date
    picks: bytes
    reasons: bytes
    notice: str = ""
    is_catch_up: bool = False


def store(rows: Sequence[Row], now: dt.datetime) -> int:
    """Store these digests, and a waiting mail for each that holds a paper. Returns how many mails there are."""
    if not rows:
        return 0
    return _in_postgres(rows, now) if connection.vendor == "postgresql" else _row_by_row(rows, now)


def set_due(moments: Sequence[tuple[int, dt.datetime]]) -> None:
    """When each of these readers (ids) is due next, in one statement."""
    table = Subscriber._meta.db_table
    is_postgres = connection.vendor == "postgresql"
    written: Any = dt.datetime.isoformat if is_postgres else connection.ops.adapt_datetimefield_value
    text = {due: written(due) for due in {due for _, due in moments}}  # many share theirs
    with connection.cursor() as cursor:
        if is_postgres:
            cursor.execute(
                f"UPDATE {table} SET next_digest_at = due.at"  # noqa: S608 - a table's name
                " FROM unnest(%s::bigint[], %s::timestamptz[]) AS due (pk, at) WHERE id = due.pk",
                [_array(pk for pk, _ in moments), _array(text[due] for _, due in moments)],
            )
        else:
            cursor.executemany(
                f"UPDATE {table} SET next_digest_at = %s WHERE id = %s",  # noqa: S608 - a table's name
                [(text[due], pk) for pk, due in moments],
            )


def _in_postgres(rows: Sequence[Row], now: dt.datetime) -> int:
    """COPY knows no ON CONFLICT: where a digest is there already, the statement that does comes after it."""
    try:
        with transaction.atomic():
            return _copied(rows, now)
    except IntegrityError:
        return _inserted(rows, now)


def _copied(rows: Sequence[Row], now: dt.datetime) -> int:
    names, values = _defaults(Digest(created_at=now), OWN)
    mail_names, mail_values = _defaults(Delivery(not_before=now), ("digest_id",))
    rest = "".join(f"\t{_field(value)}" for value in values)
    notices = {notice: _field(notice) for notice in {row.notice for row in rows}}
    dates = {date: date.isoformat() for date in {row.issue_date for row in rows}}
    digests = "".join([
        f"{row.reader}\t{dates[row.issue_date]}\t\\\\x{row.picks.hex()}\t\\\\x{row.reasons.hex()}\t{notices[row.notice]}\t"
        f"{row.is_catch_up}{rest}\n"
        for row in rows
    ])  # fmt: skip
    mails = [row for row in rows if row.picks]
    statement = f"""
        INSERT INTO {Delivery._meta.db_table} (digest_id, {", ".join(mail_names)})
        SELECT digest.id{", %s" * len(mail_names)} FROM {Digest._meta.db_table} AS digest
        JOIN unnest(%s::bigint[], %s::date[]) AS one (reader, day)
          ON digest.subscriber_id = one.reader AND digest.issue_date = one.day
        ORDER BY digest.id"""  # noqa: S608
    with connection.wrap_database_errors, connection.cursor() as cursor:
        with cursor.copy(f"COPY {Digest._meta.db_table} ({', '.join([*OWN, *names])}) FROM STDIN") as copy:
            copy.write(digests)
        arrays = _array(row.reader for row in mails), _array(dates[row.issue_date] for row in mails)
        cursor.execute(statement, [*mail_values, *arrays])
        return int(cursor.rowcount)


def _field(value: object) -> str:
    """As the text format of COPY writes it."""
    if value is None:
        return r"\N"
    text = str(value)
    for ch, written in ESCAPED:
        if ch in text:  # to replace what is not there takes thirty times as long as to look for it
            text = text.replace(ch, written)
    return text


def _inserted(rows: Sequence[Row], now: dt.datetime) -> int:
    names, values = _defaults(Digest(created_at=now), OWN)
    mail_names, mail_values = _defaults(Delivery(not_before=now), ("digest_id",))
    statement = f"""
        WITH made AS (
            INSERT INTO {Digest._meta.db_table} ({", ".join([*OWN, *names])})
            SELECT reader, issue_date, decode(picks, 'hex'), decode(reasons, 'hex'), notice, is_catch_up
                {", %s" * len(names)}
            FROM json_to_recordset(%s) AS one (
                reader bigint, issue_date date, picks text, reasons text, notice text, is_catch_up boolean
            )
            ON CONFLICT (subscriber_id, issue_date) DO NOTHING
            RETURNING id, packed_picks
        )
        INSERT INTO {Delivery._meta.db_table} (digest_id, {", ".join(mail_names)})
        SELECT id{", %s" * len(mail_names)} FROM made WHERE packed_picks <> '' ORDER BY id"""  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(statement, [*values, f"[{','.join(map(_as_json, rows))}]", *mail_values])
        return int(cursor.rowcount)


def _as_json(row: Row) -> str:
    return (
        f'{{"reader":{row.reader},"issue_date":"{row.issue_date}","picks":"{row.picks.hex()}",'
        f'"reasons":"{row.reasons.hex()}","notice":{json.dumps(row.notice)},"is_catch_up":{json.dumps(row.is_catch_up)}}}'
    )


def _array(items: Iterable[object]) -> str:
    """PostgreSQL's way to write an array of what needs no quotes."""
    return f"{{{','.join(map(str, items))}}}"


def _row_by_row(rows: Sequence[Row], now: dt.datetime) -> int:
    names, values = _defaults(Digest(created_at=now), OWN)
    mail_names, mail_values = _defaults(Delivery(not_before=now), ("digest_id",))
    digests = f"""
        INSERT INTO {Digest._meta.db_table} ({", ".join([*OWN, *names])})
        VALUES ({", ".join(["%s"] * (len(OWN) + len(names)))})
        ON CONFLICT (subscriber_id, issue_date) DO NOTHING"""  # noqa: S608
    mails = f"""
        INSERT INTO {Delivery._meta.db_table} (digest_id, {", ".join(mail_names)})
        SELECT id{", %s" * len(mail_names)} FROM {Digest._meta.db_table}
        WHERE subscriber_id = %s AND issue_date = %s
        ON CONFLICT (digest_id) DO NOTHING"""  # noqa: S608
    dates = {date: date.isoformat() for date in {row.issue_date for row in rows}}
    with connection.cursor() as cursor:
        cursor.executemany(
            digests,
            [
                (row.reader, dates[row.issue_date], row.picks, row.reasons, row.notice, row.is_catch_up, *values)
                for row in rows
            ],
        )
        cursor.executemany(mails, [(*mail_values, row.reader, dates[row.issue_date]) for row in rows if row.picks])
        return int(cursor.rowcount)


def _defaults(instance: models.Model, own: Sequence[str]) -> tuple[list[str], list[Any]]:
    """The other columns of a new row, and what they hold: as Django would store this instance."""
    fields = {
        field.column: field.get_db_prep_save(getattr(instance, field.attname), connection)
        for field in instance._meta.concrete_fields
        if field.column and not field.primary_key and field.column not in own
    }
    return list(fields), list(fields.values())
