"""Each setting that SettingsForm declares is everywhere: on the pages, in import and export, data download and API."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import time_machine
from bs4 import BeautifulSoup
from django import forms
from django.core.management import call_command
from django.test import Client

from digest.web.api import openapi
from subscriptions import links, mail_requests, tokens
from subscriptions.models import Secret, Subscriber
from subscriptions.preferences import DEFAULTS, SETTINGS, SettingsForm, flat, limits, settings_of
from tests.conftest import MORNING

pytestmark = [pytest.mark.django_db, pytest.mark.parametrize("name", SETTINGS)]


@pytest.fixture(autouse=True)
def _in_the_morning(counters: None) -> Iterator[None]:
    with time_machine.travel(MORNING, tick=False):
        yield


@pytest.fixture
def other(name: str) -> Any:
    """A value that the form offers and that is not the default."""
    field = SettingsForm.base_fields[name]
    if isinstance(field, forms.ChoiceField):
        return [value for value, _ in flat(field.choices) if value != DEFAULTS[name]][-1]
    if isinstance(DEFAULTS[name], bool):
        return not DEFAULTS[name]
    return limits(name)[1] if limits(name) else "other"  # type: ignore[index]


@pytest.fixture
def token(alice: Subscriber) -> str:
    return tokens.make(alice, Secret.Kind.API, MORNING)


def stored(address: str) -> dict[str, Any]:
    return settings_of(Subscriber.objects.by_address(address).get())


def change(subscriber: Subscriber, name: str, value: Any) -> None:
    Subscriber.objects.filter(pk=subscriber.pk).update(**{name: value})


def asked(path: str, token: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    client = Client(headers={"Authorization": f"Bearer {token}"})
    answer = client.patch(path, body, content_type="application/json") if body else client.get(path)
    assert answer.status_code == 200, answer.content
    return dict(json.loads(answer.content))


def schema(name: str) -> dict[str, Any]:
    return dict(json.loads(openapi.text())["components"]["schemas"][name])


def test_the_preferences_page_shows_and_saves_it(name: str, other: Any, alice: Subscriber, client: Client) -> None:
    page = client.get(links.access(alice))
    assert BeautifulSoup(page.content, "lxml").select_one(f'form [name="{name}"]')
    values = stored(alice.email) | {"interests": "diffusion", name: other}
    assert client.post(links.access(alice), values).status_code == 302
    assert stored(alice.email)[name] == other


def test_signing_up_stores_it(name: str, other: Any, client: Client) -> None:
    client.post("/subscribe/", DEFAULTS | {"email": "dora@example.org", "interests": "diffusion", name: other})
    assert mail_requests.handle_requests(MORNING) == 1
    assert stored("dora@example.org") == DEFAULTS | {name: other}


def test_signing_up_elsewhere_than_on_the_page_leaves_its_default(name: str, client: Client) -> None:
    given = {"frequency": "daily", "hour": 8, "time_zone": "UTC"}
    client.post("/subscribe/", given | {"email": "dora@example.org", "interests": "diffusion"})
    mail_requests.handle_requests(MORNING)
    assert stored("dora@example.org")[name] == DEFAULTS[name]


def test_export_and_import_carry_it(name: str, other: Any, alice: Subscriber, tmp_path: Path) -> None:
    change(alice, name, other)
    path = tmp_path / "subscribers.csv"
    call_command("export_subscribers", "--output", str(path), stdout=io.StringIO())
    (row,) = csv.DictReader(io.StringIO(path.read_text(), newline=""))
    assert row[name] == str(other)
    alice.delete()
    call_command("import_subscribers", str(path), stdout=io.StringIO())
    assert stored(alice.email)[name] == other


def test_the_data_download_holds_it(name: str, other: Any, alice: Subscriber, client: Client) -> None:
    change(alice, name, other)
    assert client.get(f"{links.access(alice)}data.json").json()["settings"][name] == other


def test_the_api_shows_and_changes_it(name: str, other: Any, alice: Subscriber, token: str) -> None:
    assert asked("/api/v1/me/", token)[name] == DEFAULTS[name]
    assert asked("/api/v1/me/", token, {name: other})[name] == other
    assert stored(alice.email)[name] == other


def test_the_description_of_the_api_allows_it(name: str, other: Any, alice: Subscriber, token: str) -> None:
    jsonschema.validate({name: other}, schema("Change"))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({name: []}, schema("Change"))
    assert name in schema("Me")["required"]
    jsonschema.validate(asked("/api/v1/me/", token, {name: other}), schema("Me"))
