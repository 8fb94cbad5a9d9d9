"""Files that hold secrets or addresses, and who may read them."""

from __future__ import annotations

import stat
from pathlib import Path

from django.conf import settings
from django.db import connection

from digest.operations.health.findings import Finding, ok, warning


def files() -> list[Finding]:
    """Whether everybody on this machine may read what is not in DATA_DIR, which the service closes by itself."""
    found = [
        warning(f"Everybody on this machine can read {path}.", f"Run: chmod o= {path}")
        for path in _paths()
        if path.is_file() and path.stat().st_mode & stat.S_IROTH and _can_be_reached(path)
    ]
    return found or [ok("No file with secrets or addresses can be read by everybody.")]


def _paths() -> list[Path]:
    """Settings, the database and the key of DKIM."""
    paths = [settings.BASE_DIR / ".env"]
    if connection.vendor == "sqlite":
        paths.append(Path(str(connection.settings_dict["NAME"])))
    if settings.DKIM_PRIVATE_KEY and "-----BEGIN" not in settings.DKIM_PRIVATE_KEY:
        paths.append(Path(settings.DKIM_PRIVATE_KEY))
    return paths


def _can_be_reached(path: Path) -> bool:
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in path.resolve().parents)
