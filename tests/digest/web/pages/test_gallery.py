"""The gallery of mails."""

from __future__ import annotations

from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client

from digest.models import Paper
from digest.web.pages.gallery import states
from subscriptions.models import Subscriber
from tests.conftest import MORNING

pytestmark = pytest.mark.django_db


def test_without_debug_there_is_none(client: Client) -> None:
    assert client.get("/gallery/").status_code == 404


def test_it_shows_each_mail_light_and_dark_and_stores_nothing(client: Client, settings: Any) -> None:
    settings.DEBUG = True
    page = BeautifulSoup(client.get("/gallery/").content, "lxml")
    frames = page.find_all("iframe")
    assert len(frames) == 4 * len(page.find_all("h2")) == 52
    assert all("sandbox" in frame.attrs for frame in frames)
    assert not Paper.objects.exists()
    assert not Subscriber.objects.exists()


@pytest.mark.parametrize("number", range(12))
def test_no_mail_needs_anything_from_elsewhere_or_breaks_its_frame(number: int) -> None:
    state = states(MORNING)[number]
    html = BeautifulSoup(state.light, "lxml")
    assert not html.find_all(["script", "img", "form", "link", "iframe", "svg"])
    assert len(html.find_all("h1")) == 1
    assert all(table["role"] == "presentation" for table in html.find_all("table"))
    assert html.html
    assert (html.html["lang"], html.html["dir"]) == ("en", "ltr")
    assert "@media all" in state.dark
    assert len(state.light.encode()) < 100_000
    assert str(state.mail.subject).isprintable()
