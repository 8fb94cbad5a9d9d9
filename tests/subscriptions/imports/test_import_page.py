"""The import page of the admin: look first, import the good rows, take the others away to correct."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client

from auditlog.models import AuditEntry
from subscriptions import import_page
from subscriptions.models import Subscriber, Suppression
from tests.subscriptions.imports.test_moving_in import BUTTONDOWN, MIXED

pytestmark = pytest.mark.django_db
PATH = "/admin/subscriptions/subscriber/import/"


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("boss", "boss@example.net", "kettles"))
    return client


def send(client: Client, content: str, **more: Any) -> HttpResponse:
    file = SimpleUploadedFile("list.csv", content.encode(), content_type="text/csv")
    return client.post(PATH, {"file": file, **more})


def press(client: Client, page: HttpResponse, button: str) -> HttpResponse:
    """Press a button of the form below the preview."""
    form = BeautifulSoup(page.content, "lxml").select_one("section form")
    assert form is not None and form.select_one(f'[name="{button}"]')
    values = {str(one["name"]): str(one["value"]) for one in form.select('input[type="hidden"]')}
    return client.post(PATH, values | {button: "1"})


def test_the_list_leads_to_it_and_it_stores_nothing(staff: Client) -> None:
    assert f'href="{PATH}"' in staff.get("/admin/subscriptions/subscriber/").content.decode()
    assert staff.get(PATH).status_code == 200


def test_a_file_is_looked_at_first_and_imported_then(staff: Client) -> None:
    page = send(staff, BUTTONDOWN, interests="diffusion", confirmed="on")
    text = BeautifulSoup(page.content, "lxml").get_text(" ")
    assert "An export of Buttondown." in text and "Line 4: c***@example.org: left or bounced there, suppressed" in text
    assert "ada@example.org" not in text
    assert not Subscriber.objects.exists() and not Suppression.objects.exists()
    assert press(staff, page, "store").status_code == 302
    assert dict(Subscriber.objects.values_list("email", "status")) == {
        "ada@example.org": "active", "bob@example.org": "pending",
    }  # fmt: skip
    assert Suppression.objects.count() == 4
    entry = AuditEntry.objects.get()
    assert entry.action == "import subscribers" and "2 new readers" in entry.detail


def test_good_rows_go_in_and_the_others_are_taken_away_to_correct(staff: Client) -> None:
    page = send(staff, MIXED)
    done = press(staff, page, "store")
    assert Subscriber.objects.count() == 3
    bad = press(staff, done, "rejected")
    assert bad["Content-Type"] == "text/csv; charset=utf-8" and "attachment" in bad["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(bad.content.decode(), newline="")))
    assert [row[0] for row in rows] == ["email", "'=cmd|x", "cy@example.org"]


def test_what_cannot_be_imported_says_why(staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for content, says in (("shoe size\n38\n", "the column email is missing"), ("", "submitted file is empty")):
        page = send(staff, content)
        assert page.status_code == 422 and says in page.content.decode()
    assert "Choose a CSV file." in staff.post(PATH, {}).content.decode()
    assert "Choose the file again." in staff.post(PATH, {"content": "%"}).content.decode()
    monkeypatch.setattr(import_page, "MAX_ROWS", 1)
    assert "use manage.py import_subscribers" in send(staff, MIXED).content.decode()
    monkeypatch.setattr(import_page, "MAX_BYTES", 10)
    assert "use manage.py import_subscribers" in send(staff, MIXED).content.decode()


@pytest.mark.parametrize(("codename", "status"), [("view_subscriber", 403), ("add_subscriber", 200)])
def test_only_those_who_may_add_subscribers_import(codename: str, status: int, client: Client) -> None:
    user = User.objects.create_user("bob", password="pots", is_staff=True)
    user.user_permissions.add(*Permission.objects.filter(codename__in=["view_subscriber", codename]))
    client.force_login(user)
    assert client.get(PATH).status_code == status
    send(client, "email,interests\nada@example.org,pots\n", store="1")
    assert Subscriber.objects.exists() == (status == 200)
