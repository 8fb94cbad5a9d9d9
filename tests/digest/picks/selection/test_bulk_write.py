"""The rows of a chunk, written a statement a table."""

from __future__ import annotations

import datetime as dt

import pytest

from digest.models import Delivery, Digest
from digest.picks.selection import bulk_write
from subscriptions.models import Subscriber
from tests.conftest import MORNING

pytestmark = pytest.mark.django_db


def test_a_row_is_what_django_would_have_stored(alice: Subscriber, bob: Subscriber) -> None:
    picks = (
        '[{"paper": 7, "lane": "interests", "points": 1.5, "reasons": [{"line": "\\"caf\\u00e9\\" \\\\ it\'s %s"}]}]'
    )
    date, later = MORNING.date(), MORNING + dt.timedelta(days=1)
    notice = 'A "late"\tsource\\n\r\n\\'
    assert (
        bulk_write.store(
            [bulk_write.Row(alice.pk, date, picks, "7", notice), bulk_write.Row(bob.pk, date, "[]", "")], MORNING
        )
        == 1
    )
    held = Digest.objects.get(subscriber=alice)
    assert held.picks[0]["reasons"][0]["line"] == '"café" \\ it\'s %s'
    assert (held.issue_date, held.created_at, held.papers, held.notice) == (date, MORNING, "7", notice)
    mail = Delivery.objects.get()
    plain = Delivery(digest=held, not_before=MORNING)
    names = [field.attname for field in Delivery._meta.concrete_fields if not field.primary_key]
    assert [getattr(mail, name) for name in names] == [getattr(plain, name) for name in names]
    bulk_write.set_due([(alice.pk, later), (bob.pk, MORNING)])
    assert list(Subscriber.objects.order_by("pk").values_list("next_digest_at", flat=True)) == [later, MORNING]


def test_a_digest_that_is_there_stays_and_gets_no_second_mail(alice: Subscriber, bob: Subscriber) -> None:
    row = bulk_write.Row(alice.pk, MORNING.date(), '[{"paper": 7}]', "7")
    bulk_write.store([row], MORNING)
    again = bulk_write.Row(alice.pk, MORNING.date(), '[{"paper": 8}]', "8")
    assert bulk_write.store([again, bulk_write.Row(bob.pk, MORNING.date(), '[{"paper": 9}]', "9")], MORNING) == 1
    held = dict(Delivery.objects.values_list("digest__subscriber", "digest__papers"))
    assert held == {alice.pk: Digest.papers_text([7]), bob.pk: Digest.papers_text([9])}
    assert Digest.objects.count() == 2


def test_each_mail_belongs_to_the_digest_of_its_own_day(alice: Subscriber, bob: Subscriber) -> None:
    today, tomorrow = MORNING.date(), MORNING.date() + dt.timedelta(days=1)
    bulk_write.store([bulk_write.Row(alice.pk, tomorrow, "[]", ""), bulk_write.Row(bob.pk, today, "[]", "")], MORNING)
    rows = [
        bulk_write.Row(alice.pk, today, '[{"paper": 7}]', "7"),
        bulk_write.Row(bob.pk, tomorrow, '[{"paper": 8}]', "8"),
    ]
    assert bulk_write.store(rows, MORNING) == 2
    held = Delivery.objects.values_list("digest__subscriber", "digest__issue_date")
    assert set(held) == {(alice.pk, today), (bob.pk, tomorrow)}


def test_no_rows_are_no_statement() -> None:
    assert bulk_write.store([], MORNING) == 0
