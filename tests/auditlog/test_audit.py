"""Every act of staff leaves an entry, from the admin and from the command line, and nobody can take it away."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from auditlog import audit
from auditlog.models import AuditEntry
from digest.papers.ingest import ingest
from subscriptions.models import Subscriber
from tests.conftest import MORNING
from tests.smtp import Server

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


def only_entry() -> tuple[str, str, str]:
    entry = AuditEntry.objects.get()
    assert entry.created_at
    return entry.actor, entry.action, entry.target


@pytest.mark.parametrize("action", ["pause", "drain", "resume", "go", "retry"])
def test_each_button_of_the_mail_is_recorded(admin_client: Client, action: str) -> None:
    admin_client.post(f"/admin/mail/{action}/")
    assert only_entry() == ("admin", f"mail {action}", "")
    assert AuditEntry.objects.get().user == User.objects.get()


@pytest.mark.parametrize("action", ["pause", "drain", "resume", "go", "retry"])
def test_each_command_for_the_mail_is_recorded_with_the_systems_user(action: str, db: None) -> None:
    call_command("mail", action, stdout=io.StringIO())
    assert only_entry() == (f"{audit.os_user()} (command line)", f"mail {action}", "")


def test_asking_for_the_status_is_no_act(db: None) -> None:
    call_command("mail", "status", stdout=io.StringIO())
    assert not AuditEntry.objects.exists()


def test_a_test_mail_is_recorded_without_its_address(admin_client: Client, smtp_server: Server) -> None:
    admin_client.post("/admin/mail/test/", {"address": "me@example.org"})
    assert only_entry() == ("admin", "mail test", "m***@example.org")
    AuditEntry.objects.all().delete()
    call_command("mail", "test", "me@example.org", stdout=io.StringIO())
    assert only_entry()[1:] == ("mail test", "m***@example.org")


def test_an_unknown_action_is_not_recorded(admin_client: Client) -> None:
    assert admin_client.post("/admin/mail/explode/").status_code == 404
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(("action", "recorded"), [("check_now", "check source"), ("try_kept_pages", "retry pages")])
def test_the_actions_on_sources_are_recorded(admin_client: Client, action: str, recorded: str) -> None:
    source = ingest.huggingface()
    address = reverse("admin:digest_source_changelist")
    admin_client.post(address, {"action": action, "_selected_action": source.pk})
    assert only_entry() == ("admin", recorded, f"source {source.slug}")


def test_trying_a_source_is_recorded_without_its_secrets(admin_client: Client) -> None:
    admin_client.post(reverse("admin:digest_source_add"), {"address": "http://127.0.0.1:1/feed?token=abc"})
    assert only_entry() == ("admin", "try source", "http://127.0.0.1:1/feed?token=…")


def test_looking_at_the_next_mail_is_recorded(admin_client: Client, alice: Subscriber) -> None:
    admin_client.get(reverse("next_mail", args=[alice.pk]))
    assert only_entry() == ("admin", "preview digest", f"subscriber {alice.pk}")


def test_resending_a_confirmation_is_recorded(admin_client: Client, bob: Subscriber) -> None:
    admin_client.post(reverse("admin:resend_confirmation", args=[bob.pk]))
    assert only_entry() == ("admin", "resend confirmation", f"subscriber {bob.pk}")


def run(name: str, *args: str, **options: Any) -> None:
    call_command(name, *args, stdout=io.StringIO(), stderr=io.StringIO(), **options)


@pytest.mark.parametrize(
    ("command", "recorded"),
    [
        (lambda folder: run("ingest", "--retry"), "retry pages"),
        (lambda folder: run("send_digests"), "send digests"),
        (lambda folder: run("export_subscribers"), "export subscribers"),
        (lambda folder: run("import_subscribers", str(csv_of(folder))), "import subscribers"),
    ],
    ids=["retry", "send", "export", "import"],
)
def test_commands_are_recorded(command: Callable[[Path], None], recorded: str, tmp_path: Path, db: None) -> None:
    command(tmp_path)
    assert only_entry()[:2] == (f"{audit.os_user()} (command line)", recorded)


def csv_of(folder: Path) -> Path:
    path = folder / "people.csv"
    path.write_text("email,interests\nada@example.org,diffusion\n")
    return path


def test_a_dry_run_is_not_recorded(tmp_path: Path, db: None) -> None:
    run("import_subscribers", str(csv_of(tmp_path)), dry_run=True)
    run("send_digests", dry_run=True)
    assert not AuditEntry.objects.exists()


def test_no_entry_holds_an_address(tmp_path: Path, db: None) -> None:
    run("import_subscribers", str(csv_of(tmp_path)), confirmed=True)
    run("send_digests", subscriber="ada@example.org")
    assert AuditEntry.objects.count() == 2
    assert "ada@" not in str(list(AuditEntry.objects.values()))


def test_a_user_without_a_name_is_recorded_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getuid", lambda: 4_000_000)
    monkeypatch.setenv("USER", "somebody-else")
    assert audit.os_user() == "uid 4000000"


@pytest.mark.parametrize("model", [AuditEntry, LogEntry])
def test_nobody_edits_or_deletes_an_entry_in_the_admin(admin_client: Client, model: type[Any]) -> None:
    user = User.objects.get()
    audit.record("mail pause", MORNING, user=user)
    LogEntry.objects.create(user=user, object_repr="x", action_flag=2)
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    row = model.objects.get()
    before = list(model.objects.values())
    assert admin_client.get(reverse(f"{name}_change", args=[row.pk])).status_code == 200
    assert admin_client.post(reverse(f"{name}_change", args=[row.pk]), {"actor": "x"}).status_code == 403
    assert admin_client.post(reverse(f"{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    assert admin_client.post(reverse(f"{name}_add"), {}).status_code == 403
    delete = {"action": "delete_selected", "_selected_action": row.pk, "post": "yes"}
    admin_client.post(reverse(f"{name}_changelist"), delete)
    assert list(model.objects.values()) == before


def test_deleting_a_user_does_not_take_the_record_along(admin_client: Client) -> None:
    gone = User.objects.create(username="gone", is_staff=True)
    audit.record("mail pause", MORNING, user=gone)
    LogEntry.objects.create(user=gone, object_repr="x", action_flag=2)
    admin_client.post(reverse("admin:auth_user_delete", args=[gone.pk]), {"post": "yes"})
    assert LogEntry.objects.filter(user=gone).exists()
    LogEntry.objects.filter(user=gone).delete()
    admin_client.post(reverse("admin:auth_user_delete", args=[gone.pk]), {"post": "yes"})
    assert not User.objects.filter(username="gone").exists()
    assert AuditEntry.objects.get(action="mail pause").actor == "gone"


def test_a_failed_act_leaves_no_entry(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("digest.mail.delivery.send_control.turn", fail)
    with pytest.raises(RuntimeError):
        admin_client.post("/admin/mail/pause/")
    assert not AuditEntry.objects.exists()
