"""What a visitor's browser and mail program do."""

from __future__ import annotations

import re
from collections.abc import Callable
from email.message import EmailMessage
from urllib.parse import urlsplit

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from subscriptions.mail_requests import handle_requests
from subscriptions.models import Subscriber, Suppression
from tests.conftest import MORNING, make_reader

Post = Callable[..., HttpResponse]


def answers(**other: str) -> dict[str, str]:
    """The sign-up form, filled in."""
    return {
        "email": "dora@example.org",
        "interests": "diffusion\n-survey",
        "frequency": "daily",
        "hour": "8",
        "time_zone": "UTC",
        **other,
    }


def path_of(link: str) -> str:
    return urlsplit(link).path


def link_in(message: EmailMessage, start: str, kind: str = "plain") -> str:
    """The path of the one link of the mail that begins with `start`."""
    part = message.get_body((kind,))
    assert part is not None
    found = set(re.findall(rf"https?://[^/\s]+({start}[^\s\"<]+)", part.get_content()))
    assert len(found) == 1, found
    return str(found.pop())


def row(reader: Subscriber) -> dict[str, object]:
    """Everything stored about the reader, to see that nothing changed."""
    return {
        "columns": Subscriber.objects.filter(pk=reader.pk).values().first(),
        "lines": reader.lines(),
        "consents": list(reader.consents.order_by("pk").values_list("kind", "at")),
    }


@pytest.fixture
def post(client: Client, db: None) -> Post:
    """POST the sign-up form with these fields changed, and let a worker handle it."""

    def send(**other: str) -> HttpResponse:
        answer = client.post("/subscribe/", answers(**other))
        handle_requests(timezone.now())
        return answer

    return send


@pytest.fixture
def strict(db: None) -> Client:
    """A browser, or a mail client, whose POSTs are checked as in production."""
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def erin(db: None) -> Subscriber:
    """Her mailbox bounced."""
    Suppression.objects.add_address("erin@example.org", Suppression.Reason.BOUNCED, MORNING)
    return make_reader("erin@example.org", "diffusion", status=Subscriber.Status.BOUNCED)


@pytest.fixture
def frank(db: None) -> Subscriber:
    """He called our mail spam."""
    Suppression.objects.add_address("frank@example.org", Suppression.Reason.COMPLAINED, MORNING)
    return make_reader("frank@example.org", "diffusion", status=Subscriber.Status.COMPLAINED)
