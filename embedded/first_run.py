"""What a machine needs once before the pages are worth looking at: tables, an administrator, some papers."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from digest.models import Paper
from digest.papers.ingest.ingest import ingest_location
from digest.papers.sample.sample import PATH

ADMIN = "admin"
Say = Callable[[str], None]


def prepare(say: Say) -> None:
    """Bring the database up to date, and fill it if it is new. Says a line for each thing that it did."""
    migrate(say)
    make_admin(say)
    ingest_sample(say)


def migrate(say: Say) -> None:
    """Apply the migrations that are missing."""
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        call_command("migrate", interactive=False, verbosity=0)
        say(f"Database: {len(missing)} migrations applied.")


def make_admin(say: Say) -> None:
    """On a local site without a superuser: make `admin`, with a random password kept beside the data."""
    users = get_user_model().objects
    if not settings.SITE_IS_LOCAL or users.filter(is_superuser=True).exists():
        return
    if users.filter(username=ADMIN).exists():
        say(f"Administrator: none; “{ADMIN}” lacks that right. `manage.py createsuperuser` makes one.")
        return
    password = secrets.token_urlsafe(12)
    # The file first: ended in between, the next run makes both again, while a lost password would be lost.
    _write_private(password_file(), password + "\n")
    users.create_superuser(ADMIN, password=password)
    say(f"Administrator: “{ADMIN}”, its password is in {password_file()}.")


def ingest_sample(say: Say) -> None:
    """Where no paper is known: take in the bundled sample, so that the first page is not empty."""
    if Paper.objects.exists():
        return
    ingest_location(str(PATH), now=timezone.now())
    say(f"Papers: {Paper.objects.count()} from the bundled sample.")


def password_file() -> Path:
    """Where the first administrator's password lies."""
    return Path(settings.DATA_DIR) / "admin_password.txt"


def admin_hint() -> str:
    """Who may sign in at /admin/, as far as we know it: nothing is said of a password that was changed."""
    user = get_user_model().objects.filter(username=ADMIN, is_active=True).first()
    try:
        known = user is not None and user.check_password(password_file().read_text().strip())
    except OSError:
        known = False
    return f"user {ADMIN}, password in {password_file()}" if known else ""


def _write_private(path: Path, text: str) -> None:
    draft = path.with_suffix(".part")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:  # noqa: PTH123
        file.write(text)
    draft.replace(path)
