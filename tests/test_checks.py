"""`manage.py check`: settings that do not go together are told, and a local site is left in peace."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import environ
import pytest
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.checks import run_checks
from django.core.checks.registry import registry
from django.core.exceptions import ValidationError
from django.test import Client

from config import environment
from embedded import first_run
from subscriptions.checks import TAG
from tests.stack import AT_START, ROOT, wait_until

PUBLIC = {
    "SITE_URL": "https://papers.example.org",
    "SITE_IS_LOCAL": False,
    "EMBEDDED_MAIL": False,
    "POSTAL_ADDRESS": "Paper Round, 1 Main Street, Springfield",
}


def found(settings: Any, **other: object) -> list[str]:
    for name, value in (PUBLIC | other).items():
        setattr(settings, name, value)
    messages = run_checks(tags=[TAG])
    assert all(message.hint for message in messages)
    return [str(message.id) for message in messages]


def test_the_checks_are_registered() -> None:
    assert registry.tag_exists(TAG)


@pytest.mark.parametrize(("other", "ids"), [
    ({}, []),
    ({"EMBEDDED_MAIL": True}, ["paper_round.E001"]),
    ({"SITE_URL": "http://papers.example.org"}, ["paper_round.W001"]),
    ({"POSTAL_ADDRESS": ""}, ["paper_round.W002"]),
    ({"POSTAL_ADDRESS": " \n"}, ["paper_round.W002"]),
    ({"EMBEDDED_MAIL": True, "SITE_URL": "http://papers.example.org", "POSTAL_ADDRESS": ""},
     ["paper_round.E001", "paper_round.W001", "paper_round.W002"]),
])  # fmt: skip
def test_a_public_site(settings: Any, other: dict[str, object], ids: list[str]) -> None:
    assert sorted(found(settings, **other)) == ids


def test_a_local_site_is_left_in_peace(settings: Any) -> None:
    local = {"SITE_URL": "http://127.0.0.1:8000", "SITE_IS_LOCAL": True, "EMBEDDED_MAIL": True, "POSTAL_ADDRESS": ""}
    assert found(settings, **local) == []


@pytest.mark.parametrize(("url", "says"), [
    ("https://papers.example.org", "(paper_round.E001) SITE_URL is public (https://papers.example.org)"),
    ("http://127.0.0.1:8000", "no issues"),
])  # fmt: skip
def test_manage_py_check_says_so(tmp_path: Path, url: str, says: str) -> None:
    env = os.environ | {"DATA_DIR": str(tmp_path), "SITE_URL": url}
    done = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60
    )
    assert says in done.stdout + done.stderr
    assert done.returncode == ("127.0.0.1" not in url)


def mail_server(settings: Any, url: str) -> list[str]:
    env = environ.Env()
    env.ENVIRON = {"EMAIL_URL": url}
    return found(settings, **environment.mail(env, ""))


@pytest.mark.parametrize("host", ["smtp.example.org", "192.0.2.7", "10.1.2.3", "127.0.0.1.example.org"])
def test_a_password_in_clear_is_told_with_what_to_write(settings: Any, host: str) -> None:
    assert mail_server(settings, f"smtp://user:secret@{host}:587") == ["paper_round.W004"]
    (message,) = run_checks(tags=[TAG])
    assert host in message.msg and "smtp+tls://" in message.hint
    assert "secret" not in f"{message}"


@pytest.mark.parametrize("url", [
    "smtp+tls://user:secret@smtp.example.org:587", "smtp+ssl://user:secret@smtp.example.org:465",
    "smtp://smtp.example.org:25", "smtp://user:secret@127.0.0.1:1025", "smtp://user:secret@localhost:1025",
    "smtp://user:secret@mail:1025",
])  # fmt: skip
def test_a_password_that_nobody_can_read_on_the_way_is_fine(settings: Any, url: str) -> None:
    assert mail_server(settings, url) == []


def test_a_provider_needs_no_smtp_password(settings: Any) -> None:
    mail_server(settings, "smtp://user:secret@smtp.example.org:587")
    assert (
        found(settings, EMAIL_BACKEND="anymail.backends.amazon_ses.EmailBackend", ANYMAIL={"WEBHOOK_SECRET": "a:b"})
        == []
    )


@pytest.mark.parametrize("start", ["import config.wsgi", "celery"])
def test_servers_and_workers_log_it_at_their_start(tmp_path: Path, start: str) -> None:
    env = os.environ | {"DATA_DIR": str(tmp_path), "EMAIL_URL": "smtp://user:secret@smtp.example.org:587"}
    env |= {"DJANGO_SETTINGS_MODULE": "config.settings", "REDIS_URL": "redis://127.0.0.1:1/0"}
    command = ["-m", "celery", "-A", "config", "worker", "--pool", "solo"] if start == "celery" else ["-c", start]
    log = tmp_path / "log"
    with log.open("w") as out:
        process = subprocess.Popen([sys.executable, *command], cwd=ROOT, env=env, stdout=out, stderr=out)
    try:
        wait_until(lambda: "is sent unencrypted" in log.read_text(), "the warning", AT_START)
        assert "WARNING" in log.read_text() and "secret" not in log.read_text()
    finally:
        process.kill()
        process.wait()


# --- passwords of staff
@pytest.mark.parametrize("password", ["short", "paperround12", "password12345", "123456789012", "administrator"])
def test_a_weak_password_is_refused(password: str) -> None:
    with pytest.raises(ValidationError):
        validate_password(password, User(username="paper", email="paperround@example.org"))


def test_the_admin_refuses_it_too(admin_client: Client) -> None:
    answer = admin_client.post("/admin/auth/user/add/", {"username": "eve", "password1": "short", "password2": "short"})
    assert "at least 12 characters" in answer.content.decode()
    assert not User.objects.filter(username="eve").exists()


def test_the_password_that_is_made_for_the_first_administrator_is_good(db: None, settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR, settings.SITE_IS_LOCAL = tmp_path, True
    first_run.make_admin(lambda said: None)
    password = first_run.password_file().read_text().strip()
    user = User.objects.get()
    assert user.check_password(password)
    validate_password(password, user)
