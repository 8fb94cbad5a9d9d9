"""Everything a reader can change, by their own link."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django import forms
from django.test import Client
from pytest_django.asserts import assertHTMLEqual

from subscriptions import links
from subscriptions.models import Interest, Subscriber
from subscriptions.time_zones import LongSelect
from tests.conftest import MORNING, make_reader
from tests.digest.admin.test_admin import reader_page, values_of_reader
from tests.subscriptions.conftest import answers, path_of, row


@pytest.fixture
def link(alice: Subscriber) -> str:
    return path_of(links.access(alice))


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_changes_nothing(method: str, link: str, alice: Subscriber, client: Client) -> None:
    before = row(alice)
    assert getattr(client, method)(link).status_code == 200
    assert row(alice) == before


def test_it_shows_what_is_stored(alice: Subscriber, link: str, client: Client) -> None:
    Subscriber.objects.filter(pk=alice.pk).update(time_zone="Asia/Kathmandu", hour=20, trending_share=30)
    page = client.get(link).content.decode()
    assert "diffusion\n&quot;chain of thought&quot;\n-survey</textarea>" in page
    for value in ("20", "Asia/Kathmandu", "30"):
        assert f'<option value="{value}" selected>' in page
    assert "Monday, 16 March, 13:45" in page  # 08:00 UTC


def test_it_saves(alice: Subscriber, link: str, client: Client) -> None:
    answer = client.post(link, answers(interests="agents\nvision", frequency="weekly", weekday="2", max_papers="5"))
    assert (answer.status_code, answer["Location"]) == (302, link)
    alice.refresh_from_db()
    assert alice.lines() == ["agents", "vision"]
    assert (alice.frequency, alice.weekday, alice.max_papers) == ("weekly", 2, 5)
    assert alice.email == "alice@example.org"


@pytest.mark.parametrize("change, due", [
    ({}, "2026-03-17 08:00"),
    ({"hour": "20"}, "2026-03-16 20:00"),
    ({"time_zone": "Asia/Kathmandu"}, "2026-03-17 02:15"),
    ({"frequency": "weekly", "weekday": "4"}, "2026-03-20 08:00"),
])  # fmt: skip
def test_the_next_mail_follows(change: dict[str, str], due: str, alice: Subscriber, link: str, client: Client) -> None:
    with time_machine.travel(MORNING, tick=False):
        client.post(link, answers(**change))
    alice.refresh_from_db()
    assert alice.next_digest_at == dt.datetime.fromisoformat(due).replace(tzinfo=dt.UTC)


def test_a_pause_outlives_a_change(alice: Subscriber, link: str, client: Client) -> None:
    until = MORNING + dt.timedelta(days=7)
    alice.pause(until, MORNING)
    with time_machine.travel(MORNING, tick=False):
        client.post(link, answers(hour="20"))
    alice.refresh_from_db()
    assert alice.paused_until == until
    assert alice.next_digest_at == until.replace(hour=20)


def test_who_left_can_change_wishes_and_still_gets_nothing(carol: Subscriber, client: Client) -> None:
    client.post(path_of(links.access(carol)), answers(interests="agents"))
    carol.refresh_from_db()
    assert (carol.lines(), carol.status, carol.next_digest_at) == (["agents"], "unsubscribed", None)


def test_a_bad_line_changes_nothing_and_is_not_lost(alice: Subscriber, link: str, client: Client) -> None:
    before = row(alice)
    answer = client.post(link, answers(interests='vision\n"chain', hour="20"))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert row(alice) == before
    assert "Line 2, character 1" in page
    assert "vision\n&quot;chain</textarea>" in page


def test_an_interest_of_others_stays(alice: Subscriber, link: str, client: Client) -> None:
    make_reader("other@example.org", "diffusion")
    client.post(link, answers(interests="agents"))
    assert set(Interest.objects.values_list("text", flat=True)) == {"agents", "diffusion"}


def test_typed_lines_are_text_and_never_markup(alice: Subscriber, link: str, client: Client) -> None:
    alice.set_lines(["</textarea><script>alert"])
    page = client.get(link).content.decode()
    assert "&lt;/textarea&gt;&lt;script&gt;alert</textarea>" in page
    assert "<script>alert" not in page


def test_a_foreign_page_cannot_save(link: str, alice: Subscriber, strict: Client) -> None:
    before = row(alice)
    assert strict.post(link, answers()).status_code == 403
    assert row(alice) == before


@pytest.mark.parametrize("purpose", [links.CONFIRM, links.UNSUBSCRIBE])
def test_a_token_of_another_purpose_opens_nothing(purpose: str, alice: Subscriber, client: Client) -> None:
    answer = client.get(f"/preferences/{links.token_for(alice, purpose)}/")
    assert answer.status_code == 404
    assert "alice" not in answer.content.decode()


def test_a_raised_version_voids_the_link(link: str, alice: Subscriber, client: Client) -> None:
    Subscriber.objects.filter(pk=alice.pk).update(token_version=2)
    before = row(alice)
    assert client.get(link).status_code == client.post(link, answers()).status_code == 410
    assert row(alice) == before


def test_the_page_is_neither_kept_nor_indexed(link: str, client: Client) -> None:
    for answer in (client.get(link), client.post(link, answers()), client.post(link, answers(hour="99"))):
        assert {"no-store", "private"} <= set(answer["Cache-Control"].split(", "))
        assert answer["X-Robots-Tag"] == "noindex"


def test_the_page_has_the_link_that_leaves(link: str, alice: Subscriber, client: Client) -> None:
    assert f'href="{links.unsubscribe(alice)}"' in client.get(link).content.decode()


def test_a_long_select_is_what_django_makes_of_it() -> None:
    choices = [("UTC", "UTC"), ("a<b", 'x & "y"'), ("Asia/Kathmandu", "Asia/Kathmandu")]
    attrs = {"data-guess-zone": "", "id": "id_zone"}
    for value in ("UTC", "a<b", "elsewhere", None):
        ours = LongSelect(attrs, choices).render("zone", value)
        assertHTMLEqual(ours, forms.Select(attrs, choices).render("zone", value))


def test_a_stored_value_outside_the_choices_survives_a_save(client, alice):
    Subscriber.objects.update(time_zone="US/Pacific", max_papers=12)
    alice.refresh_from_db()
    page = client.get(links.access(alice)).content.decode()
    assert '<option value="US/Pacific" selected>' in page
    assert '<option value="12" selected>' in page


@pytest.mark.parametrize(("name", "value"), [
    ("time_zone", "Europe/Berln"), ("hour", 24), ("max_papers", 0), ("max_papers", 101), ("trending_share", 101),
])  # fmt: skip
def test_staff_are_told_which_value_cannot_be(
    name: str, value: object, admin_client: Client, alice: Subscriber
) -> None:
    answer = admin_client.post(reader_page(alice), values_of_reader(**{name: value}))
    assert answer.status_code == 200
    assert name in answer.context["adminform"].form.errors
    alice.refresh_from_db()
    assert getattr(alice, name) != value
