"""Counters of attempts that outlive the cache and the rows they are about."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import connection, models


class RateCountManager(models.Manager["RateCount"]):
    def add(self, key: str, seconds: int, now: dt.datetime, cost: int = 1) -> int:
        """Add `cost` to the counter `key` and return its new value, in one statement.

        The first addition opens a window of `seconds`; the first one after its end opens the next.
        """
        moment = models.DateTimeField()
        ends_at = moment.get_db_prep_save(now + dt.timedelta(seconds=seconds), connection)
        now_value = moment.get_db_prep_save(now, connection)
        statement = self._upsert("(%s, %s, %s)", "count")
        with connection.cursor() as cursor:
            cursor.execute(statement, [key, cost, ends_at, now_value, now_value])
            return int(cursor.fetchone()[0])

    @staticmethod
    def _upsert(rows: str, returned: str) -> str:
        table = RateCount._meta.db_table
        return f"""
            INSERT INTO {table} AS stored (key, count, ends_at) VALUES {rows}
            ON CONFLICT (key) DO UPDATE SET
                count = CASE WHEN stored.ends_at <= %s THEN excluded.count ELSE stored.count + excluded.count END,
                ends_at = CASE WHEN stored.ends_at <= %s THEN excluded.ends_at ELSE stored.ends_at END
            RETURNING {returned}
        """  # noqa: S608

    def add_to_each(self, keys: Sequence[str], seconds: int, now: dt.datetime) -> dict[str, int]:
        """Add 1 to each of these counters, which are all different, in one statement. Return their new values."""
        if not keys:
            return {}
        moment = models.DateTimeField()
        ends_at = moment.get_db_prep_save(now + dt.timedelta(seconds=seconds), connection)
        values = [value for key in sorted(keys) for value in (key, ends_at)]
        statement = self._upsert(", ".join(["(%s, 1, %s)"] * len(keys)), "key, count")
        with connection.cursor() as cursor:
            cursor.execute(statement, [*values, *[moment.get_db_prep_save(now, connection)] * 2])
            return {str(key): int(count) for key, count in cursor.fetchall()}

    def delete_ended(self, now: dt.datetime) -> int:
        """Delete the counters whose window has ended. Return how many."""
        return self.filter(ends_at__lte=now).delete()[0]


class RateCount(models.Model):
    """How often something was attempted in the current window. `key` is a keyed hash: it names nobody."""

    key = models.CharField(max_length=64, primary_key=True)
    count = models.PositiveIntegerField()
    ends_at = models.DateTimeField(db_index=True)

    objects = RateCountManager()

    def __str__(self) -> str:
        return f"{self.key[:12]}…: {self.count} until {self.ends_at:%Y-%m-%d %H:%M}"
