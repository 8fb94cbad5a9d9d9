"""The rows of a chunk, written a statement a table."""

from __future__ import annotations

import datetime as dt

import pytest

from digest.models import Delivery, Digest, Lane, Pick, Reason, ReasonKind
from digest.models.picks import pack
from digest.picks.selection import bulk_write
from subscriptions.models import Subscriber
from tests.conftest import MORNING

pytestmark = pytest.mark.django_db


PICKS = [Pick(7, Lane.INTERESTS, 150, 20, (Reason(ReasonKind.MATCH, 3, 131), Reason(ReasonKind.TWIN, 9, -1)))]


def row(reader: Subscriber, date: dt.date, *papers: int, notice: str = "") -> bulk_write.Row:
    picks = [Pick(paper, Lane.INTERESTS, 0, 0) for paper in papers]
    return bulk_write.Row(reader.pk, date, *pack(picks), notice)


def test_a_row_is_what_django_would_have_stored(alice: Subscriber, bob: Subscriber) -> None:
    date, later = MORNING.date(), MORNING + dt.timedelta(days=1)
    notice = 'A "late"\tsource\\n\r\n\\'
    assert bulk_write.store([bulk_write.Row(alice.pk, date, *pack(PICKS), notice), row(bob, date)], MORNING) == 1
    held = Digest.objects.get(subscriber=alice)
    assert held.picks == PICKS
    assert (held.issue_date, held.created_at, held.paper_ids, held.notice) == (date, MORNING, [7], notice)
    mail = Delivery.objects.get()
    plain = Delivery(digest=held, not_before=MORNING)
    names = [field.attname for field in Delivery._meta.concrete_fields if not field.primary_key]
    assert [getattr(mail, name) for name in names] == [getattr(plain, name) for name in names]
    bulk_write.set_due([(alice.pk, later), (bob.pk, MORNING)])
    assert list(Subscriber.objects.order_by("pk").values_list("next_digest_at", flat=True)) == [later, MORNING]


def test_a_digest_that_is_there_stays_and_gets_no_second_mail(alice: Subscriber, bob: Subscriber) -> None:
    date = MORNING.date()
    bulk_write.store([row(alice, date, 7)], MORNING)
    assert bulk_write.store([row(alice, date, 8), row(bob, date, 9)], MORNING) == 1
    held = {mail.digest.subscriber_id: mail.digest.paper_ids for mail in Delivery.objects.select_related("digest")}
    assert held == {alice.pk: [7], bob.pk: [9]}
    assert Digest.objects.count() == 2


def test_each_mail_belongs_to_the_digest_of_its_own_day(alice: Subscriber, bob: Subscriber) -> None:
    today, tomorrow = MORNING.date(), MORNING.date() + dt.timedelta(days=1)
    bulk_write.store([row(alice, tomorrow), row(bob, today)], MORNING)
    assert bulk_write.store([row(alice, today, 7), row(bob, tomorrow, 8)], MORNING) == 2
    held = Delivery.objects.values_list("digest__subscriber", "digest__issue_date")
    assert set(held) == {(alice.pk, today), (bob.pk, tomorrow)}


def test_no_rows_are_no_statement() -> None:
    assert bulk_write.store([], MORNING) == 0
