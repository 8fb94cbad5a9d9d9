"""Download my data, and erase me."""

from __future__ import annotations

import json

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.test import Client

from digest.models import Delivery, Digest, Feedback, Paper
from digest.picks.selection.select import select_due
from digest.web.pages import data_export
from subscriptions import links
from subscriptions.models import Consent, Interest, InterestLine, PendingSignup, Subscriber, Suppression
from tests.conftest import MORNING, make_reader

pytestmark = pytest.mark.django_db


@pytest.fixture
def known(alice: Subscriber, papers: list[Paper]) -> Subscriber:
    """Alice with a row of each kind."""
    select_due(MORNING)
    Consent.objects.create(subscriber=alice, kind="confirmed", at=MORNING, page="/confirm/", wording="Send me papers.")
    Feedback.objects.create(subscriber=alice, paper=papers[1], kind="more", at=MORNING, undone_at=MORNING)
    Feedback.objects.create(subscriber=alice, paper=papers[0], kind="save", at=MORNING)
    PendingSignup.objects.create(subscriber=alice, number=1, preferences={}, asked_at=MORNING)
    return alice


def fetched(reader: Subscriber, client: Client) -> dict[str, object]:
    return json.loads(client.get(f"{links.access(reader)}data.json").content)


def test_the_file_holds_all_we_know(known: Subscriber, papers: list[Paper], client: Client) -> None:
    data = fetched(known, client)
    assert data["reader"]["email"] == "alice@example.org"
    assert [line["typed"] for line in data["interests"]] == known.lines()
    assert data["consents"][0]["wording"] == "Send me papers."
    assert [row["kind"] for row in data["feedback"]] == ["more", "save"]
    assert data["feedback"][0]["undone_at"]
    digest = data["digests"][0]
    assert digest["issue_date"] == "2026-03-16"
    assert digest["delivery"]["status"] == "waiting"
    assert [pick["paper"] for pick in digest["picks"]] == Digest.objects.get().paper_ids
    assert data["papers"][str(papers[0].pk)]["title"] == "Diffusion for Weather"


def test_no_column_is_left_out(known: Subscriber) -> None:
    """A column added later must be put into the file, or be left out here on purpose."""
    ours = {"id", "email_key", "subscriber", "digest", "position", "interest", "paper"}  # links between rows
    in_words = {"packed_picks": "picks", "packed_reasons": "reasons"}
    said = json.dumps(data_export.held(known), default=str)
    for model in (Subscriber, Consent, Digest, Delivery, Feedback, InterestLine, PendingSignup):
        for field in model._meta.get_fields():
            if isinstance(field, models.Field) and field.name not in ours and not field.many_to_many:
                assert f'"{in_words.get(field.name, field.name)}"' in said, f"{model.__name__}.{field.name}"


def test_it_says_whether_the_address_is_suppressed(known: Subscriber, client: Client) -> None:
    assert fetched(known, client)["suppression"] == ""
    Suppression.objects.add_address(known.email, Suppression.Reason.COMPLAINED, MORNING)
    assert fetched(known, client)["suppression"] == "complained"


def test_the_file_is_private_and_a_file(known: Subscriber, client: Client) -> None:
    answer = client.get(f"{links.access(known)}data.json")
    assert {"no-store", "private"} <= set(answer["Cache-Control"].split(", "))
    assert answer["Content-Disposition"] == 'attachment; filename="paper-round.json"'
    Subscriber.objects.update(token_version=2)
    assert client.get(f"{links.access(known)}data.json").status_code == 410


def test_nothing_of_another_reader_is_in_the_file(known: Subscriber, client: Client) -> None:
    make_reader("other@example.org", "beekeeping")
    assert "beekeeping" not in client.get(f"{links.access(known)}data.json").content.decode()


@pytest.mark.parametrize("method", ["get", "head"])
def test_erasing_asks_first(method: str, known: Subscriber, client: Client) -> None:
    answer = getattr(client, method)(f"{links.access(known)}erase/")
    assert answer.status_code == 200
    assert Subscriber.objects.filter(pk=known.pk).exists()


def test_erasing_leaves_no_row(known: Subscriber, client: Client) -> None:
    with time_machine.travel(MORNING, tick=False):
        answer = client.post(f"{links.access(known)}erase/")
    assert "We hold nothing of you any more" in answer.content.decode()
    assert "alice" not in answer.content.decode()
    for model in (Subscriber, InterestLine, Consent, Digest, Delivery, Feedback):
        assert not model.objects.exists(), model
    assert Paper.objects.count() == 5


def test_lines_that_nobody_else_has_go_too(known: Subscriber, client: Client) -> None:
    other = make_reader("other@example.org", "diffusion")
    client.post(f"{links.access(known)}erase/")
    assert list(Interest.objects.values_list("text", flat=True)) == ["diffusion"]
    assert other.lines() == ["diffusion"]


def test_the_hash_of_a_suppressed_address_stays(known: Subscriber, client: Client) -> None:
    Suppression.objects.add_address(known.email, Suppression.Reason.COMPLAINED, MORNING)
    client.post(f"{links.access(known)}erase/")
    assert Suppression.objects.reason_for("alice@example.org") == "complained"


def test_the_staffs_history_forgets_the_address(known: Subscriber, client: Client) -> None:
    staff = User.objects.create_user("staff")
    kind = ContentType.objects.get_for_model(Subscriber)
    row = LogEntry.objects.create(
        user=staff, content_type=kind, object_id=known.pk, object_repr=known.email, action_flag=2, change_message="x"
    )
    client.post(f"{links.access(known)}erase/")
    row.refresh_from_db()
    assert "alice" not in row.object_repr


def test_the_old_links_lead_nowhere_and_leaving_still_works(known: Subscriber, client: Client) -> None:
    preferences, unsubscribe = links.access(known), links.unsubscribe(known)
    client.post(f"{preferences}erase/")
    assert client.post(f"{preferences}erase/").status_code == 410
    assert client.get(preferences).status_code == 410
    assert client.post(unsubscribe).status_code == 200


def test_a_foreign_page_cannot_erase(known: Subscriber) -> None:
    assert Client(enforce_csrf_checks=True).post(f"{links.access(known)}erase/").status_code == 403
    assert Subscriber.objects.filter(pk=known.pk).exists()
