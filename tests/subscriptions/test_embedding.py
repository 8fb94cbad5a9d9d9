"""A plain form on another site, links that name lines, and the list of time zones."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.utils import timezone

from subscriptions import schedule
from subscriptions.forms import PreferencesForm, SignupForm
from subscriptions.mail_requests import handle_requests
from subscriptions.models import Subscriber
from subscriptions.time_zones import time_zones
from tests.subscriptions.conftest import answers


def fields(answer: object) -> tuple[str, str]:
    soup = BeautifulSoup(answer.content, "lxml")
    email, lines = soup.select_one("#id_email"), soup.select_one("#id_interests")
    assert email is not None
    assert lines is not None
    return str(email.get("value", "")), lines.get_text().strip()


def test_a_form_elsewhere_needs_no_token_and_stores_nothing(strict: Client) -> None:
    answer = strict.post(
        "/subscribe/embed/",
        {"email": "far@example.org", "interests": "diffusion\n(broken", "hour": "6", "website": "x", "papers": "1"},
        headers={"Origin": "https://lab.example", "Sec-Fetch-Site": "cross-site"},
    )
    assert answer.status_code == 200
    assert fields(answer) == ("far@example.org", "diffusion\n(broken")
    assert "no-store" in answer["Cache-Control"]
    assert b'name="website" value' not in answer.content
    assert not Subscriber.objects.exists()


def test_the_page_it_leads_to_has_a_token_of_its_own(strict: Client) -> None:
    answer = strict.post("/subscribe/embed/", {"interests": "diffusion"})
    token = BeautifulSoup(answer.content, "lxml").select_one("[name=csrfmiddlewaretoken]")["value"]
    assert strict.post("/subscribe/", answers(csrfmiddlewaretoken=str(token))).status_code == 302
    handle_requests(timezone.now())
    assert Subscriber.objects.count() == 1


def test_signing_up_itself_still_needs_the_token(strict: Client) -> None:
    assert strict.post("/subscribe/", answers()).status_code == 403


def test_what_is_typed_elsewhere_is_escaped(client: Client, db: None) -> None:
    answer = client.post("/subscribe/embed/", {"email": '"><script>x', "interests": "</textarea><script>x"})
    assert b"<script>x" not in answer.content


def test_the_snippet_names_where_it_goes(client: Client, settings: object, db: None) -> None:
    settings.SITE_URL = "https://papers.example"
    snippet = BeautifulSoup(client.get("/subscribe/embed/").content, "lxml").select_one(".snippet")
    assert snippet is not None
    form = BeautifulSoup(snippet.get_text(), "lxml").select_one("form")
    assert form is not None
    assert (form["action"], form["method"]) == ("https://papers.example/subscribe/embed/", "post")
    assert [field["name"] for field in form.select("[name]")] == ["email", "interests"]


def test_a_link_names_lines_and_never_an_address(client: Client, db: None) -> None:
    answer = client.get("/subscribe/", {"interests": "diffusion\nagents", "email": "ada@example.org"})
    assert fields(answer) == ("", "diffusion\nagents")


def test_every_place_is_there_once_under_its_region() -> None:
    (utc, _), *regions = time_zones()
    assert utc == "UTC"
    assert [region for region, _ in regions] == sorted(region for region, _ in regions)
    names = [name for _, places in regions for name, _ in places]
    assert {"Europe/Berlin", "Asia/Kolkata", "America/Argentina/Buenos_Aires", "Europe/Kyiv"} <= set(names)
    assert not {"Asia/Calcutta", "Europe/Kiev", "America/Buenos_Aires", "Etc/GMT+1", "US/Pacific"} & set(names)
    assert len(names) == len(set(names))
    assert all(ZoneInfo(name) for name in names)


def test_without_the_table_of_places_every_name_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "TZPATH", ())
    assert "Asia/Kolkata" in schedule.current_names()


def test_the_zone_of_the_form_is_chosen_in_its_group() -> None:
    page = BeautifulSoup(str(SignupForm(initial={"time_zone": "Europe/Berlin"})["time_zone"]), "lxml")
    chosen = page.select("option[selected]")
    assert [(one["value"], one.get_text(), one.parent["label"]) for one in chosen] == [
        ("Europe/Berlin", "Berlin", "Europe")
    ]


def test_an_old_name_that_is_stored_stays_chosen() -> None:
    page = BeautifulSoup(str(PreferencesForm(initial={"time_zone": "Asia/Calcutta"})["time_zone"]), "lxml")
    assert [one["value"] for one in page.select("option[selected]")] == ["Asia/Calcutta"]
