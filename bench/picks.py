"""Storing ten picks a reader: one JSON column (ours) or a row a pick. The choice docs/decisions.md reports."""

from __future__ import annotations

import json

from django.db import connection, transaction

from bench.measure import Case

READERS = 2000
REASON = {"line": "diffusion", "points": 3.53, "title": [[0, 9]], "abstract": [[12, 21]], "words": ["Diffusion"]}
PICK = {"paper": 12345, "lane": "interests", "points": 3.61, "trend": 0.08, "reasons": [REASON]}


def cases() -> list[Case]:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE wide (reader integer, picks text)")
        cursor.execute(
            "CREATE TABLE narrow (reader integer, place integer, paper integer, points real, lane text, reasons text)"
        )
        cursor.execute("CREATE INDEX narrow_reader ON narrow (reader)")
        cursor.execute("CREATE INDEX wide_reader ON wide (reader)")

    def one_column() -> None:
        rows = [(reader, json.dumps([PICK] * 10)) for reader in range(READERS)]
        _write("INSERT INTO wide VALUES (%s, %s)", rows)

    def a_row_each() -> None:
        rows = [
            (reader, place, 12345, 3.61, "interests", json.dumps([REASON]))
            for reader in range(READERS)
            for place in range(10)
        ]
        _write("INSERT INTO narrow VALUES (%s, %s, %s, %s, %s, %s)", rows)

    def read_column() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT reader, picks FROM wide WHERE reader < 200")
            for _, picks in cursor.fetchall():
                {pick["paper"] for pick in json.loads(picks)}

    def read_rows() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT reader, paper FROM narrow WHERE reader < 200")
            cursor.fetchall()

    return [
        Case("store 10 picks a reader", "one JSON column", one_column, READERS, "reader"),
        Case("store 10 picks a reader", "peer: a row a pick", a_row_each, READERS, "reader"),
        Case("read what was sent", "one JSON column", read_column, 200, "reader"),
        Case("read what was sent", "peer: a row a pick", read_rows, 200, "reader"),
    ]


def _write(statement: str, rows: list[tuple[object, ...]]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(statement, rows)
