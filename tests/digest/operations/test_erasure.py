"""Nothing of an erased subscriber is left: a marker is planted everywhere, and looked for in the whole database."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.urls import reverse

from digest.mail import delivery
from digest.models import Delivery, Digest, Feedback, Paper
from digest.operations.retention import pruning
from digest.picks.selection.select import select_due
from embedded import catcher
from subscriptions import limits, links, signup, tokens
from subscriptions.models import Consent, Interest, InterestLine, MailRequest, PendingSignup, Secret, Subscriber
from tests.conftest import MORNING, make_reader
from tests.smtp import Server

pytestmark = pytest.mark.django_db

MARKER = "zanzibars"  # in everything that one subscriber's data reaches
ADDRESS = f"{MARKER}@example.org"
LINES = (
    f"diffusion OR {MARKER}",  # theirs alone
    "Zanzibars",  # shared with somebody who wrote it otherwise
    f'author:"{MARKER} Smith"',
)


def dump() -> str:
    """Every cell of every table, as text."""
    tables = connection.introspection.table_names()
    with connection.cursor() as cursor:
        cells = []
        for table in tables:
            cursor.execute(f'SELECT * FROM "{table}"')
            cells += [f"{table}: {row!r}" for row in cursor.fetchall()]
    return "\n".join(cells)


def left(folder: Path) -> list[str]:
    """Where the marker still is: rows, keys and values of the cache, files."""
    rows = [row for row in dump().splitlines() if MARKER in row.lower()]
    cached = [key for key, value in cache._cache.items() if MARKER in f"{key} {value!r}".lower()]
    files = [path.name for path in folder.rglob("*") if path.is_file() and MARKER.encode() in path.read_bytes().lower()]
    return [*rows, *cached, *files]


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.MAIL_CATCHER_DIR = tmp_path / "mail"
    catcher.prepare(settings.MAIL_CATCHER_DIR)
    return tmp_path


@pytest.fixture
def planted(folder: Path, papers: list[Paper], smtp_server: Server) -> Subscriber:
    """A subscriber with a row of each kind, each with the marker in it."""
    subscriber = make_reader(ADDRESS, *LINES, pasted=[papers[0].pk])
    other = make_reader("other@example.org", "zanzibar")
    assert other.interest_lines.get().interest.text == "zanzibars"
    with time_machine.travel(MORNING, tick=False):
        select_due(MORNING)
        delivery.deliver_all(MORNING)
        signup.send_link(ADDRESS, MORNING)
        limits.is_over("link-to", ADDRESS, 3, 60)
        limits.is_over("link-to", ADDRESS, 3, 60, durable=True)
    Delivery.objects.filter(digest__subscriber=subscriber).update(
        error=f"550 {ADDRESS}: no such user", message_id=ADDRESS
    )
    Digest.objects.filter(subscriber=subscriber).update(notice=f"Welcome, {MARKER}")
    Consent.objects.create(subscriber=subscriber, kind="confirmed", at=MORNING, page=f"/?{MARKER}", wording=MARKER)
    Feedback.objects.create(subscriber=subscriber, paper=papers[0], kind="more", at=MORNING)
    PendingSignup.objects.create(
        subscriber=subscriber, number=1, preferences={"lines": [MARKER]}, pasted=[], asked_at=MORNING
    )
    MailRequest.objects.create(kind="sign-up", address=ADDRESS, details={"page": MARKER}, requested_at=MORNING)
    tokens.make(subscriber, Secret.Kind.FEED, MORNING)
    staff = User.objects.create_superuser("staff")
    _log(staff, subscriber, [{"deleted": {"name": "interest line", "object": LINES[0]}}])
    message = f"To: {ADDRESS}\r\nSubject: Your papers\r\n\r\nHello {MARKER}".encode()
    catcher.store(folder / "mail", "20260316T080000.000000Z-00000000", message, "papers@example.org", [ADDRESS])
    (folder / "mail" / "20260316T080001.000000Z-00000000.eml").write_bytes(message)  # copied here by hand
    catcher.store(
        folder / "mail", "20260316T080002.000000Z-00000000", b"To: x", "papers@example.org", ["o@example.org"]
    )
    return subscriber


def _log(staff: User, row: Any, message: object) -> None:
    LogEntry.objects.create(
        user=staff, content_type=ContentType.objects.get_for_model(type(row)), object_id=row.pk,
        object_repr=str(row), action_flag=2, change_message=json.dumps(message),
    )  # fmt: skip


def test_the_marker_is_everywhere_first(planted: Subscriber, folder: Path) -> None:
    """Else the next tests would show nothing."""
    found = " ".join(left(folder))
    tables = {
        model._meta.db_table
        for model in (
            Subscriber, Consent, Interest, Digest, Delivery, LogEntry, InterestLine, MailRequest, PendingSignup,
        )
    }  # fmt: skip
    assert not {table for table in tables if f"{table}:" not in found}
    assert found.count(".eml") == 2
    assert found.count(".json") == 1


@pytest.mark.parametrize("way", ["page", "admin", "admin list", "left long ago"])
def test_nothing_is_left(way: str, planted: Subscriber, folder: Path, client: Client) -> None:
    other = Subscriber.objects.get(email="other@example.org")
    with time_machine.travel(MORNING, tick=False):
        _erase(way, planted, client)
    assert left(folder) == []
    assert other.interest_lines.get().interest.text == "zanzibar"
    assert len(list((folder / "mail").glob("*.eml"))) == 1
    assert LogEntry.objects.filter(object_id=str(planted.pk)).exists()  # what staff did is still known


def _erase(way: str, subscriber: Subscriber, client: Client) -> None:
    if way == "page":
        client.post(f"{links.access(subscriber)}erase/")
        return
    if way == "left long ago":
        signup.leave(subscriber, page="/unsubscribe/", now=MORNING - dt.timedelta(days=91))
        pruning.prune(MORNING)
        return
    client.force_login(User.objects.get())
    if way == "admin":
        client.post(reverse("admin:subscriptions_subscriber_delete", args=[subscriber.pk]), {"post": "yes"})
    else:
        data = {"action": "delete_selected", "_selected_action": [subscriber.pk], "post": "yes"}
        client.post(reverse("admin:subscriptions_subscriber_changelist"), data)
    client.logout()
